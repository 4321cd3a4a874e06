"""The recurrence itself, compiled: one phase, op after op in program order, until it repeats itself.

An op of the machine can start when four things have come about: its unit is free, the sequencer has issued it, all
tokens that it waits for have arrived (DONE, FREE or FIRST of ops before it). Each is a time that ops earlier in program
order determine. So one pass over the ops in that order knows every time, without any events: a start is the maximum of
times already known, and what an op makes known later is its start plus constants. docs/executors.md derives the
equations; period.py says why and when whole periods of repetitions need not be evaluated at all.

All times count from the start of the phase.
"""

from __future__ import annotations

from archsim.engines.recurrence.compiled import compiled, inlined
from archsim.engines.recurrence.period import (
    advance,
    mark_skipped,
    queues_full,
    shift_since,
    take_snapshot,
)
from archsim.engines.recurrence.phase_arrays import PhaseArrays
from archsim.engines.recurrence.state import NEVER, PhaseState, Rings
from archsim.engines.recurrence.timing import PhaseTiming
from archsim.program.codes import DONE_CODE, FIRST_CODE, ISSUE_CODE, OPERAND_CODE


@compiled
def run_phase(arrays: PhaseArrays, timing: PhaseTiming, state: PhaseState, skip: bool) -> tuple[int, int, int, int]:
    """Evaluate a phase from its start to its end, and leave units, waits, ends and log in `state`.

    Returned is a Skip (executor.py): repetitions evaluated one by one, the last of them before the skip, the period in
    repetitions and in cycles. `skip` False evaluates all repetitions.
    """
    rings, snapshot, ends = state.rings, state.snapshot, state.ends
    # Repetition r is inner if all ops take part in it and in those it looks back on: head + max_lag <= r < inner_stop.
    # Those after a snapshot must be inner, so the first is taken of the one before the first inner one.
    inner_stop = arrays.repeat - arrays.tail
    first_snapshot = arrays.head + max(arrays.max_lag - 1, 0)
    next_snapshot = first_snapshot
    skip_from, period, shift = -1, 0, 0
    issued, mark, skipped = timing.token_latency_cycles, 0, 0  # that the phase before is over is a token, too
    r = 0
    while r < arrays.repeat:
        row = r - skipped  # the rings and the log go on as if nothing had been skipped
        issued, end = _run_repetition(arrays, timing, state, rings, r, row, issued)
        ends[r % len(ends)] = end
        mark = _mark_end(arrays, state, mark, r, end)
        if skip and first_snapshot <= r < inner_stop - 1:
            length = r - snapshot.repetition
            by = -1
            if snapshot.repetition >= 0 and length <= len(ends):
                by = shift_since(snapshot, arrays, state, rings, row, issued)
            if by >= 0:
                # Of the inner repetitions left, whole periods are skipped. Evaluated one by one are the rest of a
                # period, and the last repetitions, which leave out ops and so do not do the same.
                periods = (inner_stop - 1 - r) // length
                if periods:
                    skip_from, period, shift = r, length, by
                    mark = mark_skipped(snapshot, arrays, state, ends, mark, r, periods, by)
                    advance(snapshot, arrays, state, rings, periods, by)
                    issued += periods * by
                    skipped = periods * length
                    r += skipped
                skip = False  # less than a period is left
            elif r >= next_snapshot and queues_full(rings):
                snapshot = take_snapshot(snapshot, arrays, state, rings, r, row, issued)
                next_snapshot = r + 1 + (r - first_snapshot) // 2
        r += 1
    return arrays.repeat - skipped, skip_from, period, shift


