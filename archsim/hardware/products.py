"""Multiplies weights and vectors: accumulations, their accumulators, and the sums that a tile leaves behind.

An accumulation is what goes through the same accumulators: the weights and vectors of the whole tile, or of a part of
it where the parts' products have different scales (docs/numerics.md, "MAC tile").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats.encoding import Encoding, Scale
from archsim.formats.floating import Float32
from archsim.formats.integer import Fixed
from archsim.formats.number import Array, FloatFormat, IntegerFormat, NumberFormat
from archsim.formats.rounding import Conversion, Int, power_of_two
from archsim.hardware.constants import FLOATING, Accumulation, NoConstants, Rescale, TileConstants
from archsim.hardware.exact_sums import ChunkSums
from archsim.hardware.numerics import Kernel, Numerics, Overflows
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Region

ACCUMULATOR = "accumulator"
"""The kind under which overflows inside the array are counted."""


@dataclass(frozen=True, slots=True)
class TileShape:
    """The shape of a tile: its operands (weights..., vectors..., bias), and how they go through the array."""

    weights: tuple[Region, ...]
    vectors: tuple[Region, ...]
    bias: Region | None
    sums: Region
    start: bool
    columns: tuple[int, ...]
    one_accumulation: bool
    accumulator: NumberFormat
    origins: tuple[tuple[Region, ...], ...] = ()
    group: int = 1
    """Inputs of a group of columns, of which a chunk takes whole ones: vectors behind others begin with a new one."""

    def weight_encodings(self, numerics: Numerics) -> tuple[Encoding, ...]:
        """The encoding of each weights operand: where it comes from says it, if it passed a slot."""
        origins = self.origins or ((),) * len(self.weights)
        return tuple(
            numerics.joined(origin) if origin else numerics.encoding_of(weights)
            for weights, origin in zip(self.weights, origins, strict=True)
        )


def product_kernel(tile: TileShape, numerics: Numerics) -> Kernel:
    """The kernel of a tile."""
    if isinstance(tile.accumulator, FloatFormat):
        return _FloatTile(tile, tile.accumulator, numerics).kernel()
    return _IntegerTile(tile, numerics).kernel()


def tile_constants(tile: TileShape, numerics: Numerics) -> TileConstants | NoConstants:
    """The integers of a tile: of its accumulations in their order, and of the rows that only take their bias."""
    encodings = [*tile.weight_encodings(numerics), *map(numerics.encoding_of, (*tile.vectors, tile.sums))]
    if isinstance(tile.accumulator, FloatFormat) or not all(encoding.is_integer for encoding in encodings):
        return FLOATING
    return _IntegerTile(tile, numerics).constants()


class _IntegerTile:
    """The kernel of a tile on integer accumulators, one pass for each accumulation."""

    def __init__(self, tile: TileShape, numerics: Numerics) -> None:
        self._tile = tile
        self._overflows = numerics.overflows
        self._target = numerics.encoding_of(tile.sums)
        self._kind = tile.sums.buffer.format_kind
        pairs = list(zip(tile.weight_encodings(numerics), tile.vectors, strict=True))
        parts = [tuple(pairs)] if tile.one_accumulation else [(pair,) for pair in pairs]
        self._accumulations = [
            _Accumulation(tile, part, columns, numerics) for part, columns in zip(parts, tile.columns, strict=False)
        ]
        self._further = tile.sums.entries - tile.weights[0].entries
        self._from_bias = conversion(1.0 if tile.bias is None else numerics.encoding_of(tile.bias).scale, self._target)
        if not tile.start and len(parts) > 1:
            raise SimulatorBug("a tile that continues sums has one accumulation")

    def constants(self) -> TileConstants:
        tile = self._tile
        assert isinstance(tile.accumulator, IntegerFormat)
        every = tuple(range(len(tile.weights)))
        parts = [every] if tile.one_accumulation else [(place,) for place in every]
        found = zip(self._accumulations, parts, tile.columns, strict=False)
        accumulations = tuple(accumulation.constants(part, columns) for accumulation, part, columns in found)
        return TileConstants(tile.accumulator, accumulations, _rescale(self._from_bias))

    def kernel(self) -> Kernel:
        return Kernel(self._start) if self._tile.start else Kernel(self._part, self._retire)

    def _start(self, operands: Sequence[Array]) -> tuple[Array, ...]:
        """Compute new sums: begin with the bias, then narrow after each accumulation."""
        bias = operands[-1].astype(np.int64) if self._tile.bias is not None else None
        sums: Array | None = None
        for number, accumulation in enumerate(self._accumulations):
            first = bias[: accumulation.rows] if bias is not None and number == 0 else None
            part = self._wide(accumulation, number, operands, first)
            sums = self._narrowed(part if sums is None else self._values(sums) + part)
        assert sums is not None
        return (self._with_further(sums, bias),)

    def _part(self, operands: Sequence[Array]) -> tuple[Array, ...]:
        return (self._wide(self._accumulations[0], 0, operands, None),)

    def _retire(self, old: Array, result: Array) -> Array:
        return self._narrowed(self._values(old) + result)

    def _wide(self, accumulation: _Accumulation, number: int, operands: Sequence[Array], bias: Int | None) -> Array:
        """The values that an accumulation adds to the sums, in their scale (floating-point sums: in float32)."""
        count = len(self._tile.weights)
        one = self._tile.one_accumulation
        places = range(count) if one else range(number, number + 1)
        weights = [operands[place] for place in places]
        vectors = [operands[count + place] for place in places]
        return accumulation.to_sums(accumulation.run(weights, vectors, bias, self._overflows))

    def _with_further(self, sums: Array, bias: Int | None) -> Array:
        """The sums with further rows, which have no product here and hold their bias alone."""
        if not self._further:
            return sums
        entries = self._tile.sums.entries
        whole = self._from_bias(np.zeros((entries, 1), np.int64) if bias is None else bias)
        rows = np.broadcast_to(whole[-self._further :], (self._further, sums.shape[1]))
        return np.concatenate([sums, self._narrowed(rows)])

    def _values(self, stored: Array) -> Array:
        return stored.astype(np.int64) if self._target.is_integer else stored

    def _narrowed(self, part: Array) -> Array:
        narrowed = self._target.narrowed(part) if self._target.is_integer else self._target.encoded(part)
        return self._overflows.add(self._kind, narrowed)


class _Accumulation:
    """An accumulation: (rows, K) weights times (K, B) vectors of one scale, into accumulators and then sums."""

    def __init__(
        self, tile: TileShape, pairs: tuple[tuple[Encoding, Region], ...], columns: int, numerics: Numerics
    ) -> None:
        weight, vector = pairs[0][0], numerics.encoding_of(pairs[0][1])
        assert isinstance(tile.accumulator, IntegerFormat)
        self.rows = tile.weights[0].entries
        self._format = tile.accumulator
        self._chunks = ChunkSums(weight, vector, columns)
        self._zero = vector.zero
        scale: Scale = np.multiply(weight.scale, vector.scale)
        self._shift = 0
        if isinstance(self._format, Fixed):
            shift = power_of_two(self._format.scale / float(scale))
            assert shift is not None
            self._shift = shift
            scale = self._format.scale
        self.to_sums = conversion(scale, numerics.encoding_of(tile.sums))
        self._idle = [-region.entries % tile.group for _, region in pairs[:-1]]
        inputs = sum(region.entries for _, region in pairs) + sum(self._idle)
        self._largest = self._chunks.largest(inputs)
        self._count = ceil_div(inputs, columns)

    def constants(self, operands: tuple[int, ...], columns: int) -> Accumulation:
        """The integers of the accumulation, whose weights and vectors have those places in the tile."""
        return Accumulation(operands, columns, self._zero, self._shift, _rescale(self.to_sums))

    def run(self, weights: list[Array], vectors: list[Array], bias: Int | None, overflows: Overflows) -> Int:
        """The accumulators (rows, B) after all chunks."""
        start = 0 if bias is None else int(np.abs(bias).max(initial=0))
        if self._shift == 0 and self._largest + start <= self._format.highest:  # no order of adding can overflow
            total = sum(self._chunks.total(w, v) for w, v in zip(weights, vectors, strict=True))
            result: Int = np.asarray(total, np.int64) if bias is None else total + bias
            overflows.add(ACCUMULATOR, (result, 0), self._count)
            return result
        if any(self._idle):  # the places of a narrower last group, in front of the next vector's first one
            idle = [*self._idle, 0]
            weights = [np.pad(given, ((0, 0), (0, count))) for given, count in zip(weights, idle, strict=True)]
            vectors = [np.pad(given, ((0, count), (0, 0))) for given, count in zip(vectors, idle, strict=True)]
        weight = weights[0] if len(weights) == 1 else np.concatenate(weights, axis=1)
        vector = vectors[0] if len(vectors) == 1 else np.concatenate(vectors, axis=0)
        # What goes into a q accumulator is a conversion, which is limited to 62 bits before it wraps.
        modulo = self._format.wraps and not isinstance(self._format, Fixed)
        chunks = self._chunks.chunks(weight, vector, self._shift, self._format.rounding, modulo)
        return self._added(chunks, np.int64(0) if bias is None else bias, overflows)

    def _added(self, chunks: Int, start: Int | np.int64, overflows: Overflows) -> Int:
        """Add the chunks to `start`, one after the other within the accumulators' range."""
        if np.abs(chunks).max(initial=0) < 1 << 55:  # then the running sums are exact
            running = np.cumsum(chunks, axis=0) + start
            if running.min() >= self._format.lowest and running.max() <= self._format.highest:
                overflows.add(ACCUMULATOR, (running[-1], 0), self._count)
                return np.asarray(running[-1], np.int64)
        accumulators = np.broadcast_to(start, chunks.shape[1:])
        overflowed = 0
        for chunk in chunks:
            accumulators, lost = self._format.narrowed(accumulators + chunk)
            overflowed += lost
        return overflows.add(ACCUMULATOR, (accumulators, overflowed), self._count)


