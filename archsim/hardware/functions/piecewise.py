"""A function from lines: S segments over [-R, R), each a slope and an intercept (docs/numerics.md)."""

from __future__ import annotations

from collections.abc import Callable
from math import frexp
from typing import Annotated

import numpy as np
from pydantic import Field

from archsim.formats import Encoding, Fixed, Float32, FloatFormat, IntegerFormat, NumberFormat, Rounding, Scaled
from archsim.formats.number import Array
from archsim.formats.rounding import Conversion, Int, rounded
from archsim.hardware.constants import Addressing, LinesConstants, Rescale
from archsim.hardware.functions.approximation_range import Span, check_address, check_curved, element, limits, scale_of
from archsim.hardware.functions.piecewise_fit import Lines, fit
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.unit import UnitConfig
from archsim.workload.network import FunctionSpec

_MULTIPLIER_BITS = 31
"""The bits of the factor of a conversion whose ratio is no power of two (archsim.formats.rounding)."""

_LEAST_EXPONENT = -31
"""Slopes below 2^-31 get no further fraction bits."""


class PiecewiseConfig(UnitConfig):
    """Number, range and precision of line segments."""

    segments: Annotated[int, Field(strict=True, ge=2, le=256)] = Field(default=16, description="line segments, S")
    span: Span = Field(default=8.0, description="R of the range [-R, R) that the segments cover")
    coefficient_bits: Annotated[int, Field(strict=True, ge=4, le=32)] = Field(
        default=16, description="bits of a slope, with its sign"
    )


