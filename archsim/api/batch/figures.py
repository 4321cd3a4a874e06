"""All figures of many designs as columns, under the names and in the order of `Stats`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np

from archsim.api.batch.columns import Codes, Column, Floats, Ints, Picked, Scalar, classes, numbers, quotients
from archsim.api.batch.designs import distinct
from archsim.api.batch.energy import (
    MOST_COUNTED,
    AreaColumns,
    Columns,
    NotAlike,
    Priced,
    RunColumns,
    energy_columns,
    ways_of,
)
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.timed import OF_ENERGY, TimedDesigns
from archsim.api.batch.times import chain_denominator, step_denominator
from archsim.api.batch.wanted import Wanted
from archsim.api.programs.cached_program import FIGURES_WITH_ENTRIES, CachedProgram
from archsim.errors import SimulatorBug
from archsim.families.registry import family_named
from archsim.hardware.unit import ceil_div
from archsim.metrics.precomputed import BurstFigures
from archsim.metrics.roofline import OPS_PER_MAC, Ceiling
from archsim.metrics.stacks import BUCKETS
from archsim.program.codes import CAUSES
from archsim.program.ir import PhaseKind

Value = TypeVar("Value")
OfPlaces = Callable[[Codes | slice], Columns]
"""Gives the columns of some of the designs, by their places: such as have figures of the same names."""


class Part:
    """Designs whose times are known and whose figures can be made at once, though some may have others' names."""

    def __init__(self, machines: MachineColumns, timed: TimedDesigns) -> None:
        self._machines, self._timed, self._programs = machines, timed, timed.programs
        self._rows, self._units, self._times = timed.rows, timed.units, timed.times
        self._clock = _clock(machines.designs.field("clock_mhz").at(self._rows))
        self._multipliers = machines.multipliers.at(self._rows)
        self._macs_per_cycle = _ints(self._multipliers, [found.macs_per_cycle for found in self._multipliers.values])

    def figures(self, wanted: Wanted) -> list[tuple[Codes | slice, Columns]]:
        """The figures by name that are wanted, and those that come with them.

        For each group of designs whose figures have the same names, their places and the columns.
        """
        _ = self._stacks  # that cycles add up is checked whatever is asked for: it costs next to nothing
        made = [make() for figures, make in self._made() if wanted.below(*figures)]
        return [
            (places, {name: column for columns in made for name, column in columns(places).items()})
            for places in self._timed.named_alike(wanted)
        ]

    def _made(self) -> list[tuple[tuple[str, ...], Callable[[], OfPlaces]]]:
        """Figures, or what they stand below, and what makes them for all designs, in the order of `Stats`."""
        of_programs = [((name,), partial(self._constants, name)) for name in FIGURES_WITH_ENTRIES]
        return [
            *(((name,), partial(_same, partial(_one, name, make))) for name, make in self._of_times().items()),
            (("cycle_stack", "unit_cycle_stacks"), partial(_same, self._cycle_stacks)),
            *of_programs[:3],
            (("dram_burst_bytes",), partial(_same, self._burst_bytes)),
            *of_programs[3:],
            (("bounds", "binding_bound"), partial(_same, self._bounds)),
            (OF_ENERGY, self._energy),
            (("roofline",), partial(_same, self._roofline)),
            (("program_ops",), partial(_same, self._program_ops)),
        ]

    def _constants(self, figure: str) -> OfPlaces:
        """The columns of a figure of the programs alone."""
        return lambda places: _constants(self._programs.at(places), figure)

    def _program_ops(self) -> Columns:
        return {"program_ops": self._of_programs(lambda program: program.figures.ops)}

    def _of_times(self) -> dict[str, Callable[[], Column]]:
        """What makes each of the figures that follow from times, and have no entries."""
        times, kinds, (clock, per) = self._times, self._times.of_kind, self._clock
        return {
            "latency_cycles": lambda: Column(times.total_cycles),
            "latency_us": lambda: Column(self._latency_us),
            "prologue_cycles": lambda: Column(kinds[PhaseKind.PROLOGUE]),
            "body_cycles": lambda: Column(kinds[PhaseKind.BODY]),
            "body_us": lambda: Column(self._quotient([kinds[PhaseKind.BODY], per], [clock])),
            "handover_cycles": lambda: Column(kinds[PhaseKind.HANDOVER]),
            "epilogue_cycles": lambda: Column(kinds[PhaseKind.EPILOGUE]),
            "cycles_per_step": lambda: numbers(times.step, self._of_program(step_denominator)),
            "macs": lambda: self._of_programs(lambda program: program.figures.macs),
            "mac_utilization": lambda: Column(self._utilization(times.total_cycles, _macs)),
            "steady_state_mac_utilization": lambda: Column(self._utilization(times.step, _macs_per_step)),
            "throughput_gops": lambda: Column(self._throughput),
            "steady_state_throughput_gops": lambda: Column(self._steady),
            "peak_throughput_gops": lambda: self._of_bursts(lambda bursts: bursts.ceilings.peak_gops),
        }

    @cached_property
    def _latency_us(self) -> Floats:
        return self._quotient([self._times.total_cycles, self._clock[1]], [self._clock[0]])

    @cached_property
    def _throughput(self) -> Floats:
        return self._rate(self._times.total_cycles, _macs)

    @cached_property
    def _steady(self) -> Floats:
        return self._rate(self._times.step, _macs_per_step)

    def _rate(self, cycles: Ints, macs: Callable[[CachedProgram], Fraction]) -> Floats:
        """GOPS, for each design."""
        clock, per = self._clock
        return self._quotient([clock], [cycles, per], lambda program: Fraction(OPS_PER_MAC, 1000) * macs(program))

    def _utilization(self, cycles: Ints, macs: Callable[[CachedProgram], Fraction]) -> Floats:
        """The share of the multipliers that work, for each design."""
        return self._quotient([], [self._macs_per_cycle, cycles], macs)

    def _cycle_stacks(self) -> Columns:
        stacks, unit = self._stacks, self._multipliers.values[0].unit
        found = {f"cycle_stack.{bucket}": column for bucket, column in stacks[unit].items()}
        for name, stack in stacks.items():
            found |= {f"unit_cycle_stacks.{name}.{bucket}": column for bucket, column in stack.items()}
        return found

    @cached_property
    def _stacks(self) -> dict[str, dict[str, Column]]:
        """The cycle stacks of all designs, as `cycle_stacks` gives those of one."""
        times, found = self._times, {}
        for place, (name, activities) in enumerate(self._units.activities.items()):
            useful = _ints(activities, [activity.useful_cycles for activity in activities.values])
            stack = {
                "useful": useful,
                "padding": times.compute[place] - useful,
                "wait_port": times.occupied[place] - times.compute[place],
                **{cause.value: times.waits[place, code] for code, cause in enumerate(CAUSES)},
                "prologue": times.idle[PhaseKind.PROLOGUE][place],
                "handover": times.idle[PhaseKind.HANDOVER][place],
                "epilogue": times.idle[PhaseKind.EPILOGUE][place],
                "idle": times.idle[PhaseKind.BODY][place],
            }
            total = np.sum(list(stack.values()), axis=0)
            least = min(int(cycles.min()) for cycles in stack.values())
            if (total != times.total_cycles).any() or least < 0 or stack.keys() != BUCKETS.keys():
                raise SimulatorBug(f"the cycles of {name} do not add up")
            found[name] = {bucket: Column(cycles) for bucket, cycles in stack.items()}
        return found

    def _bounds(self) -> Columns:
        """The bounds of all designs, as `compute_bounds` gives those of one, and the largest."""
        machines, times = self._machines, self._times
        steps, whole = self._of_program(lambda program: program.spec.steps), self._of_program(lambda program: 1)
        compute = machines.compute_cycles(self._programs.values[0].spec).at(self._rows)
        issue = machines.designs.field("sequencer.issue_cycles").at(self._rows)
        issued = self._with_program(issue, lambda program, cycles: program.figures.step_work.issued * cycles)
        bounds: dict[str, tuple[Ints, Picked[int]]] = {
            "compute": (_ints(compute, list(compute.values)), whole),
            "recurrence": (times.recurrence, self._of_program(chain_denominator)),
            "sequencer": (issued, steps),
        }
        widths = machines.weight_bits_per_cycle.at(self._rows)
        if widths.values[0] is not None:
            weights = self._with_program(
                widths, lambda program, width: ceil_div(program.figures.step_work.weight_bits, width or 1)
            )
            bounds["weight_sram"] = weights, whole
        busiest: dict[str, Ints] = {}
        for place, facts in enumerate(self._units.facts.values()):
            kind, occupied = facts.values[0].unit.name, times.in_bodies[place]
            busiest[kind] = np.maximum(busiest[kind], occupied) if kind in busiest else occupied
        bounds |= {kind: (occupied, steps) for kind, occupied in busiest.items()}
        family = machines.designs.config(int(self._rows[0])).family
        columns = {name: numbers(*bounds[name]) for name in family_named(family).bounds}
        largest = np.argmax([np.array(column.values(), np.float64) for column in columns.values()], axis=0)
        found = {f"bounds.{name}": column for name, column in columns.items()}
        return found | {"binding_bound": Column(Picked(tuple(columns), largest))}

    def _energy(self) -> OfPlaces:
        priced = Priced.of(self._machines, self._units, self._rows)
        if priced is None:
            return partial(_at, {name: Column.same(None, len(self._rows)) for name in ("energy", "area")})
        area = AreaColumns.of(priced)
        names = tuple(self._units.facts)
        busy = self._times.occupied[names.index("dram")] if "dram" in names else self._times.total_cycles * 0
        busy_us = self._quotient([busy, self._clock[1]], [self._clock[0]])
        macs = self._of_program(lambda program: program.figures.macs)
        stored = self._of_program(lambda program: program.figures.stored_bytes)
        run = RunColumns(self._latency_us, busy_us, np.array(macs.values, np.float64)[macs.codes], stored)
        energy, of_area = energy_columns(priced, area, run), area.columns()
        return lambda places: energy.columns(ways_of(self._units.at(places)), places) | _at(of_area, places)

    def _roofline(self) -> Columns:
        """The roofline's figures of each design, the columns of what `compute_roofline` gives."""
        ceilings = [bursts.ceilings for bursts in self._bursts.values]
        codes = self._bursts.codes
        roofs = np.array([(found.step_roof_gops, found.run_roof_gops) for found in ceilings])[codes]
        found = {"peak_gops": self._of_bursts(lambda bursts: bursts.ceilings.peak_gops)}
        for memory in ceilings[0].of_memories:
            of_memory = [each.of_memories[memory] for each in ceilings]
            for field in fields(Ceiling):
                values = [getattr(ceiling, field.name) for ceiling in of_memory]
                found[f"ceilings.{memory}.{field.name}"] = Column(Picked(values, codes))
        found |= {
            "step_gops": Column(self._steady),
            "run_gops": Column(self._throughput),
            "step_binding": self._of_bursts(lambda bursts: bursts.ceilings.step_binding),
            "run_binding": self._of_bursts(lambda bursts: bursts.ceilings.run_binding),
            "step_roof_share": Column(self._steady / roofs[:, 0]),
            "run_roof_share": Column(self._throughput / roofs[:, 1]),
        }
        return {f"roofline.{name}": column for name, column in found.items()}

    @property
    def _bursts(self) -> Picked[BurstFigures]:
        assert self._timed.bursts is not None  # they are made if a figure OF_BURSTS is wanted
        return self._timed.bursts

    def _of_bursts(self, figure: Callable[[BurstFigures], Scalar]) -> Column:
        return Column(Picked([figure(bursts) for bursts in self._bursts.values], self._bursts.codes))

    def _burst_bytes(self) -> Columns:
        """What DRAM moves in whole bursts, by direction."""
        codes, moved = self._bursts.codes, [bursts.burst_bytes for bursts in self._bursts.values]
        return {
            f"dram_burst_bytes.{direction}": Column(Picked([found[direction] for found in moved], codes))
            for direction in moved[0]
        }

    def _of_programs(self, figure: Callable[[CachedProgram], Scalar]) -> Column:
        return _of_each(self._programs, [figure(program) for program in self._programs.values])

    def _of_program(self, what: Callable[[CachedProgram], Value]) -> Picked[Value]:
        return Picked([what(program) for program in self._programs.values], self._programs.codes)

    def _with_program(self, of: Picked[Value], number: Callable[[CachedProgram, Value], int]) -> Ints:
        """A whole number of each design that follows from its program and something else."""
        first, codes = classes([self._programs.codes, of.codes], len(self._rows))
        values = [number(self._programs.of(row), of.of(row)) for row in first.tolist()]
        return _ints(Picked(values, codes), values)

    def _quotient(
        self,
        numerators: list[Ints],
        denominators: list[Ints],
        constant: Callable[[CachedProgram], Fraction] = lambda program: Fraction(1),
    ) -> Floats:
        return quotients(numerators, denominators, self._of_program(constant))


