"""Rows of tables about a run: one for each op, and one for each time step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Annotated, get_type_hints

from archsim.metrics.declare import Metric, declared
from archsim.program.ir import Op, PhaseKind, Program, Region
from archsim.program.labels import label_parts
from archsim.trace.in_order import TimedOp

Values = tuple[str | int | float, ...]
RowType = type["OpRow | StepRow"]


@dataclass(frozen=True, slots=True)
class OpRow:
    """One op of one repetition."""

    phase: Annotated[str, Metric("", "the phase of the program")]
    repetition: Annotated[int, Metric("", "which repetition of the phase, from 0")]
    layer: Annotated[int, Metric("", "the layer, from 0")]
    step: Annotated[int, Metric("", "the time step that it works on, from 0; -1 outside of the time steps")]
    name: Annotated[str, Metric("", "what kind of op it is")]
    tile: Annotated[str, Metric("", "which of its kind: row group, or row group.chunk")]
    label: Annotated[str, Metric("", "layer, name and tile, as programs and pictures show it")]
    unit: Annotated[str, Metric("", "the unit that executes it")]
    issue_cycle: Annotated[int, Metric("cycle", "when the sequencer put it into its unit's queue")]
    start_cycle: Annotated[int, Metric("cycle", "when it took its unit")]
    free_cycle: Annotated[int, Metric("cycle", "when it left its unit")]
    done_cycle: Annotated[int, Metric("cycle", "when its results were visible")]
    waited_cycles: Annotated[int, Metric("cycles", "for which its unit stood still before it")]
    waited_for: Annotated[str, Metric("", "what the unit waited for")]
    compute_cycles: Annotated[int, Metric("cycles", "for which its datapath works")]
    port_cycles: Annotated[int, Metric("cycles", "for which memory ports hold it")]
    read_bytes: Annotated[float, Metric("bytes", "that it reads, in the mean of all repetitions where data decide it")]
    written_bytes: Annotated[
        float, Metric("bytes", "that it writes, in the mean of all repetitions where data decide it")
    ]
    macs: Annotated[int, Metric("MACs", "of the model that it does")]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One time step of one body."""

    phase: Annotated[str, Metric("", "the phase of the program: a body")]
    step: Annotated[int, Metric("", "the time step, from 0")]
    start_cycle: Annotated[int, Metric("cycle", "when the first op that works on it started")]
    end_cycle: Annotated[int, Metric("cycle", "when the last op that works on it was done")]
    cycles: Annotated[int, Metric("cycles", "since the step before in the phase ended, or the phase began")]
    ops: Annotated[int, Metric("", "that work on it")]
    macs: Annotated[int, Metric("MACs", "of the model in it")]


def columns(row: RowType) -> tuple[str, ...]:
    """The names of a table's columns."""
    return tuple(field.name for field in fields(row))


def column_types(row: RowType) -> tuple[type, ...]:
    """The type of each column: str, int or float."""
    hints = get_type_hints(row)
    return tuple(hints[name] for name in columns(row))


def values_of(row: OpRow | StepRow) -> Values:
    """The values of a row, in the order of its columns."""
    found: Values = (_OP_VALUES if isinstance(row, OpRow) else _STEP_VALUES)(row)
    return found


_OP_VALUES, _STEP_VALUES = attrgetter(*columns(OpRow)), attrgetter(*columns(StepRow))


class OpRows:
    """Makes rows of the ops of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._facts = [[_facts(op) for op in phase.ops] for phase in program.phases]

    def row(self, timed: TimedOp) -> OpRow:
        """The row of an op."""
        times, record = timed.times, timed.times.record
        phase = self._program.phases[record.phase]
        layer, name, tile, read, written, macs = self._facts[record.phase][timed.index]
        return OpRow(
            phase.name,
            record.repetition,
            layer,
            timed.step if phase.kind is PhaseKind.BODY else -1,
            name,
            tile,
            timed.op.label,
            timed.op.unit,
            times.issue,
            record.start,
            record.free,
            record.done,
            times.waited_cycles,
            "" if times.cause is None else times.cause.value,
            times.compute_cycles,
            times.port_cycles,
            read,
            written,
            macs,
        )


def _facts(op: Op) -> tuple[int, str, str, float, float, int]:
    label = label_parts(op.label)
    return *label, _bytes(op, (*op.reads, *op.updates)), _bytes(op, op.writes), op.macs


def _bytes(op: Op, regions: Sequence[Region]) -> float:
    return float(sum(region.bits * op.moved_share(region) for region in regions) / 8)


class StepRows:
    """Gathers the time steps of a run from its ops, which come in program order."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._found: dict[tuple[int, int], list[int]] = {}

    def add(self, timed: TimedOp) -> None:
        """Take an op."""
        record = timed.times.record
        if self._program.phases[record.phase].kind is not PhaseKind.BODY:
            return
        key = record.phase, timed.step
        found = self._found.setdefault(key, [record.start, record.done, 0, 0])
        found[0], found[1] = min(found[0], record.start), max(found[1], record.done)
        found[2] += 1
        found[3] += timed.op.macs

    def rows(self, phase_starts: Sequence[int]) -> Iterator[StepRow]:
        """The rows of all steps, in the order of phases and steps; `phase_starts`: the cycle of each phase's start."""
        before, phase = 0, -1
        for (number, step), (start, end, ops, macs) in sorted(self._found.items()):
            if number != phase:
                before, phase = phase_starts[number], number
            yield StepRow(self._program.phases[number].name, step, start, end, end - before, ops, macs)
            before = end


def meanings(row: RowType) -> tuple[str, ...]:
    """What each column is, with its unit."""
    found = declared(row).values()
    return tuple(f"{metric.meaning} ({metric.unit})" if metric.unit else metric.meaning for metric in found)
