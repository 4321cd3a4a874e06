"""The activation unit: `lanes` pipelined function units for sigmoid and tanh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from pydantic import Field

from archsim.components.base import Unit, UnitConfig, Work, ceil_div
from archsim.config.types import Count, Cycles
from archsim.formats.number import Array
from archsim.program.ir import Op, Region


class Function(StrEnum):
    """The functions that the unit evaluates."""

    SIGMOID = "sigmoid"
    TANH = "tanh"


class ActivationConfig(UnitConfig):
    """Width and depth of the activation unit."""

    lanes: Count = Field(description="values per cycle")
    latency_cycles: Cycles = Field(description="pipeline stages of the function unit")


@dataclass(frozen=True, kw_only=True)
class Activate(Op):
    """target = function(source), element by element; both (n, B)."""

    function: Function
    source: Region
    target: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.source,)

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
    summary = "sigmoid and tanh, `lanes` values a cycle"
    item_name = "value"

    def compute_cycles(self, op: Op) -> int:
        """ceil(n B / lanes)."""
        return ceil_div(self._op(op).elements, self.config.lanes)

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements, Fraction(self.config.lanes))

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        function = _sigmoid if self._op(op).function is Function.SIGMOID else np.tanh
        return (function(operands[0]),)

    def _op(self, op: Op) -> Activate:
        if not isinstance(op, Activate):
            raise self.refuse(op)
        return op


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow and without losing the small values of negative x."""
    small = np.exp(-np.abs(x))
    one = x.dtype.type(1)
    result: Array = np.where(x >= 0, one / (one + small), small / (one + small))
    return result
