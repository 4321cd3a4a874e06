"""A function from a table: N entries over [-R, R), the nearest one or a line between two (docs/numerics.md)."""

from __future__ import annotations

from collections.abc import Callable
from math import frexp
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from archsim.config.allowed import Wording
from archsim.formats import Encoding, Fixed, Float32, FloatFormat, IntegerFormat, NumberFormat, Rounding
from archsim.formats.number import Array
from archsim.formats.rounding import Int, between, pair_shifted, shifter
from archsim.hardware.constants import Addressing, TableConstants
from archsim.hardware.functions.approximation_range import (
    Span,
    check_address,
    check_curved,
    element,
    limits,
    power_of_two,
)
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.unit import UnitConfig
from archsim.workload.network import FunctionSpec

_SINGLE = (Float32().significand_bits,) * 2
"""Two operands of float32: of a multiplier, or of two adders."""

_WORD_BITS = 28
"""A product beyond 62 bits is kept in two words, the lower one of that many bits."""

Entries = Annotated[int, Field(strict=True, ge=2, le=65_536), AfterValidator(power_of_two), Wording("a power of two")]


class TableConfig(UnitConfig):
    """Size, range and use of a look-up table."""

    entries: Entries = Field(default=64, description="entries of the table, N; the argument's step is 2 R / N")
    span: Span = Field(default=8.0, description="R of the range [-R, R) that the table covers")
    interpolation: Literal["nearest", "linear"] = Field(
        default="nearest", description="what is read: the nearest entry, or the line between two entries"
    )


