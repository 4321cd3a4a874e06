"""Orders the rows of a weight matrix in DRAM: as in the model, or tile by tile, so that a tile is one piece.

A group of interleaved gates holds rows of each gate, which in the model stand H rows apart: its tile is as many pieces
as there are gates, each in another row of DRAM. Tile by tile the rows lie in the order in which a step multiplies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from archsim.families.cells.tiling import Group, Part
from archsim.program.ir import Buffer
from archsim.program.packing import PackedTile, Packing
from archsim.workload.network import CellSpec


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a group that adjoin in DRAM: the first one in the group, how many, and the first one in DRAM."""

    row: int
    rows: int
    first: int


Pieces = tuple[tuple[Piece, ...], ...]
"""The pieces of each group."""


@dataclass(frozen=True, slots=True)
class MatrixPieces:
    """The pieces of W_ih and of W_hh where their rows lie as in the model."""

    w_ih: Pieces
    w_hh: Pieces

    @classmethod
    def in_model(cls, spec: CellSpec, groups: Sequence[Group]) -> MatrixPieces:
        """The pieces of a cell's groups."""
        return cls(_pieces(spec, groups, Part.HIDDEN), _pieces(spec, groups, Part.INPUT))


def _pieces(spec: CellSpec, groups: Sequence[Group], without: Part) -> Pieces:
    """The pieces of each group; rows that take the part `without` alone are not of the matrix."""
    return tuple(
        tuple(
            Piece(segment.row, segment.units, segment.block.gate * spec.hidden_size + segment.first_unit)
            for segment in group.segments
            if segment.block.part is not without
        )
        for group in groups
    )


def tile_by_tile(matrix: Buffer, pieces: Pieces) -> Buffer:
    """A matrix in DRAM with its rows in the order of the tiles; as it is, if they lie so already."""
    rows = tuple((piece.first, piece.first + piece.rows) for group in pieces for piece in group)
    if rows[0][0] == 0 and all(before == first for (_, before), (first, _) in pairwise(rows)):
        return matrix
    packing = Packing((PackedTile(rows, (0, matrix.width)),), matrix.entries, matrix.width)
    name = matrix.name.replace("dram.", "dram.tiles.")
    return replace(matrix, name=name, tensor=matrix.name, packing=packing)


def pieces_in_dram(matrix: Buffer | None, in_model: Pieces) -> Pieces:
    """The pieces of each group as they lie in DRAM."""
    if matrix is None or matrix.packing is None:
        return in_model
    return tuple(_whole_groups(in_model))


def _whole_groups(in_model: Pieces) -> Iterator[tuple[Piece, ...]]:
    """One piece a group, behind those of the groups before it; none of a group without rows of the matrix."""
    sizes = [sum(piece.rows for piece in group) for group in in_model]
    for group, size, first in zip(in_model, sizes, accumulate(sizes, initial=0), strict=False):
        yield (Piece(group[0].row, size, first),) if group else ()