def _one(name: str, make: Callable[[], Column]) -> Columns:
    return {name: make()}


def _macs(program: CachedProgram) -> Fraction:
    return Fraction(program.figures.macs)


def _macs_per_step(program: CachedProgram) -> Fraction:
    """The multiplications of a time step, times the denominator of its cycles."""
    return Fraction(program.figures.macs * step_denominator(program), program.spec.steps)


def _ints(picked: Picked[Any], values: list[int]) -> Ints:
    """Whole numbers for each design, given for each distinct value."""
    if max(values, default=0) >= MOST_COUNTED:
        raise NotAlike("numbers beyond 64 bits")
    found: Ints = np.array(values, np.int64)[picked.codes]
    return found


def _clock(clock_mhz: Picked[float]) -> tuple[Ints, Ints]:
    """The clock in MHz as numerators and denominators."""
    clocks = [Fraction(repr(clock)) for clock in clock_mhz.values]
    numerators, denominators = ([getattr(c, part) for c in clocks] for part in ("numerator", "denominator"))
    return _ints(clock_mhz, numerators), _ints(clock_mhz, denominators)


def _same(make: Callable[[], Columns]) -> OfPlaces:
    """Columns whose names are the same for all designs, made for all at once."""
    return partial(_at, make())


def _at(columns: Columns, places: Codes | slice) -> Columns:
    """The columns of some of the designs."""
    return {name: column.at(places) for name, column in columns.items()}


def _constants(programs: Picked[CachedProgram], figure: str) -> Columns:
    """The columns of a figure of the programs alone, which have the same entries of it."""
    first, *others = [program.entries[figure] for program in programs.values]
    return {entry: _of_each(programs, [value, *(each[entry] for each in others)]) for entry, value in first.items()}


def _of_each(programs: Picked[CachedProgram], values: list[Scalar]) -> Column:
    """The column of a figure that each program has: equal values stand once."""
    if len(values) == 1:
        return Column(Picked(values, programs.codes))
    found: Picked[Scalar] = distinct(values)
    return Column(Picked(found.values, found.codes[programs.codes]))
