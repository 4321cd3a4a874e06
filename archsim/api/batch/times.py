"""The times of many designs of one program, from the recurrence in step: what their figures need of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    services, row = units.services(cached.unit_of_shape), units.numbers()
    over = chain_denominator(cached)
    if longest_run(cached, machines, services, rows) * max(16, over, step_denominator(cached)) >= LONGEST_RUN:
        return None
    first, same = _alike(machines, services, row, rows)
    recurrence, alone = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
    phases: tuple[LaneResults, ...] = ()
    for mine, timing in timings(cached, machines, row[:, first], rows[first], services):
        trace = execute_batch(cached.phase_arrays, timing, cached.shape_places)
        alone[mine] += trace.alone
        if len(mine) == len(first):
            phases = trace.phases
        else:
            phases = phases or tuple(LaneResults.empty(arrays, len(first)) for arrays in cached.phase_arrays)
            for phase, found in zip(phases, trace.phases, strict=True):
                phase.put(mine, found)
        for tables, shape in zip(cached.chains, cached.shape_places, strict=True):
            if tables is not None:
                cycles = longest_chains(tables, timing.phase(shape))[: len(mine)]
                recurrence[mine] += cycles * (over // tables.denominator)
    times, in_bodies = np.array(cached.shape_times, np.int64), cached.shape_times_in_bodies
    distinct = row[:, first]
    of_distinct = BatchTimes(
        total_cycles=np.sum([phase.cycles for phase in phases], axis=0, dtype=np.int64),
        of_kind=_by_kind(cached, [phase.cycles for phase in phases]),
        step=_step(cached, phases),
        recurrence=recurrence,
        compute=(services.compute @ times)[distinct],
        occupied=(services.occupancy @ times)[distinct],
        in_bodies=(services.occupancy @ in_bodies)[distinct],
        waits=np.sum([phase.waits for phase in phases], axis=0, dtype=np.int64).reshape(len(row), len(CAUSES), -1),
        idle=_by_kind(cached, [phase.cycles - phase.free_at for phase in phases]),
        alone=alone,
    )
    once = np.zeros(len(rows), np.int64)
    once[first] = alone
    return replace(of_distinct.at(same), compute=(services.compute @ times)[row], alone=once)


def _alike(machines: MachineColumns, services: ServiceTimes, row: Ints, rows: Codes) -> tuple[Codes, Codes]:
    """Designs that have the same times: the first of each class, and the class of every design.

    Units that differ, as in the energy of an op, may take the same time for each; and clocks tell no cycles apart.
    """
    _, *of_timing = services
    _, kind = np.unique(np.concatenate(of_timing, axis=1), axis=0, return_inverse=True)
    sequencer = [machines.designs.field(path).at(rows).codes for path in SEQUENCER]
    return classes([*kind.reshape(-1)[row], *sequencer], len(rows))


def longest_run(cached: CachedProgram, machines: MachineColumns, services: ServiceTimes, rows: Codes) -> float:
    """More cycles than any of some designs can take for the program."""
    issue, _, latency = (machines.designs.field(path).at(rows) for path in SEQUENCER)
    slowest = max(issue.values) + max(latency.values)
    longest = (services.occupancy + services.depth + slowest).astype(float) @ np.array(cached.shape_times, float)
    return float(longest.sum())


def timings(
    cached: CachedProgram, machines: MachineColumns, row: Ints, rows: Codes, services: ServiceTimes
) -> Iterator[tuple[Codes, BatchTiming]]:
    """The timing of designs that have the same sequencer, and their places in `rows`.

    `row` (U, N): which row of `services` each design's units have.
    """
    shape_unit = np.array([cached.units.index(unit) for unit in cached.unit_of_shape], np.int64)
    columns = [machines.designs.field(path).at(rows) for path in SEQUENCER]
    first, group = classes([column.codes for column in columns], len(rows))
    for number, design in enumerate(first.tolist()):
        mine = np.flatnonzero(group == number)
        sequencer = (int(column.of(design)) for column in columns)
        yield mine, BatchTiming(services, shape_unit, row[:, mine], *sequencer)


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
