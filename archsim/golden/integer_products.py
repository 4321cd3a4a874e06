"""Products of a matrix of codes and vectors of codes, added up in accumulators chunk by chunk.

Source: docs/numerics.md, "MAC tile".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from archsim.golden.integer import LIMIT, Coded, Codes, Grid, Integers, Target, convert

Part = tuple[Coded, Grid]
"""A weight matrix (G, K) and the grid of the vectors (B, K) that it multiplies."""

_HELD_WEIGHTS = 1 << 23
"""Weights up to which a matrix is held as floating-point numbers; of a larger one some rows are converted at a time."""

_ROWS_OF_WEIGHTS = 1 << 18
"""Weights that are converted at once, of a matrix that is not held: 1 MiB in float32."""


def whole_product(left: Integers, right: Integers) -> Integers:
    """The product of two matrices of whole numbers, in a type that holds all their sums.

    Whole numbers have no invalid product, so no flag of a floating-point product is reported: it is another one's. A
    BLAS kernel may multiply what stands behind a small matrix.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        found: Integers = np.matmul(left, right)
    return found


def product_grid(accumulator: Grid, weight: Grid, vector: Grid) -> Grid:
    """The accumulator with its scale: its own if it is fixed, else that of the products, for each row if need be."""
    if not accumulator.fixed:
        return replace(accumulator, scale=np.multiply(weight.scale, vector.scale))
    if not (weight.fixed and vector.fixed):
        raise ValueError("a fixed-point accumulator needs weights and vectors in fixed point")
    return accumulator


class Accumulation:
    """A matrix (G, K) times a vector (B, K), K in chunks of so many columns from the first on."""

    def __init__(self, part: Part, accumulator: Target, columns: int) -> None:
        matrix, vector = part
        self._columns = columns
        self._codes = matrix.codes
        self._rows, self._inputs = matrix.codes.shape
        self._product = matrix.grid.magnitude * vector.magnitude
        self._products = np.multiply(matrix.grid.scale, vector.scale)
        self._target = replace(accumulator, grid=product_grid(accumulator.grid, matrix.grid, vector))
        self._chunked: _Chunked | None = None
        self._whole: _Whole | None = None
        grid = self._target.grid
        self._room = -1 if grid.fixed or grid.zero else grid.high - self._inputs * self._product

    def run(self, vector: Coded, start: Codes | None) -> Coded:
        """The accumulators (B, G) after the last chunk; start (G): what they hold before the first, else zero.

        Where the largest sum that there can be, whatever the codes, fits the accumulators, no chunk narrows anything,
        and integers may be added in any order.
        """
        batch, inputs = vector.codes.shape
        if inputs != self._inputs:
            raise ValueError(f"a vector of {inputs} numbers does not fit a matrix with {self._inputs} columns")
        grid, begin = self._target.grid, np.zeros(self._rows, np.int64) if start is None else start
        if _Whole.applies(self._product) and int(np.abs(begin).max(initial=0)) <= self._room:
            self._whole = self._whole or _Whole(self._codes, self._product)
            return Coded(self._whole.sums(vector.integers) + begin, grid)
        self._chunked = self._chunked or _Chunked(self._codes, self._columns, self._product)
        a = np.tile(begin, (batch, 1))
        for chunk in self._chunked.sums(vector.integers):
            a = self._target.narrow(a + self._converted(chunk)).codes
        return Coded(a, grid)

    def _converted(self, whole: Integers) -> Integers:
        """The exact sum of a chunk in units of the accumulator, which for an integer one are those of the products."""
        grid, bound = self._target.grid, self._columns * self._product
        return convert(whole, bound, self._products / grid.scale, grid.rounding) if grid.fixed else whole


class _Chunked:
    """Exact sums of each chunk of columns.

    Sums of whole numbers are exact in float64 up to 2^53, and NumPy is quick with matrices of floating point alone.
    """

    def __init__(self, codes: Codes, columns: int, product: int) -> None:
        bound = columns * product
        self._kind = np.dtype(np.float64 if bound <= 2**53 else np.int64 if bound <= LIMIT else object)
        self._columns = columns
        self._chunks = [
            codes[:, k : k + columns].T.astype(self._kind, order="C") for k in range(0, codes.shape[1], columns)
        ]

    def sums(self, vector: Codes) -> Iterator[Integers]:
        """The sums (B, G) of one chunk after the other."""
        values = vector.astype(self._kind)
        for k, weights in enumerate(self._chunks):
            chunk = whole_product(values[:, k * self._columns : (k + 1) * self._columns], weights)
            yield chunk.astype(np.int64) if self._kind == np.float64 else chunk


class _Whole:
    """Exact sums over all columns: in float32 over as many at once as 2^24 allows, else in float64 up to 2^53."""

    _FEWEST = 32
    """Columns at once, below which float32 is not worth it."""

    def __init__(self, codes: Codes, product: int) -> None:
        at_once = 2**24 // product
        self._kind: npt.DTypeLike = np.float32 if at_once >= min(self._FEWEST, codes.shape[1]) else np.float64
        self._columns = at_once if self._kind is np.float32 else 2**53 // product
        held = codes.size <= _HELD_WEIGHTS
        self._codes = codes.astype(self._kind) if held else codes
        self._rows = len(codes) if held else max(1, _ROWS_OF_WEIGHTS // codes.shape[1])

    @classmethod
    def applies(cls, product: int) -> bool:
        """Whether float64 holds a product that large."""
        return product <= 2**53

    def sums(self, vector: Codes) -> Codes:
        """The sums (B, G)."""
        values = vector.astype(self._kind)
        found = np.zeros((len(vector), len(self._codes)), np.int64)
        for first in range(0, len(self._codes), max(1, self._rows)):
            some = slice(first, first + self._rows)
            weights = self._codes[some].astype(self._kind, copy=False)
            for k in range(0, weights.shape[1], self._columns):
                part = slice(k, k + self._columns)
                found[:, some] += whole_product(values[:, part], weights[:, part].T).astype(np.int64)
        return found
