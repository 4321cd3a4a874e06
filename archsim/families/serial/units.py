"""Models the units of a serial machine: dot product, element-wise machine, controller; and builds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from archsim.families.serial.config import (
    GATES,
    ControllerConfig,
    DotProductConfig,
    SerialConfig,
    SerialElementwiseConfig,
)
from archsim.families.serial.fixed_point import cut, wrapped
from archsim.formats import Fixed
from archsim.formats.number import Array
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Tally, adder, integer_adder, multiplier, times, width_of
from archsim.hardware.unit import Unit, Work
from archsim.program.ir import Observed, Op, Region
from archsim.workload.network import FunctionSpec

FUNCTIONS, PRODUCTS = 5, 3
"""Of a hidden unit: three sigmoids and two tanh; f c, i g and o tanh(c)."""


@dataclass(frozen=True, kw_only=True)
class UnitSums(Op):
    """An op that makes the four sums (4, 1) of a hidden unit: cut(W_ih x + W_hh h) + bias, a row of weights a gate."""

    w_ih: tuple[Region, ...]
    w_hh: tuple[Region, ...]
    x: Region
    h: Region
    bias: tuple[Region, ...]
    sums: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (*self.w_ih, *self.w_hh, self.x, self.h, *self.bias)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def operands(self) -> int:
        """How many operands the multipliers share, one after the other."""
        return self.x.entries + self.h.entries

    @property
    def macs(self) -> int:
        return GATES * self.operands


@dataclass(frozen=True, kw_only=True)
class UpdateUnit(Op):
    """An op that makes a hidden unit's c and h of its sums and its old c."""

    sums: Region
    old_c: Region
    new_c: Region
    new_h: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.sums, self.old_c)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.new_c, self.new_h)

    @property
    def observed(self) -> tuple[Observed, ...]:
        """The cell state of the hidden unit."""
        return (Observed("c", 0, 1, self.new_c.start),)


@dataclass(frozen=True, kw_only=True)
class Move(Op):
    """An op that moves regions, one to one, as they are stored."""

    sources: tuple[Region, ...]
    targets: tuple[Region, ...]

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.sources

    @property
    def writes(self) -> tuple[Region, ...]:
        return self.targets


class CopyStates(Move):
    """An op that copies h and c of a step from the temporary RAMs to those that the next step reads."""


class StartStep(Move):
    """An op that resets and starts the cell, with x of the step at its input."""


class FinishStep(Move):
    """An op that ends a step: its h and c can be read."""


def _moved(operands: Sequence[Array], op: Move) -> tuple[Array, ...]:
    """A source for each target; where there are more targets than sources they begin anew."""
    return tuple(operands[place % len(op.sources)].copy() for place in range(len(op.targets)))


