"""What every unit does in some time steps, op by op, and the part of the critical path in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.program.ir import PhaseKind, Program, Region
from archsim.program.labels import label_parts
from archsim.report.looks.op_looks import op_look
from archsim.report.page.charts.waits import Waits
from archsim.report.text.figures_as_text import plural
from archsim.report.text.steps import StepEnds, step_ends
from archsim.trace import OpRecord


@dataclass(frozen=True, slots=True)
class Ops:
    """The ops of a timeline, a column a fact; `unit`, `kind`, `reason` and `operands` are places in lists of texts.

    An op holds its unit in the cycles [start, free); its results are visible at `done`. `reason`: what it waited for.
    """

    label: tuple[str, ...]
    unit: tuple[int, ...]
    kind: tuple[int, ...]
    step: tuple[int, ...]
    start: tuple[int, ...]
    free: tuple[int, ...]
    done: tuple[int, ...]
    waited: tuple[int, ...]
    reason: tuple[int, ...]
    operands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A part of the critical path: the cycles [start, end) that belong to an op of a unit, and why."""

    start: int
    end: int
    unit: int
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """A body of the program, as of one of several layers after each other, and the cycles of it that are shown."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StepEnd:
    """The cycle in which a time step ends."""

    step: int
    cycle: int


@dataclass(frozen=True, slots=True)
class TimelineChart:
    """The chart; `colours` and `hatches` are those of `kinds`; `notes` say what it leaves out.

    `ends`: of the steps shown, where there is one body; `ends_mean`: what the end of a step is.
    """

    units: tuple[str, ...]
    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    hatches: tuple[str, ...]
    groups: tuple[Group, ...]
    ops: Ops
    reasons: tuple[str, ...]
    operands: tuple[str, ...]
    chain: tuple[Chain, ...]
    steps: tuple[int, int]
    ends: tuple[StepEnd, ...]
    ends_mean: str
    notes: tuple[str, ...]


def timeline_chart(simulation: Simulation, findings: Findings, steps: range, most_ops: int) -> TimelineChart:
    """The ops of some time steps; of more than `most_ops` those of the first steps, or of one step its first."""
    program, units = simulation.program, tuple(simulation.trace.units)
    found = sorted(_records(simulation, steps), key=lambda record: (record.start, record.free))
    drawn = _fitting(simulation, found, steps, most_ops)
    records = [record for record in found if _step(simulation, record) in drawn][:most_ops]
    latency = simulation.arch.config.sequencer.token_latency_cycles
    waits = Waits(program, simulation.trace.records, latency)
    kinds, reasons, operands = _Texts(), _Texts(), _Texts()
    columns = []
    for record in records:
        op, waited = program.phases[record.phase].ops[record.op], waits.of(record)
        columns.append(
            (
                op.label,
                units.index(op.unit),
                kinds.number(label_parts(op.label).name),
                op.step(record.repetition),
                record.start,
                record.free,
                record.done,
                waited.cycles,
                reasons.number(waited.reason),
                operands.number(_operands(op.reads, op.writes, record.repetition)),
            )
        )
    groups = tuple(_groups(program, records))
    bodies = {record.phase for record in records}
    ends = step_ends(simulation, min(bodies)) if len(bodies) == 1 else StepEnds({}, "")
    chain = tuple(_chain(simulation, findings, units, drawn, most_ops))
    return TimelineChart(
        units,
        kinds.texts,
        tuple(op_look(kind).colour for kind in kinds.texts),
        tuple(op_look(kind).hatch[:1] for kind in kinds.texts),
        groups,
        Ops(*zip(*columns, strict=True)) if columns else Ops(*((),) * 10),
        reasons.texts,
        operands.texts,
        chain,
        (drawn.start, drawn.stop - 1),
        tuple(StepEnd(step, cycle) for step, cycle in sorted(ends.cycles.items()) if step in drawn),
        ends.means,
        tuple(_notes(simulation, findings, len(found), len(records), len(drawn))),
    )


class _Texts:
    """Texts that occur often, each by a number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, by their numbers."""
        return tuple(self._numbers)


def _records(simulation: Simulation, steps: range) -> Iterator[OpRecord]:
    for record in simulation.trace.records:
        phase = simulation.program.phases[record.phase]
        if phase.kind is PhaseKind.BODY and _step(simulation, record) in steps:
            yield record


def _step(simulation: Simulation, record: OpRecord) -> int:
    return simulation.program.phases[record.phase].ops[record.op].step(record.repetition)


def _fitting(simulation: Simulation, records: Sequence[OpRecord], steps: range, most: int) -> range:
    """The first of the steps whose ops are no more than `most`, at least one."""
    ops = Counter(_step(simulation, record) for record in records)
    count = sum(1 for total in accumulate(ops[step] for step in steps) if total <= most)
    return steps[: max(1, count)]


def _operands(reads: Sequence[Region], writes: Sequence[Region], repetition: int) -> str:
    """What an op reads and writes, with the entries, and how much that is."""
    return "; ".join(
        f"{verb} {', '.join(_operand(region, repetition) for region in regions)}"
        for verb, regions in (("reads", reads), ("writes", writes))
        if regions
    )


def _operand(region: Region, repetition: int) -> str:
    slot = f" slot {region.slot(repetition)}" if region.buffer.slots not in (None, 1) else ""
    return f"{region.buffer.name}{slot} [{region.start}:{region.stop}] {-(-region.bits // 8):,} B"


def _groups(program: Program, records: Sequence[OpRecord]) -> Iterator[Group]:
    for number in dict.fromkeys(record.phase for record in records):
        mine = [record for record in records if record.phase == number]
        yield Group(program.phases[number].name, min(one.start for one in mine), max(one.done for one in mine))


def _chain(
    simulation: Simulation, findings: Findings, units: Sequence[str], steps: range, most: int
) -> Iterator[Chain]:
    """The segments of the critical path that belong to ops of the steps shown."""
    left = most
    for segment in findings.path:
        phase = simulation.program.phases[segment.instance.phase]
        op = phase.ops[segment.instance.op]
        inside = phase.kind is PhaseKind.BODY and op.step(segment.instance.repetition) in steps
        if inside and segment.cycles and op.unit in units and left:
            left -= 1
            yield Chain(segment.start, segment.end, units.index(op.unit), f"{op.label}: {segment.cause.value}")


def _notes(simulation: Simulation, findings: Findings, found: int, shown: int, steps: int) -> Iterator[str]:
    if shown < found:
        yield (
            f"Drawn are {plural(shown, 'op')} of {found:,}, of the first {plural(steps, 'step')} that were asked for; "
            "--steps chooses others."
        )
    if not findings.path:
        yield "The critical path is drawn of runs of up to 200,000 ops; this one has more."
    elif simulation.frames is not None:
        yield "Frames one behind the other, and the critical path of all; that of a frame alone is under Latency."