@inlined
def _run_repetition(
    arrays: PhaseArrays, timing: PhaseTiming, state: PhaseState, rings: Rings, r: int, row: int, issued: int
) -> tuple[int, int]:
    """Evaluate the ops of repetition r, which stands in `row` of the rings (modulo their length) and of the log.

    `issued`: when the last op was issued before. Returned are the same of the last op now, and when all ops are done,
    NEVER if there are none.
    """
    services, log, queue_depth = timing.services, state.log, timing.queue_depth
    inner = arrays.head <= r < arrays.repeat - arrays.tail
    looks_inside = inner and r - arrays.max_lag >= arrays.head
    of_row = row % len(rings.frees)
    end = NEVER
    for k in range(len(arrays.unit)):
        interval = 0 if arrays.joined[k] else timing.issue_cycles
        if not inner and _left_out(arrays, k, r):
            issued += interval  # the sequencer passes over it
            continue
        u = arrays.unit[k]
        # Issue: one interval after the op before, but not before the queue has a place, which the op has left that
        # came queue_depth ops earlier to this unit, when it started.
        begin = rings.place_of[u]
        queued = rings.place_of[u + 1] - begin
        if queued and rings.issued_ops[u] >= queue_depth:
            issued = max(issued, rings.starts[begin + rings.issued_ops[u] % queue_depth])
        issued += interval
        # Start: the unit is free, the op is there, its last token has come. What of the last two came later is what
        # the unit has waited for.
        arrived, cause, drained = _last_token(arrays, timing, rings, k, r, row, looks_inside)
        start = max(state.free_at[u], issued, arrived)
        waited = start - state.free_at[u]
        if waited:
            state.waits[u, ISSUE_CODE if issued > arrived else cause] += waited
        # Free: after the occupancy, but not before all the words have come that the op takes from a FIFO.
        free = start + (timing.occupancy[r, k] if len(timing.occupancy) else services.occupancy[k])
        if drained > free:
            state.waits[u, OPERAND_CODE] += drained - free
            free = drained
        # Results retire in order: neither they nor the first word overtake those of the unit's op before, and all
        # of them pass the write ports behind those.
        rings.words[k] = max(start + services.first_word[k], state.done_at[u])
        done = max(free + services.depth[k], state.done_at[u] + services.write[k])
        state.free_at[u], state.done_at[u] = free, done
        rings.frees[of_row, k], rings.dones[of_row, k] = free, done
        if queued:
            rings.starts[begin + rings.issued_ops[u] % queue_depth] = start
        rings.issued_ops[u] += 1
        end = max(end, done)
        if row < len(log.start):
            log.issue[row, k], log.start[row, k], log.free[row, k], log.done[row, k] = issued, start, free, done
    return issued, end


@inlined
def _last_token(
    arrays: PhaseArrays, timing: PhaseTiming, rings: Rings, k: int, r: int, row: int, looks_inside: bool
) -> tuple[int, int, int]:
    """When op k's last token arrives, the code of its cause, and when the last word is there that the op follows.

    Of tokens that arrive in the same cycle, the one with the highest code counts. Both times are NEVER if there is no
    such token. `looks_inside`: all ops take part in all repetitions that are looked back on.
    """
    arrived, cause, drained = NEVER, 0, NEVER
    rows = len(rings.frees)
    for d in range(arrays.first_dep[k], arrays.first_dep[k + 1]):
        other, lag = arrays.dep_op[d], arrays.dep_lag[d]
        if not looks_inside and _left_out(arrays, other, r - lag):
            continue  # nobody sends this token
        of_row = (row - lag) % rows
        token = rings.dones[of_row, other] if arrays.dep_after[d] == DONE_CODE else rings.frees[of_row, other]
        token += timing.token_latency_cycles
        if arrays.dep_after[d] == FIRST_CODE:
            token, drained = rings.words[other], max(drained, rings.dones[of_row, other])
        if token > arrived or (token == arrived and arrays.dep_cause[d] > cause):
            arrived, cause = token, arrays.dep_cause[d]
    return arrived, cause, drained


@inlined
def _left_out(arrays: PhaseArrays, k: int, r: int) -> bool:
    """Whether op k takes no part in repetition r, or r lies before the phase."""
    return bool(r < arrays.skip_first[k] or r >= arrays.repeat - arrays.skip_last[k])


@inlined
def _mark_end(arrays: PhaseArrays, state: PhaseState, mark: int, r: int, end: int) -> int:
    """Note the end of repetition r if it is the next marked one; returns the mark to look at next."""
    while mark < len(arrays.marks) and arrays.marks[mark] <= r:
        if arrays.marks[mark] == r:
            state.mark_ends[mark] = end
        mark += 1
    return mark
