"""How the activation unit evaluates a function: exactly, by a table, by line segments, or by a hard approximation.

`Method` is what every method is, also one of another package (method_registry.py names them all).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archsim.formats import Encoding, Fixed, FloatFormat, Formats, NumberFormat
from archsim.formats.number import Array, IntegerFormat
from archsim.formats.parse import MAX_BITS
from archsim.formats.rounding import Conversion
from archsim.hardware.constants import (
    Addressing,
    FunctionConstants,
    IdentityConstants,
    NoConstants,
    RealFunction,
    Rescale,
)
from archsim.hardware.elementwise_arithmetic import Operand, arithmetic_for
from archsim.hardware.functions.approximation_range import CURVED, element, scale_of
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.hardware.functions.table import TableMethod
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.hardware.operators import Tally
from archsim.hardware.products import integer_conversion
from archsim.workload.network import FunctionSpec

if TYPE_CHECKING:
    from archsim.hardware.functions.function_config import FunctionConfig

ADDRESS = "address"
"""The kind under which arguments beyond the range of a table or of lines are counted."""

Evaluator = Callable[[Array], tuple[Array, int]]
"""From stored arguments to stored results, and how many results were beyond the range."""


class Method(ABC):
    """A way of evaluating functions."""

    latency_cycles: int
    """Pipeline stages that the method takes."""
    functions: frozenset[str] = CURVED
    """The curved functions that it can evaluate; every method can evaluate those that are lines."""

    def unsupported(self, functions: frozenset[str]) -> tuple[str, ...]:
        """The names among `functions` that the method cannot evaluate, sorted."""
        return tuple(sorted((functions & CURVED) - self.functions))

    @abstractmethod
    def resources(self, target: NumberFormat) -> LaneInventory:
        """What a lane is made of."""

    def evaluation(self, function: FunctionSpec, target: NumberFormat) -> Tally:
        """What one value switches: all of a lane for a curved function; for one of lines a comparator, a multiplier and
        an adder of the target's width (inferred); nothing for the identity."""
        if function.name == "identity":
            return Counter()
        if function.name in CURVED:
            return self.resources(target).evaluation
        number = _Operand.of(target)
        width = number.width
        return LaneInventory(0, ((width, width),), (width,), (number.bits,), floating=number.floating).evaluation

    def evaluator(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        """The function from one encoding to another; `overflows` counts what happens inside the unit."""
        if function.name == "identity":
            lanes = arithmetic_for(target, [source])
            return lambda x: lanes.narrowed(lanes.value(Operand(x, source)))
        if function.name in CURVED:
            return self.curved(function, source, target, overflows)
        return computed(lambda x: evaluate(function, x), source, target)

    def constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        """The integers by which a function is evaluated between two integer encodings; why, if there are none."""
        if function.name == "identity":
            conversion = integer_conversion(scale_of(source), target)
            return IdentityConstants(source.zero, Rescale.from_conversion(conversion))
        if function.name in CURVED:
            return self.curved_constants(function, source, target)
        return real_function(function, "exact", source, target)

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        """The integers of a function of CURVED, as the method approximates it; why, if there are none."""
        return NoConstants("not_exported", f"the method {type(self).__name__} does not say its integers")

    @abstractmethod
    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        """An evaluator of a function of CURVED, as the method approximates it, between two encodings."""


@dataclass(frozen=True, slots=True)
class _Operand:
    """What the operators of a lane see of a number: `bits` in all, of them `width` in the significand or code."""

    bits: int
    width: int
    floating: bool

    @staticmethod
    def of(target: NumberFormat) -> _Operand:
        """A number of a format. A block's are float32 until all are there and their exponent is known (inferred)."""
        single = element(target)
        if isinstance(single, FloatFormat):
            return _Operand(single.bits, single.significand_bits, True)
        return _Operand(single.bits, single.bits, False)


class Exact(Method):
    """The function itself, rounded to the target's format.

    6 stages: range reduction, table, two of a polynomial, reconstruction, rounding (inferred; the depth of a
    pipelined exponential and division differs widely between libraries, so that presets give their own).
    """

    latency_cycles = 6

    def resources(self, target: NumberFormat) -> LaneInventory:
        """Two multipliers and three adders of the target's format and a 64-entry table (inferred, as the depth)."""
        number = _Operand.of(target)
        bits, width = number.bits, number.width
        return LaneInventory(
            64 * bits, ((width, width),) * 2, (width,) * 3, (), floating=number.floating, read_bits=bits
        )

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        return computed(lambda x: evaluate(function, x), source, target)

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        return real_function(function, "exact", source, target)


class Hard(Method):
    """sigmoid(x) = min(max(x / 4 + 1/2, 0), 1), tanh(x) = min(max(x, -1), 1): a shift, an adder, two comparators.

    1 stage (inferred: as deep as one addition).
    """

    latency_cycles = 1
    functions = frozenset({"sigmoid", "tanh"})

    def resources(self, target: NumberFormat) -> LaneInventory:
        return LaneInventory(0, (), (target.bits,), (target.bits,) * 2)

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        if function.name == "sigmoid":
            return computed(lambda x: np.clip(x * x.dtype.type(0.25) + x.dtype.type(0.5), 0, 1), source, target)
        return computed(lambda x: np.clip(x, -1, 1), source, target)

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        return real_function(function, "hard", source, target)


class Addressed(Method):
    """A table or lines behind a converter into the address format."""

    def __init__(self, method: TableMethod | PiecewiseMethod, address: Fixed) -> None:
        self._method = method
        self._address = address
        self.latency_cycles = method.latency_cycles

    def resources(self, target: NumberFormat) -> LaneInventory:
        return self._method.resources(target)

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        return addressed(self._method.evaluator(function, target), source, self._address, overflows)

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        to_address = address_conversion(source, self._address)
        addressing = Addressing(self._address, source.zero, Rescale.from_conversion(to_address))
        return self._method.constants(function, target, addressing)


def addressed(look_up: Evaluator, source: Encoding, address: Fixed, overflows: Overflows) -> Evaluator:
    """From stored arguments, through a converter into the address format, to what `look_up` makes of address codes.

    What overflows on the way is counted under ADDRESS.
    """
    if source.format == address:
        return lambda x: look_up(x.astype(np.int64))
    if not isinstance(source.format, IntegerFormat):
        encoding = Encoding(address, address.scale)
        return lambda x: look_up(overflows.add(ADDRESS, encoding.encoded(x)))
    convert, zero = address_conversion(source, address), source.zero

    def of_codes(x: Array) -> tuple[Array, int]:
        return look_up(overflows.add(ADDRESS, address.narrowed(convert(x.astype(np.int64) - zero))))

    return of_codes


def address_conversion(source: Encoding, address: Fixed) -> Conversion:
    """The conversion of integer arguments to addresses."""
    return Conversion(source.scale / np.asarray(address.scale), address.rounding)


def real_function(function: FunctionSpec, method: str, source: Encoding, target: Encoding) -> RealFunction:
    """The constants of a function that is computed on real values."""
    reason = "computed in float64 from the value of x: no integers define it"
    return RealFunction(function, method, source.zero, scale_of(source), scale_of(target), reason)


def address_format(config: FunctionConfig, formats: Formats) -> Fixed:
    """The format in which a method sees its argument as a code; ValueError if there is none."""
    address = formats.format("gate") if config.address_format is None else config.address_format
    if isinstance(address, Fixed) and address.bits <= MAX_BITS:
        return address
    needed = f"it needs its argument in a q format of up to {MAX_BITS} bits, as q4.12"
    if config.address_format is not None:
        raise ValueError(f"{needed}; address_format is {address}")
    raise ValueError(f"{needed}; without address_format that is formats.gate, {address}: set one of the two")


def computed(function: Callable[[Array], Array], source: Encoding, target: Encoding) -> Evaluator:
    """In float64 from integers, in float32 from floating point, then rounded to the target."""
    if source.is_integer:
        return lambda x: target.encoded(function(source.decoded(x)))
    return lambda x: target.encoded(function(x))
