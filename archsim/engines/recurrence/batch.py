"""Times many designs of one program at once: the times that `execute_fast` finds for each, as arrays over designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsim.engines.recurrence.kernel import run_phase
from archsim.engines.recurrence.lane_arrays import LANES, LaneResults, LaneRoom, LaneTiming
from archsim.engines.recurrence.lanes import run_lanes
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.engines.recurrence.state import Log, PhaseState
from archsim.engines.recurrence.timing import PhaseTiming, ServiceTimes


@dataclass(frozen=True, eq=False)
class BatchTiming:
    """The services and sequencer of N designs.

    `services`: a table (R, S) of each kind of time: a row for each distinct unit, a column for each of the S shapes of
    the program's ops, of which the row's unit executes some. `shape_unit`: the place of the unit that executes a shape.
    `row`: (U, N) the row of each design's units. The sequencer is the same for all designs.
    """

    services: ServiceTimes
    shape_unit: Ints
    row: Ints
    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int

    @property
    def designs(self) -> int:
        """How many designs there are."""
        return int(self.row.shape[1])

    def phase(self, shape: Ints, releases: Ints | None = None, watched: Sequence[int] = ()) -> LaneTiming:
        """What the timing of a phase depends on whose ops have these shapes; the last design fills the last block.

        `releases` (repetitions, N) and `watched` ops, as LaneTiming has them.
        """
        row = self._row_of_blocks
        _, occupancy, depth, first_word, write = self.services
        sequencer = self.issue_cycles, self.queue_depth, self.token_latency_cycles
        of_frames = np.zeros((0, row.shape[1]), np.int64) if releases is None else _whole_blocks(releases)
        kept = np.zeros(len(shape), np.bool_)
        kept[list(watched)] = True
        return LaneTiming(shape, self.shape_unit, occupancy, depth, first_word, write, row, *sequencer, of_frames, kept)

    @cached_property
    def _row_of_blocks(self) -> Ints:
        return _whole_blocks(self.row)

    def alone(self, design: int, shape: Ints) -> PhaseTiming:
        """The timing of one design of the batch, for the executor that times designs one by one."""
        rows = self.row[self.shape_unit[shape], design]
        times = ServiceTimes(*(np.ascontiguousarray(table[rows, shape]) for table in self.services))
        alike = np.zeros((0, len(shape)), np.int64)
        return PhaseTiming(times, self.issue_cycles, self.queue_depth, self.token_latency_cycles, alike)


@dataclass(frozen=True, slots=True, eq=False)
class BatchTrace:
    """What came out: for each phase its length, ends and waits of N designs, as LaneResults has them.

    `alone`: how many phases of each design (N) were evaluated by themselves, as its block had no common period.
    """

    phases: tuple[LaneResults, ...]
    alone: Ints


def execute_batch(phases: Sequence[PhaseArrays], timing: BatchTiming, shapes: Sequence[Ints]) -> BatchTrace:
    """Run the phases of a program on all designs; `shapes`: of each phase the shape of each of its ops.

    The program must be one that nothing in refusal.py refuses, and no run may be longer than LONGEST_RUN.
    """
    found: list[LaneResults] = []
    alone = np.zeros(timing.designs, np.int64)
    for arrays, shape in zip(phases, shapes, strict=True):
        lanes = timing.phase(shape)
        results = LaneResults.empty(arrays, lanes.row.shape[1])
        if arrays.executes:
            room = LaneRoom.empty(arrays, len(timing.shape_unit), timing.queue_depth)
            run_lanes(arrays, lanes, room, results)
            left = np.flatnonzero(results.finished[: timing.designs] == 0)
            alone[left] += 1
            for design in left.tolist():
                _run_alone(arrays, timing.alone(design, shape), results, design)
        found.append(LaneResults(*(array[..., : timing.designs] for array in results)))
    return BatchTrace(tuple(found), alone)


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedEnds:
    """When the R released repetitions of a phase of N designs were done, (R, N) each, counted from its begin.

    `watched`: the last of some ops of each, NEVER where none takes part; `all`: the last of all.
    """

    watched: Ints
    all: Ints


def execute_released(
    arrays: PhaseArrays, timing: BatchTiming, shape: Ints, releases: Ints, watched: Sequence[int]
) -> ReleasedEnds:
    """Run a phase whose repetitions are held back until they are released (R, N); `watched`: ops whose ends are kept.

    What `execute_batch` asks for holds here, too. No repetition is skipped.
    """
    lanes = timing.phase(shape, releases, watched)
    results = LaneResults.empty(arrays, lanes.row.shape[1], len(releases))
    run_lanes(arrays, lanes, LaneRoom.empty(arrays, len(timing.shape_unit), timing.queue_depth), results)
    return ReleasedEnds(results.watched[:, : timing.designs], results.ends[:, : timing.designs])


def _whole_blocks(table: Ints) -> Ints:
    """A table (M, N) whose last design stands in all that is missing of the last block."""
    missing = -table.shape[1] % LANES
    return np.ascontiguousarray(np.concatenate([table, np.repeat(table[:, -1:], missing, axis=1)], axis=1))


def _run_alone(arrays: PhaseArrays, timing: PhaseTiming, results: LaneResults, design: int) -> None:
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    run_phase(arrays, timing, state, True)
    results.cycles[design] = state.done_at.max(initial=0)
    results.free_at[:, design] = state.free_at
    results.waits[:, :, design] = state.waits
    results.mark_ends[:, design] = state.mark_ends
