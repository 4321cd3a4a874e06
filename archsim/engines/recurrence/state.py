"""What the recurrence writes while it goes through a phase. All times are cycles from the start of the phase."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.engines.recurrence.timing import PhaseTiming
from archsim.program.codes import CAUSES

NEVER = -1
"""Earlier than any time of the phase; the end of a repetition that has no ops."""

NONE = -1
"""No repetition; no shift."""

LONGEST_PERIOD = 1 << 16
"""Repetitions of the longest period that is looked for."""


class Log(NamedTuple):
    """The times of every op in the repetitions evaluated (R) one by one, NEVER where it took no part; R may be 0."""

    issue: Ints
    """(R, n)"""
    start: Ints
    """(R, n)"""
    free: Ints
    """(R, n)"""
    done: Ints
    """(R, n)"""

    @classmethod
    def empty(cls, repetitions: int, ops: int) -> Log:
        """A log that nothing has been written to."""
        return cls(*(np.full((repetitions, ops), NEVER, np.int64) for _ in range(4)))


class Rings(NamedTuple):
    """The past that ops look back on, in ring buffers: what is older than that is overwritten.

    The events of the last max_lag + 1 repetitions (rows): row r % rows holds repetition r, and a dependency with lag l
    reads row (r - l) % rows, which is the repetition under way for l = 0. The starts of each unit's last ops, as many
    as its queue has places (Q): the next op can be issued when the one Q before it has started, and left its place. A
    unit that has no more than Q ops in the whole phase never fills its queue; it has no ring.
    """

    frees: Ints
    """(rows, n) when each op has read its operands."""
    dones: Ints
    """(rows, n) when the results of each op are visible."""
    words: Ints
    """(n) when each op's first word is visible, of the repetition under way: FIRST has no lag."""
    starts: Ints
    """The rings of all units' starts, one after the other: op number i of unit u is at place_of[u] + i % Q."""
    place_of: Ints
    """(U + 1) where each unit's ring begins; two equal numbers: it has none."""
    issued_ops: Ints
    """(U) how many ops each unit has been given."""

    @classmethod
    def empty(cls, arrays: PhaseArrays, timing: PhaseTiming) -> Rings:
        """The rings at the start of a phase."""
        count, units, rows = len(arrays.unit), len(arrays.instances), arrays.max_lag + 1
        place_of = np.zeros(units + 1, np.int64)
        np.cumsum(timing.queue_depth * (arrays.instances > timing.queue_depth), out=place_of[1:])
        return cls(
            frees=np.zeros((rows, count), np.int64),
            dones=np.zeros((rows, count), np.int64),
            words=np.zeros(count, np.int64),
            starts=np.zeros(int(place_of[units]), np.int64),
            place_of=place_of,
            issued_ops=np.zeros(units, np.int64),
        )


class Snapshot(NamedTuple):
    """H(s) of one repetition s, which period.py explains, and the waits up to it."""

    repetition: int
    """s; NONE as long as there is no snapshot."""
    issued: int
    """When the sequencer has issued the last op."""
    free_at: Ints
    """(U) when each unit's last op has freed it."""
    done_at: Ints
    """(U) when each unit's last op is done."""
    frees: Ints
    """(max_lag, lagged ops) in row i the FREE of repetition s - i."""
    dones: Ints
    """(max_lag, lagged ops) in row i the DONE of repetition s - i."""
    starts: Ints
    """Each unit's last starts at its place in Rings, but the youngest first."""
    waits: Ints
    """(U, causes) the waits counted until then: no part of H."""

    @classmethod
    def empty(cls, arrays: PhaseArrays, rings: Rings) -> Snapshot:
        """Room for a snapshot of a phase."""
        units, looked_back = len(arrays.instances), (arrays.max_lag, len(arrays.lagged))
        return cls(
            repetition=NONE,
            issued=0,
            free_at=np.zeros(units, np.int64),
            done_at=np.zeros(units, np.int64),
            frees=np.zeros(looked_back, np.int64),
            dones=np.zeros(looked_back, np.int64),
            starts=np.zeros(len(rings.starts), np.int64),
            waits=np.zeros((units, len(CAUSES)), np.int64),
        )


class PhaseState(NamedTuple):
    """Where the U units stand, and what has been counted so far."""

    free_at: Ints
    """(U) when the unit's last op has freed it."""
    done_at: Ints
    """(U) when the unit's last op is done."""
    waits: Ints
    """(U, causes) cycles that the unit has waited, by the code of the cause."""
    mark_ends: Ints
    """(marks) when each marked repetition is done, NEVER if it has no ops."""
    log: Log
    rings: Rings
    snapshot: Snapshot
    """Room for the snapshot that the repetitions after it are compared with."""
    ends: Ints
    """A ring of the ends of the last repetitions: number r's is at r modulo its length."""

    @classmethod
    def at_start(cls, arrays: PhaseArrays, timing: PhaseTiming, log: Log) -> PhaseState:
        """The state at the start of a phase; it writes the times of ops to `log` as far as that has rows."""
        units, rings = len(arrays.instances), Rings.empty(arrays, timing)
        return cls(
            free_at=np.zeros(units, np.int64),
            done_at=np.zeros(units, np.int64),
            waits=np.zeros((units, len(CAUSES)), np.int64),
            mark_ends=np.full(len(arrays.marks), NEVER, np.int64),
            log=log,
            rings=rings,
            snapshot=Snapshot.empty(arrays, rings),
            ends=np.zeros(min(arrays.repeat, LONGEST_PERIOD), np.int64),
        )
