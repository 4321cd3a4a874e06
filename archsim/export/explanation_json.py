"""Writes an explanation of a run as one JSON object (docs/explain.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archsim.api.explain import Explanation, Step
from archsim.critical import LatencyStack
from archsim.export.plain import Arguments, ObjectWriter, Write, plain
from archsim.program.ir import Op


@dataclass(frozen=True, slots=True)
class ChainRow:
    """Cycles [start, end) of the critical path, and the op that they belong to."""

    phase: str
    repetition: int
    unit: str
    label: str
    start: int
    end: int
    cause: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """Cycles [start, end) of the chain that a time step waits for, counted from the beginning of the chain."""

    unit: str
    label: str
    start: int
    end: int
    cause: str


def write_explanation(found: Explanation, write: Write) -> None:
    """Write the object: figures first, then the chains."""
    ratio = found.max_cycle_ratio
    out = ObjectWriter(write)
    out.field("architecture", found.arch.name)
    out.field("workload", found.workload.name)
    out.field("schedule", found.program.schedule)
    out.field("latency_cycles", found.latency_cycles)
    out.field("max_cycle_ratio", None if ratio is None else float(ratio))
    out.field("latency_stack", _object(found.stack))
    out.array("steps", (_step(found, step) for step in found.steps))
    out.array("chain", _chain(found))
    out.end()


def _chain(found: Explanation) -> Iterator[ChainRow]:
    for segment in found.path:
        phase = found.program.phases[segment.instance.phase]
        op = phase.ops[segment.instance.op]
        unit = _unit(op, segment.cause.value)
        yield ChainRow(
            phase.name, segment.instance.repetition, unit, op.label, segment.start, segment.end, segment.cause.value
        )


def _step(found: Explanation, step: Step) -> Arguments:
    phase = found.program.phases[step.phase]
    rows: list[StepRow] = []
    at = 0
    for link in step.links:
        op = phase.ops[link.op]
        rows.append(StepRow(_unit(op, link.cause.value), op.label, at, at + link.cycles, link.cause.value))
        at += link.cycles
    return Arguments(
        {
            "phase": phase.name,
            "cycles_per_step": float(step.cycles_per_step),
            "recurrence_cycles_per_step": None if step.recurrence is None else float(step.recurrence),
            "steps": step.steps,
            "stack": plain(_object(step.stack)),
            "chain": plain(tuple(rows)),
        }
    )


def _unit(op: Op, cause: str) -> str:
    return "sequencer" if cause == "issue" else op.unit


def _object(stack: LatencyStack) -> Arguments:
    return Arguments({unit: dict(causes) for unit, causes in stack.items()})
