"""The parts of a block's period detection, on states written by hand: designs in step, each with cycles of its own."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.engines.recurrence.lane_arrays import LANES, LaneRoom
from archsim.engines.recurrence.lane_period import all_shifted, queues_are_full, skip_periods, take_history
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.program.ir import After, Dep, Wait
from tests.engines.recurrence.generic_phases import phase_of

CYCLES = 7 + np.arange(LANES)
"""From one repetition to the next: each design of the block has its own number of cycles."""

QUEUE = 2
UNIT = 1
"""The unit of the op; unit 0 has none, and so no ring."""


def block_at(r: int) -> tuple[PhaseArrays, LaneRoom]:
    """An op that waits for itself, one repetition before, after repetition r >= 2; the first unit has no ops.

    Of a design with P cycles repetition r starts at P r, is free at P r + 3 and done at P (r + 1); an op is issued when
    the one two before it starts and leaves its place in the queue.
    """
    phase = phase_of("a:u0", {"a": [Dep(0, 1, After.DONE, Wait.RECURRENCE)]}, 100)
    arrays = PhaseArrays.from_phase(phase, {"u1": 0, "u0": UNIT})
    room = LaneRoom.empty(arrays, 1, [QUEUE])
    for of_units in (room.free_at, room.done_at, room.waits, room.issued_ops):
        of_units[:] = 0  # as a phase begins
    room.place_of[:] = 0, 0, QUEUE
    room.issued[:] = CYCLES * (r - QUEUE)
    room.free_at[UNIT], room.done_at[UNIT] = CYCLES * r + 3, CYCLES * (r + 1)
    for past in (r - 1, r):
        room.frees[past % 2, 0], room.dones[past % 2, 0] = CYCLES * past + 3, CYCLES * (past + 1)
        room.starts[past % QUEUE] = CYCLES * past
    room.issued_ops[UNIT] = r + 1
    return arrays, room


def shifted(arrays: PhaseArrays, room: LaneRoom, row: int) -> Ints | None:
    """By how much each design is later than after repetition 5; None if a design is not as a whole."""
    _, before = block_at(5)
    take_history(before.before, arrays, before, 5)
    by = np.zeros(LANES, np.int64)
    return by if all_shifted(before.before, arrays, room, row, by) else None


@pytest.mark.parametrize("later", [1, 2, 5])
def test_the_same_state_later_is_a_period(later: int) -> None:
    """5 + 1 and 5 + 5 stand in other places of the rings than 5 does: only the age counts."""
    found = shifted(*block_at(5 + later), 5 + later)
    assert found is not None
    assert found.tolist() == (later * CYCLES).tolist()


@pytest.mark.parametrize("lane", [0, LANES - 1])
@pytest.mark.parametrize("place", ["issued", "free_at", "done_at", "frees", "dones", "youngest", "oldest"])
def test_one_time_of_one_design_that_is_another_is_no_period(place: str, lane: int) -> None:
    """Each part of the state by itself; of the ring of starts both places."""
    arrays, room = block_at(7)
    if place in ("youngest", "oldest"):
        room.starts[(7 if place == "youngest" else 6) % QUEUE, lane] += 1
    elif place == "issued":
        room.issued[lane] += 1
    elif place in ("free_at", "done_at"):
        getattr(room, place)[UNIT, lane] += 1
    else:
        getattr(room, place)[7 % 2, 0, lane] += 1
    assert shifted(arrays, room, 7) is None


def test_queues_are_full_when_every_ring_is() -> None:
    _, room = block_at(5)
    for ops, full in ((0, False), (1, False), (2, True), (3, True)):
        room.issued_ops[UNIT] = ops
        assert queues_are_full(room) == full


@pytest.mark.parametrize(("length", "periods"), [(1, 10), (2, 5), (5, 2)])
def test_skipped_periods_shift_times_multiply_waits_and_have_ends(length: int, periods: int) -> None:
    """From 7, a period behind what was noted, on to 17: the state of then, and the ends of 8, 12 and 17; 18 is to come.

    Repetition r ends at P (r + 1), and has waited 4 + P cycles for each so far, of cause 2.
    """
    (_, before), (arrays, room), (_, wanted) = block_at(7 - length), block_at(7), block_at(17)
    for of_room, r in ((before, 7 - length), (room, 7), (wanted, 17)):
        of_room.waits[UNIT, 2] = (4 + CYCLES) * r
        of_room.waits[UNIT, -1] = 3 * r
    take_history(room.before, arrays, before, 7 - length)
    for r in range(8):
        room.ends[r] = CYCLES * (r + 1)
    arrays = arrays._replace(marks=np.array([0, 5, 8, 12, 17, 18]))
    room = room._replace(mark_ends=np.full((6, LANES), -1))
    plain = getattr(skip_periods, "py_func", skip_periods)  # by Python: to compile it takes longer than all else here
    assert plain(arrays, room, 2, 7, length, periods, length * CYCLES) == 5
    assert room.mark_ends.tolist() == [
        *[[-1] * LANES] * 2,
        *((CYCLES * (r + 1)).tolist() for r in (8, 12, 17)),
        [-1] * LANES,
    ]
    for part in ("issued", "free_at", "done_at", "waits", "frees", "dones", "starts"):  # 7 and 17 stand in one place
        assert getattr(room, part).tolist() == getattr(wanted, part).tolist(), part
