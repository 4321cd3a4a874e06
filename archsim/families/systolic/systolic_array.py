"""Models a weight-stationary systolic array: R x C multipliers hold a tile of weights while vectors pass.

R inputs enter on one side, one a row; products add up along the columns, and C sums come out on the other. A tile of
weights is shifted in row by row, R cycles, into a second set of registers, so that the next tile can be shifted in
while vectors pass the one before. A vector enters every cycle: a batch of B takes B cycles. A multiplier takes operands
of `multiplier_bits`; wider numbers are multiplied part by part, in so many times the cycles.

Source of the structure: Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit", ISCA 2017.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from archsim.config.types import Count
from archsim.families.systolic.systolic_kernel import PassShape, pass_constants, pass_kernel
from archsim.hardware.constants import MoveConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Tally, Width, integer_adder, multiplier, times
from archsim.hardware.unit import Unit, UnitConfig, Work, ceil_div
from archsim.program.ir import Op, Region


class SystolicArrayConfig(UnitConfig):
    """The size of the array, and the operands of its multipliers."""

    rows: Count = Field(description="rows of multipliers: inputs of a tile of weights")
    columns: Count = Field(description="columns of multipliers: outputs of a tile of weights")
    multiplier_bits: Annotated[Count, Field(le=64)] = Field(
        description="bits of a multiplier's operands; wider numbers are multiplied part by part"
    )

    @property
    def shift_cycles(self) -> int:
        """The cycles to shift a tile in: one for each row of weights."""
        return self.rows

    @property
    def skew_cycles(self) -> int:
        """The cycles from the last vector's entry to its last sum: all rows, and all columns."""
        return self.rows + self.columns

    def passes(self, weight_bits: int, vector_bits: int) -> int:
        """The cycles for each vector: parts of a weight times parts of a number."""
        return ceil_div(weight_bits, self.multiplier_bits) * ceil_div(vector_bits, self.multiplier_bits)


@dataclass(frozen=True, kw_only=True)
class WeightShift(Op):
    """An op that shifts a tile (C, R) from the weight FIFO into the array's registers."""

    source: Region
    target: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.source,)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)


@dataclass(frozen=True, kw_only=True)
class TilePass(Op):
    """An op that makes sums (+)= tile @ vector: sums (n, B) of the tile's first n outputs.

    The vector (K, B) goes into the tile's first K inputs. With `start` the pass begins new sums, from the `bias` (n, 1)
    if there is one; else it adds to those that are there. `origin` is where in DRAM the tile lies, which says what its
    numbers stand for: it is not read.
    """

    tile: Region
    vector: Region
    sums: Region
    start: bool
    origin: Region
    bias: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.tile, self.vector, *((self.bias,) if self.bias else ()))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def updates(self) -> tuple[Region, ...]:
        return () if self.start else (self.sums,)

    @property
    def batch(self) -> int:
        """The number B of vectors that pass the tile."""
        return self.sums.buffer.width

    @property
    def macs(self) -> int:
        return self.sums.entries * self.vector.entries * self.batch


class WeightShifter(Unit[SystolicArrayConfig]):
    """The unit that executes WeightShift ops."""

    name = "weight_shift"
    summary = "shifts tiles of weights from the FIFO into the systolic array, a row of weights a cycle"
    item_name = "row of weights"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: R, whatever part of the tile is used."""
        self._op(op)
        return self.config.shift_cycles

    def depth_cycles(self, op: Op) -> int:
        """The depth in cycles: 0, since the tile is there with its last row."""
        return 0

    def work(self, op: Op) -> Work:
        self._op(op)
        return Work(self.config.shift_cycles, Fraction(1))

    def tally(self, op: Op) -> Tally:
        """The registers that a tile switches: each weight passes half of the rows in the mean on its way to its own."""
        tile = self._op(op).target
        return Counter({REGISTER_BIT: tile.bits * (self.config.rows + 1) // 2})

    def inventory(self) -> Tally:
        """Nothing: the registers are the memory array_weights."""
        return Counter()

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: numbers move as they are stored."""
        shift = self._op(op)
        numerics.same(shift.reads, shift.target)
        return Kernel(lambda operands: (operands[0].copy(),))

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        return MoveConstants()

    def _op(self, op: Op) -> WeightShift:
        if not isinstance(op, WeightShift):
            raise self.refuse(op)
        return op


class SystolicArray(Unit[SystolicArrayConfig]):
    """The unit that executes TilePass ops."""

    name = "systolic_array"
    summary = "R x C multipliers that hold a tile of weights: a vector of R inputs in, C sums out, every cycle"
    item_name = "MAC"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: B vectors, each as long as its numbers and the weights need."""
        found = self._op(op)
        bits = (region.buffer.number_format.bits for region in (found.tile, found.vector))
        return found.batch * self.config.passes(*bits)

    def depth_cycles(self, op: Op) -> int:
        return self.config.skew_cycles

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """The vector alone: weights are in the array, the bias has a port of its own."""
        return (self._op(op).vector,)

    def work(self, op: Op) -> Work:
        return Work(self._op(op).macs, Fraction(self.config.rows * self.config.columns))

    def tally(self, op: Op) -> Tally:
        """What a pass switches: of each MAC the multiplier, the adder and the registers of input and sum, each part.

        Rows and columns that the tile does not use stand still (inferred).
        """
        found = self._op(op)
        bits = (region.buffer.number_format.bits for region in (found.tile, found.vector))
        parts = self.config.passes(*bits)
        pass_of_all = times(self._cell(), found.macs * parts)
        pass_of_all[integer_adder(self.formats.format("accumulator").bits)] += found.sums.entries * found.batch * parts
        return pass_of_all

    def inventory(self) -> Tally:
        """What the array is built of: a cell for each multiplier, and an accumulator's adder for each column."""
        found = times(self._cell(), self.config.rows * self.config.columns)
        found[integer_adder(self.formats.format("accumulator").bits)] += self.config.columns
        return found

    def _cell(self) -> Tally:
        """A multiplier, an adder of a sum down a column, and the registers of an input and of that sum."""
        bits = self.config.multiplier_bits
        sum_bits = 2 * bits + (self.config.rows - 1).bit_length()
        width = Width(bits, floating=False)
        return Counter({multiplier(width, width): 1, integer_adder(sum_bits): 1, REGISTER_BIT: bits + sum_bits})

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: one chunk of R inputs, added to the accumulators in their format."""
        return pass_kernel(self._shape(op), self.formats.format("accumulator"), numerics)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        return pass_constants(self._shape(op), self.formats.format("accumulator"), numerics)

    def _shape(self, op: Op) -> PassShape:
        found = self._op(op)
        return PassShape(found.origin, found.vector, found.sums, found.bias, found.start, self.config.rows)

    def _op(self, op: Op) -> TilePass:
        if not isinstance(op, TilePass):
            raise self.refuse(op)
        return op
