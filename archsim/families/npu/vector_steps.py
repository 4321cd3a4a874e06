"""Defines what a multi-function unit does to words: activation, addition, multiplication, each at most once.

Integers on their way are as wide as they come, in a scale that the step knows from the register that they go to or
come from; a step says so by that region. In floating point they are float32, rounded to a format where one is named.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archsim.formats import Encoding, IntegerFormat
from archsim.formats.number import Array
from archsim.formats.rounding import rounded
from archsim.hardware.constants import (
    AddStep,
    DifferenceStep,
    FunctionStep,
    Product,
    Rescale,
    SettleStep,
    StepConstants,
    TimesStep,
)
from archsim.hardware.elementwise_arithmetic import Operand, arithmetic_for, one_of, product_conversion
from archsim.hardware.functions.methods import Method
from archsim.hardware.numerics import Numerics
from archsim.hardware.products import integer_conversion
from archsim.program.ir import Region
from archsim.workload.network import FunctionSpec

Bound = Callable[[Array, Array | None], Array]
"""From the words (n, B) and the step's register operand (n, B), as stored, to the words behind it."""


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One of the three stages at work."""

    @property
    @abstractmethod
    def stage(self) -> int:
        """The stage in the order of a unit's pipeline: 0 activation, 1 addition, 2 multiplication."""

    @property
    def operand(self) -> Region | None:
        """The register that the step reads."""
        return None

    @property
    @abstractmethod
    def regions(self) -> tuple[Region, ...]:
        """All regions whose encodings its arithmetic knows."""

    @abstractmethod
    def bind(self, numerics: Numerics, method: Method) -> Bound:
        """Prepare the step's arithmetic."""

    @abstractmethod
    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        """The integers of the step's arithmetic, where all encodings are of integers."""


@dataclass(frozen=True, kw_only=True)
class Function(Step):
    """The step function(words), from the encoding of `source` to that of `result`.

    `clip`: words are bounded to [-clip, clip] first.
    """

    function: FunctionSpec
    source: Region
    result: Region
    clip: float | None = None

    @property
    def stage(self) -> int:
        return 0

    @property
    def regions(self) -> tuple[Region, ...]:
        return self.source, self.result

    def bind(self, numerics: Numerics, method: Method) -> Bound:
        source, kind = numerics.encoding_of(self.source), self.result.buffer.format_kind
        evaluate = method.evaluator(self.function, source, numerics.encoding_of(self.result), numerics.overflows)
        bound = None if self.clip is None else _bound(self.clip, source)

        def apply(words: Array, operand: Array | None) -> Array:
            inside = words if bound is None else np.clip(words, -bound, bound)
            return numerics.overflows.add(kind, evaluate(inside))

        return apply

    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        source, result = numerics.encoding_of(self.source), numerics.encoding_of(self.result)
        clip = None if self.clip is None else int(_bound(self.clip, source))
        return FunctionStep(clip, method.constants(self.function, source, result))


@dataclass(frozen=True, kw_only=True)
class AddTo(Step):
    """The step words + register, both in the scale of `result`, brought into its format."""

    register: Region
    result: Region

    @property
    def stage(self) -> int:
        return 1

    @property
    def operand(self) -> Region:
        return self.register

    @property
    def regions(self) -> tuple[Region, ...]:
        return self.register, self.result

    def bind(self, numerics: Numerics, method: Method) -> Bound:
        target, kind = numerics.encoding_of(self.result), self.result.buffer.format_kind
        register = numerics.encoding_of(self.register)

        def apply(words: Array, operand: Array | None) -> Array:
            assert operand is not None
            if not target.is_integer:
                return numerics.overflows.add(kind, target.encoded(operand + words))
            codes = operand.astype(np.int64) - register.zero
            return numerics.overflows.add(kind, target.narrowed(codes + words))

        return apply

    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        return AddStep(numerics.encoding_of(self.register).zero)


