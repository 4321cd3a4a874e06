"""The times of many designs of one program, from the recurrence in step: what their figures need of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from archsim.api.batch.columns import Codes, Ints, classes
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.unit_rows import UnitRows
from archsim.api.programs.cached_program import CachedProgram
from archsim.engines.recurrence import (
    LONGEST_RUN,
    BatchTiming,
    LaneResults,
    ServiceTimes,
    execute_batch,
    longest_chains,
)
from archsim.program.codes import CAUSES
from archsim.program.ir import PhaseKind

SEQUENCER = ("sequencer.issue_cycles", "sequencer.queue_depth", "sequencer.token_latency_cycles")


@dataclass(frozen=True, slots=True, eq=False)
class BatchTimes:
    """The times of N designs with U units.

    `step` and `recurrence` are numerators: of a program's `step_denominator` and `chain_denominator`.
    """

    total_cycles: Ints
    """(N)"""
    of_kind: Mapping[PhaseKind, Ints]
    """Kind of phase -> its cycles (N)."""
    step: Ints
    """(N) the cycles of a time step in the steady state."""
    recurrence: Ints
    """(N) the cycles of a step's longest chain."""
    compute: Ints
    """(U, N) cycles in which the datapath works."""
    occupied: Ints
    """(U, N) cycles for which ops hold the unit."""
    in_bodies: Ints
    """(U, N) those of the time steps."""
    waits: Ints
    """(U, causes, N)"""
    idle: Mapping[PhaseKind, Ints]
    """Kind of phase -> idle cycles (U, N)."""
    alone: Ints
    """(N) how many of a design's phases were evaluated by themselves; none of one whose times are another's."""

    def at(self, designs: Codes) -> BatchTimes:
        """The times of some of the designs."""
        return BatchTimes(
            total_cycles=self.total_cycles[designs],
            of_kind={kind: cycles[designs] for kind, cycles in self.of_kind.items()},
            step=self.step[designs],
            recurrence=self.recurrence[designs],
            compute=self.compute[:, designs],
            occupied=self.occupied[:, designs],
            in_bodies=self.in_bodies[:, designs],
            waits=self.waits[..., designs],
            idle={kind: cycles[:, designs] for kind, cycles in self.idle.items()},
            alone=self.alone[designs],
        )

    @staticmethod
    def joined(parts: Sequence[BatchTimes]) -> BatchTimes:
        """The times of several groups of designs, one group after the other, all with the same units."""
        if len(parts) == 1:
            return parts[0]

        def together(arrays: Iterable[Ints]) -> Ints:
            return np.concatenate(list(arrays), axis=-1)

        return BatchTimes(
            total_cycles=together(part.total_cycles for part in parts),
            of_kind={kind: together(part.of_kind[kind] for part in parts) for kind in PhaseKind},
            step=together(part.step for part in parts),
            recurrence=together(part.recurrence for part in parts),
            compute=together(part.compute for part in parts),
            occupied=together(part.occupied for part in parts),
            in_bodies=together(part.in_bodies for part in parts),
            waits=together(part.waits for part in parts),
            idle={kind: together(part.idle[kind] for part in parts) for kind in PhaseKind},
            alone=together(part.alone for part in parts),
        )


def step_denominator(cached: CachedProgram) -> int:
    """What the cycles of a time step are numerators of.

    It is the least common multiple of the time steps over which bodies measure their steady states.
    """
    return lcm(*(found.steps for found in cached.steady if found is not None))


def chain_denominator(cached: CachedProgram) -> int:
    """What the cycles of a step's longest chain are numerators of."""
    return lcm(*(found.denominator for found in cached.chains if found is not None))


def batch_times(cached: CachedProgram, machines: MachineColumns, units: UnitRows, rows: Codes) -> BatchTimes | None:
    """The times of designs that share a program; None if a run may be too long for the engine's numbers."""
    services = units.services(cached.unit_of_shape)
    longest = longest_run(cached, machines, services, rows)
    if longest * max(16, chain_denominator(cached), step_denominator(cached)) >= LONGEST_RUN:
        return None
    timing = timing_of(cached, machines, units, rows, services)
    first, same = _alike(machines, timing, rows)
    if len(first) == len(rows):
        return _times(cached, timing)
    of_first = _times(cached, timing.at(first))
    once = np.zeros(len(rows), np.int64)
    once[first] = of_first.alone
    return replace(of_first.at(same), compute=_in_all(cached, timing.row, services.compute), alone=once)


