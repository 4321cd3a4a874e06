"""Blocks of steps that a hoisted schedule multiplies at once, and ops that stand in other repetitions, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.config import parse_override
from archsim.families.gemv.blocks import Blocks, choose_blocks
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.retiming import Retiming
from archsim.families.load import load_arch
from archsim.families.schedules import build_program, find_schedule
from archsim.formats import parse_format
from archsim.program.ir import Buffer, DataKind, Op
from archsim.workload import load_workload


@pytest.mark.parametrize(
    ("steps", "size", "whole", "count", "missing", "slots"),
    [
        (10, 10, True, 1, 0, 10),
        (10, 9, False, 2, 8, 18),  # a block of 1, then one of 9
        (10, 5, False, 2, 0, 10),
        (10, 4, False, 3, 2, 8),  # 2, 4 and 4
        (10, 1, False, 10, 0, 2),
        (1, 1, True, 1, 0, 1),
    ],
)
def test_blocks(steps: int, size: int, whole: bool, count: int, missing: int, slots: int) -> None:
    """The first block is the one that is not full. Kept is what is in use, and the block that is being made."""
    found = Blocks(steps, size)
    assert (found.whole, found.count, found.missing) == (whole, count, missing)
    assert (found.input_sum_slots, found.x_slots) == (slots, slots)


ROW = Buffer("row", "state_buffer", DataKind.PARTIAL_SUM, 1, 1, parse_format("float32"))


@pytest.mark.parametrize(
    ("steps", "state", "inputs", "size"),
    [
        # All 10 steps: 100 bytes beside them, 10 sums of 32 and 10 x of 12 bytes.
        (10, 420, 120, 10),
        # A byte less: two blocks of 4 steps, 100 + 256, and 96 of x.
        (10, 419, 120, 4),
        (10, 356, 96, 4),
        (10, 355, 96, 3),
        (10, 420, 119, 4),
        (10, 420, 95, 3),
        (10, 228, 120, 2),
        (10, 420, 47, 1),
        (10, 164, 24, 1),
        (10, 163, 23, 1),  # not even that: what is checked afterwards says so
        (100, 612, 192, 8),  # all do not fit, and of one's own choice there are no longer blocks
        (100, 100_000, 1200, 100),
        (3, 195, 1000, 1),
        (3, 196, 1000, 3),  # all three: two blocks of two steps would take 228
        (1, 100, 10, 1),
    ],
)
def test_the_longest_block_that_fits(steps: int, state: int, inputs: int, size: int) -> None:
    """Of cells with 60 and 40 bytes of state, 20 and 12 of sums, 8 and 4 of x, each a step."""
    sets = (f"state_buffer.capacity_bytes={state}", f"input_buffer.capacity_bytes={inputs}")
    config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
    assert isinstance(config, GemvConfig)
    cells = []
    for kept, sums, x in ((15, 5, 2), (10, 3, 1)):
        made = replace(ROW, name="sums", entries=sums)
        cells.append(((replace(ROW, entries=kept), made), replace(ROW, name="x", entries=x), made))
    found = choose_blocks(config, steps, cells)
    assert (found.steps, found.size) == (steps, size)
    asked = load_arch("tiny_2x2", [parse_override(text) for text in (*sets, "state_buffer.hoist_steps=5")]).config
    assert isinstance(asked, GemvConfig)
    assert choose_blocks(asked, steps, cells).size == min(5, steps), "what is asked for is checked, not chosen"


def _op(skips: tuple[int, int] = (0, 0), step: tuple[int, int] = (1, 0)) -> Op:
    """An op of a step that reads h of the step before and writes that of its own."""
    program = build_program(
        find_schedule("fused", "gemv"), load_workload("lstm:3,2,t=4").spec, load_arch("tiny_2x2").config
    )
    body = program.phases[1]
    op = next(op for op in body.ops if op.label == "hidden[0]")
    return replace(op, skip_first=skips[0], skip_last=skips[1], step_stride=step[0], step_offset=step[1])


@pytest.mark.parametrize(
    ("retiming", "skips", "wanted"),
    [
        # 10 ticks in 10 repetitions, as they were made.
        (Retiming(10, 10, 1, 0), (0, 0), (0, 0)),
        (Retiming(10, 10, 1, 0), (2, 3), (2, 3)),
        # Two later, in 12 repetitions: not in the first two.
        (Retiming(10, 12, 1, -2), (0, 0), (2, 0)),
        (Retiming(10, 12, 1, -2), (1, 1), (3, 1)),
        # One earlier, in 10: tick 0 is before the first one, tick 9 in the ninth.
        (Retiming(10, 10, 1, 1), (0, 0), (0, 1)),
        # Four a repetition, 3 repetitions, 2 missing: number 0 has ticks -2, 2, 6; number 3 has ticks 1, 5, 9.
        (Retiming(10, 3, 4, -2), (0, 0), (1, 0)),
        (Retiming(10, 3, 4, 1), (0, 0), (0, 0)),
        # Those that leave out ticks 0 and 1, and ticks 8 and 9: of 1, 5 and 9 only 5.
        (Retiming(10, 3, 4, 1), (2, 2), (1, 1)),
        (Retiming(10, 3, 4, 1), (1, 1), (0, 1)),
        # Ticks 10, 14: none.
        (Retiming(10, 2, 4, 10), (0, 0), None),
        (Retiming(10, 1, 1, 9), (0, 0), (0, 0)),
        # Fewer repetitions than ticks: 0, 1 and 2 of ten.
        (Retiming(10, 3, 1, 0), (0, 0), (0, 0)),
        (Retiming(10, 3, 1, 0), (0, 8), (0, 1)),
    ],
)
def test_an_op_takes_part_where_its_tick_does(
    retiming: Retiming, skips: tuple[int, int], wanted: tuple[int, int] | None
) -> None:
    """skip_first and skip_last of the repetitions; None where it never takes part."""
    found = list(retiming.applied_to([_op(skips)], "+"))
    assert [(op.skip_first, op.skip_last) for op in found] == ([] if wanted is None else [wanted])


def test_operands_move_with_the_tick() -> None:
    """In repetition r stands tick 4 r - 2: a slot s + n becomes s - 2 + 4 r, a step 3 n + 5 becomes 12 r - 1."""
    op = _op(step=(3, 5))
    (moved,) = Retiming(10, 3, 4, -2).applied_to([op], "+1")
    assert moved.label == "hidden[0]+1"
    assert (moved.step_stride, moved.step_offset) == (12, 5 - 6)
    for before, after in zip((*op.reads, *op.writes), (*moved.reads, *moved.writes), strict=True):
        assert (after.offset, after.stride) == (before.offset - 2 * before.stride, 4 * before.stride)
    assert {region.stride for region in moved.writes} == {4}
