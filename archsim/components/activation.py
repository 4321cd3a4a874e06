"""The activation unit: `lanes` pipelined function units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pydantic import Field

from archsim.components.activation_methods import MethodName, make_method
from archsim.components.base import Ports, Unit, UnitConfig, Work, ceil_div
from archsim.components.hold import Hold, check_hold, held
from archsim.components.numerics import Kernel, Numerics
from archsim.components.piecewise import PiecewiseConfig
from archsim.components.table import TableConfig
from archsim.config.types import Count, Cycles
from archsim.formats import Encoding, Formats, IntegerFormat
from archsim.formats.config import FormatName
from archsim.formats.number import Array
from archsim.formats.rounding import rounded
from archsim.program.ir import Op, Region
from archsim.workload.network import FunctionSpec


class ActivationConfig(UnitConfig):
    """Width, depth and method of the activation unit."""

    lanes: Count = Field(description="values per cycle")
    latency_cycles: Cycles | None = Field(
        default=None, description="pipeline stages of the function unit; the method's own if left out"
    )
    method: MethodName = Field(default=MethodName.EXACT, description="how a function is evaluated")
    address_format: FormatName | None = Field(
        default=None, description="q format in which tables and lines see their argument; formats.gate if left out"
    )
    table: TableConfig = Field(default=TableConfig(), description="look-up table, used by the method of that name")
    piecewise_linear: PiecewiseConfig = Field(
        default=PiecewiseConfig(), description="line segments, used by the method of that name"
    )


@dataclass(frozen=True, slots=True)
class GateRows:
    """Rows of an op that belong to a gate: its name (i, f, g, o; r, z, n), and for which hidden units."""

    gate: str
    first_unit: int
    units: int


@dataclass(frozen=True, kw_only=True)
class Activate(Op):
    """target = function(source), element by element, both (n, B); with `clip`, of source bounded to [-clip, clip].

    `gates` says which gates the rows are, one after the other; () where they are none, as for tanh(c).
    """

    function: FunctionSpec
    source: Region
    target: Region
    clip: float | None = None
    hold: Hold | None = None
    gates: tuple[GateRows, ...] = ()

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

    def __init__(self, config: ActivationConfig, ports: Ports, formats: Formats) -> None:
        super().__init__(config, ports, formats)
        self.method = make_method(config, formats)

    def depth_cycles(self, op: Op) -> int:
        latency = self.config.latency_cycles
        return self.method.latency_cycles if latency is None else latency

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements, Fraction(self.config.lanes))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """Clip, evaluate, keep what a lane without a sequence holds."""
        activate = self._op(op)
        check_hold(activate.hold, activate.target, numerics)
        source, target = numerics.of(activate.source), numerics.of(activate.target)
        kind, overflows = activate.target.buffer.format_kind, numerics.overflows
        evaluate = self.method.evaluator(activate.function, source, target, overflows)
        bound = None if activate.clip is None else _bound(activate.clip, source)

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            x = operands[0]
            if bound is not None:
                x = np.clip(x, -bound, bound)
            return (held(activate.hold, overflows.add(kind, evaluate(x)), operands),)

        return Kernel(effect)

    def _op(self, op: Op) -> Activate:
        if not isinstance(op, Activate):
            raise self.refuse(op)
        return op


def _bound(clip: float, source: Encoding) -> float:
    """As it is stored; beyond the range the largest number, also in a format that wraps."""
    if isinstance(source.format, IntegerFormat):
        whole = rounded(np.array([clip / source.scale]), source.format.rounding)
        return int(min(float(whole[0]), source.format.highest))
    return float(source.encoded(np.array([clip]))[0][0])
