"""Single ops and occupied cycles of a phase of which a part was skipped: against all of it written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.engines.recurrence.record import PhaseLog, Skip, timelines, window_records
from archsim.engines.recurrence.state import NEVER, Log
from archsim.program.ir import PhaseKind
from archsim.trace import OpRecord
from archsim.trace.timeline import MAX_BINS
from tests.engines.recurrence.generic_phases import phase_of

OCCUPANCY = (3, 2, 4)
"""Cycles of ops a and c, on unit u0, and of b, on u1."""


def log_of(repeat: int, starts: list[list[int]], skip: Skip) -> PhaseLog:
    """Rows of the starts of a, c and b (NEVER: left out), each free behind its occupancy and done a cycle later."""
    start = np.array(starts, np.int64).reshape(-1, 3)
    free = np.where(start >= 0, start + OCCUPANCY, NEVER)
    issue = np.where(start >= 0, start - 1, NEVER)
    times = Log(issue, start, free, np.where(start >= 0, free + 1, NEVER))
    return PhaseLog(phase_of("a:u0 c:u0 b:u1", {}, repeat), np.array([0, 0, 1]), np.array(OCCUPANCY), times, skip)


LOOP = log_of(
    20,
    [[0, 3, 9], [8, 11, 17], [21, 24, 30], [31, 35, 40], [42, 45, 52], [51, 55, 60], [184, 187, 192], [193, 197, 202]],
    Skip(evaluated=8, last=5, period=2, shift=20),
)
"""Repetitions 0 to 5 have rows, and 18 and 19 the last two; 12 are skipped, like 4 and 5, by 20 cycles each time."""


@pytest.mark.parametrize(
    ("repetition", "row", "later"),
    [
        (0, 0, 0),
        (5, 5, 0),
        (6, 4, 20),  # as 4
        (7, 5, 20),
        (8, 4, 40),
        (17, 5, 120),  # the last that was skipped: the 6th of the periods
        (18, 6, 0),
        (19, 7, 0),
    ],
)
def test_the_row_of_a_repetition(repetition: int, row: int, later: int) -> None:
    assert LOOP.skipped == 12
    assert LOOP.row(repetition) == (row, later)


def test_without_a_skip_each_repetition_has_its_row() -> None:
    plain = log_of(3, [[0, 3, 9], [8, 11, 17], [21, 24, 30]], Skip(3, -1, 0, 0))
    assert plain.skipped == 0
    assert [plain.row(r) for r in range(3)] == [(0, 0), (1, 0), (2, 0)]


def test_ops_of_a_window_stand_in_the_order_of_repetitions_and_ops() -> None:
    """Of phase 4, which begins at 1,000: c of repetition 7 starts as that of 5, at 55, 20 cycles later."""
    found = list(window_records(LOOP, 4, 1000, range(7, 9)))
    assert found == [
        OpRecord(4, 7, 0, 1071, 1074, 1075),
        OpRecord(4, 7, 1, 1075, 1077, 1078),
        OpRecord(4, 7, 2, 1080, 1084, 1085),
        OpRecord(4, 8, 0, 1082, 1085, 1086),
        OpRecord(4, 8, 1, 1085, 1087, 1088),
        OpRecord(4, 8, 2, 1092, 1096, 1097),
    ]


def test_the_times_of_all_ops_of_a_phase_with_a_skip() -> None:
    """Of a phase that begins at 1,000: repetition 17 is as 5, six periods of 20 cycles later; 18 has a row again."""
    found = LOOP.all_times(1000)
    assert found.start.shape == (20, 3)
    assert found.start[[5, 17, 18]].tolist() == [[1051, 1055, 1060], [1171, 1175, 1180], [1184, 1187, 1192]]
    assert found.issue[17].tolist() == [1170, 1174, 1179]
    assert found.free[17].tolist() == [1174, 1177, 1184]  # 3, 2 and 4 cycles behind the starts
    assert found.done[17].tolist() == [1175, 1178, 1185]


def test_times_of_what_takes_no_part_are_zero() -> None:
    some = log_of(2, [[0, NEVER, 9], [NEVER, 11, NEVER]], Skip(2, -1, 0, 0))
    assert some.all_times(5).done.tolist() == [[9, 0, 19], [0, 19, 0]]
    assert log_of(2, [], Skip(0, -1, 0, 0)).all_times(5).done.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_what_takes_no_part_has_no_record_and_another_phase_than_a_body_has_all() -> None:
    some = log_of(2, [[0, NEVER, 9], [NEVER, 11, NEVER]], Skip(2, -1, 0, 0))
    assert [(r.repetition, r.op) for r in window_records(some, 0, 0, range(2))] == [(0, 0), (0, 2), (1, 1)]
    assert [(r.repetition, r.op) for r in window_records(some, 0, 0, range(1, 2))] == [(1, 1)]
    prologue = replace(some, phase=replace(some.phase, kind=PhaseKind.PROLOGUE))
    assert len(list(window_records(prologue, 0, 0, range(0)))) == 3
    assert list(window_records(log_of(2, [], Skip(0, -1, 0, 0)), 0, 0, range(2))) == []


def occupied(log: PhaseLog, ops: tuple[int, ...], bins: int, width: int) -> list[int]:
    """Cycles in each bin, from all repetitions one by one."""
    busy = [0] * (bins * width)
    for repetition in range(log.phase.repeat):
        row, later = log.row(repetition)
        for op in ops:
            start = int(log.times.start[row, op])
            if start >= 0:
                for cycle in range(start + later, start + later + OCCUPANCY[op]):
                    busy[cycle] += 1
    return [sum(busy[first : first + width]) for first in range(0, bins * width, width)]


def loop(evaluated: int, period: int, turns: int, more: int, gap: int, left_out: bool) -> tuple[PhaseLog, int]:
    """A log of so many repetitions before the skip, whose last ones are a period, and of `more` behind it; its length.

    Repetition r starts at 12 r, or later by `gap` if it is the first of its period.
    """
    repeat = evaluated + period * turns + more
    shift = 12 * period + gap
    place = [12 * r + gap * ((r - evaluated) // period + 1) for r in range(repeat)]
    place = [at - min(place) for at in place]
    rows = [[at, NEVER if left_out and r % 2 else at + 4, at + 5] for r, at in enumerate(place)]
    kept = rows[:evaluated] + (rows[-more:] if more else [])
    skip = Skip(evaluated + more, evaluated - 1, period, shift) if turns else Skip(repeat, -1, 0, 0)
    return log_of(repeat, kept, skip), place[-1] + 20


@given(
    st.integers(0, 3),
    st.sampled_from([2, 4]),
    st.integers(0, 6),
    st.integers(0, 3),
    st.integers(0, 9),
    st.booleans(),
)
def test_occupied_cycles_are_those_of_all_repetitions(
    before: int, period: int, turns: int, more: int, gap: int, left_out: bool
) -> None:
    """One period stands for all that were skipped, also where some of its ops are left out (every second one's c)."""
    log, length = loop(before + period, period, turns, more, gap, left_out)
    found = timelines(log, ("u0", "u1"), 100, 100 + length)
    assert {(line.start, line.bin_cycles, len(line.busy)) for line in found.values()} == {(100, 1, length)}
    assert list(found["u0"].busy) == occupied(log, (0, 1), length, 1)
    assert list(found["u1"].busy) == occupied(log, (2,), length, 1)


@pytest.mark.parametrize(
    ("length", "width"), [(MAX_BINS - 1, 1), (MAX_BINS, 1), (MAX_BINS + 1, 2), (2 * MAX_BINS, 2), (2 * MAX_BINS + 1, 4)]
)
def test_bins_are_the_narrowest_that_cover_the_phase(length: int, width: int) -> None:
    """A last bin that is not full is one, too."""
    found = timelines(LOOP, ("u0", "u1", "none"), 7, 7 + length)
    bins = -(-length // width)
    assert {(line.start, line.bin_cycles, len(line.busy)) for line in found.values()} == {(7, width, bins)}
    assert list(found["u0"].busy) == occupied(LOOP, (0, 1), bins, width)
    assert not any(found["none"].busy)


def test_occupancies_that_differ_from_repetition_to_repetition() -> None:
    """a takes 3 cycles and then 1, c 2 and then 4: of u0 cycles 0 to 4, 8 and 11 to 14."""
    log = log_of(2, [[0, 3, 9], [8, 11, 17]], Skip(2, -1, 0, 0))
    found = timelines(replace(log, occupancy=np.array([[3, 2, 4], [1, 4, 4]])), ("u0", "u1"), 0, 21)
    assert [cycle for cycle, busy in enumerate(found["u0"].busy) if busy] == [0, 1, 2, 3, 4, 8, 11, 12, 13, 14]