class PiecewiseMethod:
    """Segments of one function in every lane.

    Latency (inferred) 4 stages: compare with all breakpoints, read slope and intercept, multiply, add.
    """

    latency_cycles = 4

    def __init__(self, config: PiecewiseConfig, address: Fixed) -> None:
        check_address(address)
        self._config = config
        self._address = address
        places = int(config.span * 2.0**address.fraction_bits)
        self._lowest, self._highest = -places, max(places - 1, 0)

    def resources(self, target: NumberFormat) -> LaneInventory:
        """What a lane holds for results of w bits, addresses of A bits and slopes of C bits.

        Storage: S - 1 breakpoints (A bits), S slopes (C bits), S intercepts (w + 1 bits: where a curve bends one way,
        its tangent meets the axis within twice the range of its values). A comparator of A bits for each breakpoint,
        and two that limit x to [-R, R), none if its format's range is no larger. A multiplier of C by A bits; an adder
        of w + 1 bits. A target with a scale that is no power of two has a second multiplier, of the product by the
        conversion's 31 bits. With a floating-point target: intercepts, multiplier and adder of float32.
        """
        config, address = self._config, self._address.bits
        floating = isinstance(target, FloatFormat)
        intercept = 32 if floating else element(target).bits + 1
        breakpoints = (config.segments - 1) * address
        comparators = (address,) * (config.segments - 1) + limits(self._address, config.span)
        line = config.coefficient_bits + intercept
        stored = config.segments * line
        if floating:
            single = Float32().significand_bits
            return LaneInventory(
                stored,
                ((single, single),),
                (single,),
                comparators,
                floating=True,
                read_bits=line,
                constant_bits=breakpoints,
            )
        multipliers = [(config.coefficient_bits, address)]
        if isinstance(target, Scaled) and not target.power_of_two:
            multipliers.append((config.coefficient_bits + address, _MULTIPLIER_BITS))
        return LaneInventory(
            stored, tuple(multipliers), (intercept,), comparators, read_bits=line, constant_bits=breakpoints
        )

    def lines(self, function: FunctionSpec) -> Lines:
        """The lines as fitted, before slopes and intercepts are rounded; breakpoints are on the address format's grid.

        They are fitted to what x can be: [-R, R) or, if that is less, the range of the address format.
        """
        check_curved(function)
        span = min(self._config.span, 2.0 ** (self._address.integer_bits - 1))
        return fit(function, span, self._config.segments, self._address.fraction_bits)

    def slope_codes(self, lines: Lines) -> tuple[Int, int]:
        """The slopes in `coefficient_bits` bits, two's complement, and their number of fraction bits.

        fraction_bits = coefficient_bits - 1 - e, where e is the least integer with |slope| < 2^e for all slopes, but at
        least -31, and 0 if all slopes are 0: e = floor(log2(max |slope|)) + 1. It is negative if slopes are beyond
        2^(coefficient_bits - 1), and above coefficient_bits if all are below 1/4. A slope is rounded half up to a
        multiple of 2^-fraction_bits; one that rounding takes to 2^e saturates.
        """
        largest = float(np.abs(lines.slopes).max())
        exponent = max(frexp(largest)[1], _LEAST_EXPONENT) if largest else 0
        fraction_bits = self._config.coefficient_bits - 1 - exponent
        most = 1 << (self._config.coefficient_bits - 1)
        whole = rounded(lines.slopes * 2.0**fraction_bits, Rounding.HALF_UP)
        return np.clip(whole, -most, most - 1).astype(np.int64), fraction_bits

    def constants(self, function: FunctionSpec, target: Encoding, addressing: Addressing) -> LinesConstants:
        """The segments as integers; only for an integer target."""
        lines = self.lines(function)
        slopes, intercepts, convert = self._coefficients(lines, target)
        return LinesConstants(
            addressing=addressing,
            address_lowest=self._lowest,
            address_highest=self._highest,
            breakpoints=tuple(self._breakpoints(lines).tolist()),
            slopes=tuple(slopes.tolist()),
            intercepts=tuple(intercepts.tolist()),
            rescale=Rescale.from_conversion(convert),
        )

    def evaluator(self, function: FunctionSpec, target: Encoding) -> Callable[[Int], tuple[Array, int]]:
        """From address codes to results as stored, and how many results were beyond the range."""
        lines = self.lines(function)
        breakpoints = self._breakpoints(lines)
        lowest, highest = self._lowest, self._highest
        line = self._float_line(lines, target) if isinstance(target.format, FloatFormat) else self._line(lines, target)

        def of_codes(codes: Int) -> tuple[Array, int]:
            x = np.clip(codes, lowest, highest)
            return line(np.searchsorted(breakpoints, x, side="right"), x)

        return of_codes

    def _breakpoints(self, lines: Lines) -> Int:
        """The address codes from which on segments 1, 2, ... hold."""
        return (lines.breakpoints * 2.0**self._address.fraction_bits).astype(np.int64)

    def _line(self, lines: Lines, target: Encoding) -> Callable[[Int, Int], tuple[Array, int]]:
        """narrow(convert(a_k x) + c_k) for segments k and address codes x."""
        slopes, intercepts, convert = self._coefficients(lines, target)
        return lambda k, x: target.narrowed(convert(slopes[k] * x) + intercepts[k])

    def _coefficients(self, lines: Lines, target: Encoding) -> tuple[Int, Int, Conversion]:
        """Slopes, intercepts in the target's last place, and the conversion of a product of slope and address."""
        assert isinstance(target.format, IntegerFormat)
        slopes, fraction_bits = self.slope_codes(lines)
        scale = scale_of(target)
        convert = Conversion(2.0 ** -(fraction_bits + self._address.fraction_bits) / scale, target.format.rounding)
        whole = rounded(lines.intercepts / scale, Rounding.HALF_UP)
        return slopes, np.clip(whole, -(2.0**61), 2.0**61).astype(np.int64), convert

    def _float_line(self, lines: Lines, target: Encoding) -> Callable[[Int, Int], tuple[Array, int]]:
        """a_k x + c_k in float32 for slopes of `coefficient_bits` bits; then rounded to the target's format."""
        assert isinstance(target.format, FloatFormat)
        floating = target.format
        codes, fraction_bits = self.slope_codes(lines)
        slopes = Float32().rounded(codes * 2.0**-fraction_bits)[0]
        intercepts = Float32().rounded(lines.intercepts)[0]
        place = self._address.scale

        def of_codes(k: Int, x: Int) -> tuple[Array, int]:
            with np.errstate(over="ignore"):
                return floating.rounded(slopes[k] * (x * place).astype(np.float32) + intercepts[k])

        return of_codes
