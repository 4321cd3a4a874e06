"""Places one weight matrix of a cell: its tiles in DRAM, in the weight SRAM, and in slots to stream through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from archsim.families.gemv.matrices.dram_rows import MatrixPieces, Piece, Pieces, pieces_in_dram
from archsim.families.gemv.matrices.placement import MatrixPlacement, Placement, WeightTile
from archsim.families.gemv.matrices.weight_buffers import WeightBuffers
from archsim.program.ir import Buffer, Region


@dataclass(frozen=True)
class Matrix:
    """The buffers of a matrix and the placement of its tiles. `pinned` and `slots` are None if no tile is there.

    `pieces`: for each group those that are contiguous in DRAM.
    """

    name: str
    placement: MatrixPlacement
    pieces: Pieces
    dram: Buffer | None
    pinned: Buffer | None
    slots: Buffer | None

    def region(self, group: int, start: int) -> Region:
        """The region where the MAC array reads the tile that begins at a row of a group.

        The slot of a streamed one rotates over tiles and time steps: offset is its number among the streamed tiles,
        stride how many there are in a step.
        """
        tile, pinned, place = self._places[group, start]
        if pinned:
            assert self.pinned is not None
            return Region(self.pinned, place, place + tile.rows)
        assert self.slots is not None
        return Region(self.slots, 0, tile.rows, place, len(self.streamed))

    def origin(self, group: int, start: int) -> tuple[Region, ...]:
        """The tile's rows in DRAM if it is streamed: a slot does not say what its numbers stand for."""
        tile, pinned, _ = self._places[group, start]
        return () if pinned else self.sources(tile)

    def sources(self, tile: WeightTile) -> tuple[Region, ...]:
        """The tile's rows in DRAM, one region for each contiguous piece."""
        assert self.dram is not None
        found = []
        for piece in self.pieces[tile.group]:
            start, stop = max(piece.row, tile.start), min(piece.row + piece.rows, tile.stop)
            if start < stop:
                moved = piece.first - piece.row
                found.append(Region(self.dram, moved + start, moved + stop))
        return tuple(found)

    def pinned_loads(self) -> Iterator[tuple[int, tuple[Region, ...], Region]]:
        """For each group with pinned tiles: the group, its pinned rows in DRAM, and where they go."""
        pinned = ((tile, place) for tile, pinned, place in self._places.values() if pinned)
        for group, held in groupby(pinned, key=lambda found: found[0].group):
            assert self.pinned is not None
            tiles, places = zip(*held, strict=True)
            merged = [WeightTile(group, start, stop) for start, stop in _merged(tiles)]
            pieces = tuple(region for tile in merged for region in self.sources(tile))
            yield group, pieces, Region(self.pinned, places[0], places[-1] + tiles[-1].rows)

    @cached_property
    def streamed(self) -> tuple[WeightTile, ...]:
        """The streamed tiles, in the order in which a time step multiplies them."""
        return self.placement.streamed_tiles

    @cached_property
    def _places(self) -> dict[tuple[int, int], tuple[WeightTile, bool, int]]:
        return {(place[0].group, place[0].start): place for place in self.placement.places()}


@dataclass(frozen=True, slots=True)
class Matrices:
    """The three weight matrices of a cell; without a projection W_hr has no tiles."""

    w_ih: Matrix
    w_hh: Matrix
    w_hr: Matrix

    def streamed(self) -> Iterator[Matrix]:
        """The matrices of which some tile is streamed."""
        return (matrix for matrix in (self.w_ih, self.w_hh, self.w_hr) if matrix.slots is not None)


def make_matrices(pieces: MatrixPieces, placement: Placement, b: WeightBuffers) -> Matrices:
    """The matrices of a cell."""
    projection = ((Piece(0, b.dram_w_hr.entries, 0),),) if b.dram_w_hr else ()
    in_dram_ih, in_dram_hh = pieces_in_dram(b.dram_w_ih, pieces.w_ih), pieces_in_dram(b.dram_w_hh, pieces.w_hh)
    return Matrices(
        Matrix("W_ih", placement.w_ih, in_dram_ih, b.dram_w_ih, b.w_ih, b.slots_w_ih),
        Matrix("W_hh", placement.w_hh, in_dram_hh, b.dram_w_hh, b.w_hh, b.slots_w_hh),
        Matrix("W_hr", placement.w_hr, projection, b.dram_w_hr, b.w_hr, b.slots_w_hr),
    )


def _merged(tiles: Sequence[WeightTile]) -> list[tuple[int, int]]:
    """The rows of tiles that follow each other, as one range."""
    ranges: list[tuple[int, int]] = []
    for tile in tiles:
        if ranges and ranges[-1][1] == tile.start:
            ranges[-1] = ranges[-1][0], tile.stop
        else:
            ranges.append((tile.start, tile.stop))
    return ranges