class _FloatTile:
    """The kernel of a tile on floating-point accumulators: one accumulation, whatever the operands' formats."""

    def __init__(self, tile: TileShape, accumulator: FloatFormat, numerics: Numerics) -> None:
        self._tile = tile
        self._accumulator = accumulator
        self._overflows = numerics.overflows
        self._kind = tile.sums.buffer.format_kind
        self._target = numerics.encoding_of(tile.sums)
        self._weights = tile.weight_encodings(numerics)
        self._vectors = [numerics.encoding_of(region) for region in tile.vectors]

    def kernel(self) -> Kernel:
        return Kernel(self._start) if self._tile.start else Kernel(self._part, self._retire)

    def _start(self, operands: Sequence[Array]) -> tuple[Array, ...]:
        return (self._overflows.add(self._kind, self._target.encoded(self._sums(operands))),)

    def _part(self, operands: Sequence[Array]) -> tuple[Array, ...]:
        return (self._sums(operands),)

    def _retire(self, old: Array, result: Array) -> Array:
        return self._overflows.add(self._kind, self._target.encoded(_single(self._target, old) + result))

    def _sums(self, operands: Sequence[Array]) -> Array:
        """The sums, all rows by B in float32, each value one of the accumulators' format."""
        tile, count = self._tile, len(self._weights)
        weights = [_single(e, a) for e, a in zip(self._weights, operands[:count], strict=True)]
        vectors = [_single(e, a) for e, a in zip(self._vectors, operands[count : 2 * count], strict=True)]
        bias = operands[-1] if tile.bias is not None else None
        further = tile.sums.entries - len(weights[0])
        if isinstance(self._accumulator, Float32):
            total = weights[0] @ vectors[0]
            for weight, vector in zip(weights[1:], vectors[1:], strict=True):
                total = total + weight @ vector
            if further:
                total = np.pad(total, ((0, further), (0, 0)))
            return total if bias is None else total + bias
        if tile.one_accumulation:
            weights, vectors = [np.concatenate(weights, axis=1)], [np.concatenate(vectors)]
        total = self._by_chunk(weights[0], vectors[0], tile.columns[0], bias, further)
        for weight, vector, columns in zip(weights[1:], vectors[1:], tile.columns[1:], strict=False):
            total += self._by_chunk(weight, vector, columns, None, further)
            total = self._overflows.add(ACCUMULATOR, self._accumulator.rounded(total))
        return total

    def _by_chunk(self, weights: Array, vectors: Array, columns: int, bias: Array | None, further: int) -> Array:
        """Round each chunk's sum, and each addition of one, to the accumulators' format."""
        rows, lanes = len(weights) + further, vectors.shape[1]
        total = np.zeros((rows, lanes), np.float32)
        if bias is not None:
            total = total + bias
        for first in range(0, weights.shape[1], columns):
            chunk = slice(first, first + columns)
            part, _ = self._accumulator.rounded(weights[:, chunk] @ vectors[chunk])
            added, lost = self._accumulator.rounded(total[: len(part)] + part)
            total[: len(part)] = self._overflows.add(ACCUMULATOR, (added, lost))
        return total