def _alike(machines: MachineColumns, timing: BatchTiming, rows: Codes) -> tuple[Codes, Codes]:
    """Designs that have the same times: the first of each class, and the class of every design.

    Units that differ, as in the energy of an op, may take the same time for each; and clocks tell no cycles apart.
    """
    _, *of_timing = timing.services
    kinds: dict[bytes, int] = {}
    kind = [kinds.setdefault(row.tobytes(), len(kinds)) for row in np.concatenate(of_timing, axis=1)]
    sequencer = [machines.designs.field(path).codes[rows] for path in SEQUENCER]
    return classes([*np.array(kind, np.intp)[timing.row], *sequencer], len(rows))


def _times(cached: CachedProgram, timing: BatchTiming) -> BatchTimes:
    """The times of designs that share a program."""
    services, row, over = timing.services, timing.row, chain_denominator(cached)
    trace = execute_batch(cached.phase_arrays, timing, cached.shape_places)
    phases, recurrence = trace.phases, np.zeros(timing.designs, np.int64)
    for tables, shape in zip(cached.chains, cached.shape_places, strict=True):
        if tables is not None:
            cycles = longest_chains(tables, timing.phase(shape))[timing.lane_of]
            recurrence += cycles * (over // tables.denominator)
    return BatchTimes(
        total_cycles=np.sum([phase.cycles for phase in phases], axis=0, dtype=np.int64),
        of_kind=_by_kind(cached, [phase.cycles for phase in phases]),
        step=_step(cached, phases),
        recurrence=recurrence,
        compute=_in_all(cached, row, services.compute),
        occupied=_in_all(cached, row, services.occupancy),
        in_bodies=(services.occupancy @ cached.shape_times_in_bodies)[row],
        waits=np.sum([phase.waits for phase in phases], axis=0, dtype=np.int64).reshape(len(row), len(CAUSES), -1),
        idle=_by_kind(cached, [phase.cycles - phase.free_at for phase in phases]),
        alone=trace.alone,
    )


def _in_all(cached: CachedProgram, row: Ints, cycles: Ints) -> Ints:
    """The cycles of all ops of each design's units (U, N), of which `cycles` has those of an op of each shape."""
    found: Ints = (cycles @ np.array(cached.shape_times, np.int64))[row]
    return found


def longest_run(cached: CachedProgram, machines: MachineColumns, services: ServiceTimes, rows: Codes) -> float:
    """More cycles than any of some designs can take for the program."""
    issue, _, latency = (machines.designs.field(path).at(rows) for path in SEQUENCER)
    slowest = max(issue.values) + max(latency.values)
    longest = (services.occupancy + services.depth + slowest).astype(float) @ np.array(cached.shape_times, float)
    return float(longest.sum())


def timing_of(
    cached: CachedProgram, machines: MachineColumns, units: UnitRows, rows: Codes, services: ServiceTimes
) -> BatchTiming:
    """The timing of designs of a program; `services`: those of `units`."""
    shape_unit = np.array([cached.units.index(unit) for unit in cached.unit_of_shape], np.int64)
    fields = [machines.designs.field(path).at(rows) for path in SEQUENCER]
    sequencer = [np.array(field.values, np.int64)[field.codes] for field in fields]
    return BatchTiming(services, shape_unit, units.numbers(), *sequencer)


def _by_kind(cached: CachedProgram, of_phases: Sequence[Ints]) -> dict[PhaseKind, Ints]:
    """The sums over phases of each kind; of a kind that the program does not have, zeros."""
    found = {kind: np.zeros_like(of_phases[0]) for kind in PhaseKind}
    for phase, cycles in zip(cached.outline.phases, of_phases, strict=True):
        found[phase.kind] = found[phase.kind] + cycles
    return found


def _step(cached: CachedProgram, phases: Sequence[LaneResults]) -> Ints:
    """The cycles of a time step, as `body_cycles_per_step` has them, summed over the bodies; numerators."""
    over = step_denominator(cached)
    total = np.zeros(len(phases[0].cycles), np.int64)
    for found, arrays, results in zip(cached.steady, cached.phase_arrays, phases, strict=True):
        if found is not None:
            marks = arrays.marks.tolist()
            end = results.cycles if found.until is None else results.mark_ends[marks.index(found.until)]
            begin = 0 if found.after is None else results.mark_ends[marks.index(found.after)]
            total += (end - begin) * (over // found.steps)
    return total
