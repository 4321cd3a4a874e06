"""Where operands come from, followed by hand: from which op, which row of its result, or which entry of before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from archsim.program.ir import Buffer, Phase, PhaseKind, Region
from archsim.program.value_flow import BEFORE, Origin, Slot, value_flow
from tests.laws.generic_ops import Mix, buffer

WORDS = buffer("words", 6, 4)


def at(start: int, stop: int, offset: int = 0, stride: int = 0, held: Buffer = WORDS) -> Region:
    return Region(held, start, stop, offset, stride)


def op(reads: Sequence[Region] = (), writes: Sequence[Region] = (), updates: Sequence[Region] = ()) -> Mix:
    return Mix(unit="u", label="op", inputs=tuple(reads), outputs=tuple(writes), accumulated=tuple(updates))


def body(*ops: Mix) -> Phase:
    return Phase("body", PhaseKind.BODY, 9, ops, ((),) * len(ops))


def rows(origin: Origin) -> list[tuple[int, int]]:
    return list(zip(origin.ops.tolist(), origin.rows.tolist(), strict=True))


def test_an_operand_is_made_of_the_youngest_results_and_of_what_was_there() -> None:
    """Op 0 writes entries 1 to 3, op 1 entries 3 and 4; op 2 reads all six of the slot.

    Entries 0 and 5 nobody has written: rows 0 and 5 of before. 1 and 2 are op 0's rows 0 and 1; 3 was its row 2, but
    op 1 has written it since.
    """
    flow = value_flow(body(op(writes=[at(1, 4)]), op(writes=[at(3, 5)]), op(reads=[at(0, 6), at(2, 4), at(4, 6)])))
    assert flow is not None
    (whole, middle, end) = flow.operands[2]
    assert rows(whole) == [(BEFORE, 0), (0, 0), (0, 1), (1, 0), (1, 1), (BEFORE, 5)]
    assert rows(middle) == [(0, 1), (1, 0)]
    assert rows(end) == [(1, 1), (BEFORE, 5)]
    assert flow.operands[:2] == ((), ())
    assert flow.levels == (0, 0, 1)


def test_rows_of_a_result_are_counted_through_all_its_writes() -> None:
    """An op's first write has 2 rows, so that the second one's begin with row 2."""
    flow = value_flow(body(op(writes=[at(4, 6), at(0, 3)]), op(reads=[at(0, 6)])))
    assert flow is not None
    assert rows(flow.operands[1][0]) == [(0, 2), (0, 3), (0, 4), (BEFORE, 3), (0, 0), (0, 1)]


def test_an_operand_is_what_it_was_when_its_op_came() -> None:
    """Op 1 overwrites what op 0 has read: op 0 has the entry of before, op 2 the new one."""
    flow = value_flow(body(op(reads=[at(2, 3)]), op(writes=[at(2, 3)]), op(reads=[at(2, 3)])))
    assert flow is not None
    assert [rows(flow.operands[number][0]) for number in (0, 2)] == [[(BEFORE, 2)], [(1, 0)]]
    assert flow.levels == (0, 0, 1)


def test_what_is_updated_is_an_operand_behind_those_that_are_read() -> None:
    """And what an op updates before another overwrites it is not the other's result."""
    other = at(5, 6, 1)
    flow = value_flow(body(op(writes=[other]), op(reads=[other], updates=[at(0, 2)]), op(updates=[at(1, 2)])))
    assert flow is not None
    assert [rows(origin) for origin in flow.operands[1]] == [[(0, 0)], [(BEFORE, 0), (BEFORE, 1)]]
    assert [rows(origin) for origin in flow.operands[2]] == [[(1, 1)]]
    assert flow.levels == (0, 1, 2), "one more than the highest level of those before: 1 of 0 and 1, not of 0"


def test_a_level_is_one_more_than_the_highest_of_its_sources() -> None:
    a, b, c = (at(place, place + 1) for place in range(3))
    chain = [op(writes=[a]), op([a], [b]), op([a, b], [c]), op([a, c]), op([at(5, 6)])]
    flow = value_flow(body(*chain))
    assert flow is not None
    assert flow.levels == (0, 1, 2, 3, 0)


def test_what_is_left_is_in_the_slots_that_some_op_has_written() -> None:
    """Of slot 0 (by offset 4 as well) entry 1 is op 1's and 0 op 0's; slot 3 is only read."""
    flow = value_flow(body(op(writes=[at(0, 2)]), op(reads=[at(0, 1, 3)], writes=[at(1, 2, 4)])))
    assert flow is not None
    (left,) = flow.left
    assert left.slot == Slot(WORDS, 0, 0)
    assert rows(left)[:3] == [(0, 0), (1, 0), (BEFORE, 2)]
    assert flow.written == {"words"}
    whole = value_flow(body(op(writes=[at(0, 6, 1)])))
    assert whole is not None
    assert [(left.slot.offset, left.ops.tolist()) for left in whole.left] == [(1, [0] * 6)]


def test_slots_are_counted_modulo_their_number() -> None:
    """Of four slots stride 5 and offset 6 are 1 and 2; through time nothing comes round."""
    flow = value_flow(body(op(reads=[at(0, 1, 6, 5), at(0, 1, 6, 5, buffer("times", 6, None))])))
    assert flow is not None
    round_, through = (origin.slot for origin in flow.operands[0])
    assert (round_.stride, round_.offset, [round_.of(r) for r in range(4)]) == (1, 2, [2, 3, 0, 1])
    assert (through.stride, through.offset, [through.of(r) for r in range(4)]) == (5, 6, [6, 11, 16, 21])
    assert round_.moves
    assert not Slot(WORDS, 0, 3).moves


@pytest.mark.parametrize(
    ("ops", "followed"),
    [
        ([op(reads=[at(0, 1, 0, 1)]), op(reads=[at(0, 1, 0, 2)])], False),
        ([op(reads=[at(0, 1, 0, 1)], writes=[at(0, 1, 0, 2)])], False),
        ([op(reads=[at(0, 1, 0, 1)]), op(writes=[at(0, 1, 3, 5)])], True),  # 5 is 1 of four slots
        # Results of one op that are stored in different ways
        ([op(writes=[at(0, 1), at(0, 1, held=replace(buffer("wide"), width=2))])], False),
        ([op(writes=[at(0, 1), at(0, 1, held=replace(WORDS, name="other"))])], True),
        # Writes of one op to the same entry, of which it updates one
        ([op(writes=[at(0, 2)], updates=[at(1, 3)])], False),
        ([op(writes=[at(1, 3)], updates=[at(0, 2)])], False),
        ([op(writes=[at(0, 2)], updates=[at(2, 3)])], True),
        ([op(writes=[at(2, 3)], updates=[at(0, 2)])], True),
        ([op(writes=[at(0, 2, 1)], updates=[at(1, 3)])], True),
        ([op(writes=[at(0, 2, 4)], updates=[at(1, 3)])], False),  # slot 4 of four is slot 0
        ([op(writes=[at(0, 2), at(1, 3)])], True),  # the later one is what is left
    ],
)
def test_what_cannot_be_followed(ops: Sequence[Mix], followed: bool) -> None:
    assert (value_flow(body(*ops)) is not None) is followed