@dataclass(frozen=True, kw_only=True)
class Settle(Step):
    """The step that brings words, in the scale of `result`, into its format.

    If there is a `bias` (n, 1), they are added to it; it is brought into that format first.
    """

    result: Region
    bias: Region | None = None

    @property
    def stage(self) -> int:
        return 1

    @property
    def operand(self) -> Region | None:
        return self.bias

    @property
    def regions(self) -> tuple[Region, ...]:
        return (self.result,) if self.bias is None else (self.bias, self.result)

    def bind(self, numerics: Numerics, method: Method) -> Bound:
        target, kind = numerics.encoding_of(self.result), self.result.buffer.format_kind
        add, settle = numerics.overflows.add, _settle(target)
        convert = None if self.bias is None else _into(numerics.encoding_of(self.bias), target)

        def apply(words: Array, operand: Array | None) -> Array:
            if convert is not None and operand is not None:
                words = words + add(kind, settle(convert(operand)))
            return add(kind, settle(words))

        return apply

    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        if self.bias is None:
            return SettleStep(None)
        into = integer_conversion(numerics.encoding_of(self.bias).scale, numerics.encoding_of(self.result))
        return SettleStep(Rescale.from_conversion(into))


@dataclass(frozen=True, kw_only=True)
class OneMinus(Step):
    """The step 1 - words, or words - register if there is one, in the format of `like`.

    The result never leaves the format's range.
    """

    like: Region
    register: Region | None = None

    @property
    def stage(self) -> int:
        return 1

    @property
    def operand(self) -> Region | None:
        return self.register

    @property
    def regions(self) -> tuple[Region, ...]:
        return (self.like,)

    def bind(self, numerics: Numerics, method: Method) -> Bound:
        encoding = numerics.encoding_of(self.like)
        arithmetic = arithmetic_for(encoding, [encoding])

        def apply(words: Array, operand: Array | None) -> Array:
            if operand is not None:
                return words - operand
            return arithmetic.one_minus(Operand(words, encoding)).stored

        return apply

    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        return DifferenceStep(one_of(numerics.encoding_of(self.like)))


@dataclass(frozen=True, kw_only=True)
class Times(Step):
    """The step words (encoded as `like`) * register, rounded to the scale of `result`; `narrow`: into its format."""

    register: Region
    like: Region
    result: Region
    narrow: bool = False

    @property
    def stage(self) -> int:
        return 2

    @property
    def operand(self) -> Region:
        return self.register

    @property
    def regions(self) -> tuple[Region, ...]:
        return self.like, self.register, self.result

    def bind(self, numerics: Numerics, method: Method) -> Bound:
        a, b, target = (numerics.encoding_of(region) for region in (self.like, self.register, self.result))
        arithmetic, kind = arithmetic_for(target, [a, b]), self.result.buffer.format_kind

        def apply(words: Array, operand: Array | None) -> Array:
            assert operand is not None
            product = arithmetic.product(Operand(words, a), Operand(operand, b))
            return numerics.overflows.add(kind, arithmetic.narrowed(product)) if self.narrow else product

        return apply

    def constants(self, numerics: Numerics, method: Method) -> StepConstants:
        a, b, target = (numerics.encoding_of(region) for region in self.regions)
        rescale = Rescale.from_conversion(product_conversion(a, b, target))
        return TimesStep(Product(a.zero, b.zero, rescale), self.narrow)


def _settle(target: Encoding) -> Callable[[Array], tuple[Array, int]]:
    """The words in a target's scale brought into its format, and how many were beyond its range."""
    return target.narrowed if target.is_integer else target.encoded


def _into(source: Encoding, target: Encoding) -> Callable[[Array], Array]:
    """The stored numbers (without a zero point) as words in a target's scale."""
    if isinstance(target.format, IntegerFormat):
        convert = integer_conversion(source.scale, target)
        return lambda stored: convert(stored.astype(np.int64))
    return lambda stored: stored


def _bound(clip: float, source: Encoding) -> float:
    """The clip as it is stored; beyond the range the largest number, also in a format that wraps."""
    if isinstance(source.format, IntegerFormat):
        whole = rounded(np.array([clip / source.scale]), source.format.rounding)
        return int(min(float(whole[0]), source.format.highest))
    return float(source.encoded(np.array([clip]))[0][0])
