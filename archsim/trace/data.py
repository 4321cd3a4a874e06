"""Defines the frozen records of a run. All times are cycles of the core clock, counted from 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archsim.program.ir import PhaseKind, Wait
from archsim.trace.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Window:
    """A window of time steps [first, first + count) of each body, whose ops are recorded.

    Ops of all repetitions in which the steps stand are recorded; of a phase that is not repeated, all ops.
    """

    first: int
    count: int


class OpRecord(NamedTuple):
    """One op: it starts at `start`, frees its unit at `free`, and its results are visible at `done`."""

    phase: int
    repetition: int
    op: int
    start: int
    free: int
    done: int


class OpTimes(NamedTuple):
    """All that is known of one op's time: its record, and what came before the start and during the occupancy.

    `issue`: the cycle at which it entered its unit's queue. `compute_cycles` and `port_cycles`: what the datapath and
    the narrowest memory port needed; the op held its unit for at least the longer of them. `waited_cycles`: for so long
    the unit stood still before the start, for the reason `cause` (None if it did not).
    """

    record: OpRecord
    issue: int
    compute_cycles: int
    port_cycles: int
    waited_cycles: int
    cause: Wait | None


@dataclass(frozen=True, slots=True)
class PhaseTrace:
    """The record of a phase: when it began and ended, and when some of its repetitions did.

    `ends` holds the completion of some repetitions, (repetition, cycle): the first, the last, and those between which
    the steady state is measured (Phase.steady_repetitions).
    """

    name: str
    kind: PhaseKind
    start: int
    end: int
    ends: tuple[tuple[int, int], ...]

    @property
    def cycles(self) -> int:
        """The length of the phase in cycles."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class UnitTrace:
    """The record of a unit: where its cycles went; every cycle of the run is in exactly one place.

    `compute_cycles`: the datapath works; `port_cycles`: the op holds the unit for a memory port alone; `waits`: an
    op is there but cannot start, by what it waits for longest; `idle`: no op is there, by kind of phase.
    """

    ops: int
    compute_cycles: int
    port_cycles: int
    waits: Mapping[Wait, int]
    idle: Mapping[PhaseKind, int]

    def __add__(self, other: UnitTrace) -> UnitTrace:
        """Add the cycles of two records."""
        return UnitTrace(
            self.ops + other.ops,
            self.compute_cycles + other.compute_cycles,
            self.port_cycles + other.port_cycles,
            {cause: self.waits[cause] + other.waits[cause] for cause in Wait},
            {kind: self.idle.get(kind, 0) + other.idle.get(kind, 0) for kind in PhaseKind},
        )

    @property
    def total_cycles(self) -> int:
        """The number of all cycles: the length of the run, or of the phase."""
        return self.compute_cycles + self.port_cycles + sum(self.waits.values()) + sum(self.idle.values())


@dataclass(frozen=True, slots=True, repr=False)
class Trace:
    """The timing of a whole run."""

    total_cycles: int
    phases: tuple[PhaseTrace, ...]
    units: Mapping[str, UnitTrace]
    phase_units: tuple[Mapping[str, UnitTrace], ...]
    """For each phase, where each unit's cycles went in it."""
    timelines: tuple[Mapping[str, Timeline], ...]
    """For each phase, each unit's occupied cycles over time."""
    records: tuple[OpRecord, ...]
    """Single ops of the window, in order of phase, repetition and op."""
    counts: Mapping[str, Mapping[str, int]]
    """Unit -> what it has counted, by name; of units whose service times have a history."""

    def __repr__(self) -> str:
        """One line: how long it is, and what of it is kept."""
        kept = f"{len(self.records):,} ops kept one by one"
        return f"<trace: {self.total_cycles:,} cycles, {len(self.phases)} phases, {len(self.units)} units, {kept}>"

    def cycles_of(self, kind: PhaseKind) -> int:
        """The cycles of all phases of a kind together."""
        return sum(phase.cycles for phase in self.phases if phase.kind is kind)

    def phase(self, kind: PhaseKind) -> PhaseTrace:
        """The first phase of a kind; KeyError if there is none."""
        for phase in self.phases:
            if phase.kind is kind:
                return phase
        raise KeyError(kind)
