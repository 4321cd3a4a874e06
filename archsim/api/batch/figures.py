"""All figures of many designs of one program as columns, under the names and in the order of `Stats`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from archsim.api.batch.columns import (
    Codes,
    Column,
    Factor,
    Floats,
    Ints,
    Picked,
    Scalar,
    classes,
    numbers,
    quotients,
)
from archsim.api.batch.energy import MOST_COUNTED, AreaColumns, Columns, NotAlike, Priced, RunColumns, energy_columns
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.times import BatchTimes
from archsim.api.batch.unit_rows import UnitRows
from archsim.api.program_cache import CachedProgram
from archsim.errors import SimulatorBug
from archsim.families.registry import family_named
from archsim.hardware.unit import ceil_div
from archsim.metrics.precomputed import BurstFigures
from archsim.metrics.roofline import OPS_PER_MAC
from archsim.metrics.stacks import BUCKETS
from archsim.program.codes import CAUSES
from archsim.program.ir import PhaseKind


class Part:
    """Designs of one program, whose figures have the same names."""

    def __init__(
        self, cached: CachedProgram, machines: MachineColumns, rows: Codes, units: UnitRows, times: BatchTimes
    ) -> None:
        self._cached, self._machines, self._rows, self._units, self._times = cached, machines, rows, units, times
        self._designs = len(rows)
        self._clock = _clock(machines.designs.field("clock_mhz").at(rows))
        self._multipliers = machines.multipliers.at(rows)
        self._macs_per_cycle = _ints(self._multipliers, [found.macs_per_cycle for found in self._multipliers.values])
        self._bursts = self._burst_figures()
        steps = cached.spec.steps
        macs, (step, over), (clock, per) = cached.figures.macs, times.step, self._clock
        self._throughput = self._quotient([OPS_PER_MAC * macs, clock], [times.total_cycles, per, 1000])
        self._steady = self._quotient([OPS_PER_MAC * macs * over, clock], [steps, step, per, 1000])

    def columns(self) -> Columns:
        """The figures by name."""
        figures, times, spec = self._cached.figures, self._times, self._cached.spec
        kinds, macs, (step, over) = times.of_kind, figures.macs, times.step
        latency_us = self._quotient([times.total_cycles, self._clock[1]], [self._clock[0]])
        stacks = self._stacks()
        found: Columns = {
            "latency_cycles": Column(times.total_cycles),
            "latency_us": Column(latency_us),
            "prologue_cycles": Column(kinds[PhaseKind.PROLOGUE]),
            "body_cycles": Column(kinds[PhaseKind.BODY]),
            "body_us": Column(self._quotient([kinds[PhaseKind.BODY], self._clock[1]], [self._clock[0]])),
            "handover_cycles": Column(kinds[PhaseKind.HANDOVER]),
            "epilogue_cycles": Column(kinds[PhaseKind.EPILOGUE]),
            "cycles_per_step": numbers(step, over),
            "macs": self._same(macs),
            "mac_utilization": Column(self._quotient([macs], [self._macs_per_cycle, times.total_cycles])),
            "steady_state_mac_utilization": Column(
                self._quotient([macs * over], [spec.steps, self._macs_per_cycle, step])
            ),
            "throughput_gops": Column(self._throughput),
            "steady_state_throughput_gops": Column(self._steady),
            "peak_throughput_gops": self._of_bursts(lambda bursts: bursts.ceilings.peak_gops),
        }
        unit = self._multipliers.values[0].unit
        found |= {f"cycle_stack.{bucket}": column for bucket, column in stacks[unit].items()}
        for name, stack in stacks.items():
            found |= {f"unit_cycle_stacks.{name}.{bucket}": column for bucket, column in stack.items()}
        for figure in ("stored_bytes", "traffic_bytes", "phase_traffic_bytes"):
            found |= self._constants(figure, getattr(figures, figure))
        found |= self._gathered("dram_burst_bytes", [dict(flat("", b.burst_bytes)) for b in self._bursts.values])
        found |= self._constants("compulsory_dram_bytes", figures.compulsory_dram_bytes)
        found |= self._constants("dram_traffic_ratio", figures.dram_traffic_ratio)
        intensity = figures.operational_intensity_ops_per_byte
        found |= self._constants("operational_intensity_ops_per_byte", intensity)
        found |= self._bounds()
        found |= self._energy(latency_us)
        found |= self._roofline()
        return found | self._constants("program_ops", figures.ops)

    def _stacks(self) -> dict[str, dict[str, Column]]:
        """The cycle stacks of all designs, as `cycle_stacks` gives those of one."""
        times, found = self._times, {}
        for place, (name, facts) in enumerate(self._units.facts.items()):
            useful = _ints(facts, [unit.useful_cycles for unit in facts.values])
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
        cached, machines, times = self._cached, self._machines, self._times
        steps, work = cached.spec.steps, cached.figures.step_work
        compute = machines.compute_cycles(cached.spec).at(self._rows)
        issue = machines.designs.field("sequencer.issue_cycles").at(self._rows)
        bounds: dict[str, tuple[Ints, int]] = {
            "compute": (_ints(compute, list(compute.values)), 1),
            "recurrence": times.recurrence,
            "sequencer": (_ints(issue, [work.issued * cycles for cycles in issue.values]), steps),
        }
        widths = machines.weight_bits_per_cycle.at(self._rows)
        if widths.values[0] is not None:
            weights = [ceil_div(work.weight_bits, width) for width in widths.values if width is not None]
            bounds["weight_sram"] = _ints(widths, weights), 1
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

    def _energy(self, latency_us: Floats) -> Columns:
        priced = Priced.of(self._machines, self._units, self._rows)
        if priced is None:
            return {"energy": self._same(None), "area": self._same(None)}
        area = AreaColumns.of(priced)
        figures, names = self._cached.figures, tuple(self._units.facts)
        busy = self._times.occupied[names.index("dram")] if "dram" in names else self._times.total_cycles * 0
        busy_us = self._quotient([busy, self._clock[1]], [self._clock[0]])
        run = RunColumns(latency_us, busy_us, figures.macs, figures.stored_bytes)
        return energy_columns(priced, area, run) | area.columns()

    def _roofline(self) -> Columns:
        """The roofline's figures of each design, the columns of what `compute_roofline` gives."""
        ceilings = [bursts.ceilings for bursts in self._bursts.values]
        codes = self._bursts.codes
        roofs = np.array([(found.step_roof_gops, found.run_roof_gops) for found in ceilings])[codes]
        found = {"peak_gops": self._of_bursts(lambda bursts: bursts.ceilings.peak_gops)}
        found |= self._gathered("ceilings", [dict(flat("", each.of_memories)) for each in ceilings])
        found |= {
            "step_gops": Column(self._steady),
            "run_gops": Column(self._throughput),
            "step_binding": self._of_bursts(lambda bursts: bursts.ceilings.step_binding),
            "run_binding": self._of_bursts(lambda bursts: bursts.ceilings.run_binding),
            "step_roof_share": Column(self._steady / roofs[:, 0]),
            "run_roof_share": Column(self._throughput / roofs[:, 1]),
        }
        return {f"roofline.{name}": column for name, column in found.items()}

    def _burst_figures(self) -> Picked[BurstFigures]:
        """The burst figures of designs, made once for those whose units at DRAM, multipliers and clock are the same."""
        machines, rows, cache = self._machines, self._rows, self._cached.figure_cache
        array = self._multipliers.values[0].unit
        memories = machines.units(int(rows[0]))[array].ports
        codes = [machines.identity(name).codes[rows] for name in (*cache.at_dram, array)]
        codes += [machines.width(array, memory).codes[rows] for memory in memories]
        codes += [self._multipliers.codes, machines.designs.field("clock_mhz").codes[rows]]
        first, places = classes(codes, len(rows))
        figures = [
            cache.burst_figures(machines.designs.config(design), machines.units(design))
            for design in rows[first].tolist()
        ]
        return Picked(figures, places)

    def _of_bursts(self, figure: Callable[[BurstFigures], Scalar]) -> Column:
        return Column(Picked([figure(bursts) for bursts in self._bursts.values], self._bursts.codes))

    def _gathered(self, name: str, figures: list[dict[str, Scalar]]) -> Columns:
        """The columns of figures with entries, of which there is one for each of the burst figures."""
        if any(found.keys() != figures[0].keys() for found in figures):
            raise NotAlike(f"some have entries of {name} that others have not")
        return {
            f"{name}{entry}": Column(Picked([found[entry] for found in figures], self._bursts.codes))
            for entry in figures[0]
        }

    def _constants(self, name: str, figure: object) -> Columns:
        return {entry: self._same(value) for entry, value in flat(name, figure)}

    def _same(self, value: Scalar) -> Column:
        return Column.same(value, self._designs)

    def _quotient(self, numerators: list[Factor], denominators: list[Factor]) -> Floats:
        return quotients(numerators, denominators, self._designs)


def flat(name: str, figure: object) -> Iterator[tuple[str, Scalar]]:
    """The figures in a figure by name, entries of mappings and groups after a dot; what is no number or text is not."""
    if isinstance(figure, Mapping):
        for key, inner in figure.items():
            yield from flat(f"{name}.{key}", inner)
    elif is_dataclass(figure):
        for field in fields(figure):
            yield from flat(f"{name}.{field.name}", getattr(figure, field.name))
    elif figure is None or isinstance(figure, int | float | str):
        yield name, figure


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
