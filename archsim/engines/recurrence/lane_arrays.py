"""What the recurrence reads and writes for many designs of one program: as in state.py, with a lane for each design.

Arrays end in an axis of LANES designs, which go through the ops in step: what one op does is a short loop over them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.engines.recurrence.compiled import inlined
from archsim.engines.recurrence.phase_arrays import Flags, Ints, PhaseArrays
from archsim.engines.recurrence.state import NEVER
from archsim.program.codes import CAUSES

LANES = 16
"""Designs that go in step: a cache line or two of 64-bit times."""

MOST_ALONE = 1 << 11
"""Repetitions without a common period after which a block of designs is left to be evaluated one by one."""


class LaneTiming(NamedTuple):
    """What the timing of N designs in a phase depends on besides the program; N is a multiple of LANES.

    Each of the U units has a table: a row for each distinct unit that designs have (R in all), a column for each of
    the program's S shapes of ops.
    """

    shape: Ints
    """(n) the shape of each op of the phase."""
    shape_unit: Ints
    """(S) the place of the unit that executes ops of a shape."""
    occupancy: Ints
    """(R, S)"""
    depth: Ints
    """(R, S)"""
    first_word: Ints
    """(R, S)"""
    write: Ints
    """(R, S)"""
    row: Ints
    """(U, N) the row of each design's units."""
    issue_cycles: Ints
    """(N / LANES) as all below: of each block, whose designs have the same sequencer."""
    queue_depth: Ints
    token_latency_cycles: Ints
    releases: Ints
    """(repetitions, N) the cycle from which each repetition may be issued, counted from the begin of the phase; those
    behind the last are not held back. () if none is: then what repeats itself may be skipped."""
    watched: Flags
    """(n) the ops whose ends are kept of each repetition that is released."""


class Sequencer(NamedTuple):
    """The sequencer of a block's designs."""

    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int


class LaneResults(NamedTuple):
    """What comes out for N designs. All times count from the start of the phase."""

    finished: Ints
    """(N) 1 where the phase was evaluated to its end, 0 where its block had no period in MOST_ALONE repetitions."""
    cycles: Ints
    """(N) the length of the phase."""
    free_at: Ints
    """(U, N) when the unit's last op has freed it."""
    waits: Ints
    """(U, causes, N) cycles that the unit has waited."""
    mark_ends: Ints
    """(marks, N) when each marked repetition is done, NEVER if it has no ops."""
    ends: Ints
    """(repetitions that are released, N) when each is done."""
    watched: Ints
    """(repetitions that are released, N) when the last of its watched ops is done, NEVER if none takes part."""

    @classmethod
    def empty(cls, arrays: PhaseArrays, designs: int, released: int = 0) -> LaneResults:
        """Room for the results of so many designs."""
        units = len(arrays.instances)
        return cls(
            finished=np.ones(designs, np.int64),
            cycles=np.zeros(designs, np.int64),
            free_at=np.zeros((units, designs), np.int64),
            waits=np.zeros((units, len(CAUSES), designs), np.int64),
            mark_ends=np.full((len(arrays.marks), designs), NEVER, np.int64),
            ends=np.full((released, designs), NEVER, np.int64),
            watched=np.full((released, designs), NEVER, np.int64),
        )

    def at(self, designs: npt.NDArray[np.intp] | slice) -> LaneResults:
        """The results of some of the designs."""
        return LaneResults(*(array[..., designs] for array in self))


class LaneServices(NamedTuple):
    """The services of a block's designs: (S, LANES) each."""

    occupancy: Ints
    depth: Ints
    first_word: Ints
    write: Ints

    @classmethod
    def empty(cls, shapes: int) -> LaneServices:
        """Room for the services of so many shapes; it may hold anything."""
        return cls(*np.empty((4, shapes, LANES), np.int64))


@inlined
def load_services(timing: LaneTiming, services: LaneServices, first: int) -> None:
    """Look up the services of the block of designs from number `first` on."""
    for s in range(len(timing.shape_unit)):
        for lane in range(LANES):
            row = timing.row[timing.shape_unit[s], first + lane]
            services.occupancy[s, lane] = timing.occupancy[row, s]
            services.depth[s, lane] = timing.depth[row, s]
            services.first_word[s, lane] = timing.first_word[row, s]
            services.write[s, lane] = timing.write[row, s]


class LaneHistory(NamedTuple):
    """H(s) of one repetition of a block's designs, as Snapshot has it."""

    issued: Ints
    free_at: Ints
    done_at: Ints
    frees: Ints
    dones: Ints
    starts: Ints
    waits: Ints


class LaneRoom(NamedTuple):
    """Room for the state of a block of designs: as PhaseState, Rings and Snapshot, with a lane for each."""

    services: LaneServices
    issued: Ints
    """(LANES) when the sequencer has issued the last op."""
    free_at: Ints
    done_at: Ints
    waits: Ints
    mark_ends: Ints
    ends: Ints
    """(repetitions, LANES)"""
    frees: Ints
    dones: Ints
    words: Ints
    starts: Ints
    place_of: Ints
    """(U + 1) where each unit's ring of starts begins, as in Rings; it follows from the block's queues."""
    issued_ops: Ints
    """(U)"""
    before: LaneHistory
    scratch: Ints
    """(3, LANES)"""

    @classmethod
    def empty(cls, arrays: PhaseArrays, shapes: int, queue_depths: Collection[int]) -> LaneRoom:
        """Room for a phase whose ops have so many shapes, and queues any of these depths; it may hold anything."""
        ops, units, rows = len(arrays.unit), len(arrays.instances), arrays.max_lag + 1
        instances = arrays.instances.tolist()
        queued = max(sum(depth for ops in instances if ops > depth) for depth in queue_depths)

        def room(*sizes: int) -> Ints:
            return np.empty((*sizes, LANES), np.int64)

        return cls(
            services=LaneServices.empty(shapes),
            issued=room(),
            free_at=room(units),
            done_at=room(units),
            waits=room(units, len(CAUSES)),
            mark_ends=room(len(arrays.marks)),
            ends=room(min(arrays.repeat, MOST_ALONE)),
            frees=room(rows, ops),
            dones=room(rows, ops),
            words=room(ops),
            starts=room(queued),
            place_of=np.empty(units + 1, np.int64),
            issued_ops=np.empty(units, np.int64),
            before=LaneHistory(
                issued=room(),
                free_at=room(units),
                done_at=room(units),
                frees=room(arrays.max_lag, len(arrays.lagged)),
                dones=room(arrays.max_lag, len(arrays.lagged)),
                starts=room(queued),
                waits=room(units, len(CAUSES)),
            ),
            scratch=room(3),
        )
