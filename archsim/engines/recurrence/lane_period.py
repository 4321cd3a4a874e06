"""How the recurrence notices that a block of designs repeats itself: as in period.py, all of them at once.

The designs of a block look for one period that all of them have: their H(r) together is the state, and each is later by
P cycles of its own. Where one design has a period of 2 repetitions and another of 3, that is 6.
"""

from __future__ import annotations

from archsim.engines.recurrence.compiled import inlined
from archsim.engines.recurrence.lane_arrays import LANES, LaneHistory, LaneRoom
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays


@inlined
def take_history(history: LaneHistory, arrays: PhaseArrays, room: LaneRoom, row: int) -> None:
    """Write H(r) of the block; `row`: where repetition r stands in the rings."""
    for lane in range(LANES):
        history.issued[lane] = room.issued[lane]
    for u in range(len(room.free_at)):
        for lane in range(LANES):
            history.free_at[u, lane], history.done_at[u, lane] = room.free_at[u, lane], room.done_at[u, lane]
        for c in range(room.waits.shape[1]):
            for lane in range(LANES):
                history.waits[u, c, lane] = room.waits[u, c, lane]
        begin, places = room.place_of[u], room.place_of[u + 1] - room.place_of[u]
        for age in range(places):
            at = begin + (room.issued_ops[u] - 1 - age) % places
            for lane in range(LANES):
                history.starts[begin + age, lane] = room.starts[at, lane]
    rows = len(room.frees)
    for back in range(arrays.max_lag):
        for place in range(len(arrays.lagged)):
            of_row, op = (row - back) % rows, arrays.lagged[place]
            for lane in range(LANES):
                history.frees[back, place, lane] = room.frees[of_row, op, lane]
                history.dones[back, place, lane] = room.dones[of_row, op, lane]


@inlined
def all_shifted(history: LaneHistory, arrays: PhaseArrays, room: LaneRoom, row: int, by: Ints) -> bool:
    """Whether each design's H is that of the history, later by one number of cycles, which is written to `by`."""
    differs = 0
    for lane in range(LANES):
        by[lane] = room.issued[lane] - history.issued[lane]
    for u in range(len(arrays.instances)):
        if arrays.instances[u]:
            for lane in range(LANES):
                differs |= room.free_at[u, lane] - history.free_at[u, lane] - by[lane]
                differs |= room.done_at[u, lane] - history.done_at[u, lane] - by[lane]
            begin, places = room.place_of[u], room.place_of[u + 1] - room.place_of[u]
            for age in range(places):
                at = begin + (room.issued_ops[u] - 1 - age) % places
                for lane in range(LANES):
                    differs |= room.starts[at, lane] - history.starts[begin + age, lane] - by[lane]
        if differs:
            return False
    rows = len(room.frees)
    for back in range(arrays.max_lag):
        for place in range(len(arrays.lagged)):
            of_row, op = (row - back) % rows, arrays.lagged[place]
            for lane in range(LANES):
                differs |= room.frees[of_row, op, lane] - history.frees[back, place, lane] - by[lane]
                differs |= room.dones[of_row, op, lane] - history.dones[back, place, lane] - by[lane]
        if differs:
            return False
    return True


@inlined
def queues_are_full(room: LaneRoom) -> bool:
    """Whether every unit that has a ring of starts has filled it; all designs of a block have issued the same ops."""
    for u in range(len(room.issued_ops)):  # noqa: SIM110 all() of a generator is not compiled
        if room.issued_ops[u] < room.place_of[u + 1] - room.place_of[u]:
            return False
    return True


@inlined
def skip_periods(arrays: PhaseArrays, room: LaneRoom, mark: int, r: int, length: int, periods: int, by: Ints) -> int:
    """Put the block where it is so many periods later, as `mark_skipped` and `advance` do; returns the next mark.

    `length`: repetitions of a period, `by`: its cycles, which are overwritten.
    """
    history, ends = room.before, room.ends
    while mark < len(arrays.marks) and arrays.marks[mark] <= r + periods * length:
        turns = (arrays.marks[mark] - r - 1) // length
        like = r - length + 1 + (arrays.marks[mark] - r - 1) % length
        for lane in range(LANES):
            room.mark_ends[mark, lane] = ends[like % len(ends), lane] + (turns + 1) * by[lane]
        mark += 1
    for lane in range(LANES):
        by[lane] *= periods
        room.issued[lane] += by[lane]
    for u in range(len(arrays.instances)):
        if arrays.instances[u]:
            for lane in range(LANES):
                room.free_at[u, lane] += by[lane]
                room.done_at[u, lane] += by[lane]
        for c in range(room.waits.shape[1]):
            for lane in range(LANES):
                room.waits[u, c, lane] += periods * (room.waits[u, c, lane] - history.waits[u, c, lane])
    for of_row in range(room.frees.shape[0]):
        for k in range(room.frees.shape[1]):
            for lane in range(LANES):
                room.frees[of_row, k, lane] += by[lane]
                room.dones[of_row, k, lane] += by[lane]
    for place in range(len(room.starts)):
        for lane in range(LANES):
            room.starts[place, lane] += by[lane]
    return mark
