"""Where cycles went: of the latency by unit and cause, and of every unit by bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.report.looks.cycle_looks import CYCLE_LOOKS, cycle_look
from archsim.report.text.steps import step_stacks


@dataclass(frozen=True, slots=True)
class Part:
    """What some cycles are: its name, colour and hatch, and the cycles of each row."""

    name: str
    colour: str
    hatch: str
    cycles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StackChart:
    """Bars of cycles, a row a unit, cut into parts; `title` says which cycles these are."""

    title: str
    total_cycles: int
    units: tuple[str, ...]
    parts: tuple[Part, ...]


def latency_chart(simulation: Simulation, findings: Findings) -> StackChart | None:
    """The critical path's cycles by unit and cause; None of a run of too many ops."""
    if findings.stack is None:
        return None
    frames = simulation.frames
    total = simulation.stats.latency_cycles if frames is None else frames.frame_latency_cycles
    what = "the run" if frames is None else "a frame"
    return _chart(f"Latency of {what}: its critical path by unit and cause", total, findings.stack)


def cycle_charts(simulation: Simulation) -> tuple[StackChart, ...]:
    """Every unit's cycles by what they were, of the whole run and of its time steps alone."""
    stats = simulation.stats
    return (
        _chart("Cycles of every unit over the whole run", stats.latency_cycles, stats.unit_cycle_stacks),
        _chart("Cycles of every unit in the time steps", stats.body_cycles, step_stacks(simulation)),
    )


def _chart(title: str, total: int, stacks: Mapping[str, Mapping[str, int]]) -> StackChart:
    found = [name for name in CYCLE_LOOKS if any(stack.get(name) for stack in stacks.values())]
    others = dict.fromkeys(name for stack in stacks.values() for name in stack if name not in CYCLE_LOOKS)
    parts = [
        Part(name, look.colour, look.hatch[:1], tuple(stack.get(name, 0) for stack in stacks.values()))
        for name, look in ((name, cycle_look(name)) for name in (*found, *others))
    ]
    return StackChart(title, total, tuple(stacks), tuple(parts))