class DotProduct(Unit[DotProductConfig]):
    """The unit that executes UnitSums ops."""

    name = "dot_product"
    summary = "four multipliers, one a gate, which share an operand of [x, h]: a hidden unit after the other"
    item_name = "MAC"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: `operand_cycles` for each operand."""
        return self._op(op).operands * self.config.operand_cycles

    def depth_cycles(self, op: Op) -> int:
        """The depth in cycles: 0, since the last product's cycle writes the sums."""
        return 0

    def tally(self, op: Op) -> Tally:
        return times(self._lane(), self._op(op).macs)

    def inventory(self) -> Tally:
        return times(self._lane(), GATES)

    def _lane(self) -> Tally:
        """A multiplier, the accumulator's adder, and registers of both factors; sums are a memory."""
        data, sums = self.formats.format("weight"), self.formats.format("accumulator")
        width = width_of(data)
        return Counter({multiplier(width, width): 1, integer_adder(sums.bits): 1, REGISTER_BIT: 2 * data.bits})

    def work(self, op: Op) -> Work:
        return Work(self._op(op).macs, Fraction(GATES))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: sums wrap in their width, are cut to that of data, and wrap with the bias."""
        found = self._op(op)
        data = found.sums.buffer.number_format
        assert isinstance(data, Fixed)
        bits, fraction = data.bits, data.fraction_bits

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            w_ih, w_hh = np.concatenate(operands[:GATES]), np.concatenate(operands[GATES : 2 * GATES])
            x, h, *biases = operands[2 * GATES :]
            total = w_ih.astype(np.int64) @ x.astype(np.int64) + w_hh.astype(np.int64) @ h.astype(np.int64)
            sums = cut(wrapped(total, 2 * bits), bits, fraction)
            if biases:  # it comes in the width of sums, and is read in that of data
                sums = sums + cut(np.concatenate(biases).astype(np.int64), bits, fraction)
            return (wrapped(sums, bits),)

        return Kernel(effect)

    def _op(self, op: Op) -> UnitSums:
        if not isinstance(op, UnitSums):
            raise self.refuse(op)
        return op


class SerialElementwise(Unit[SerialElementwiseConfig]):
    """The unit that executes UpdateUnit and CopyStates ops."""

    name = "elementwise"
    summary = "gates, c and h of one hidden unit at a time, through one sigmoid unit, one tanh unit and one multiplier"
    item_name = "state"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: those of a hidden unit, or of the copies of all."""
        if isinstance(op, CopyStates):
            return self.config.copy_cycles * op.sources[0].entries
        self._update(op)
        return self.config.unit_cycles

    def depth_cycles(self, op: Op) -> int:
        """The depth in cycles: 0, since the last cycle writes h."""
        return 0

    def tally(self, op: Op) -> Tally:
        """Five evaluations, three products and an addition for a hidden unit; a copy passes registers alone."""
        if isinstance(op, CopyStates):
            return Counter({REGISTER_BIT: sum(region.bits for region in op.targets)})
        gate = self._update(op).sums.buffer.number_format
        found = times(make_method(self.config, self.formats).resources(gate).evaluation, FUNCTIONS)
        width = width_of(gate)
        found[multiplier(width, width)] += PRODUCTS
        found[adder(width)] += 1
        found[REGISTER_BIT] += (FUNCTIONS + PRODUCTS + 1) * gate.bits
        return found

    def inventory(self) -> Tally:
        """One evaluator of each function, one multiplier, one adder, and their registers."""
        gate = self.formats.format("gate")
        width = width_of(gate)
        found = times(make_method(self.config, self.formats).resources(gate).inventory, 2)
        found[multiplier(width, width)] += 1
        found[adder(width)] += 1
        found[REGISTER_BIT] += 4 * gate.bits
        return found

    def work(self, op: Op) -> Work:
        return Work(self.compute_cycles(op), Fraction(1))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: each product is cut to the width of data; their sum wraps."""
        if isinstance(op, CopyStates):
            return Kernel(lambda operands: _moved(operands, op))
        update = self._update(op)
        data = update.new_c.buffer.number_format
        assert isinstance(data, Fixed)
        bits, fraction = data.bits, data.fraction_bits
        method = make_method(self.config, self.formats)
        encoding = numerics.encoding_of(update.sums)
        sigmoid, tanh = (
            method.evaluator(FunctionSpec(name), encoding, encoding, numerics.overflows) for name in ("sigmoid", "tanh")
        )

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            sums, old_c = (operand.astype(np.int64) for operand in operands)
            i, f, g, o = (
                function(sums[gate : gate + 1])[0].astype(np.int64)
                for gate, function in enumerate((sigmoid, sigmoid, tanh, sigmoid))
            )
            c = wrapped(cut(f * old_c, bits, fraction) + cut(i * g, bits, fraction), bits)
            return c, cut(o * tanh(c)[0].astype(np.int64), bits, fraction)

        return Kernel(effect)

    def _update(self, op: Op) -> UpdateUnit:
        if not isinstance(op, UpdateUnit):
            raise self.refuse(op)
        return op


class Controller(Unit[ControllerConfig]):
    """The unit that executes StartStep and FinishStep ops."""

    name = "controller"
    summary = "the state machine that starts a time step when the one before is done"
    item_name = "state"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: those of a start or of an end."""
        if isinstance(op, StartStep):
            return self.config.start_cycles
        if isinstance(op, FinishStep):
            return self.config.finish_cycles
        raise self.refuse(op)

    def depth_cycles(self, op: Op) -> int:
        return 0

    def tally(self, op: Op) -> Tally:
        """Nothing of its own: control is a factor of logic."""
        return Counter()

    def inventory(self) -> Tally:
        return Counter()

    def work(self, op: Op) -> Work:
        return Work(self.compute_cycles(op), Fraction(1))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        if not isinstance(op, StartStep | FinishStep):
            raise self.refuse(op)
        return Kernel(lambda operands: _moved(operands, op))


SERIAL_KINDS: tuple[type[Unit[Any]], ...] = (Controller, DotProduct, SerialElementwise)
"""Every kind of unit of the family."""

MEMORIES = ("rom", "input_buffer", "state_rams", "sum_registers", "temporary_rams", "host")
"""The memories, whose ports bring an operand a cycle to whoever reads it: none of them is waited for."""


def serial_units(config: SerialConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family serial, in the order in which reports show them."""
    ports, formats = dict.fromkeys(MEMORIES), config.formats
    return (
        Controller(config.controller, ports, formats),
        DotProduct(config.dot_product, ports, formats),
        SerialElementwise(config.elementwise, ports, formats),
    )
