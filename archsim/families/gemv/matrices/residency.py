"""Decides which weight tiles stay in the weight SRAM, if not all of them fit, and which are streamed.

A matrix of a cell either stays whole or has slots of a tile each, beside which as many of its tiles stay as fit; slots
that would take no less room than the matrix are of no use, and it stays. Tiles are taken in a fixed order: those of
W_hh and W_hr, which stand between h_{t-1} and h_t, before those of W_ih; and within a matrix spread evenly, so that the
loads of the others are too. Of the ways to choose which matrices have slots that one is taken which streams the fewest
bytes a step. Each of them streams no more the larger the SRAM is, and so does the best.

Where the slots do not fit, the tiles are cut into the fewest parts whose slots do. All of a matrix that has slots is
streamed then, also if there is room for some: were some pinned, a slightly larger SRAM, with larger parts, would stream
more. (Slots of larger parts pay for fewer matrices, so that none of them is streamed again.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from archsim.errors import CapacityError
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.matrices.placement import MatrixPlacement, Placement, all_pinned
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Buffer

MEMORY = "weight_sram"
_FIELDS = ("w_hh", "w_hr", "w_ih")
"""The matrices in the order in which their tiles are pinned."""

_Key = tuple[int, str]
"""A cell's number and the name of a matrix."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A matrix of a cell: its placement if it is resident, its tensor in DRAM, and how often a step reads it whole."""

    placement: MatrixPlacement
    tensor: Buffer
    reads: Fraction

    def bytes_of(self, rows: int, times: int = 1) -> int:
        """How many bytes so many rows (times so many slots) take as a buffer of the weight SRAM."""
        return ceil_div(times * self.tensor.bits_of(rows), 8)

    @property
    def whole_bytes(self) -> int:
        """The bytes of all rows."""
        return self.bytes_of(self.tensor.entries)

    def slot_bytes(self, tile_rows: int, slots: int) -> int:
        """The least bytes of a streamed matrix: those of its slots, or its own if slots do not pay."""
        return min(self.bytes_of(tile_rows, slots), self.whole_bytes)

    def slots_pay(self, tile_rows: int, slots: int) -> bool:
        """Whether slots take less room than the matrix."""
        return self.bytes_of(tile_rows, slots) < self.whole_bytes


def place_weights(cells: Sequence[GemvCell], arch: GemvConfig) -> tuple[Placement | None, ...]:
    """Decide for each cell where its weights live; None for all if everything fits into the weight SRAM.

    `cells` are as they would be if it did. CapacityError if not even slots of a row each fit.
    """
    if all_stay(cells, arch):
        return (None,) * len(cells)
    slots, have = arch.weight_sram.stream_slots, arch.weight_sram.capacity_bytes
    room, matrices = have - _fixed_bytes(cells), _matrices(cells)
    # Slots of whole tiles first: they keep the array's tiles, and some tiles may stay beside them.
    chosen = _best(matrices, room, slots)
    if chosen is not None:
        return tuple(_placement(cell.placement, number, chosen, slots) for number, cell in enumerate(cells))
    rows = arch.mac_array.rows
    # The fewest parts, since a tile holds the array as long however few rows it has; a row each is the last resort.
    for parts in range(2, rows + 1):
        cut = [all_pinned(cell.groups, cell.spec.proj_size, ceil_div(rows, parts)) for cell in cells]
        tiled = {(number, field): getattr(cut[number], field) for number, field in matrices}
        if sum(matrices[key].slot_bytes(tiled[key].tile_rows, slots) for key in matrices) <= room:
            streamed = {
                key: placement.streamed()
                for key, placement in tiled.items()
                if matrices[key].slots_pay(placement.tile_rows, slots)
            }
            return tuple(_placement(placement, number, streamed, slots) for number, placement in enumerate(cut))
    raise _too_small(matrices, have, _fixed_bytes(cells), slots)


def all_stay(cells: Sequence[GemvCell], arch: GemvConfig) -> bool:
    """Whether the weights of all cells fit into the weight SRAM side by side."""
    whole = sum(matrix.whole_bytes for matrix in _matrices(cells).values())
    return whole <= arch.weight_sram.capacity_bytes - _fixed_bytes(cells)


def _matrices(cells: Sequence[GemvCell]) -> dict[_Key, _Matrix]:
    """Every matrix that there is, in the order in which they are pinned."""
    found: dict[_Key, _Matrix] = {}
    for field in _FIELDS:
        for number, cell in enumerate(cells):
            tensor: Buffer | None = getattr(cell.weights, f"dram_{field}")
            if tensor is not None:
                reads = Fraction(cell.passes(getattr(cell.matrices, field)), cell.context.steps)
                found[number, field] = _Matrix(getattr(cell.placement, field), tensor, reads)
    return found


