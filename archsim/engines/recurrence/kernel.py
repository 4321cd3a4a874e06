"""The recurrence itself, compiled: one phase, op after op in program order, until it repeats itself.

docs/executors.md derives it and proves the skip. All times count from the start of the phase.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archsim.engines.recurrence.compiled import compiled
from archsim.engines.recurrence.phase_arrays import DONE_CODE, FIRST_CODE, ISSUE_CODE, OPERAND_CODE, Ints

LONGEST_PERIOD = 1 << 16
"""Repetitions of the longest period that is looked for."""

_NOTHING = -1
"""Earlier than any time of the phase."""


@compiled
def run_phase(
    unit: Ints,
    skip_first: Ints,
    skip_last: Ints,
    first_dep: Ints,
    dep_op: Ints,
    dep_lag: Ints,
    dep_after: Ints,
    dep_cause: Ints,
    lagged: Ints,
    max_lag: int,
    head: int,
    tail: int,
    joined: npt.NDArray[np.bool_],
    instances: Ints,
    marks: Ints,
    repeat: int,
    occupancy: Ints,
    depth: Ints,
    first_word: Ints,
    issue_cycles: int,
    queue_depth: int,
    skip: bool,
    free_at: Ints,
    done_at: Ints,
    waits: Ints,
    mark_ends: Ints,
    log_start: Ints,
    log_free: Ints,
    log_done: Ints,
) -> tuple[int, int, int, int]:
    """Evaluate a phase; returns (repetitions evaluated one by one, the last of them before the skip, period, shift).

    The last three are (-1, 0, 0) if nothing was skipped. Written are, for each unit, `free_at` (units) and `done_at`
    (units) of its last op and `waits` (units, causes); `mark_ends` (marks), _NOTHING for a repetition without ops; and
    starts, frees and dones (repetitions evaluated, n) into the logs, if they have rows.
    """
    count, units = len(unit), len(free_at)
    rows = max_lag + 1
    frees = np.zeros((rows, count), np.int64)
    dones = np.zeros((rows, count), np.int64)
    words = np.zeros(count, np.int64)
    # The last `queue_depth` starts of each unit, as far as the unit has more ops than that.
    place_of = np.zeros(units + 1, np.int64)
    for u in range(units):
        place_of[u + 1] = place_of[u] + (queue_depth if instances[u] > queue_depth else 0)
    starts = np.zeros(place_of[units], np.int64)
    issued_ops = np.zeros(units, np.int64)

    snap_at = -1
    snap_next = head + max(max_lag - 1, 0)
    snap_first = snap_next
    snap_issued = 0
    snap_free = np.zeros(units, np.int64)
    snap_done = np.zeros(units, np.int64)
    snap_waits = np.zeros(waits.shape, np.int64)
    snap_frees = np.zeros((max_lag, len(lagged)), np.int64)
    snap_dones = np.zeros((max_lag, len(lagged)), np.int64)
    snap_starts = np.zeros(len(starts), np.int64)
    ends = np.zeros(min(repeat, LONGEST_PERIOD), np.int64)

    inner_stop = repeat - tail
    issued = 0
    mark = 0
    skipped = 0
    skip_from, period, shift = -1, 0, 0
    r = 0
    while r < repeat:
        row = r - skipped
        inner = head <= r < inner_stop
        looks_inside = inner and r - max_lag >= head
        end = _NOTHING
        for k in range(count):
            if not inner and (r < skip_first[k] or r >= repeat - skip_last[k]):
                continue
            u = unit[k]
            queued = place_of[u + 1] - place_of[u]
            if queued and issued_ops[u] >= queue_depth:
                issued = max(issued, starts[place_of[u] + issued_ops[u] % queue_depth])
            if not joined[k]:
                issued += issue_cycles
            arrived, cause, drained = _NOTHING, 0, _NOTHING
            for d in range(first_dep[k], first_dep[k + 1]):
                before = r - dep_lag[d]
                other = dep_op[d]
                if not looks_inside and (before < skip_first[other] or before >= repeat - skip_last[other]):
                    continue  # before the phase, or left out in that repetition
                of_row = (row - dep_lag[d]) % rows
                token = dones[of_row, other] if dep_after[d] == DONE_CODE else frees[of_row, other]
                if dep_after[d] == FIRST_CODE:
                    token, drained = words[other], max(drained, dones[of_row, other])
                if token > arrived or (token == arrived and dep_cause[d] > cause):
                    arrived, cause = token, dep_cause[d]
            start = max(free_at[u], issued, arrived)
            waited = start - free_at[u]
            if waited:
                waits[u, ISSUE_CODE if issued > arrived else cause] += waited
            words[k] = max(start + first_word[k], done_at[u])
            free = start + occupancy[k]
            if drained > free:
                waits[u, OPERAND_CODE] += drained - free
                free = drained
            done = max(free + depth[k], done_at[u])
            free_at[u], done_at[u] = free, done
            frees[row % rows, k], dones[row % rows, k] = free, done
            if queued:
                starts[place_of[u] + issued_ops[u] % queue_depth] = start
            issued_ops[u] += 1
            end = max(end, done)
            if row < len(log_start):
                log_start[row, k], log_free[row, k], log_done[row, k] = start, free, done
        while mark < len(marks) and marks[mark] <= r:
            if marks[mark] == r:
                mark_ends[mark] = end
            mark += 1
        ends[r % len(ends)] = end
        if skip and skip_from < 0 and snap_first <= r < inner_stop - 1:
            if snap_at >= 0 and r - snap_at <= len(ends):
                by = issued - snap_issued
                same = _all_later(by, free_at, snap_free, done_at, snap_done, instances)
                same = same and _lagged_later(by, frees, snap_frees, row, lagged)
                same = same and _lagged_later(by, dones, snap_dones, row, lagged)
                same = same and _starts_later(by, starts, snap_starts, place_of, issued_ops, queue_depth)
                if same:
                    length = r - snap_at
                    times = (inner_stop - 1 - r) // length
                    if times:
                        skip_from, period, shift = r, length, by
                        mark = _mark_like(r, snap_at, times, by, mark, marks, mark_ends, ends)
                        by *= times
                        issued += by
                        for u in range(units):
                            if instances[u]:
                                free_at[u] += by
                                done_at[u] += by
                            for c in range(waits.shape[1]):
                                waits[u, c] += times * (waits[u, c] - snap_waits[u, c])
                        frees += by
                        dones += by
                        starts += by
                        skipped += times * length
                        r += times * length
                    else:
                        skip = False
            if skip_from < 0 and r >= snap_next and _queues_full(place_of, issued_ops, queue_depth):
                snap_at = r
                snap_next = r + 1 + (r - snap_first) // 2
                snap_issued = issued
                snap_free[:], snap_done[:], snap_waits[:] = free_at, done_at, waits
                _keep_lagged(snap_frees, frees, row, lagged)
                _keep_lagged(snap_dones, dones, row, lagged)
                _keep_starts(snap_starts, starts, place_of, issued_ops, queue_depth)
        r += 1
    return repeat - skipped, skip_from, period, shift


@compiled
def _all_later(by: int, free_at: Ints, snap_free: Ints, done_at: Ints, snap_done: Ints, instances: Ints) -> bool:
    """Whether every unit that has ops is where it was, so many cycles later."""
    for u in range(len(instances)):
        if instances[u] and (free_at[u] - snap_free[u] != by or done_at[u] - snap_done[u] != by):
            return False
    return True


@compiled
def _lagged_later(by: int, times: Ints, snap: Ints, row: int, lagged: Ints) -> bool:
    """The same of the events that later repetitions look back on; `snap` (repetitions back, lagged ops)."""
    for back in range(len(snap)):
        of_row = (row - back) % len(times)
        for place in range(len(lagged)):
            if times[of_row, lagged[place]] - snap[back, place] != by:
                return False
    return True


@compiled
def _keep_lagged(snap: Ints, times: Ints, row: int, lagged: Ints) -> None:
    """Note those events."""
    for back in range(len(snap)):
        of_row = (row - back) % len(times)
        for place in range(len(lagged)):
            snap[back, place] = times[of_row, lagged[place]]


@compiled
def _starts_later(by: int, starts: Ints, snap: Ints, place_of: Ints, issued_ops: Ints, queue_depth: int) -> bool:
    """The same of the last starts of each unit, the youngest first: where each stands in the ring does not matter."""
    for u in range(len(issued_ops)):
        for age in range(place_of[u + 1] - place_of[u]):
            at = place_of[u] + (issued_ops[u] - 1 - age) % queue_depth
            if starts[at] - snap[place_of[u] + age] != by:
                return False
    return True


@compiled
def _keep_starts(snap: Ints, starts: Ints, place_of: Ints, issued_ops: Ints, queue_depth: int) -> None:
    """Note those starts."""
    for u in range(len(issued_ops)):
        for age in range(place_of[u + 1] - place_of[u]):
            snap[place_of[u] + age] = starts[place_of[u] + (issued_ops[u] - 1 - age) % queue_depth]


@compiled
def _queues_full(place_of: Ints, issued_ops: Ints, queue_depth: int) -> bool:
    """Whether every unit whose starts are kept has had as many ops as are kept."""
    for u in range(len(issued_ops)):  # noqa: SIM110 all() of a generator is not compiled
        if place_of[u + 1] > place_of[u] and issued_ops[u] < queue_depth:
            return False
    return True


@compiled
def _mark_like(r: int, snap_at: int, times: int, by: int, mark: int, marks: Ints, mark_ends: Ints, ends: Ints) -> int:
    """The ends of marked repetitions that are skipped, from those of the period; the next mark behind them."""
    length = r - snap_at
    while mark < len(marks) and marks[mark] <= r + times * length:
        turns = (marks[mark] - r - 1) // length
        like = snap_at + 1 + (marks[mark] - r - 1) % length
        mark_ends[mark] = ends[like % len(ends)] + (turns + 1) * by
        mark += 1
    return mark