class TableMethod:
    """A table of one function in every lane.

    Latency (inferred): `nearest` 2 stages: index (limit and round the address), read. `linear` 4 stages: index, read of
    both entries at once, multiply (their difference with the rest of the address), add.
    """

    def __init__(self, config: TableConfig, address: Fixed) -> None:
        check_address(address)
        self._config = config
        self._address = address
        self._linear = config.interpolation == "linear"
        self.latency_cycles = 4 if self._linear else 2
        # Addresses are counted in units of their last place or of the step, whichever is smaller.
        span, step = _log2(config.span), _log2(2 * config.span / config.entries)
        unit = min(-address.fraction_bits, step)
        self._rest_bits = step - unit
        self._span = 1 << (span - unit)
        self._finer = -address.fraction_bits - unit
        self._beyond = max(1, self._span >> self._finer)

    def resources(self, target: NumberFormat) -> LaneInventory:
        """What a lane holds for entries of w bits, addresses of A bits and a step of 2^D of their last places.

        `nearest`: N entries; an adder of A bits that rounds the address to an entry (none if D = 0).
        `linear`: N + 1 entries, in two banks of even and odd ones so that both are read at once; a subtractor of w + 1
        bits, a multiplier of its result by the rest of the address, 0 .. 2^D (D + 1 bits), an adder of w bits for a
        result that lies between two entries. With a floating-point target all three are float32.
        Both: two comparators of A bits that limit the address to [-R, R), none if its format's range is no larger.
        """
        bits, config = element(target).bits, self._config
        comparators = limits(self._address, config.span)
        if not self._linear:
            adders = (self._address.bits,) if self._rest_bits else ()
            return LaneInventory(config.entries * bits, (), adders, comparators, read_bits=bits)
        stored = (config.entries + 1) * bits
        if isinstance(target, FloatFormat):
            return LaneInventory(stored, (_SINGLE,), _SINGLE, comparators, floating=True, read_bits=2 * bits)
        multipliers = ((bits + 1, self._rest_bits + 1),)
        return LaneInventory(stored, multipliers, (bits + 1, bits), comparators, read_bits=2 * bits)

    def table(self, function: FunctionSpec, target: Encoding) -> Array:
        """t_0 .. t_N as they are stored: codes, or (floating point) float32 numbers of the target's format."""
        check_curved(function)
        config = self._config
        x = -config.span + np.arange(config.entries + 1) * (2 * config.span / config.entries)
        return Encoding(element(target.format), target.scale, target.zero).encoded(evaluate(function, x))[0]

    def constants(self, function: FunctionSpec, target: Encoding, addressing: Addressing) -> TableConstants:
        """The table and how it is addressed, as integers; only for an integer target."""
        assert isinstance(target.format, IntegerFormat)
        return TableConstants(
            addressing=addressing,
            interpolation=self._config.interpolation,
            address_limit=self._beyond,
            address_shift=self._finer,
            half_span=self._span,
            step_bits=self._rest_bits,
            values=tuple(self.table(function, target).tolist()),
            rounding=target.format.rounding,
        )

    def evaluator(self, function: FunctionSpec, target: Encoding) -> Callable[[Int], tuple[Array, int]]:
        """From address codes to results as stored, and how many results were beyond the range.

        A result is an entry or lies between two. Entries are narrowed when the table is made, so that with an integer
        target no result is ever beyond the range; blocks of a bfp target can be.
        """
        table = self.table(function, target)
        if isinstance(target.format, IntegerFormat):
            rounding = target.format.rounding
            if self._linear:
                scaled = self._scaler(rounding)
                return lambda codes: (self._between_codes(table, codes, scaled), 0)
            return lambda codes: (table[self._nearest(codes)], 0)
        assert isinstance(target.format, FloatFormat)
        floating = target.format
        if self._linear:
            return lambda codes: floating.rounded(self._between(table, codes))
        return lambda codes: floating.rounded(table[self._nearest(codes)])

    def _offset(self, codes: Int) -> Int:
        """x + R in units, x limited to [-R, R]."""
        inside = between(codes, -self._beyond, self._beyond) << self._finer
        offset: Int = between(inside, -self._span, self._span) + self._span
        return offset

    def _nearest(self, codes: Int) -> Int:
        """j = floor((x + R) / d + 1/2), limited to 0 .. N - 1."""
        half = (1 << self._rest_bits) >> 1
        index: Int = np.minimum((self._offset(codes) + half) >> self._rest_bits, self._config.entries - 1)
        return index

    def _split(self, codes: Int) -> tuple[Int, Int]:
        """j = floor((x + R) / d), at most N - 1, and x - x_j in units, 0 .. d."""
        offset = self._offset(codes)
        index = np.minimum(offset >> self._rest_bits, self._config.entries - 1)
        return index, offset - (index << self._rest_bits)

    def _between_codes(self, table: Int, codes: Int, scaled: Callable[[Int, Int], Int]) -> Int:
        """t_j + (t_(j+1) - t_j) (x - x_j) / d, the product rounded; t are codes, zero point included, and so is y."""
        index, rest = self._split(codes)
        start = table[index]
        rise = table[index + 1] - start
        return start + scaled(rise, rest)

    def _scaler(self, rounding: Rounding) -> Callable[[Int, Int], Int]:
        """rise * rest / 2^shift, rounded, for |rise| < 2^32 and 0 <= rest <= 2^shift < 2^38."""
        shift, mask = self._rest_bits, (1 << _WORD_BITS) - 1
        if shift <= _WORD_BITS:
            shift_by = shifter(shift, rounding)
            return lambda rise, rest: shift_by(rise * rest)
        return lambda rise, rest: pair_shifted(
            rise * (rest >> _WORD_BITS), rise * (rest & mask), _WORD_BITS, shift, rounding
        )

    def _between(self, table: npt.NDArray[np.float32], codes: Int) -> npt.NDArray[np.float32]:
        """The interpolated value in float32, operation by operation: t_j + (t_(j+1) - t_j) * ((x - x_j) / d)."""
        index, rest = self._split(codes)
        start = table[index]
        part = (rest * 2.0**-self._rest_bits).astype(np.float32)
        result: npt.NDArray[np.float32] = start + (table[index + 1] - start) * part
        return result


def _log2(power: float) -> int:
    return frexp(power)[1] - 1