def bias_adder(bias: Region, sums: Region, numerics: Numerics) -> Callable[[Array, Array], Array]:
    """A function (sums, bias) -> sums + bias, both as stored, for a bias that is added behind the accumulators.

    The bias is brought to the sums' scale first, and then what both make to their range.
    """
    target, kind, overflows = numerics.encoding_of(sums), sums.buffer.format_kind, numerics.overflows
    given = numerics.encoding_of(bias)
    if target.is_integer and given.is_integer:
        convert = conversion(given.scale, target)
        return lambda stored, b: overflows.add(
            kind, target.narrowed(stored.astype(np.int64) + convert(b.astype(np.int64)))
        )
    return lambda stored, b: overflows.add(kind, target.encoded(_single(target, stored) + _single(given, b)))


def conversion(scale: Scale, target: Encoding) -> Callable[[Int], Array]:
    """A function from integers of a scale into the sums' scale; floating-point sums take float32 values."""
    if target.is_integer:
        return integer_conversion(scale, target)
    return lambda values: np.asarray(values * scale, np.float32)


def integer_conversion(scale: Scale, target: Encoding) -> Conversion:
    """The conversion of integers of a scale into that of an integer target."""
    assert isinstance(target.format, IntegerFormat)
    return Conversion(scale / np.asarray(target.scale), target.format.rounding)


def _rescale(to_sums: Callable[[Int], Array]) -> Rescale:
    assert isinstance(to_sums, Conversion)
    return Rescale.from_conversion(to_sums)


def _single(encoding: Encoding, stored: Array) -> Array:
    """The stored numbers as float32 values."""
    return encoding.decoded(stored).astype(np.float32) if encoding.is_integer else stored
