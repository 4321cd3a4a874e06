"""Models a systolic array's accumulators as a unit: finished sums leave them for the format of the gates.

A vector of C accumulators is read in a cycle. W_ih x and W_hh h, which may differ in scale, are accumulated apart; the
first is brought to the format of the gates, then the second is added in that format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.formats import Fixed, Formats
from archsim.formats.encoding import Scale
from archsim.formats.number import Array, FloatFormat, NumberFormat
from archsim.hardware.constants import FLOATING, DrainConstants, OpConstants, Rescale
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, RESCALE_BITS, Tally, Width, adder, multiplier, times, width_of
from archsim.hardware.port_streams import Widths
from archsim.hardware.products import conversion, integer_conversion
from archsim.hardware.unit import Unit, UnitConfig, Work, ceil_div
from archsim.program.ir import Op, Region


class DrainConfig(UnitConfig):
    """The room and pipeline of the accumulators behind a systolic array."""

    vectors: Count = Field(description="vectors of sums, as long as the array has columns")
    latency_cycles: Cycles = Field(description="pipeline stages from accumulators to the format of the gates")


@dataclass(frozen=True, slots=True)
class DrainPart:
    """The sums (n, B) of one product, which go to rows first .. first + n - 1 of the target.

    `weights` (in DRAM) and `vector` say what the products stand for: they are not read.
    """

    sums: Region
    first: int
    weights: Region
    vector: Region

    @property
    def rows(self) -> slice:
        """The rows of the target that the part goes to."""
        return slice(self.first, self.first + self.sums.entries)


@dataclass(frozen=True, kw_only=True)
class Drain(Op):
    """An op that makes target (rows, B) from its first part, with the others added to it.

    Rows outside the first part start with the bias. `bias` (rows, 1) is that of all rows; those of the first part have
    it in their accumulators already.
    """

    parts: tuple[DrainPart, ...]
    target: Region
    bias: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (*(part.sums for part in self.parts), *((self.bias,) if self.bias else ()))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @property
    def elements(self) -> int:
        """How many accumulators are read."""
        return sum(part.sums.entries for part in self.parts) * self.target.buffer.width


class SystolicAccumulators(Unit[DrainConfig]):
    """The unit that executes Drain ops."""

    name = "accumulators"
    summary = "sums behind a systolic array; a vector of C of them is converted to gates' pre-activations every cycle"
    item_name = "sum"

    def __init__(self, config: DrainConfig, ports: Widths, formats: Formats, columns: int) -> None:
        """Take the config; `columns` is C, the sums of a vector."""
        super().__init__(config, ports, formats)
        self._columns = columns

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, self._columns)

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: ceil(n / C) B for each part."""
        found = self._op(op)
        vectors = sum(ceil_div(part.sums.entries, self._columns) for part in found.parts)
        return vectors * found.target.buffer.width

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """All operands but the bias, which has a port of its own."""
        return tuple(part.sums for part in self._op(op).parts)

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements, Fraction(self._columns))

    def tally(self, op: Op) -> Tally:
        """What each sum switches on its way out: its conversion, and the addition to what is there."""
        return times(self._lane(), self._op(op).elements)

    def inventory(self) -> Tally:
        return times(self._lane(), self._columns)

    def _lane(self) -> Tally:
        """A multiplication by 31 bits, an adder that rounds and one that adds, and registers as deep as the unit."""
        accumulator, gate = (width_of(self.formats.format(kind)) for kind in ("accumulator", "gate"))
        found: Tally = Counter({adder(accumulator): 1, adder(gate): 1})
        found[multiplier(accumulator, Width(RESCALE_BITS, floating=False))] += 1
        found[REGISTER_BIT] += self.formats.format("gate").bits * self.config.latency_cycles
        return found

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: converted and added in the format of the gates."""
        return _Conversion(self._op(op), self.formats, numerics).kernel()

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        return _Conversion(self._op(op), self.formats, numerics).constants()

    def _op(self, op: Op) -> Drain:
        if not isinstance(op, Drain):
            raise self.refuse(op)
        return op


class _Conversion:
    """The conversion from accumulators to sums."""

    def __init__(self, op: Drain, formats: Formats, numerics: Numerics) -> None:
        self._op = op
        self._bias_scale = None if op.bias is None else numerics.encoding_of(op.bias).scale
        self._target = numerics.encoding_of(op.target)
        self._kind, self._overflows = op.target.buffer.format_kind, numerics.overflows
        accumulator = formats.format("accumulator")
        self._in_codes = self._target.is_integer and not isinstance(accumulator, FloatFormat)
        fixed = accumulator.scale if isinstance(accumulator, Fixed) else None
        self._scales = [_product_scale(part, numerics) if fixed is None else fixed for part in op.parts]
        self._convert = [self._converter(accumulator, scale) for scale in self._scales]
        self._alone = np.ones(op.target.entries, bool)
        self._alone[op.parts[0].rows] = False
        self._from_bias = None if self._bias_scale is None else self._converter(accumulator, self._bias_scale)

    def constants(self) -> OpConstants:
        """The integers of the conversion; why, if there are none."""
        if not self._in_codes:
            return FLOATING
        bias = None if self._bias_scale is None else self._rescale(self._bias_scale)
        return DrainConstants(tuple(map(self._rescale, self._scales)), bias)

    def kernel(self) -> Kernel:
        """Compute the one result, the target."""
        return Kernel(lambda operands: (self._sums(operands),))

    def _sums(self, operands: Sequence[Array]) -> Array:
        op, target = self._op, self._target
        sums = target.zeros((op.target.entries, op.target.buffer.width))
        if self._from_bias is not None and self._alone.any():
            bias = self._from_bias(operands[len(op.parts)])[self._alone]
            sums[self._alone] = self._narrowed(np.broadcast_to(bias, (len(bias), sums.shape[1])))
        for number, part in enumerate(op.parts):
            added = self._convert[number](operands[number])
            sums[part.rows] = self._narrowed(added if number == 0 else self._values(sums[part.rows]) + added)
        return sums

    def _converter(self, accumulator: NumberFormat, scale: Scale) -> Callable[[Array], Array]:
        """A function from stored accumulators to what is added: codes of the sums' scale, or float32."""
        if isinstance(accumulator, FloatFormat):
            return lambda stored: stored
        convert = conversion(scale, self._target)
        return lambda stored: convert(stored.astype(np.int64))

    def _rescale(self, scale: Scale) -> Rescale:
        return Rescale.from_conversion(integer_conversion(scale, self._target))

    def _values(self, stored: Array) -> Array:
        """The sums as they are added to."""
        if self._in_codes:
            return stored.astype(np.int64)
        return self._target.decoded(stored).astype(np.float32) if self._target.is_integer else stored

    def _narrowed(self, part: Array) -> Array:
        narrowed = self._target.narrowed(part) if self._in_codes else self._target.encoded(part)
        return self._overflows.add(self._kind, narrowed)


def _product_scale(part: DrainPart, numerics: Numerics) -> Scale:
    """The scale of a part's products, for each of its rows."""
    weight = numerics.encoding_of(part.weights).rows(0, part.sums.entries)
    return np.multiply(weight.scale, numerics.encoding_of(part.vector).scale)
