"""The time steps alone: where each unit's cycles went between prologue and epilogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.api import Simulation
from archsim.arch import build_units
from archsim.components.base import Service
from archsim.errors import SimulatorBug
from archsim.metrics import Stack
from archsim.metrics.stacks import BUCKETS
from archsim.program.ir import After, Dep, PhaseKind, Wait
from archsim.trace import OpRecord, Timeline

STEP_BUCKETS = tuple(bucket for bucket in BUCKETS if bucket not in ("prologue", "epilogue"))
"""The buckets that a cycle of the time steps can fall in."""

_CAUSES = tuple(Wait)


def body_number(simulation: Simulation) -> int:
    """The number of the phase that holds the time steps."""
    kinds = [phase.kind for phase in simulation.program.phases]
    return kinds.index(PhaseKind.BODY)


def body_timelines(simulation: Simulation) -> Mapping[str, Timeline]:
    """Each unit's occupied cycles over the time steps."""
    return simulation.trace.timelines[body_number(simulation)]


def busy_cycles(simulation: Simulation) -> dict[str, int]:
    """Cycles of the time steps in which each unit holds an op."""
    return {name: sum(timeline.busy) for name, timeline in body_timelines(simulation).items()}


@dataclass(slots=True)
class _Outside:
    """What a unit did in prologue and epilogue: cycles."""

    compute: int = 0
    port: int = 0
    waits: dict[Wait, int] = field(default_factory=lambda: dict.fromkeys(Wait, 0))


def step_stacks(simulation: Simulation) -> dict[str, Stack]:
    """A cycle stack of the time steps for each unit (cycles): STEP_BUCKETS, which sum to the length of the steps.

    The run's stack less what the unit did in prologue and epilogue, whose ops are all recorded one by one.
    """
    body = simulation.program.phases[body_number(simulation)]
    length = simulation.trace.phases[body_number(simulation)].cycles
    units = build_units(simulation.arch.config)
    outside = _outside(simulation)
    stacks: dict[str, Stack] = {}
    for name, unit in units.items():
        traced, other = simulation.trace.units[name], outside[name]
        works = [(unit.work(op), op.instances(body.repeat)) for op in body.ops if op.unit == name]
        useful = int(sum(work.items * times / work.items_per_cycle for work, times in works))
        stack = {
            "useful": useful,
            "padding": traced.compute_cycles - other.compute - useful,
            "wait_port": traced.port_cycles - other.port,
            **{cause.value: traced.waits[cause] - other.waits[cause] for cause in Wait},
            "idle": traced.idle.get(PhaseKind.BODY, 0),
        }
        if sum(stack.values()) != length or min(stack.values()) < 0 or tuple(stack) != STEP_BUCKETS:
            raise SimulatorBug(f"the cycles of {name} in the time steps do not add up to {length}: {stack}")
        stacks[name] = stack
    return stacks


def _outside(simulation: Simulation) -> dict[str, _Outside]:
    units = build_units(simulation.arch.config)
    found = {name: _Outside() for name in units}
    free_at: dict[tuple[int, str], int] = {}
    times = {(record.phase, record.repetition, record.op): record for record in simulation.trace.records}
    for record in simulation.trace.records:
        phase = simulation.program.phases[record.phase]
        if phase.kind is PhaseKind.BODY:
            continue
        op = phase.ops[record.op]
        service: Service = units[op.unit].cycles(op)
        unit = found[op.unit]
        unit.compute += service.compute_cycles
        unit.port += service.occupancy_cycles - service.compute_cycles
        begin = free_at.get((record.phase, op.unit), simulation.trace.phases[record.phase].start)
        if record.start > begin:
            unit.waits[_cause(record, phase.deps[record.op], times)] += record.start - begin
        free_at[record.phase, op.unit] = record.free
    return found


def _cause(record: OpRecord, deps: tuple[Dep, ...], times: Mapping[tuple[int, int, int], OpRecord]) -> Wait:
    """What the start of an op waited for: the last of its tokens to arrive, or, if all were there, its issue."""
    last = [
        _CAUSES.index(dep.cause)
        for dep in deps
        if (before := times.get((record.phase, record.repetition - dep.lag, dep.op))) is not None
        and (before.done if dep.after is After.DONE else before.free) == record.start
    ]
    return _CAUSES[max(last)] if last else Wait.ISSUE
