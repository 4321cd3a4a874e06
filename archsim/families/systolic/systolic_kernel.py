"""Computes a systolic array's arithmetic: a chunk of R inputs for each pass, into accumulators behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, Fixed, Float32, IntegerFormat
from archsim.formats.number import Array, FloatFormat, NumberFormat
from archsim.formats.rounding import power_of_two
from archsim.hardware.constants import FLOATING, NoConstants, PassConstants
from archsim.hardware.exact_sums import ChunkSums
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.products import ACCUMULATOR
from archsim.program.ir import Region


@dataclass(frozen=True, slots=True)
class PassShape:
    """The shape of a pass: its weights, its vector, its sums, what they start from, and R inputs of a tile."""

    weights: Region
    vector: Region
    sums: Region
    bias: Region | None
    start: bool
    inputs: int


def pass_kernel(shape: PassShape, accumulator: NumberFormat, numerics: Numerics) -> Kernel:
    """The kernel of a pass, from tile (C, R), vector (K, B) and bias (n, 1), if any, to accumulators (n, B).

    The rest of the tile is idle.
    """
    rows = shape.sums.entries
    weight = numerics.encoding_of(shape.weights).rows(0, rows)
    vector = numerics.encoding_of(shape.vector)
    make = _FloatPass if isinstance(accumulator, FloatFormat) else _IntegerPass
    chunk = make(weight, vector, accumulator, shape.inputs, numerics)

    def part(operands: Sequence[Array]) -> Array:
        tile, inputs = operands[0], operands[1]
        return chunk.products(tile[:rows, : len(inputs)], inputs)

    def start(operands: Sequence[Array]) -> tuple[Array, ...]:
        products = part(operands)
        return (chunk.added(operands[2] if shape.bias is not None else np.zeros_like(products), products),)

    if shape.start:
        return Kernel(start)
    if shape.bias is not None:
        raise SimulatorBug("a pass that adds to sums has no bias")
    return Kernel(lambda operands: (part(operands),), chunk.added)


def pass_constants(shape: PassShape, accumulator: NumberFormat, numerics: Numerics) -> PassConstants | NoConstants:
    """The integers of a pass; why, if there are none."""
    weight, vector = numerics.encoding_of(shape.weights), numerics.encoding_of(shape.vector)
    if not (isinstance(accumulator, IntegerFormat) and weight.is_integer and vector.is_integer):
        return FLOATING
    return PassConstants(accumulator, vector.zero, _chunk_shift(weight, vector, accumulator))


def _chunk_shift(weight: Encoding, vector: Encoding, accumulator: IntegerFormat) -> int:
    """Places by which a sum of products is shifted right into the accumulators' scale; 0 if that is theirs."""
    if not isinstance(accumulator, Fixed):
        return 0
    shift = power_of_two(accumulator.scale / (float(weight.scale) * float(vector.scale)))
    assert shift is not None
    return shift


class _IntegerPass:
    """A pass on integers: exact products in the accumulators' scale, each addition brought into their range."""

    def __init__(
        self, weight: Encoding, vector: Encoding, accumulator: NumberFormat, inputs: int, numerics: Numerics
    ) -> None:
        assert isinstance(accumulator, IntegerFormat)
        self._format = accumulator
        self._sums = ChunkSums(weight, vector, inputs)
        self._overflows = numerics.overflows
        self._shift = _chunk_shift(weight, vector, accumulator)
        self._modulo = accumulator.wraps and not isinstance(accumulator, Fixed)

    def products(self, weights: Array, vector: Array) -> Array:
        (chunk,) = self._sums.chunks(weights, vector, self._shift, self._format.rounding, self._modulo)
        return np.asarray(chunk)

    def added(self, old: Array, products: Array) -> Array:
        return self._overflows.add(ACCUMULATOR, self._format.narrowed(old.astype(np.int64) + products))


class _FloatPass:
    """A pass in floating point: the chunk's sum and each addition are rounded to the accumulators' format.

    In float32 the order of additions is the library's.
    """

    def __init__(
        self, weight: Encoding, vector: Encoding, accumulator: NumberFormat, inputs: int, numerics: Numerics
    ) -> None:
        assert isinstance(accumulator, FloatFormat)
        self._format = accumulator
        self._weight, self._vector = weight, vector
        self._overflows = numerics.overflows

    def products(self, weights: Array, vector: Array) -> Array:
        chunk = _single(self._weight, weights) @ _single(self._vector, vector)
        return chunk if isinstance(self._format, Float32) else self._format.rounded(chunk)[0]

    def added(self, old: Array, products: Array) -> Array:
        total: Array = old + products
        if isinstance(self._format, Float32):
            return total
        return self._overflows.add(ACCUMULATOR, self._format.rounded(total))


def _single(encoding: Encoding, stored: Array) -> Array:
    """The stored numbers as float32 values."""
    return encoding.decoded(stored).astype(np.float32) if encoding.is_integer else stored
