"""The parts of the period detection, on states written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.engines.recurrence.kernel import run_phase
from archsim.engines.recurrence.period import (
    advance,
    mark_skipped,
    queues_full,
    shift_since,
    take_snapshot,
)
from archsim.engines.recurrence.phase_arrays import PhaseArrays
from archsim.engines.recurrence.state import NONE, Log, PhaseState, Rings, Snapshot
from archsim.engines.recurrence.timing import PhaseTiming, ServiceTimes
from archsim.hardware.unit import Service
from archsim.program.codes import CAUSE_CODES
from archsim.program.ir import After, Dep, Wait
from tests.engines.recurrence.generic_phases import phase_of

RECURRENCE = CAUSE_CODES[Wait.RECURRENCE]

ALIKE = np.zeros((0, 1), np.int64)
"""No times of single repetitions: all are alike."""


def one_op_loop(repeat: int) -> tuple[PhaseArrays, PhaseTiming]:
    """a (occupancy 3, depth 4) waits for itself, one repetition before: it starts every 7 cycles.

    u1 has no ops. The queue has 2 places.
    """
    phase = phase_of("a:u0", {"a": [Dep(0, 1, After.DONE, Wait.RECURRENCE)]}, repeat)
    services = ServiceTimes.from_services([Service(3, 0, 4)])
    return PhaseArrays.from_phase(phase, {"u0": 0, "u1": 1}), PhaseTiming(services, 0, 2, 0, ALIKE)


def test_the_loop_is_found_and_skipped() -> None:
    """Repetition r starts at 7 r, is free at 7 r + 3 and done at 7 r + 7.

    Op a of repetition 1 is issued when? With 2 places, op i when op i - 2 starts: t(0) = t(1) = 0, t(r) = 7 (r - 2).
    H(0) is no snapshot: the queue is not full. H(1) = (t 0; F 10, D 14; S 7, 0). H(2) = (t 0; F 17, ...): S and F are
    later by 7, t is not, for t(2) = S(0) = 0. So the snapshot is taken anew, of 2 (1 + 1 + 1 // 2 = 2), and H(3) has
    t = S(1) = 7: all of it is 7 later. Evaluated are 0 .. 3; the period is 1 repetition of 7 cycles, and of the 96
    others all are skipped, as no op is left out of the last ones.
    """
    arrays, timing = one_op_loop(100)
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    assert run_phase(arrays, timing, state, True) == (4, 3, 1, 7)
    assert state.free_at.tolist() == [7 * 99 + 3, 0]
    assert state.done_at.tolist() == [7 * 99 + 7, 0]
    # before each repetition but the first the unit is free 4 cycles before the token comes
    assert state.waits[0, RECURRENCE] == state.waits.sum() == 99 * 4
    # the marks: the first, the middle and the last repetition
    assert state.mark_ends.tolist() == [7 * r + 7 for r in arrays.marks.tolist()]


def test_without_the_skip_every_repetition_is_evaluated() -> None:
    arrays, timing = one_op_loop(100)
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    assert run_phase(arrays, timing, state, False) == (100, -1, 0, 0)
    assert state.done_at.tolist() == [700, 0]


def at_repetition(r: int) -> tuple[PhaseArrays, PhaseState, Rings, int]:
    """The loop after repetition r >= 2: what the test above derives, and when its last op was issued."""
    arrays, timing = one_op_loop(100)
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    rings = state.rings
    state.free_at[0], state.done_at[0], state.waits[0, RECURRENCE] = 7 * r + 3, 7 * r + 7, 4 * r
    for of_row in (r - 1, r):
        rings.frees[of_row % 2], rings.dones[of_row % 2] = 7 * of_row + 3, 7 * of_row + 7
        rings.starts[of_row % 2] = 7 * of_row
    rings.issued_ops[0] = r + 1
    return arrays, state, rings, 7 * (r - 2)


def snapshot_at(r: int) -> Snapshot:
    arrays, state, rings, issued = at_repetition(r)
    return take_snapshot(state.snapshot, arrays, state, rings, r, r, issued)


def test_a_snapshot_holds_what_is_looked_back_on_youngest_first() -> None:
    found = snapshot_at(5)
    assert (found.repetition, found.issued) == (5, 21)
    assert (found.free_at.tolist(), found.done_at.tolist()) == ([38, 0], [42, 0])
    assert (found.frees.tolist(), found.dones.tolist()) == ([[38]], [[42]])
    assert found.starts.tolist() == [35, 28]


@pytest.mark.parametrize("later", [1, 2, 5])
def test_the_same_state_later_is_a_period(later: int) -> None:
    """5 + 1 and 5 + 5 stand in other places of the rings than 5 does: only the age counts."""
    arrays, state, rings, issued = at_repetition(5 + later)
    assert shift_since(snapshot_at(5), arrays, state, rings, 5 + later, issued) == 7 * later


PLACES = ["issued", "free_at", "done_at", "frees", "dones", "starts"]


@pytest.mark.parametrize("place", PLACES)
def test_one_time_that_is_another_is_no_period(place: str) -> None:
    """Each part of H by itself: with one cycle more in it, the future may be another one."""
    arrays, state, rings, issued = at_repetition(7)
    if place == "issued":
        issued += 1
    elif place in ("free_at", "done_at"):
        getattr(state, place)[0] += 1
    elif place == "starts":
        rings.starts[6 % 2] += 1  # the older of the two
    else:
        getattr(rings, place)[7 % 2] += 1
    assert shift_since(snapshot_at(5), arrays, state, rings, 7, issued) == NONE


def test_what_nobody_looks_back_on_any_more_does_not_count() -> None:
    """Repetition 6 in the rings, when 7 is over: the longest lag is 1, so 8 looks at 7."""
    arrays, state, rings, issued = at_repetition(7)
    rings.dones[6 % 2] += 1
    assert shift_since(snapshot_at(5), arrays, state, rings, 7, issued) == 14


def test_queues_are_full_when_every_ring_is() -> None:
    arrays, timing = one_op_loop(100)
    rings = Rings.empty(arrays, timing)
    assert rings.place_of.tolist() == [0, 2, 2]  # u1, which has no ops, has none
    for ops, full in ((0, False), (1, False), (2, True), (3, True)):
        rings.issued_ops[0] = ops
        assert queues_full(rings) == full


def test_advance_shifts_times_and_multiplies_waits() -> None:
    """From 7, one repetition after the snapshot of 6, on by 10 periods: what the loop has after repetition 17."""
    arrays, state, rings, _ = at_repetition(7)
    advance(snapshot_at(6), arrays, state, rings, 10, 7)
    _, wanted, wanted_rings, _ = at_repetition(17)
    assert state.free_at.tolist() == wanted.free_at.tolist()
    assert state.done_at.tolist() == wanted.done_at.tolist()
    assert state.waits.tolist() == wanted.waits.tolist()
    for part in ("frees", "dones", "starts"):  # 7 and 17 stand in the same places
        assert getattr(rings, part).tolist() == getattr(wanted_rings, part).tolist()


def test_ends_in_what_is_skipped() -> None:
    """Snapshot of 2, found at 4: a period of 2 repetitions and, say, 30 cycles; 3 and 4 ended at 45 and 52.

    10 periods are skipped, repetitions 5 .. 24: 5 is like 3, 30 cycles later; 24 is like 4, 10 periods later; 25 is not
    skipped.
    """
    arrays, state, _, _ = at_repetition(4)
    arrays = arrays._replace(marks=np.array([0, 5, 6, 13, 24, 25]))
    state = state._replace(mark_ends=np.full(6, -1))
    ends = np.array([17, 22, 36, 45, 52, 0, 0, 0])
    snapshot = state.snapshot._replace(repetition=2)
    assert mark_skipped(snapshot, arrays, state, ends, 1, 4, 10, 30) == 5
    # 13 is like 3: it is the 9th after 4, so in the 5th period
    assert state.mark_ends.tolist() == [-1, 45 + 30, 52 + 30, 45 + 5 * 30, 52 + 10 * 30, -1]


def test_snapshots_are_taken_ever_further_apart() -> None:
    """A period of 6: a (occupancy 1, depth 9) waits for itself, 6 repetitions before.

    Repetitions 6 n + k, k = 0 .. 5, start at 10 n + k: all times are 10 later 6 repetitions later. The longest lag is
    6, so the first snapshot is of repetition 5, the one before the first inner one. The next are of
    r + 1 + (r - 5) // 2: 6, 7, 9, 12, 16, 22. Between two of them the state is compared with the earlier, so that of 16
    is the first with which that of a period later is compared, in 22. 77 repetitions are left to 99, 12 periods:
    100 - 72 were evaluated.
    """
    phase = phase_of("a:u0", {"a": [Dep(0, 6, After.DONE, Wait.RECURRENCE)]}, 100)
    services = ServiceTimes.from_services([Service(1, 0, 9)])
    arrays, timing = (
        PhaseArrays.from_phase(phase, {"u0": 0}),
        PhaseTiming(services, 0, 2, 0, ALIKE),
    )
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    assert run_phase(arrays, timing, state, True) == (100 - 72, 22, 6, 10)
    assert state.done_at.tolist() == [10 * (99 // 6) + 99 % 6 + 10]
