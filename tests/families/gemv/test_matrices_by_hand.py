"""Where the tiles of a weight matrix lie, pinned or streamed, and the pieces of DRAM that they come from, by hand."""

from __future__ import annotations

from archsim.config import parse_override
from archsim.families.gemv.matrices.dram_rows import Piece, pieces_in_dram, tile_by_tile
from archsim.families.gemv.matrices.matrix import Matrix, _merged
from archsim.families.gemv.matrices.placement import MatrixPlacement, WeightTile
from archsim.families.gemv.matrices.residency import _spread
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.formats import parse_format
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import load_workload

TILES = (WeightTile(0, 0, 3), WeightTile(0, 3, 5), WeightTile(0, 5, 6), WeightTile(1, 0, 3), WeightTile(1, 3, 4))
"""Group 0 has 6 rows, group 1 has 4; a tile has at most 3."""
PIECES = ((Piece(0, 4, 10), Piece(4, 2, 30)), (Piece(0, 4, 14),))
"""In DRAM rows 0 to 3 of group 0 are from 10 on, rows 4 and 5 from 30 on; those of group 1 from 14 on."""


def buffer(name: str, rows: int, slots: int = 1, memory: str = "dram") -> Buffer:
    return Buffer(name, memory, DataKind.W_IH, rows, 7, parse_format("int8"), slots)


def matrix(*pinned: bool) -> Matrix:
    rows = sum(tile.rows for tile, stays in zip(TILES, pinned, strict=True) if stays)
    placement = MatrixPlacement(TILES, pinned)
    held, slots = buffer("held", rows, 1, "weight_sram"), buffer("slots", 3, 2, "weight_sram")
    return Matrix("W_ih", placement, PIECES, buffer("dram.W_ih", 40), held if rows else None, slots)


def test_places_of_tiles() -> None:
    """Pinned ones lie one behind the other, 3 + 1 + 1 rows; streamed ones are numbered."""
    placement = MatrixPlacement(TILES, (True, False, True, False, True))
    assert [place for _, _, place in placement.places()] == [0, 0, 3, 1, 4]
    assert (placement.pinned_rows, placement.tile_rows, placement.slot_rows) == (5, 3, 3)
    assert placement.streamed_tiles == (TILES[1], TILES[3])
    assert placement.streamed().pinned == (False,) * 5
    whole, none = MatrixPlacement(TILES, (True,) * 5), MatrixPlacement((), ())
    assert (whole.slot_rows, whole.pinned_rows) == (0, 10)
    assert (none.tile_rows, none.slot_rows, none.pinned_rows) == (0, 0, 0)


def test_where_the_array_reads_a_tile() -> None:
    """A slot rotates over the 2 streamed tiles of a step."""
    found = matrix(True, False, True, False, True)
    held, slots = found.pinned, found.slots
    assert held is not None
    assert slots is not None
    assert found.region(0, 0) == Region(held, 0, 3)
    assert found.region(0, 5) == Region(held, 3, 4)
    assert found.region(1, 3) == Region(held, 4, 5)
    assert found.region(0, 3) == Region(slots, 0, 2, 0, 2)
    assert found.region(1, 0) == Region(slots, 0, 3, 1, 2)


def test_the_rows_of_a_tile_in_dram() -> None:
    """Tile 3 to 4 of group 0 takes the last row of the first piece, 13, and the first of the second, 30."""
    found = matrix(True, False, True, False, True)
    assert found.dram is not None
    rows = {tile: [(region.start, region.stop) for region in found.sources(tile)] for tile in TILES}
    assert list(rows.values()) == [[(10, 13)], [(13, 14), (30, 31)], [(31, 32)], [(14, 17)], [(17, 18)]]
    assert found.origin(0, 0) == (), "what stays says itself what it holds"
    assert found.origin(0, 3) == found.sources(TILES[1])


def test_tiles_that_follow_each_other_are_loaded_together() -> None:
    """All of group 0: its two pieces; with a tile between them missing each tile on its own."""

    def loads(*pinned: bool) -> list[tuple[int, list[tuple[int, int]], tuple[int, int]]]:
        return [
            (group, [(piece.start, piece.stop) for piece in pieces], (target.start, target.stop))
            for group, pieces, target in matrix(*pinned).pinned_loads()
        ]

    assert loads(True, True, True, True, True) == [(0, [(10, 14), (30, 32)], (0, 6)), (1, [(14, 18)], (6, 10))]
    assert loads(True, False, True, False, True) == [(0, [(10, 13), (31, 32)], (0, 4)), (1, [(17, 18)], (4, 5))]
    assert loads(False, True, True, False, False) == [(0, [(13, 14), (30, 32)], (0, 3))]
    assert loads(False, False, False, False, False) == []


def test_tiles_are_merged_with_the_last_range_alone() -> None:
    rows = ((0, 1), (2, 3), (3, 5), (5, 6), (7, 8), (8, 9))
    assert _merged([WeightTile(0, *found) for found in rows]) == [(0, 1), (2, 6), (7, 9)]
    assert _merged([]) == []


