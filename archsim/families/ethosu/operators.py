"""Models the engine: the operators that it executes, what each takes, and its arithmetic."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from archsim.families.ethosu.config import EngineConfig, EthosuConfig
from archsim.families.ethosu.costs import Cost, Costs
from archsim.families.ethosu.transfers import Vector
from archsim.families.ethosu.weight_stream import flash_bytes
from archsim.formats.number import Array
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.functions.methods import Evaluator
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import (
    REGISTER_BIT,
    RESCALE_BITS,
    Tally,
    Width,
    adder,
    integer_adder,
    multiplier,
    times,
    width_of,
)
from archsim.hardware.unit import Unit, Work
from archsim.program.ir import DataKind, Op, Region
from archsim.workload.network import FunctionSpec


@dataclass(frozen=True, kw_only=True)
class Operator(Op):
    """An operator of the compiled network, which makes a whole vector; with a `function` of what it has made."""

    target: Region
    function: FunctionSpec | None = None

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @abstractmethod
    def cost(self, costs: Costs) -> Cost:
        """What the operator takes."""

    @abstractmethod
    def combined(self, operands: Sequence[Array]) -> Array:
        """The values that it makes of those of its operands."""


@dataclass(frozen=True, kw_only=True)
class DotProduct(Operator):
    """The operator target = weights @ vector + bias, whose weights come from flash."""

    weights: Region
    vector: Region
    bias: Region | None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.weights, self.vector, *((self.bias,) if self.bias else ()))

    @property
    def macs(self) -> int:
        return self.weights.entries * self.vector.entries

    def cost(self, costs: Costs) -> Cost:
        stream = flash_bytes(self.weights.entries, self.vector.entries, costs.config)
        return costs.dot_product(as_vector(self.vector), as_vector(self.target), stream)

    def combined(self, operands: Sequence[Array]) -> Array:
        weights, vector, *bias = operands
        total: Array = weights @ vector
        return total + bias[0] if bias else total


@dataclass(frozen=True, kw_only=True)
class Add(Operator):
    """The operator target = function(first + second)."""

    first: Region
    second: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.first, self.second)

    def cost(self, costs: Costs) -> Cost:
        sources = as_vector(self.first), as_vector(self.second)
        return costs.elementwise(sources, as_vector(self.target), costs.config.engine.add_cycles)

    def combined(self, operands: Sequence[Array]) -> Array:
        first, second = operands
        total: Array = first + second
        return total


@dataclass(frozen=True, kw_only=True)
class Multiply(Operator):
    """The operator target = first * second."""

    first: Region
    second: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.first, self.second)

    def cost(self, costs: Costs) -> Cost:
        sources = as_vector(self.first), as_vector(self.second)
        return costs.elementwise(sources, as_vector(self.target), costs.config.engine.multiply_cycles)

    def combined(self, operands: Sequence[Array]) -> Array:
        first, second = operands
        product: Array = first * second
        return product


@dataclass(frozen=True, kw_only=True)
class Pass(Operator):
    """The operator target = function(source): a table, a limit that changes nothing here, or a copy."""

    source: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.source,)

    def cost(self, costs: Costs) -> Cost:
        return costs.passing(as_vector(self.source), as_vector(self.target))

    def combined(self, operands: Sequence[Array]) -> Array:
        return operands[0]


def as_vector(region: Region) -> Vector:
    """How a vector lies in SRAM: x, states and outputs as they are, what only passes between operators in bricks."""
    bricks = region.buffer.kind in (DataKind.PARTIAL_SUM, DataKind.GATE)
    return Vector(region.entries, region.buffer.number_format.bits, bricks)


class Engine(Unit[EngineConfig]):
    """The unit that executes all operators."""

    name = "engine"
    summary = "every operator in turn, each as long as the slowest of its own work, SRAM and flash"
    item_name = "MAC or value"

    def __init__(self, config: EthosuConfig) -> None:
        super().__init__(config.engine, dict.fromkeys(("sram", "flash")), config.formats)
        self._costs = Costs(config)

    @property
    def identity(self) -> tuple[Hashable, ...]:
        config = self._costs.config
        return (*super().identity, config.sram, config.flash, config.weight_stream)

    def compute_cycles(self, op: Op) -> int:
        """The cycles of the engine alone."""
        return self._op(op).cost(self._costs).engine_cycles

    def port_cycles(self, op: Op) -> int:
        """The cycles of the slower memory."""
        cost = self._op(op).cost(self._costs)
        return max(cost.sram_cycles, cost.flash_cycles)

    def depth_cycles(self, op: Op) -> int:
        """The depth in cycles: 0, since nothing of an operator is beside the next one."""
        return 0

    def tally(self, op: Op) -> Tally:
        """A MAC for each product, and for each value that comes out an addition, a rescaling, and its function."""
        found = self._op(op)
        values = found.target.values
        tally = times(self._mac(), found.macs) + times(self._output(), values)
        if isinstance(found, Multiply):
            width = width_of(found.first.buffer.number_format)
            tally[multiplier(width, width)] += values
        if found.function is not None:
            method = make_method(self.config, self.formats)
            tally += times(method.evaluation(found.function, found.target.buffer.number_format), values)
        return tally

    def inventory(self) -> Tally:
        """All multipliers of a micro-block, and an output unit of a rescaling and an evaluator for each output."""
        config = self.config
        lanes = make_method(config, self.formats).resources(self.formats.format("activation")).inventory
        macs = times(self._mac(), 2 * config.unit_outputs * config.unit_inputs)
        return macs + times(self._output() + lanes, config.unit_outputs)

    def _mac(self) -> Tally:
        """A multiplier, an adder of a sum, and registers of weight, input and sum."""
        weight, vector = (width_of(self.formats.format(kind)) for kind in ("weight", "hidden"))
        sums = self.formats.format("accumulator").bits
        registers = weight.bits + vector.bits + sums
        return Counter({multiplier(weight, vector): 1, integer_adder(sums): 1, REGISTER_BIT: registers})

    def _output(self) -> Tally:
        """A multiplication by 31 bits, an addition, and a register of what comes out."""
        sums = Width(self.formats.format("accumulator").bits, floating=False)
        scale = multiplier(sums, Width(RESCALE_BITS, floating=False))
        return Counter({scale: 1, adder(sums): 1, REGISTER_BIT: self.formats.format("hidden").bits})

    def work(self, op: Op) -> Work:
        found = self._op(op)
        return Work(found.macs or found.target.values, Fraction(2 * self.config.unit_outputs * self.config.unit_inputs))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: exact in float64, then rounded to the target's format; a function sees that."""
        found = self._op(op)
        operands = [numerics.encoding_of(region) for region in found.reads]
        target, kind, overflows = (
            numerics.encoding_of(found.target),
            found.target.buffer.format_kind,
            numerics.overflows,
        )
        before = operands[0] if isinstance(found, Add | Pass) and found.function else target
        evaluate: Evaluator | None = None
        if found.function is not None:
            method = make_method(self.config, self.formats)
            evaluate = method.evaluator(found.function, before, target, overflows)

        def effect(stored: Sequence[Array]) -> tuple[Array, ...]:
            values = [encoding.decoded(array) for encoding, array in zip(operands, stored, strict=True)]
            result = overflows.add(kind, before.encoded(_stored(found.combined(values), before.is_integer)))
            return (result if evaluate is None else overflows.add(kind, evaluate(result)),)

        return Kernel(effect)

    def _op(self, op: Op) -> Operator:
        if not isinstance(op, Operator):
            raise self.refuse(op)
        return op


def _stored(values: Array, integer: bool) -> Array:
    return values if integer else values.astype(np.float32)


ETHOSU_KINDS: tuple[type[Unit[Any]], ...] = (Engine,)
"""Every kind of unit of the family."""


def ethosu_units(config: EthosuConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family ethosu."""
    return (Engine(config),)
