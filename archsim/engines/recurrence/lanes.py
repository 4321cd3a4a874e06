"""The recurrence for many designs that share a program, compiled: blocks of LANES designs go through the ops in step.

The rules are those of kernel.py, op for op. What an op looks up (its unit, its dependencies, who takes part) is the
same for all designs and is looked up once a block; what differs are times, and with them the arithmetic is a loop over
the lanes that a processor does several at a time.
"""

from __future__ import annotations

from archsim.engines.recurrence.compiled import compiled, inlined
from archsim.engines.recurrence.lane_arrays import (
    LANES,
    MOST_ALONE,
    LaneResults,
    LaneRoom,
    LaneTiming,
    Sequencer,
    load_services,
)
from archsim.engines.recurrence.lane_period import all_shifted, queues_are_full, skip_periods, take_history
from archsim.engines.recurrence.phase_arrays import PhaseArrays
from archsim.engines.recurrence.state import NEVER
from archsim.program.codes import DONE_CODE, FIRST_CODE, ISSUE_CODE, OPERAND_CODE

KEY_BITS = 4
"""A token's key is its time and, below it in so many bits, the code of its cause: the later one, of equals the one with
the higher code, has the larger key."""

LONGEST_RUN = 1 << (62 - KEY_BITS)
"""Times that have room in a key."""


@compiled
def run_lanes(arrays: PhaseArrays, timing: LaneTiming, room: LaneRoom, results: LaneResults) -> None:
    """Evaluate a phase of all designs from its start to its end, and leave what comes out in `results`."""
    for first in range(0, len(results.cycles), LANES):
        block = first // LANES
        sequencer = Sequencer(timing.issue_cycles[block], timing.queue_depth[block], timing.token_latency_cycles[block])
        _begin(arrays, timing, sequencer, room, first)
        finished = _run_block(arrays, timing, sequencer, room, results, first)
        for lane in range(LANES):
            results.finished[first + lane] = finished
            cycles = 0
            for u in range(len(room.free_at)):
                cycles = max(cycles, room.done_at[u, lane])
                results.free_at[u, first + lane] = room.free_at[u, lane]
                for c in range(room.waits.shape[1]):
                    results.waits[u, c, first + lane] = room.waits[u, c, lane]
            results.cycles[first + lane] = cycles
            for mark in range(len(arrays.marks)):
                results.mark_ends[mark, first + lane] = room.mark_ends[mark, lane]


@inlined
def _begin(arrays: PhaseArrays, timing: LaneTiming, sequencer: Sequencer, room: LaneRoom, first: int) -> None:
    """The state of the block of designs from number `first` on, at the start of the phase."""
    load_services(timing, room.services, first)
    room.free_at[:] = 0
    room.done_at[:] = 0
    room.waits[:] = 0
    room.mark_ends[:] = NEVER
    room.issued[:] = sequencer.token_latency_cycles  # that the phase before is over is a token, too
    room.issued_ops[:] = 0
    room.place_of[0] = 0
    for u in range(len(arrays.instances)):
        places = sequencer.queue_depth if arrays.instances[u] > sequencer.queue_depth else 0
        room.place_of[u + 1] = room.place_of[u] + places


@inlined
def _run_block(
    arrays: PhaseArrays,
    timing: LaneTiming,
    sequencer: Sequencer,
    room: LaneRoom,
    results: LaneResults,
    first: int,
) -> int:
    """Evaluate a block, and skip what repeats itself; 0 if it is given up. As `run_phase`, with MOST_ALONE.

    `first`: the number of its first design. Where repetitions are released nothing is skipped.
    """
    inner_stop = arrays.repeat - arrays.tail
    first_snapshot = arrays.head + max(arrays.max_lag - 1, 0)
    next_snapshot, snapshot = first_snapshot, -1
    released = len(timing.releases)
    mark, skipped, skip, finished = 0, 0, released == 0, 1
    r = 0
    while r < arrays.repeat:
        row = r - skipped
        if r < released:
            for lane in range(LANES):
                release = sequencer.token_latency_cycles + timing.releases[r, first + lane]
                room.issued[lane] = max(room.issued[lane], release)
        _run_ops(arrays, timing, sequencer, room, r, row)
        if r < released:
            _keep_ends(arrays, timing, room, results, r, first)
        while mark < len(arrays.marks) and arrays.marks[mark] <= r:
            for lane in range(LANES):
                room.mark_ends[mark, lane] = room.ends[r % len(room.ends), lane]
            mark += 1
        if skip and first_snapshot <= r < inner_stop - 1:
            length = r - snapshot
            known = snapshot >= 0 and length <= len(room.ends)
            if known and all_shifted(room.before, arrays, room, row, room.scratch[0]):
                periods = (inner_stop - 1 - r) // length
                if periods:
                    mark = skip_periods(arrays, room, mark, r, length, periods, room.scratch[0])
                    skipped = periods * length
                    r += skipped
                skip = False
            elif r >= next_snapshot and queues_are_full(room):
                take_history(room.before, arrays, room, row)
                snapshot = r
                next_snapshot = r + 1 + (r - first_snapshot) // 2
        r += 1
        if skip and r >= MOST_ALONE and arrays.repeat - r > MOST_ALONE:
            finished = 0
            r = arrays.repeat
    return finished


