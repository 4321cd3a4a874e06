"""Chooses what a Gantt chart of the recorded time steps shows, and which cycles of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from archsim.api import Simulation
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.op_looks import op_look
from archsim.report.text.steps import body_numbers, step_ends

_FEW_BARS = 90
"""So many bars are readable in one panel."""
_CLOSE = 0.5
"""A closer look is worth a panel of its own if it shows less than this share of the other panel."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One op: it holds its unit from `start` to `free`, its results are visible at `done` (cycles of the run)."""

    unit: str
    look: NamedLook
    label: str
    repetition: int
    start: int
    free: int
    done: int


@dataclass(frozen=True, slots=True)
class ShortOps:
    """Ops of one unit after each other that are drawn as one bar: each alone, or what is between them, is a hairline.

    `looks`: those of the kinds that they are of. The bar goes from `start` to `free`, the last results are visible at
    `done`.
    """

    looks: tuple[NamedLook, ...]
    start: int
    free: int
    done: int


@dataclass(frozen=True, slots=True)
class Gantt:
    """The recorded ops of the time steps of a body; `step_ends` maps a step to the cycle at which it ends.

    `body`: what the body is called, where there are several; else "".
    """

    units: tuple[str, ...]
    mac_unit: str | None
    bars: tuple[Bar, ...]
    step_ends: dict[int, int]
    step_end_means: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Cycles [start, stop) under a title; `gap` is where the MAC array stands still longest."""

    title: str
    start: int
    stop: int
    gap: tuple[int, int] | None


def charted_bodies(simulation: Simulation, most: int) -> list[int]:
    """The numbers of the bodies that have time steps, in order; of more than `most` those that take longest."""
    phases = simulation.program.phases
    bodies = [number for number in body_numbers(simulation) if phases[number].time_steps] or body_numbers(simulation)
    longest = sorted(bodies, key=lambda number: -simulation.trace.phases[number].cycles)[:most]
    return sorted(longest)


def gantt(simulation: Simulation, number: int) -> Gantt:
    """The chart of everything on record of the time steps of the body of that number."""
    ops = simulation.program.phases[number].ops
    bars = []
    for record in simulation.trace.records:
        if record.phase == number:
            op = ops[record.op]
            step = op.step(record.repetition)
            bars.append(Bar(op.unit, op_look(op.label), op.label, step, record.start, record.free, record.done))
    mac_unit = next((op.unit for op in ops if op.macs), None)
    ends = step_ends(simulation, number)
    means = f"step ends: {ends.means}"
    several = len(charted_bodies(simulation, len(simulation.program.phases))) > 1
    body = simulation.program.phases[number].name.removeprefix("body of ") if several else ""
    return Gantt(tuple(simulation.trace.units), mac_unit, tuple(bars), ends.cycles, means, body)


def merge_short(bars: Iterable[Bar], least: float, gap: float) -> tuple[list[Bar], list[ShortOps]]:
    """The bars of one unit that are at least `least` cycles long, and the others, merged.

    Two of the others are one if less than `gap` cycles are between them.
    """
    long, short = [], list[ShortOps]()
    for bar in sorted(bars, key=lambda bar: bar.start):
        if bar.free - bar.start >= least:
            long.append(bar)
        elif short and bar.start - short[-1].free < gap:
            last = short[-1]
            looks = tuple(dict.fromkeys((*last.looks, bar.look)))
            short[-1] = ShortOps(looks, last.start, bar.free, max(last.done, bar.done))
        else:
            short.append(ShortOps((bar.look,), bar.start, bar.free, bar.done))
    return long, short


def panels(chart: Gantt) -> list[Panel]:
    """The panels: all of the recorded steps if they are few ops; else one step, and a closer look at its end.

    The closer look is left out if it does not help.
    """
    steps = sorted(chart.step_ends)
    if len(chart.bars) <= _FEW_BARS or len(steps) < 2:
        start = min((bar.start for bar in chart.bars), default=0)
        stop = max((bar.done for bar in chart.bars), default=1)
        return [Panel(_title(chart, steps), start, stop, None)]
    step = steps[(len(steps) - 1) // 2 + (len(steps) == 2)]
    begin, end = chart.step_ends[step - 1], chart.step_ends[step]
    length = end - begin
    gap = _longest_gap(chart, begin, end, length)
    closer = max(3 * (gap[1] - gap[0]) if gap else 0, length // 8, 10)
    margin = length // 8
    where = f"{chart.body[:1].upper()}{chart.body[1:]}, step" if chart.body else "Step"
    title = f"{where} {step} from the end of the step before: {length:,} cycles"
    whole = Panel(title, begin - margin, end + margin, None)
    if closer > _CLOSE * (whole.stop - whole.start):
        margin = length // 2
        return [Panel(whole.title, begin - margin, end + margin, gap)]
    middle = (gap[0] + gap[1]) // 2 if gap else end
    title = f"The end of step {step} and the beginning of step {step + 1}, closer"
    if gap and gap[0] <= begin:
        title = f"The end of step {step - 1} and the beginning of step {step}, closer"
    return [whole, Panel(title, middle - closer // 2, middle + closer // 2, gap)]


def _title(chart: Gantt, steps: list[int]) -> str:
    if not steps:
        return "no time step on record"
    text = f"step {steps[0]}" if len(steps) == 1 else f"time steps {steps[0]} to {steps[-1]}"
    text = f"{chart.body}, {text}" if chart.body else text
    return text[0].upper() + text[1:]


def _longest_gap(chart: Gantt, begin: int, end: int, length: int) -> tuple[int, int] | None:
    """The longest time that the MAC array stands still around either end of a step; the later one of equals."""
    busy = sorted((bar.start, bar.free) for bar in chart.bars if bar.unit == chart.mac_unit)
    gaps = [
        (free, start)
        for (_, free), (start, _) in pairwise(busy)
        if start > free and begin - length // 2 <= free <= end + length // 2
    ]
    return max(gaps, key=lambda gap: (gap[1] - gap[0], gap[0]), default=None)
