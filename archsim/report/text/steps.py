"""Describes the time steps alone: where each unit's cycles went between prologue and epilogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

from archsim.api import Simulation
from archsim.errors import SimulatorBug
from archsim.families.registry import build_units
from archsim.metrics import Stack
from archsim.metrics.stacks import BUCKETS
from archsim.program.ir import DataKind, Op, PhaseKind, Wait
from archsim.trace import Timeline

STEP_BUCKETS = tuple(bucket for bucket in BUCKETS if bucket not in ("prologue", "handover", "epilogue"))
"""The buckets that a cycle of the time steps can fall in."""


def body_numbers(simulation: Simulation) -> list[int]:
    """The numbers of the phases that hold the time steps: one, or one for each of layers after each other."""
    return [number for number, phase in enumerate(simulation.program.phases) if phase.kind is PhaseKind.BODY]


def longest_body(simulation: Simulation) -> int:
    """The number of the body that takes longest, the first of equals."""
    return max(body_numbers(simulation), key=lambda number: simulation.trace.phases[number].cycles)


def body_timelines(simulation: Simulation) -> dict[str, list[Timeline]]:
    """The occupied cycles of each unit over the time steps, a timeline for each body."""
    numbers = body_numbers(simulation)
    return {name: [simulation.trace.timelines[number][name] for number in numbers] for name in simulation.trace.units}


def busy_cycles(simulation: Simulation) -> dict[str, int]:
    """The cycles of the time steps in which each unit holds an op."""
    timelines = body_timelines(simulation)
    return {name: sum(sum(timeline.busy) for timeline in bodies) for name, bodies in timelines.items()}


def step_stacks(simulation: Simulation) -> dict[str, Stack]:
    """A cycle stack of the time steps for each unit (cycles): STEP_BUCKETS, which sum to the length of the steps."""
    numbers = body_numbers(simulation)
    stacks: dict[str, Stack] = {}
    for name, unit in build_units(simulation.arch.config).items():
        traced = reduce(add, (simulation.trace.phase_units[number][name] for number in numbers))
        works = [
            (unit.work(op), op.instances(body.repeat))
            for body in (simulation.program.phases[number] for number in numbers)
            for op in body.ops
            if op.unit == name
        ]
        useful = int(sum(work.items * times / work.items_per_cycle for work, times in works))
        stack = {
            "useful": useful,
            "padding": traced.compute_cycles - useful,
            "wait_port": traced.port_cycles,
            **{cause.value: traced.waits[cause] for cause in Wait},
            "idle": traced.idle.get(PhaseKind.BODY, 0),
        }
        length = simulation.stats.body_cycles
        if sum(stack.values()) != length or min(stack.values()) < 0 or tuple(stack) != STEP_BUCKETS:
            raise SimulatorBug(f"the cycles of {name} in the time steps do not add up to {length}: {stack}")
        stacks[name] = stack
    return stacks


@dataclass(frozen=True, slots=True)
class StepEnds:
    """When each recorded time step of a body ends, in cycles of the run, and what that means."""

    cycles: dict[int, int]
    means: str


def step_ends(simulation: Simulation, number: int) -> StepEnds:
    """When the steps of the body of that number end: as their h is complete, without an h as their ops are done."""
    ops = simulation.program.phases[number].ops
    ends: dict[int, int] = {}
    h_ends: dict[int, int] = {}
    for record in simulation.trace.records:
        if record.phase == number:
            op = ops[record.op]
            step = op.step(record.repetition)
            for found in (ends, h_ends) if _writes_h(op) else (ends,):
                found[step] = max(found.get(step, 0), record.done)
    return StepEnds(h_ends, "h complete") if h_ends else StepEnds(ends, "ops done")


def _writes_h(op: Op) -> bool:
    return op.unit != "dram" and any(region.buffer.kind is DataKind.H for region in op.writes)
