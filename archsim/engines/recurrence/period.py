"""How the recurrence notices that a run repeats itself, and what it does instead of going on.

The idea (docs/executors.md has the proof). Let H(r) be every time that ops after repetition r look back on: the
sequencer's, each unit's last free and done, the events that dependencies with a lag refer to, and the starts of as many
ops of each unit as its queue has places. Inner repetitions, in which and behind which all ops take part, compute H(r+1)
from H(r) in one and the same way, by maxima and by adding constants. So if all of H(r) is later by P cycles than all of
H(s) was, with p = r - s, then everything after r is later by P than what followed s: the differences between times in H
are the whole state of the machine, the absolute time is none. It follows that the run has the period of p repetitions
and P cycles for as long as repetitions are inner, and that waits, which are differences, grow by the same in each
period.

One snapshot of H is compared with every repetition after it, exactly and without a tolerance. It is taken anew each
time the distance has grown by half, so that it lies within the periodic part in the end, and any period is found once
the run has been in it for long enough (Brent's way to find a cycle).
"""

from __future__ import annotations

from archsim.engines.recurrence.compiled import inlined
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.engines.recurrence.state import NONE, PhaseState, Rings, Snapshot


@inlined
def take_snapshot(
    room: Snapshot, arrays: PhaseArrays, state: PhaseState, rings: Rings, r: int, row: int, issued: int
) -> Snapshot:
    """H(r), written to the arrays of an older snapshot; `row`: where repetition r stands in the rings."""
    for u in range(len(state.free_at)):
        room.free_at[u], room.done_at[u] = state.free_at[u], state.done_at[u]
        for c in range(state.waits.shape[1]):
            room.waits[u, c] = state.waits[u, c]
    rows = len(rings.frees)
    for back in range(arrays.max_lag):
        for place in range(len(arrays.lagged)):
            op = arrays.lagged[place]
            room.frees[back, place] = rings.frees[(row - back) % rows, op]
            room.dones[back, place] = rings.dones[(row - back) % rows, op]
    for u in range(len(rings.issued_ops)):
        begin, places = rings.place_of[u], rings.place_of[u + 1] - rings.place_of[u]
        for age in range(places):
            room.starts[begin + age] = rings.starts[begin + (rings.issued_ops[u] - 1 - age) % places]
    return Snapshot(r, issued, room.free_at, room.done_at, room.frees, room.dones, room.starts, room.waits)


@inlined
def shift_since(snapshot: Snapshot, arrays: PhaseArrays, state: PhaseState, rings: Rings, row: int, issued: int) -> int:
    """The cycles P by which all times of H are later than in the snapshot; NONE if they are not all by the same.

    Units without ops stand at 0 for ever and say nothing. The rings are compared by age: where in a ring an entry
    stands has no influence on what comes.
    """
    by = issued - snapshot.issued
    for u in range(len(arrays.instances)):
        if not arrays.instances[u]:
            continue
        if state.free_at[u] - snapshot.free_at[u] != by or state.done_at[u] - snapshot.done_at[u] != by:
            return NONE
        begin, places = rings.place_of[u], rings.place_of[u + 1] - rings.place_of[u]
        for age in range(places):
            at = begin + (rings.issued_ops[u] - 1 - age) % places
            if rings.starts[at] - snapshot.starts[begin + age] != by:
                return NONE
    rows = len(rings.frees)
    for back in range(arrays.max_lag):
        for place in range(len(arrays.lagged)):
            of_row, op = (row - back) % rows, arrays.lagged[place]
            if rings.frees[of_row, op] - snapshot.frees[back, place] != by:
                return NONE
            if rings.dones[of_row, op] - snapshot.dones[back, place] != by:
                return NONE
    return by


@inlined
def queues_full(rings: Rings) -> bool:
    """Whether every unit that has a ring of starts has filled it.

    Before that its ops have not all waited for a place, so that what follows would be computed in another way.
    """
    for u in range(len(rings.issued_ops)):  # noqa: SIM110 all() of a generator is not compiled
        if rings.issued_ops[u] < rings.place_of[u + 1] - rings.place_of[u]:
            return False
    return True


@inlined
def advance(snapshot: Snapshot, arrays: PhaseArrays, state: PhaseState, rings: Rings, periods: int, shift: int) -> None:
    """Put units and rings where they are so many periods of `shift` cycles later, and count the waits of these."""
    later = periods * shift
    for u in range(len(arrays.instances)):
        if arrays.instances[u]:
            state.free_at[u] += later
            state.done_at[u] += later
        for c in range(state.waits.shape[1]):
            # One period's waits are what has been added since the snapshot, which lies one period back.
            state.waits[u, c] += periods * (state.waits[u, c] - snapshot.waits[u, c])
    # Whole rings: what is older than what is still looked at may be shifted as well. Ops are as many per unit and
    # period as before, but the ring does not count those skipped: its entries stay in place.
    for row in range(rings.frees.shape[0]):
        for k in range(rings.frees.shape[1]):
            rings.frees[row, k] += later
            rings.dones[row, k] += later
    for place in range(len(rings.starts)):
        rings.starts[place] += later


@inlined
def mark_skipped(
    snapshot: Snapshot, arrays: PhaseArrays, state: PhaseState, ends: Ints, mark: int, r: int, periods: int, shift: int
) -> int:
    """Note when marked repetitions end that are skipped after r; returns the first mark behind them.

    `ends`: a ring of the ends of the last repetitions, at least of one period's. Repetition r + 1 + n is like number
    s + 1 + n % p of the last period evaluated, n // p + 1 periods later.
    """
    length = r - snapshot.repetition
    while mark < len(arrays.marks) and arrays.marks[mark] <= r + periods * length:
        turns = (arrays.marks[mark] - r - 1) // length
        like = snapshot.repetition + 1 + (arrays.marks[mark] - r - 1) % length
        state.mark_ends[mark] = ends[like % len(ends)] + (turns + 1) * shift
        mark += 1
    return mark