def test_the_rows_of_interleaved_gates() -> None:
    """LSTM(3, 6), projected to 4, on 8 rows: group 1 has units 2 and 3 of i, f, o and g, which in torch's order (i, f,
    g, o) begin at rows 0, 6, 18 and 12. W_hr is one piece."""
    sets = ("mac_array.rows=8", "accumulators.entries=64", "state_buffer.capacity_bytes=4KiB")
    config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
    program = find_schedule("fused", "gemv").build(load_workload("lstm:3,6,t=2,proj=4").spec, config)
    loads = {op.label: [(r.start, r.stop) for r in op.reads] for op in program.phases[0].ops}
    for name in ("W_ih", "W_hh"):
        assert loads[f"load {name}[1]"] == [(2, 4), (8, 10), (20, 22), (14, 16)]
    assert loads["load W_hr"] == [(0, 4)]


def test_a_candidates_parts_are_rows_of_one_matrix_each() -> None:
    """GRU(3, 2): the candidate has a row of W_ih and one of W_hh for each unit, in groups that hold both apart. Each of
    the 6 rows of both matrices is loaded once."""
    sets = ("accumulators.entries=64", "state_buffer.capacity_bytes=4KiB")
    config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
    program = find_schedule("fused", "gemv").build(load_workload("gru:3,2,t=2").spec, config)
    for name in ("W_ih", "W_hh"):
        loads = [op for op in program.phases[0].ops if op.label.startswith(f"load {name}[")]
        assert sorted(row for op in loads for r in op.reads for row in range(r.start, r.stop)) == list(range(6))


def test_a_load_follows_the_tile_whose_slot_it_takes() -> None:
    """LSTM(3, 4) on 4 rows: 4 tiles a step, each a unit; 3 slots of W_ih, 4 x 12 bytes each, and of W_hh, 4 x 16.

    The first three tiles come before the first step. Tile 0 makes room for tile 3, tiles 1 to 3 for tiles 0 to 2 of the
    next step, which the last step does not have. A slot's number goes on by 4 a step.
    """
    sets = (
        "mac_array.rows=4",
        "accumulators.entries=64",
        "weight_sram.stream_slots=3",
        "state_buffer.capacity_bytes=4KiB",
    )
    config = load_arch(
        "tiny_2x2", [parse_override(f"weight_sram.capacity_bytes={3 * (48 + 64)}"), *map(parse_override, sets)]
    ).config
    program = find_schedule("fused_streamed", "gemv").build(load_workload("lstm:3,4,t=5").spec, config)
    first, body = ([op for op in phase.ops if "stream W_ih" in op.label] for phase in program.phases[:2])
    assert [op.label for op in first] == [f"stream W_ih[{number}] of 0" for number in (0, 1, 2)]
    assert [[(r.start, r.stop, r.offset, r.stride) for r in op.writes] for op in first] == [
        [(0, 4, number, 0)] for number in (0, 1, 2)
    ]
    assert [(op.label, op.skip_last) for op in body] == [
        ("stream W_ih[3]", 0),
        *((f"stream W_ih[{number}] of t+1", 1) for number in (0, 1, 2)),
    ]
    assert [(r.offset, r.stride) for op in body for r in op.writes] == [(number, 4) for number in (0, 1, 2, 3)]
    order = [op.label for op in program.phases[1].ops if op.label.startswith(("mac", "stream"))]
    assert order[:3] == ["mac[0]", "stream W_ih[3]", "stream W_hh[3]"]


def test_rows_tile_by_tile() -> None:
    """Pieces from 0 on that adjoin are the model's own order; others make a tensor of its own, in which each group is
    one piece behind those before it; a group without rows of the matrix has none."""
    whole = buffer("dram.W_ih", 6)
    in_order = ((Piece(0, 2, 0), Piece(2, 1, 2)), (Piece(0, 3, 3),))
    assert tile_by_tile(whole, in_order) is whole
    assert pieces_in_dram(whole, in_order) is in_order
    mixed = ((Piece(0, 2, 0), Piece(2, 1, 3)), (), (Piece(1, 1, 2), Piece(2, 2, 4)))
    packed = tile_by_tile(whole, mixed)
    assert (packed.name, packed.tensor) == ("dram.tiles.W_ih", "dram.W_ih")
    assert packed.packing is not None
    assert (packed.packing.entries, packed.packing.width) == (6, 7)
    (tile,) = packed.packing.tiles
    assert (tile.rows, tile.columns) == (((0, 2), (3, 4), (2, 3), (4, 6)), (0, 7))
    assert pieces_in_dram(packed, mixed) == ((Piece(0, 3, 0),), (), (Piece(1, 3, 3),))
    later = tile_by_tile(whole, ((Piece(0, 5, 1),), (Piece(0, 1, 0),)))
    assert later.packing is not None, "rows that do not begin with the first one"
    assert pieces_in_dram(None, mixed) is mixed


def test_an_order_that_is_spread_from_its_beginning() -> None:
    """By reversed bits: 000, 100, 010, ... of 5 numbers those below 5."""
    assert [_spread(count) for count in (0, 1, 2, 3)] == [[], [0], [0, 1], [0, 2, 1]]
    assert _spread(5) == [0, 4, 2, 1, 3]
    assert _spread(8) == [0, 4, 2, 6, 1, 5, 3, 7]
