"""Times many designs of one program at once: the times that `execute_fast` finds for each, as arrays over designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

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
    `row`: (U, N) the row of each design's units. The sequencer's parameters are arrays (N).
    """

    services: ServiceTimes
    shape_unit: Ints
    row: Ints
    issue_cycles: Ints
    queue_depth: Ints
    token_latency_cycles: Ints

    @property
    def designs(self) -> int:
        """How many designs there are."""
        return int(self.row.shape[1])

    def at(self, designs: npt.NDArray[np.intp]) -> BatchTiming:
        """The timing of some of the designs."""
        sequencer = self.issue_cycles[designs], self.queue_depth[designs], self.token_latency_cycles[designs]
        return BatchTiming(self.services, self.shape_unit, self.row[:, designs], *sequencer)

    @cached_property
    def in_lanes(self) -> Ints:
        """The design of each lane, in whole blocks: a block's designs have the same sequencer.

        The last design of a kind stands in all that is missing of its last block.
        """
        sequencers = np.array([self.issue_cycles, self.queue_depth, self.token_latency_cycles])
        if (sequencers == sequencers[:, :1]).all():
            return _whole_blocks(np.arange(self.designs))
        alike: dict[tuple[int, ...], list[int]] = {}
        for design, sequencer in enumerate(zip(*sequencers.tolist(), strict=True)):
            alike.setdefault(sequencer, []).append(design)
        return np.concatenate([_whole_blocks(np.array(designs)) for designs in alike.values()])

    @cached_property
    def lane_of(self) -> Ints | slice:
        """The lane of each design (N), the first of those that have it."""
        if (self.in_lanes[: self.designs] == np.arange(self.designs)).all():
            return slice(self.designs)
        found = np.empty(self.designs, np.int64)
        found[self.in_lanes[::-1]] = np.arange(len(self.in_lanes))[::-1]
        return found

    def phase(self, shape: Ints, releases: Ints | None = None, watched: Sequence[int] = ()) -> LaneTiming:
        """What the timing of a phase depends on whose ops have these shapes; designs stand as `in_lanes` says.

        `releases` (repetitions, N) and `watched` ops, as LaneTiming has them.
        """
        lanes = self.in_lanes
        _, occupancy, depth, first_word, write = self.services
        none = np.zeros((0, len(lanes)), np.int64)
        of_frames = none if releases is None else np.ascontiguousarray(releases[:, lanes])
        kept = np.zeros(len(shape), np.bool_)
        kept[list(watched)] = True
        services = occupancy, depth, first_word, write
        return LaneTiming(shape, self.shape_unit, *services, self._row_of_lanes, *self._sequencers, of_frames, kept)

    @cached_property
    def _row_of_lanes(self) -> Ints:
        return np.ascontiguousarray(self.row[:, self.in_lanes])

    @cached_property
    def _sequencers(self) -> tuple[Ints, Ints, Ints]:
        """The sequencer of each block."""
        first = self.in_lanes[::LANES]
        return self.issue_cycles[first], self.queue_depth[first], self.token_latency_cycles[first]

    def alone(self, design: int, shape: Ints) -> PhaseTiming:
        """The timing of one design of the batch, for the executor that times designs one by one."""
        rows = self.row[self.shape_unit[shape], design]
        times = ServiceTimes(*(np.ascontiguousarray(table[rows, shape]) for table in self.services))
        alike = np.zeros((0, len(shape)), np.int64)
        issue_cycles, queue_depth = int(self.issue_cycles[design]), int(self.queue_depth[design])
        return PhaseTiming(times, issue_cycles, queue_depth, int(self.token_latency_cycles[design]), alike)


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
        of_lanes = LaneResults.empty(arrays, lanes.row.shape[1])
        if arrays.executes:
            run_lanes(arrays, lanes, _room(arrays, lanes), of_lanes)
        results = of_lanes.at(timing.lane_of)
        left = np.flatnonzero(results.finished == 0)
        alone[left] += 1
        for design in left.tolist():
            _run_alone(arrays, timing.alone(design, shape), results, design)
        found.append(results)
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
    run_lanes(arrays, lanes, _room(arrays, lanes), results)
    return ReleasedEnds(results.watched[:, timing.lane_of], results.ends[:, timing.lane_of])


def _room(arrays: PhaseArrays, lanes: LaneTiming) -> LaneRoom:
    return LaneRoom.empty(arrays, len(lanes.shape_unit), set(lanes.queue_depth.tolist()))


def _whole_blocks(designs: Ints) -> Ints:
    """Designs, the last of which stands in all that is missing of the last block."""
    return np.concatenate([designs, np.repeat(designs[-1:], -len(designs) % LANES)])


def _run_alone(arrays: PhaseArrays, timing: PhaseTiming, results: LaneResults, design: int) -> None:
    state = PhaseState.at_start(arrays, timing, Log.empty(0, 0))
    run_phase(arrays, timing, state, True)
    results.cycles[design] = state.done_at.max(initial=0)
    results.free_at[:, design] = state.free_at
    results.waits[:, :, design] = state.waits
    results.mark_ends[:, design] = state.mark_ends
