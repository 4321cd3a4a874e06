"""Computes element-wise ops: products into the target's scale, in integers or in float32."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats.encoding import Encoding, Scale
from archsim.formats.number import Array, IntegerFormat
from archsim.formats.rounding import Conversion
from archsim.hardware.constants import ElementwiseConstants, Product, Rescale


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand: numbers as they are stored, and what they stand for."""

    stored: Array
    encoding: Encoding


class ElementwiseArithmetic(ABC):
    """The operations that an op's formula is written in; results have the target's scale, not its range."""

    def __init__(self, target: Encoding) -> None:
        self.target = target

    @abstractmethod
    def product(self, a: Operand, b: Operand) -> Array:
        """The product a * b."""

    @abstractmethod
    def value(self, a: Operand, weight: float = 1.0) -> Array:
        """The value of a, or with a weight, a power of two, that much of it."""

    @abstractmethod
    def one_minus(self, a: Operand) -> Operand:
        """The difference 1 - a, in a's own format."""

    @abstractmethod
    def narrowed(self, result: Array) -> tuple[Array, int]:
        """The result as it is stored, and how many values were beyond the range."""


class IntegerArithmetic(ElementwiseArithmetic):
    """Arithmetic on integers: each product is rounded to the target's scale on its own."""

    def __init__(self, target: Encoding) -> None:
        super().__init__(target)
        self._conversions: dict[tuple[int, int], Conversion] = {}

    def product(self, a: Operand, b: Operand) -> Array:
        key = (id(a.encoding), id(b.encoding))
        conversion = self._conversions.get(key)
        if conversion is None:
            conversion = self._conversions[key] = self._of_product(a, b)
        return conversion((_integers(a)) * _integers(b))

    def value(self, a: Operand, weight: float = 1.0) -> Array:
        if weight == 1.0 and a.encoding.scale == self.target.scale:
            return _integers(a)
        return self._of_value(a, weight)(_integers(a))

    def one_minus(self, a: Operand) -> Operand:
        if a.encoding.zero:
            raise SimulatorBug("a gate has no zero point")
        return Operand(one_of(a.encoding) - a.stored.astype(np.int64), a.encoding)

    def narrowed(self, result: Array) -> tuple[Array, int]:
        return self.target.narrowed(result)

    def _of_product(self, a: Operand, b: Operand) -> Conversion:
        return product_conversion(a.encoding, b.encoding, self.target)

    def _of_value(self, a: Operand, weight: float) -> Conversion:
        return _conversion(np.multiply(a.encoding.scale, weight), self.target)


class RecordingArithmetic(IntegerArithmetic):
    """Arithmetic on integers that remembers the integers which a formula needs, in the order in which it does."""

    def __init__(self, target: Encoding) -> None:
        super().__init__(target)
        self._products: list[Product] = []
        self._values: list[Rescale] = []
        self._ones: list[int] = []

    def product(self, a: Operand, b: Operand) -> Array:
        rescale = Rescale.from_conversion(self._of_product(a, b))
        self._products.append(Product(a.encoding.zero, b.encoding.zero, rescale))
        return super().product(a, b)

    def value(self, a: Operand, weight: float = 1.0) -> Array:
        self._values.append(Rescale.from_conversion(self._of_value(a, weight)))
        return super().value(a, weight)

    def one_minus(self, a: Operand) -> Operand:
        self._ones.append(one_of(a.encoding))
        return super().one_minus(a)

    def constants(self) -> ElementwiseConstants:
        """What a formula has needed."""
        one = self._ones[0] if self._ones else None
        return ElementwiseConstants(tuple(self._products), tuple(self._values), one)


class FloatArithmetic(ElementwiseArithmetic):
    """Arithmetic in float32, rounded to the target's format at the end."""

    def product(self, a: Operand, b: Operand) -> Array:
        product: Array = _single(a) * _single(b)
        return product

    def value(self, a: Operand, weight: float = 1.0) -> Array:
        single: Array = _single(a)
        return single if weight == 1.0 else single * np.float32(weight)

    def one_minus(self, a: Operand) -> Operand:
        if a.encoding.is_integer:
            return IntegerArithmetic(a.encoding).one_minus(a)
        return Operand(np.float32(1) - a.stored, a.encoding)

    def narrowed(self, result: Array) -> tuple[Array, int]:
        return self.target.encoded(result)


def arithmetic_for(target: Encoding, operands: list[Encoding]) -> ElementwiseArithmetic:
    """The arithmetic of an op by its encodings: integer if the target and all operands are integers, else float32."""
    integers = target.is_integer and all(operand.is_integer for operand in operands)
    return IntegerArithmetic(target) if integers else FloatArithmetic(target)


def product_conversion(a: Encoding, b: Encoding, target: Encoding) -> Conversion:
    """The conversion of products of integers into an integer target's scale."""
    return _conversion(np.multiply(a.scale, b.scale), target)


def one_of(encoding: Encoding) -> int:
    """The code of 1, or the largest there is."""
    integer = encoding.format
    assert isinstance(integer, IntegerFormat)
    return min(round(1 / float(encoding.scale)), integer.highest)


def _conversion(scale: Scale, target: Encoding) -> Conversion:
    assert isinstance(target.format, IntegerFormat)
    return Conversion(scale / target.scale, target.format.rounding)


def _integers(a: Operand) -> Array:
    codes = a.stored.astype(np.int64)
    return codes - a.encoding.zero if a.encoding.zero else codes


def _single(a: Operand) -> Array:
    return a.encoding.decoded(a.stored).astype(np.float32) if a.encoding.is_integer else a.stored
