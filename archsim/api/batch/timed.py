"""Designs whose times are known: of one program, or of several whose figures have the same names."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.api.batch.columns import Codes, Picked, Scalar, classes, joined
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.times import BatchTimes
from archsim.api.batch.unit_rows import UnitRows
from archsim.api.batch.wanted import Wanted
from archsim.api.programs.cached_program import CachedProgram
from archsim.metrics.flat import flat
from archsim.metrics.precomputed import BurstFigures

OF_PROGRAM = (
    "stored_bytes",
    "traffic_bytes",
    "phase_traffic_bytes",
    "compulsory_dram_bytes",
    "dram_traffic_ratio",
    "operational_intensity_ops_per_byte",
)
"""Figures of a program alone that have entries."""
OF_BURSTS = ("peak_throughput_gops", "dram_burst_bytes", "roofline")
"""Figures that are made of the burst figures."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedProgram:
    """A program, and the entries of each of its figures OF_PROGRAM by their full names."""

    cached: CachedProgram
    figures: Mapping[str, Mapping[str, Scalar]]

    @staticmethod
    def of(cached: CachedProgram) -> NamedProgram:
        """A program with the names of its figures."""
        return NamedProgram(cached, {name: dict(flat(name, getattr(cached.figures, name))) for name in OF_PROGRAM})


@dataclass(frozen=True, slots=True, eq=False)
class TimedDesigns:
    """Designs by number (`rows`), and for each its program, units, times, and bursts where these are wanted."""

    programs: Picked[NamedProgram]
    rows: Codes
    units: UnitRows
    times: BatchTimes
    bursts: Picked[BurstFigures]

    @staticmethod
    def of(
        cached: CachedProgram,
        machines: MachineColumns,
        rows: Codes,
        units: UnitRows,
        times: BatchTimes,
        wanted: Wanted,
    ) -> TimedDesigns:
        """Designs of one program."""
        programs = Picked((NamedProgram.of(cached),), np.zeros(len(rows), np.intp))
        bursts: Picked[BurstFigures] = Picked((), rows[:0])
        if wanted.below(*OF_BURSTS):
            bursts = _burst_figures(cached, machines, rows)
        return TimedDesigns(programs, rows, units, times, bursts)

    @staticmethod
    def joined(parts: Sequence[TimedDesigns]) -> TimedDesigns:
        """The designs of several groups that have the same `names`, one group after the other."""
        if len(parts) == 1:
            return parts[0]
        return TimedDesigns(
            joined([part.programs for part in parts]),
            np.concatenate([part.rows for part in parts]),
            UnitRows.joined([part.units for part in parts]),
            BatchTimes.joined([part.times for part in parts]),
            joined([part.bursts for part in parts]),
        )

    def names(self, machines: MachineColumns) -> Hashable:
        """What the names of the figures follow from, as far as it is known before: groups alike in it are joined.

        Of designs of one program, which are alike in it.
        """
        first = int(self.rows[0])
        memories = machines.memory_names.of(first)
        bursts = [(each.burst_bytes, each.ceilings.of_memories) for each in self.bursts.values]
        return (
            machines.designs.config(first).family,
            tuple(
                (name, facts.values[0].unit.name, facts.of(0).activity.entries)
                for name, facts in self.units.facts.items()
            ),
            tuple((name, type(machines.storage(name).of(first))) for name in memories),
            machines.multipliers.of(first).unit,
            machines.weight_bits_per_cycle.of(first) is None,
            machines.prices.of(first) is None,
            frozenset(machines.counted.at(self.rows).values),
            tuple(tuple(entries) for entries in self.programs.of(0).figures.values()),
            frozenset(tuple(name for name, _ in flat("", figure)) for pair in bursts for figure in pair),
        )


def _burst_figures(cached: CachedProgram, machines: MachineColumns, rows: Codes) -> Picked[BurstFigures]:
    """The burst figures of designs, made once for those whose units at DRAM, multipliers and clock are the same."""
    cache, multipliers = cached.figure_cache, machines.multipliers.at(rows)
    array = multipliers.values[0].unit
    memories = machines.units(int(rows[0]))[array].ports
    codes = [machines.identity(name).codes[rows] for name in (*cache.at_dram, array)]
    codes += [machines.width(array, memory).codes[rows] for memory in memories]
    codes += [multipliers.codes, machines.designs.field("clock_mhz").codes[rows]]
    first, places = classes(codes, len(rows))
    figures = [
        cache.burst_figures(machines.designs.config(design), machines.units(design)) for design in rows[first].tolist()
    ]
    return Picked(figures, places)
