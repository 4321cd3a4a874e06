"""The MAC tile on codes: accumulations, and the sums that they leave in the gate format.

Source: docs/numerics.md, "MAC tile".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from archsim.golden.functions import Float
from archsim.golden.integer import Coded, Codes, Target
from archsim.golden.integer_products import Accumulation, Part, product_grid

_CODES_AT_ONCE = 1 << 16
"""Numbers of a matrix that become codes at once: what is in between fits a core's cache."""


def coded(values: Float | Codes, target: Target) -> Coded:
    """Real numbers as codes; integers are codes less the zero point already, all within the grid's range."""
    if not np.issubdtype(values.dtype, np.integer):
        return target.encode(np.asarray(values, np.float64))
    grid = target.grid
    codes = np.asarray(values, np.int64) + grid.zero
    if codes.size and not grid.low <= int(codes.min()) <= int(codes.max()) <= grid.high:
        raise ValueError(f"codes beyond {grid.bits} bits")
    return Coded(codes, grid)


def coded_matrix(values: Float | Codes, target: Target) -> Coded:
    """A matrix (G, K) as `coded` has it, some rows at a time, in the narrowest type that holds the codes."""
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if target.grid.bits <= 8 * kind(0).nbytes)
    codes = np.empty(values.shape, kind)
    scale = np.asarray(target.grid.scale)
    rows = max(1, _CODES_AT_ONCE // max(1, values.shape[1]))
    for first in range(0, len(values), rows):
        some = slice(first, first + rows)
        grid = replace(target.grid, scale=scale[some]) if scale.ndim else target.grid
        codes[some] = coded(values[some], replace(target, grid=grid)).codes
    return Coded(codes, target.grid)


def rows_of(matrix: Coded, rows: Codes) -> Coded:
    """Some of the rows of a matrix, with their scales."""
    if np.array_equal(rows, np.arange(len(matrix.codes))):
        return matrix
    scale = np.asarray(matrix.grid.scale)
    grid = replace(matrix.grid, scale=scale[rows]) if scale.ndim else matrix.grid
    return Coded(matrix.codes[rows], grid)


def one_accumulation(parts: Sequence[Part]) -> bool:
    """Whether the formats let the parts run over the concatenated inputs: all weights q, all vectors the same q."""
    if not all(matrix.grid.fixed and vector.fixed for matrix, vector in parts):
        return False
    return len({(vector.bits, float(vector.scale), vector.rounding, vector.wrap) for _, vector in parts}) == 1


def side_by_side(parts: Sequence[Codes], group: int) -> Codes:
    """Arrays (n, K) as one, each but the last filled up with zeros to a multiple of `group` columns."""
    filled = [np.pad(part, ((0, 0), (0, -part.shape[1] % group))) for part in parts[:-1]]
    return np.concatenate([*filled, parts[-1]], axis=1)


@dataclass(frozen=True)
class Tile:
    """Accumulations of the same rows, each added to the sums; bias (G) on the grid of the first one's accumulator.

    The bias is where the first accumulation starts, or, if held, what the sums hold before it, or, if late, what is
    added to them at the end. joined: one accumulation takes all vectors, side by side, each but the last filled up with
    zeros to a multiple of group inputs.
    """

    accumulations: Sequence[Accumulation]
    bias: Coded | None
    to_gate: Target
    held: bool = False
    joined: bool = False
    late: bool = False
    group: int = 1

    def run(self, *vectors: Coded) -> Coded:
        """The sums (B, G) from one vector (B, K) for each part."""
        if self.joined:
            vectors = (Coded(side_by_side([vector.codes for vector in vectors], self.group), vectors[0].grid),)
        start = None if self.late else self.bias
        y: Codes = np.zeros(1, np.int64)
        if self.held and start is not None:
            rows = np.tile(start.codes, (vectors[0].codes.shape[0], 1))
            y, start = self.to_gate.narrow(self.to_gate.convert(Coded(rows, start.grid))).codes, None
        for accumulation, vector in zip(self.accumulations, vectors, strict=True):
            a = accumulation.run(vector, None if start is None else start.codes)
            y, start = self.to_gate.narrow(y + self.to_gate.convert(a)).codes, None
        if self.late and self.bias is not None:
            y = self.to_gate.narrow(y + self.to_gate.convert(self.bias)).codes
        return Coded(y, self.to_gate.grid)


@dataclass(frozen=True)
class MixedTile:
    """Tiles of different rows, each with the places of its rows among all."""

    tiles: Sequence[tuple[Codes, Tile]]

    def run(self, *vectors: Coded) -> Coded:
        """The sums (B, G) from one vector (B, K) for each part."""
        made = [(places, tile.run(*vectors)) for places, tile in self.tiles]
        order = np.argsort(np.concatenate([places for places, _ in made]))
        codes = np.concatenate([sums.codes for _, sums in made], axis=1)
        return Coded(codes[:, order], made[0][1].grid)


class DeltaTile:
    """A tile of a delta network: sums that stay from step to step, to which each accumulation adds its changes.

    The bias is what the sums hold before the first step, or, if late, what is added to them each time they are read.
    An element of a vector is passed on if it is not what was passed on last (0 at first), and differs from that by at
    least the threshold of its vector. Chunks without any change add nothing, so that it does not matter if they pass.
    """

    joined = False
    """x and h are never one accumulation: the changes of each come when they are there."""

    def __init__(
        self,
        accumulations: Sequence[Accumulation],
        bias: Coded | None,
        to_gate: Target,
        thresholds: Sequence[float],
        late: bool,
    ) -> None:
        self._accumulations, self._to_gate, self._thresholds = accumulations, to_gate, thresholds
        self._late = bias if late else None
        self._sums: Codes = np.zeros((1, 1), np.int64)
        if bias is not None and not late:
            self._sums = to_gate.narrow(to_gate.convert(Coded(bias.codes[np.newaxis], bias.grid))).codes
        self._last: list[Codes] = [np.zeros(1, np.int64)] * len(accumulations)

    def run(self, *vectors: Coded) -> Coded:
        """The sums (1, G) after one vector (1, K) for each part."""
        for place, (accumulation, vector) in enumerate(zip(self._accumulations, vectors, strict=True)):
            changes = vector.codes - self._last[place]
            passed = (changes != 0) & (np.abs(changes) * float(vector.grid.scale) >= self._thresholds[place])
            self._last[place] = np.where(passed, vector.codes, self._last[place])
            wider = replace(vector.grid, bits=vector.grid.bits + 1)
            added = accumulation.run(Coded(np.where(passed, changes, 0), wider), None)
            self._sums = self._to_gate.narrow(self._sums + self._to_gate.convert(added)).codes
        sums = self._sums
        if self._late is not None:
            sums = self._to_gate.narrow(sums + self._to_gate.convert(self._late)).codes
        return Coded(sums, self._to_gate.grid)


@dataclass(frozen=True)
class Array:
    """The MAC array: inputs of a chunk, whether x and h tiles are two, when the bias comes, where its numbers go.

    x_columns: inputs of a chunk of x, where x and h have columns and accumulators of their own. split_rows: without
    split, the rows, in torch's order, whose x and h tiles are two. group: inputs of a group of columns, which a chunk
    takes whole: where x and h are one accumulation, h begins with a group. thresholds: of x and h, in a delta network.
    """

    columns: int
    split: bool
    to_accumulator: Target
    to_gate: Target
    x_columns: int | None = None
    late_bias: bool = False
    split_rows: frozenset[int] = frozenset()
    group: int = 1
    thresholds: tuple[float, float] | None = None

    def rows_tile(
        self, rows: Codes, parts: Sequence[Part], bias: Coded | None = None, *, apart: bool = False
    ) -> Tile | MixedTile | DeltaTile:
        """The tile of parts that have these rows, in torch's order; those of split_rows are tiles apart."""
        if self.thresholds is not None:
            return self._delta_tile(parts, bias)
        split = np.isin(rows, list(self.split_rows))
        if apart or split.all() or not split.any():
            return self._tile(parts, bias, apart=apart or bool(split.all()))
        tiles: list[tuple[Codes, Tile]] = []
        for places in (np.flatnonzero(split), np.flatnonzero(~split)):
            chosen = [(rows_of(matrix, places), vector) for matrix, vector in parts]
            tiles.append((places, self._tile(chosen, bias and rows_of(bias, places), apart=not tiles)))
        return MixedTile(tiles)

    def tile(
        self,
        parts: Sequence[Part],
        bias: Coded | None = None,
        *,
        held: bool = False,
        apart: bool = False,
        of_x: bool = False,
    ) -> Tile | DeltaTile:
        """The tile of some parts; apart: whatever the formats, each part is an accumulation of its own.

        Of two parts the first multiplies x, of one alone it does if of_x.
        """
        if self.thresholds is not None:
            return self._delta_tile(parts, bias, held=held, of_x=of_x)
        return self._tile(parts, bias, held=held, apart=apart, of_x=of_x)

    def _tile(
        self,
        parts: Sequence[Part],
        bias: Coded | None,
        *,
        held: bool = False,
        apart: bool = False,
        of_x: bool = False,
    ) -> Tile:
        """The tile of an ordinary network."""
        apart = apart or self.split or self.x_columns is not None
        joined = len(parts) > 1 and not apart and one_accumulation(parts)
        columns = [self.columns] * len(parts)
        if self.x_columns is not None and (of_x or len(parts) > 1):
            columns[0] = self.x_columns
        if joined:
            weights = side_by_side([matrix.codes for matrix, _ in parts], self.group)
            parts = [(Coded(weights, parts[0][0].grid), parts[0][1])]
        accumulations = [
            Accumulation(part, self.to_accumulator, inputs) for part, inputs in zip(parts, columns, strict=False)
        ]
        return Tile(accumulations, bias, self.to_gate, held, joined, self.late_bias and not held, self.group)

    def _delta_tile(
        self, parts: Sequence[Part], bias: Coded | None, *, held: bool = False, of_x: bool = False
    ) -> DeltaTile:
        """The tile of a delta network: each part is an accumulation of changes, with a bit more than its vector."""
        assert self.thresholds is not None
        columns, thresholds = [self.columns] * len(parts), self.thresholds[1 - of_x :]
        if len(parts) > 1:
            thresholds = self.thresholds
        if self.x_columns is not None and (of_x or len(parts) > 1):
            columns[0] = self.x_columns
        accumulations = [
            Accumulation((matrix, replace(vector, bits=vector.bits + 1)), self.to_accumulator, inputs)
            for (matrix, vector), inputs in zip(parts, columns, strict=True)
        ]
        return DeltaTile(accumulations, bias, self.to_gate, thresholds, self.late_bias and not held)

    def bias(self, values: Sequence[Float | None], part: Part) -> Coded | None:
        """The sum of the biases there are (G), on the grid of the accumulators of a part; None if there is none."""
        matrix, vector = part
        target = replace(self.to_accumulator, grid=product_grid(self.to_accumulator.grid, matrix.grid, vector))
        return total_bias(values, target, matrix.codes.shape[:1])


def total_bias(values: Sequence[Float | None], target: Target, shape: tuple[int, ...]) -> Coded | None:
    """The sum (G) of the biases there are: of codes, or of real numbers, which go to the target's grid then."""
    given = [np.asarray(value) for value in values if value is not None]
    if not given:
        return None
    if any(value.shape != shape for value in given):
        raise ValueError(f"a bias must have the shape {shape}, not {[value.shape for value in given]}")
    if all(np.issubdtype(value.dtype, np.integer) for value in given):
        return target.narrow(sum(given[1:], start=given[0].astype(np.int64)))
    return target.encode(sum(given[1:], start=given[0].astype(np.float64)))
