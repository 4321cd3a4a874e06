"""How a cell's rows are cut into groups, and how much of what follows them is kept, by hand."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.cells.buffers import Storage
from archsim.families.cells.context import CellMachine
from archsim.families.cells.kinds import CELL_OPS
from archsim.families.cells.plan import CellPlan
from archsim.families.cells.streams import cell_prefixes, starts
from archsim.families.cells.tiling import Block, Part, block_major, cut, interleaved, number_groups
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.float_machines import FLOAT_16X16

A, B = Block(0), Block(1)


@pytest.mark.parametrize(
    ("start", "stop", "rows", "ranges"),
    [
        (0, 0, 4, []),
        (0, 4, 4, [(0, 4)]),
        (0, 5, 4, [(0, 4), (4, 5)]),
        (3, 12, 4, [(3, 7), (7, 11), (11, 12)]),
        (2, 4, 1, [(2, 3), (3, 4)]),
    ],
)
def test_ranges_of_at_most_so_many_rows(start: int, stop: int, rows: int, ranges: list[tuple[int, int]]) -> None:
    assert cut(start, stop, rows) == ranges


def test_groups_of_all_blocks_or_of_one() -> None:
    """Two blocks of 5 hidden units. Of 4 rows a group has 2 units of both, of 5 too; of 1 row still one unit of both.

    One block after the other 4 units at a time.
    """
    pairs = [[(A, 0, 2), (B, 0, 2)], [(A, 2, 2), (B, 2, 2)], [(A, 4, 1), (B, 4, 1)]]
    assert interleaved((A, B), 5, 4) == interleaved((A, B), 5, 5) == pairs
    assert interleaved((A, B), 2, 1) == [[(A, 0, 1), (B, 0, 1)], [(A, 1, 1), (B, 1, 1)]]
    assert block_major(((A,), (B,)), 5, 4) == [[(A, 0, 4)], [(A, 4, 1)], [(B, 0, 4)], [(B, 4, 1)]]
    assert block_major(((A,), (A, B)), 2, 4) == [[(A, 0, 2)], [(A, 0, 2), (B, 0, 2)]]


def test_where_rows_of_groups_lie() -> None:
    """3 units that take W x alone, 2 that take both, 4 that take W h alone; then another group of 2 that take both.

    The first has 5 rows of W_ih, 6 of W_hh and 9 biases, and so the second begins.
    """
    early, late = Block(2, Part.INPUT), Block(2, Part.HIDDEN)
    first, second = number_groups([[(early, 0, 3), (A, 0, 2), (late, 0, 4)], [(B, 2, 2)]])
    assert [(segment.row, segment.stop, segment.first_unit) for segment in first.segments] == [
        (0, 3, 0),
        (3, 5, 0),
        (5, 9, 0),
    ]
    assert (first.index, first.rows, first.input_rows, first.hidden_rows) == (0, 9, (0, 5), (3, 9))
    assert (first.w_ih_start, first.w_hh_start, first.bias_start) == (0, 0, 0)
    assert (second.index, second.rows, second.input_rows, second.hidden_rows) == (1, 2, (0, 2), (0, 2))
    assert (second.w_ih_start, second.w_hh_start, second.bias_start) == (5, 6, 9)
    assert first.has(late)
    assert not second.has(late)
    assert first.segment(A).row == 3
    with pytest.raises(KeyError):
        second.segment(A)
    (alone,) = number_groups([[(late, 0, 4)]])
    assert (alone.input_rows, alone.hidden_rows) == ((0, 0), (0, 4))


def plan_of(workload: str, *fields: str, rows: int, interleave: bool, slots: int | None = None) -> CellPlan:
    config = load_arch(FLOAT_16X16).config
    assert isinstance(config, GemvConfig)
    (spec,) = load_workload(workload, [parse_override(field) for field in fields]).spec.cells
    machine = CellMachine(config.formats, config.activation, config.elementwise, rows, slots)
    return CELL_OPS[spec.kind].plan(spec, machine, interleaved=interleave)


@pytest.mark.parametrize(
    ("workload", "rows", "interleave", "groups", "deferred", "storage"),
    [
        # 16 rows are 4 units of 4 gates: 3 groups of 10; what follows c is two groups late, and so 4 are kept.
        ("lstm:3,10", 16, True, [16, 16, 8], 2, Storage(16, 4, 4)),
        # Gate by gate all are kept; a gate is one group of 10, or three of up to 4, and no later than the next gate.
        ("lstm:3,10", 16, False, [10] * 4, 1, Storage(40, 10, 1)),
        ("lstm:3,10", 4, False, [4, 4, 2] * 4, 2, Storage(40, 10, 1)),
        # r, z and both parts of the candidate. Of gates r, z and n are kept.
        ("gru:3,10", 16, True, [16, 16, 8], 2, Storage(12, 4, 4)),
        ("gru:3,10", 16, False, [10, 10, 8 + 8, 2 + 2], 1, Storage(30, 10, 1)),
        ("gru:3,6", 16, False, [6, 6, 12], 1, Storage(18, 6, 1)),
        ("rnn:3,10", 4, True, [4, 4, 2], 2, Storage(0, 0, 1)),
        ("rnn:3,3", 4, False, [3], 1, Storage(0, 0, 1)),
    ],
)
def test_plans_of_cells(
    workload: str, rows: int, interleave: bool, groups: list[int], deferred: int, storage: Storage
) -> None:
    found = plan_of(workload, rows=rows, interleave=interleave)
    assert [group.rows for group in found.groups] == groups
    assert (found.deferred_groups, found.storage) == (deferred, storage)


def test_plans_of_cells_that_need_a_whole_vector() -> None:
    """A GRU that resets before the product keeps all gates, since r * h must be whole: r and z, 8 units of both on 16
    rows, then the candidate. A gate that is normalized is a group as a whole, and never stands beside another."""
    before = plan_of("gru:3,10", "linear_before_reset=false", rows=16, interleave=True)
    assert [group.rows for group in before.groups] == [16, 4, 10]
    assert (before.deferred_groups, before.storage) == (2, Storage(30, 0, 1))
    before = plan_of("gru:3,10", "linear_before_reset=false", rows=16, interleave=False)
    assert [group.rows for group in before.groups] == [10, 10, 10]
    assert (before.deferred_groups, before.storage) == (1, Storage(30, 0, 1))
    for interleave in (False, True):
        normalized = plan_of("lstm:3,10", "layer_norm=true", rows=4, interleave=interleave)
        assert [group.rows for group in normalized.groups] == [10] * 4
        assert (normalized.interleaved, normalized.storage) == (False, Storage(40, 10, 1))


def test_a_machine_may_say_how_many_groups_are_kept() -> None:
    assert plan_of("lstm:3,10", rows=16, interleave=True, slots=7).storage == Storage(16, 4, 7)
    assert plan_of("lstm:3,10", rows=16, interleave=False, slots=7).storage == Storage(40, 10, 1)


def test_names_of_cells_and_where_their_outputs_begin() -> None:
    """A single cell has none; else the layer's number, and an r of the direction in reverse."""
    assert cell_prefixes(load_workload("lstm:3,4").spec) == ("",)
    assert cell_prefixes(load_workload("lstm:3,4,layers=2").spec) == ("l0.", "l1.")
    both = load_workload("lstm:3,4,layers=2,bidirectional=1,proj=2").spec
    assert cell_prefixes(both) == ("l0.", "l0r.", "l1.", "l1r.")
    assert starts(both.layers[0]) == [0, 2]