@inlined
def _keep_ends(
    arrays: PhaseArrays, timing: LaneTiming, room: LaneRoom, results: LaneResults, r: int, first: int
) -> None:
    """Keep when repetition r is done, and when its watched ops are."""
    of_row = r % len(room.frees)
    for lane in range(LANES):
        results.ends[r, first + lane] = room.ends[r % len(room.ends), lane]
    for k in range(len(arrays.unit)):
        takes_part = arrays.skip_first[k] <= r < arrays.repeat - arrays.skip_last[k]
        if timing.watched[k] and takes_part:
            for lane in range(LANES):
                done = room.dones[of_row, k, lane]
                results.watched[r, first + lane] = max(results.watched[r, first + lane], done)


@inlined
def _run_ops(arrays: PhaseArrays, timing: LaneTiming, sequencer: Sequencer, room: LaneRoom, r: int, row: int) -> None:
    """Evaluate the ops of repetition r; its end comes into `room.ends`. As `_run_repetition` and `_last_token`."""
    inner = arrays.head <= r < arrays.repeat - arrays.tail
    looks_inside = inner and r - arrays.max_lag >= arrays.head
    rows = len(room.frees)
    of_row, queue_depth = row % rows, sequencer.queue_depth
    end = room.ends[r % len(room.ends)]
    key, drained = room.scratch[1], room.scratch[2]
    issued = room.issued
    for lane in range(LANES):
        end[lane] = NEVER
    for k in range(len(arrays.unit)):
        interval = 0 if arrays.joined[k] else sequencer.issue_cycles
        if not inner and (r < arrays.skip_first[k] or r >= arrays.repeat - arrays.skip_last[k]):
            for lane in range(LANES):
                issued[lane] += interval
            continue
        u, s = arrays.unit[k], timing.shape[k]
        begin = room.place_of[u]
        queued = room.place_of[u + 1] - begin
        at = begin
        if queued:
            at += room.issued_ops[u] % queue_depth
            if room.issued_ops[u] >= queue_depth:
                for lane in range(LANES):
                    issued[lane] = max(issued[lane], room.starts[at, lane])
        room.issued_ops[u] += 1
        for lane in range(LANES):
            issued[lane] += interval
            key[lane] = NEVER << KEY_BITS
        follows = False
        for d in range(arrays.first_dep[k], arrays.first_dep[k + 1]):
            other, before, cause = arrays.dep_op[d], r - arrays.dep_lag[d], arrays.dep_cause[d]
            left_out = before < arrays.skip_first[other] or before >= arrays.repeat - arrays.skip_last[other]
            if not looks_inside and left_out:
                continue
            sent = (row - arrays.dep_lag[d]) % rows
            if arrays.dep_after[d] == FIRST_CODE:
                if not follows:
                    for lane in range(LANES):
                        drained[lane] = NEVER
                follows = True
                for lane in range(LANES):
                    key[lane] = max(key[lane], (room.words[other, lane] << KEY_BITS) + cause)
                    drained[lane] = max(drained[lane], room.dones[sent, other, lane])
            else:
                later = (sequencer.token_latency_cycles << KEY_BITS) + cause
                tokens = room.dones if arrays.dep_after[d] == DONE_CODE else room.frees
                for lane in range(LANES):
                    key[lane] = max(key[lane], (tokens[sent, other, lane] << KEY_BITS) + later)
        any_waits = 0
        for lane in range(LANES):
            any_waits |= int(max(issued[lane], key[lane] >> KEY_BITS) > room.free_at[u, lane])
        if any_waits:
            for lane in range(LANES):
                arrived = key[lane] >> KEY_BITS
                waited = max(issued[lane], arrived) - room.free_at[u, lane]
                if waited > 0:
                    code = ISSUE_CODE if issued[lane] > arrived else key[lane] & ((1 << KEY_BITS) - 1)
                    room.waits[u, code, lane] += waited
                    room.free_at[u, lane] += waited  # from here on the start
        if queued:
            for lane in range(LANES):
                room.starts[at, lane] = room.free_at[u, lane]
        for lane in range(LANES):
            start, behind = room.free_at[u, lane], room.done_at[u, lane]
            free = start + room.services.occupancy[s, lane]
            room.words[k, lane] = max(start + room.services.first_word[s, lane], behind)
            if follows:
                late = max(drained[lane] - free, 0)
                room.waits[u, OPERAND_CODE, lane] += late
                free += late
            done = max(free + room.services.depth[s, lane], behind + room.services.write[s, lane])
            room.free_at[u, lane], room.done_at[u, lane] = free, done
            room.frees[of_row, k, lane], room.dones[of_row, k, lane] = free, done
            end[lane] = max(end[lane], done)
