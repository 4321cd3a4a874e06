"""Lays weights and biases out in lines: what the array takes in a cycle, in the order in which tiles take it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import ceil_div
from archsim.program.ir import DataKind, Op, Program, Region

MATRICES = tuple(kind for kind in DataKind if kind.is_matrix)
PARAMETERS = (*MATRICES, DataKind.BIAS)
_Key = tuple[tuple[str, int, int], ...]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TileShape:
    """How a tile's inputs lie in its chunks: the position of each part's first input, and the number of chunks."""

    offsets: tuple[int, ...]
    chunks: int
    first_chunks: int


def tile_shape(tile: MacTile, columns: int, one_accumulation: bool) -> TileShape:
    """Parts follow each other; where they are accumulations of their own, each begins with a chunk."""
    lengths = [vector.entries for vector in tile.vectors]
    if one_accumulation or len(lengths) == 1:
        offsets = [sum(lengths[:number]) for number in range(len(lengths))]
        chunks = ceil_div(sum(lengths), columns)
        return TileShape(tuple(offsets), chunks, chunks)
    counts = [ceil_div(length, columns) for length in lengths]
    return TileShape((0, counts[0] * columns), sum(counts), counts[0])


@dataclass(frozen=True, slots=True)
class LineLoad:
    """A load of lines: the first in DRAM, the first on the chip, and how many."""

    outside: int
    inside: int
    count: int


@dataclass(slots=True)
class Lines:
    """Lines of one memory, on the chip and as they come from DRAM."""

    on_chip: list[Codes] = field(default_factory=list)
    outside: list[Codes] = field(default_factory=list)
    loads: dict[int, LineLoad] = field(default_factory=dict)
    """The lines that each load brings, by the id of its op."""
    first: dict[_Key, int] = field(default_factory=dict)
    """The first line of a tile."""
    step: dict[_Key, int] = field(default_factory=dict)
    """The lines from a chunk of a tile to the next."""

    def load(self, op: Op, inside: int, count: int) -> None:
        """Note that an op loads `count` lines from `inside` on: they lie so in DRAM."""
        self.loads[id(op)] = LineLoad(len(self.outside), inside, count)
        self.outside += self.on_chip[inside : inside + count]


def weights_key(tile: MacTile) -> _Key:
    """The rows of weights that a tile multiplies."""
    return tuple((region.buffer.name, region.start, region.stop) for region in tile.weights)


def bias_key(region: Region) -> _Key:
    """The biases that a tile begins with."""
    return ((region.buffer.name, region.start, region.stop),)


def weight_lines(
    program: Program, image: Mapping[str, Codes], rows: int, columns: int, one_accumulation: bool
) -> Lines:
    """The lines of all tiles, R x C weights each; tiles that are loaded together lie chunk by chunk side by side."""
    lines, loads = Lines(), list(_loads(program, MATRICES))
    tiles = {weights_key(op): op for op in _tiles(program)}
    matrices = _matrices(loads, image)
    for load in loads:
        touched = [key for key in tiles if _touches(key, load.target)]
        if touched and touched[0] not in lines.first:
            first, shapes = len(lines.on_chip), [tile_shape(tiles[key], columns, one_accumulation) for key in touched]
            for number, key in enumerate(touched):
                lines.first[key], lines.step[key] = first + number, len(touched)
            contents = [
                _lines_of(tiles[key], shape, matrices, rows, columns)
                for key, shape in zip(touched, shapes, strict=True)
            ]
            lines.on_chip += [tile[chunk] for chunk in range(shapes[0].chunks) for tile in contents]
        if touched:
            key = touched[0]
            tile = tiles[key]
            part = next(n for n, region in enumerate(tile.weights) if region.buffer is load.target.buffer)
            offset = tile_shape(tile, columns, one_accumulation).offsets[part]
            start, stop = offset // columns, ceil_div(offset + tile.vectors[part].entries, columns)
            # Where x and h share a line, both loads bring it whole.
            lines.load(load, lines.first[key] + start * len(touched), (stop - start) * len(touched))
        else:
            lines.load(load, 0, 0)
    return lines


def bias_lines(program: Program, image: Mapping[str, Codes], width: int) -> Lines:
    """The lines of biases, one for each tile that begins sums."""
    lines = Lines()
    loads = list(_loads(program, (DataKind.BIAS,)))
    found = {bias_key(op.bias): op.bias for op in _tiles(program) if op.bias is not None}
    values = _matrices(loads, image)
    for load in loads:
        touched = [key for key in found if _touches(key, load.target)]
        first = len(lines.on_chip)
        for key in sorted(touched, key=lambda key: key[0][1]):
            region = found[key]
            lines.first[key] = len(lines.on_chip)
            line = np.zeros(width, np.int64)
            line[: region.entries] = values[region.buffer.name][region.start : region.stop, 0]
            lines.on_chip.append(line)
        lines.load(load, first, len(touched))
    return lines


def _loads(program: Program, kinds: Sequence[DataKind]) -> Iterator[Transfer]:
    for phase in program.phases:
        for op in phase.ops:
            if isinstance(op, Transfer) and op.target.buffer.memory != "dram" and op.target.buffer.kind in kinds:
                yield op


def _tiles(program: Program) -> Iterator[MacTile]:
    return (op for phase in program.phases for op in phase.ops if isinstance(op, MacTile))


def _touches(key: _Key, target: Region) -> bool:
    return any(name == target.buffer.name and start < target.stop and target.start < stop for name, start, stop in key)


def _matrices(loads: Sequence[Transfer], image: Mapping[str, Codes]) -> dict[str, Codes]:
    """Every matrix on the chip as its loads fill it."""
    found: dict[str, Codes] = {}
    for op in loads:
        target = op.target
        whole = found.setdefault(target.buffer.name, np.zeros((target.buffer.entries, target.buffer.width), np.int64))
        pieces = [image[region.buffer.name][0, region.start : region.stop] for region in op.sources]
        whole[target.start : target.stop] = np.concatenate(pieces)
    return found


def _lines_of(tile: MacTile, shape: TileShape, matrices: Mapping[str, Codes], rows: int, columns: int) -> list[Codes]:
    whole = np.zeros((rows, shape.chunks * columns), np.int64)
    for region, offset, vector in zip(tile.weights, shape.offsets, tile.vectors, strict=True):
        codes = matrices[region.buffer.name][region.start : region.stop]
        whole[: region.entries, offset : offset + vector.entries] = codes
    return [whole[:, chunk * columns : (chunk + 1) * columns].reshape(-1) for chunk in range(shape.chunks)]
