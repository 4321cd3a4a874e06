"""The activation unit: `lanes` pipelined function units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pydantic import Field

from archsim.components.base import Unit, UnitConfig, Work, ceil_div
from archsim.components.functions import evaluate
from archsim.components.hold import Hold, held
from archsim.config.types import Count, Cycles
from archsim.formats.number import Array
from archsim.program.ir import Op, Region
from archsim.workload.network import FunctionSpec


class ActivationConfig(UnitConfig):
    """Width and depth of the activation unit."""

    lanes: Count = Field(description="values per cycle")
    latency_cycles: Cycles = Field(description="pipeline stages of the function unit")


@dataclass(frozen=True, kw_only=True)
class Activate(Op):
    """target = function(source), element by element, both (n, B); with `clip`, of source bounded to [-clip, clip]."""

    function: FunctionSpec
    source: Region
    target: Region
    clip: float | None = None
    hold: Hold | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.source, *(self.hold.regions if self.hold else ()))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @property
    def elements(self) -> int:
        """Values to evaluate, n x B."""
        return self.source.entries * self.source.buffer.width


class Activation(Unit[ActivationConfig]):
    """Executes Activate ops."""

    name = "activation"
    summary = "sigmoid, tanh and the other functions of the ONNX specification, `lanes` values a cycle"
    item_name = "value"

    def compute_cycles(self, op: Op) -> int:
        """ceil(n B / lanes)."""
        return ceil_div(self._op(op).elements, self.config.lanes)

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements, Fraction(self.config.lanes))

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        activate, x = self._op(op), operands[0]
        if activate.clip is not None:
            bound = x.dtype.type(activate.clip)
            x = np.clip(x, -bound, bound)
        return (held(activate.hold, evaluate(activate.function, x), operands),)

    def _op(self, op: Op) -> Activate:
        if not isinstance(op, Activate):
            raise self.refuse(op)
        return op
