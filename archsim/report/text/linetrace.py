"""Writes what every unit does in every cycle: a line a cycle, a column a unit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsim.api import Simulation
from archsim.errors import SimulatorBug
from archsim.program.ir import PhaseKind
from archsim.trace import OpRecord

IDLE = "."
IN_PIPELINE = "~"
DONE = ">"
END = "end"
"""What stands for the phase in the cycle after the last one, at whose begin the last results are visible."""

LEGEND = (
    f"# op@t  holds its unit in this cycle (t: the time step)   {DONE}op  its results are visible from this cycle on",
    f"# {IN_PIPELINE}     holds nothing, an op is in the pipeline          {IDLE}    neither",
)


@dataclass(frozen=True, slots=True)
class _Lane:
    """One unit's ops in the order in which it took them: names, and the cycles of start, free and done."""

    unit: str
    names: Sequence[str]
    starts: Sequence[int]
    frees: Sequence[int]
    dones: Sequence[int]

    def at(self, cycle: int) -> str:
        """The text for what the unit does in a cycle."""
        last = bisect_right(self.starts, cycle) - 1
        if last >= 0 and cycle < self.frees[last]:
            holds = self.names[last]
        else:
            holds = IN_PIPELINE if last >= 0 and cycle < self.dones[last] else IDLE
        first, stop = bisect_left(self.dones, cycle), bisect_right(self.dones, cycle)
        return " ".join([holds, *(DONE + self.names[number] for number in range(first, stop))])

    def width(self) -> int:
        """The length of the longest text of any cycle, or more."""
        longest = max((len(name) for name in self.names), default=1)
        done = 0
        number = 0
        while number < len(self.dones):
            stop = bisect_right(self.dones, self.dones[number])
            done = max(done, sum(2 + len(name) for name in self.names[number:stop]))
            number = stop
        return max(len(self.unit), longest + done)


def line_trace(simulation: Simulation, first_cycle: int = 0, last_cycle: int | None = None) -> Iterator[str]:
    """Yield a legend, a header, then a line for each cycle from `first_cycle` to `last_cycle`.

    By default the last one is the run's.

    Needs every op on record (`simulate(..., window=Window(0, steps + layers))`); raises SimulatorBug otherwise. The
    cycle after the last one has a line too: there the last results are visible. Lines are made one by one as they are
    asked for.
    """
    trace = simulation.trace
    if len(trace.records) != simulation.program.op_instances:
        raise SimulatorBug(
            f"a line trace of {simulation.program.op_instances:,} ops needs all of them on record, and has "
            f"{len(trace.records):,}: simulate with window=Window(0, steps + layers)"
        )
    last = trace.total_cycles if last_cycle is None else min(last_cycle, trace.total_cycles)
    return _lines(simulation, _lanes(simulation), max(0, first_cycle), last)


def _lines(simulation: Simulation, lanes: Sequence[_Lane], first: int, last: int) -> Iterator[str]:
    phases = [phase for phase in simulation.trace.phases if phase.cycles]
    starts = [phase.start for phase in phases]
    total = simulation.trace.total_cycles
    digits = max(len("cycle"), len(str(last)))
    marker = max(len(END), *(len(phase.name) for phase in simulation.trace.phases))
    widths = [lane.width() for lane in lanes]

    def line(cycle: str, phase: str, cells: Sequence[str]) -> str:
        columns = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"{cycle:>{digits}}  {phase:<{marker}}  {columns}".rstrip()

    yield from LEGEND
    yield line("cycle", "phase", [lane.unit for lane in lanes])
    for cycle in range(first, last + 1):
        phase = END if cycle == total else phases[bisect_right(starts, cycle) - 1].name
        yield line(str(cycle), phase, [lane.at(cycle) for lane in lanes])


def _lanes(simulation: Simulation) -> list[_Lane]:
    phases = simulation.program.phases
    by_unit: dict[str, list[OpRecord]] = {unit: [] for unit in simulation.trace.units}
    for record in simulation.trace.records:
        by_unit[phases[record.phase].ops[record.op].unit].append(record)
    lanes = []
    for unit, records in by_unit.items():
        records.sort(key=lambda record: record.start)
        names = [_name(simulation, record) for record in records]
        starts, frees, dones = ([getattr(record, field) for record in records] for field in ("start", "free", "done"))
        lanes.append(_Lane(unit, names, starts, frees, dones))
    return lanes


def _name(simulation: Simulation, record: OpRecord) -> str:
    """The op's label; in the time steps with the step."""
    phase = simulation.program.phases[record.phase]
    op = phase.ops[record.op]
    label = op.label
    return f"{label}@{op.step(record.repetition)}" if phase.kind is PhaseKind.BODY else label