def _fixed_bytes(cells: Sequence[GemvCell]) -> int:
    """The bytes of biases, peephole and normalization weights, which stay; 0 if they have a memory of their own."""
    beside = [(cell.buffers.bias, cell.buffers.peephole, cell.buffers.layer_norm) for cell in cells]
    buffers = [buffer for found in beside for buffer in found if buffer is not None]
    return sum(buffer.size_bytes for buffer in buffers if buffer.memory == MEMORY)


def _best(matrices: dict[_Key, _Matrix], room: int, slots: int) -> dict[_Key, MatrixPlacement] | None:
    """The choice that streams the fewest bytes a step, the first of equals; None if no choice fits."""
    best: dict[_Key, MatrixPlacement] | None = None
    least: Fraction | None = None
    for streamed in _choices(list(matrices)):
        chosen = _pinned_beside(matrices, streamed, room, slots)
        if chosen is None:
            continue
        cost = sum(
            (
                matrices[key].reads * matrices[key].tensor.bits_of(tile.rows)
                for key, placement in chosen.items()
                for tile in placement.streamed_tiles
            ),
            Fraction(0),
        )
        if least is None or cost < least:
            best, least = chosen, cost
    return best


def _choices(keys: list[_Key]) -> Iterator[list[_Key]]:
    """Choices of matrices with slots: W_ih of the last cell, of the last two, ..., all; and the other way round."""
    # Not all subsets: there are 2^n, and these two chains cover both ends of the order in which tiles are pinned. The
    # first of equals wins, so those come first that leave W_hh and W_hr, which h waits for, in the SRAM.
    for count in range(1, len(keys) + 1):
        yield keys[-count:]
    for count in range(1, len(keys)):
        yield keys[:count]


def _pinned_beside(
    matrices: dict[_Key, _Matrix], streamed: list[_Key], room: int, slots: int
) -> dict[_Key, MatrixPlacement] | None:
    """The placements if those matrices have slots, with as many tiles pinned as fit; None if slots do not."""
    chosen = {key: matrix.placement for key, matrix in matrices.items()}
    streamed = [key for key in streamed if matrices[key].slots_pay(chosen[key].tile_rows, slots)]
    for key in streamed:
        chosen[key] = chosen[key].streamed()
    used = sum(
        matrices[key].bytes_of(placement.pinned_rows) + matrices[key].bytes_of(placement.slot_rows, slots)
        for key, placement in chosen.items()
    )
    if used > room:
        return None
    # In the order of `matrices`, not of `streamed`: those between h_{t-1} and h_t take the room first.
    for key in (key for key in matrices if key in streamed):
        matrix, pinned, rows = matrices[key], [False] * len(chosen[key].tiles), 0
        for place in _spread(len(pinned)):
            # The difference of two sums: rows share bytes, so a tile alone would be rounded up once too often.
            more = matrix.bytes_of(rows + chosen[key].tiles[place].rows) - matrix.bytes_of(rows)
            # A tile that does not fit is passed over, not the end: a smaller one behind it may.
            if used + more <= room:
                pinned[place] = True
                rows += chosen[key].tiles[place].rows
                used += more
        chosen[key] = replace(chosen[key], pinned=tuple(pinned))
    return chosen


def _spread(count: int) -> list[int]:
    """The numbers 0 .. count - 1 in an order whose every beginning is spread evenly: by their reversed bits."""
    bits = max(1, (count - 1).bit_length())
    return sorted(range(count), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))


def _placement(own: Placement, number: int, chosen: dict[_Key, MatrixPlacement], slots: int) -> Placement:
    """A cell's own placement with what was chosen for its matrices."""
    w_ih, w_hh, w_hr = (chosen.get((number, field), getattr(own, field)) for field in ("w_ih", "w_hh", "w_hr"))
    return replace(own, slots=slots, w_ih=w_ih, w_hh=w_hh, w_hr=w_hr)


def _too_small(matrices: dict[_Key, _Matrix], have: int, fixed: int, slots: int) -> CapacityError:
    rows = sum(matrix.slot_bytes(1, slots) for matrix in matrices.values())
    parts = (
        f"biases and peephole weights {fixed:,} + {slots} slots of a row, or all rows, of each weight matrix {rows:,}"
    )
    knobs = (
        "more weight_sram.capacity_bytes",
        *(("fewer weight_sram.stream_slots",) if slots > 1 else ()),
        "a narrower weight format",
        "a smaller model",
    )
    return CapacityError(MEMORY, fixed + rows, have, "bytes", parts, knobs)
