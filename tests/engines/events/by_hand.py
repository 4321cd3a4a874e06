"""Tables of cycle counts that were derived by hand, and the comparison of a run with them.

A table has a heading for each part of the run and a row for each op:

    step 0 from 77
      mac[0.0]     0   3   7   why it starts then
    step 1 = step 0 + 30 but
      load x[t+1]  -   -   -   left out
      store h     32  34  39   other times, from step 0's origin, before the 30 are added

A row gives start, free and done, counted from the cycle in the heading. Whatever the run executed must be in the
table, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from archsim.api import Simulation, simulate
from archsim.config import parse_document, parse_override, validate
from archsim.engines.events import MachineSpec, Options, execute
from archsim.errors import ArchError
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import Arch
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, Op, Phase, PhaseKind, Program, Region, Wait
from archsim.trace import Trace, Window
from archsim.workload import load_workload

HAND_2X2 = """
summary: 2 x 2 MACs with latencies that can be followed by hand
clock_mhz: 100
formats: float32
dram: {kind: simple, efficiency: 1.0, bandwidth_bytes_per_cycle: 4, latency_cycles: 5, burst_bytes: 8}
weight_sram: {capacity_bytes: 4KiB, banks: 2, port_bits: 64, read_latency_cycles: 1}
input_buffer: {capacity_bytes: 1KiB, port_bits: 128, prefetch_steps: 1}
state_buffer: {capacity_bytes: 1KiB, banks: by_kind, port_bits: 128}
mac_array: {rows: 2, columns: 2, multiplier_latency_cycles: 1, adder_latency_cycles: 1}
accumulators: {entries: 16}
activation: {lanes: 1, latency_cycles: 2}
elementwise: {lanes: 1, cell_latency_cycles: 2, hidden_latency_cycles: 1}
sequencer: {issue_cycles: 0, token_latency_cycles: 1, queue_depth: 64}
"""

Times = tuple[int, int, int]
"""start, free, done"""
OpKey = tuple[str, int, str]
"""phase, repetition, label"""


def hand_machine(*overrides: str) -> Arch:
    """The machine above with overrides such as "mac_array.rows=4"."""
    document = parse_document(HAND_2X2, "hand_2x2", ArchError)
    config = validate(GemvConfig, document, [parse_override(text) for text in overrides], ArchError)
    return Arch("hand_2x2", config)


def run(schedule: str, workload: str, *overrides: str) -> Simulation:
    """A timing-only run of that machine in which every op is recorded."""
    loaded = load_workload(workload)
    window = Window(0, loaded.spec.steps)
    return simulate(hand_machine(*overrides), loaded, schedule, timing_only=True, window=window)


def check(simulation: Simulation, table: str, total: int) -> None:
    """The run has exactly the ops and cycles of the table, and ends at cycle `total`."""
    assert recorded(simulation) == parse_table(table)
    assert simulation.stats.latency_cycles == total


def without_steps_from(count: int, steps: str) -> str:
    """A table of steps cut off before step `count`, where the last one left has no x to load ahead.

    This is what a shorter sequence does: no op waits for a later step, and nothing in the last step comes after its
    load of x on DRAM but "store h", which starts later anyway.
    """
    parts = re.split(r"(?=^step )", steps, flags=re.MULTILINE)
    kept = "".join(parts[: count + 1])
    left_out = f"step {count - 1} = step {count - 1} + 0 but\n  load x[t+1]  -  -  -\n"
    return kept + left_out


def recorded(simulation: Simulation) -> dict[OpKey, Times]:
    """The times of every op of a run."""
    found = {}
    for record in simulation.trace.records:
        phase = simulation.program.phases[record.phase]
        key = (phase.name, record.repetition, phase.ops[record.op].label)
        assert key not in found, "labels must tell the ops of a body apart"
        found[key] = (record.start, record.free, record.done)
    return found


_FROM = re.compile(r"(prologue|epilogue|step (\d+)) from (\d+)")
_LIKE = re.compile(r"step (\d+) = step (\d+) \+ (\d+)( but)?")
_ROW = re.compile(r"\s+(\S.*?)\s+(?:(\d+)\s+(\d+)\s+(\d+)|-\s+-\s+-)(?:\s\s+.*)?")


def parse_table(table: str) -> dict[OpKey, Times]:
    """The ops of a table with their times, counted from cycle 0."""
    parts: dict[tuple[str, int], tuple[int, dict[str, Times]]] = {}
    origin, rows = 0, dict[str, Times]()
    for line in filter(str.strip, table.splitlines()):
        if heading := _FROM.fullmatch(line.strip()):
            part = ("body", int(heading[2])) if heading[2] else (heading[1], 0)
            origin, rows = int(heading[3]), {}
            parts[part] = (origin, rows)
        elif like := _LIKE.fullmatch(line.strip()):
            before, other = parts["body", int(like[2])]
            origin, rows = before + int(like[3]), dict(other)
            parts["body", int(like[1])] = (origin, rows)
        elif row := _ROW.fullmatch(line):
            if row[2] is None:
                del rows[row[1]]
            else:
                rows[row[1]] = (int(row[2]), int(row[3]), int(row[4]))
        else:
            raise ValueError(f"cannot read the table's line {line!r}")
    return {
        (phase, repetition, label): (start + times[0], start + times[1], start + times[2])
        for (phase, repetition), (start, ops) in parts.items()
        for label, times in ops.items()
    }


@dataclass(frozen=True, kw_only=True)
class _Job(Op):
    """An op without data, for programs that are written by hand."""

    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


@dataclass(frozen=True)
class Token:
    """Waits for the op with that label, `lag` repetitions ago."""

    label: str
    after: After = After.DONE
    lag: int = 0
    cause: Wait = Wait.OPERAND


@dataclass(frozen=True)
class Job:
    """An op "a1" of unit "a" that occupies it for `occupancy` cycles and is visible `depth` cycles after that.

    The last `skip_last` repetitions leave it out. Its results pass the unit's write port in `write` cycles.
    """

    label: str
    occupancy: int
    depth: int = 0
    waits: Sequence[Token] = field(default=())
    skip_last: int = 0
    write: int = 0

    @property
    def unit(self) -> str:
        """The label without its number."""
        return self.label.rstrip("0123456789")


def job_phase(name: str, body: Sequence[Job], repeat: int = 1) -> Phase:
    """A phase of those ops."""
    labels = [job.label for job in body]
    ops = tuple(_Job(unit=job.unit, label=job.label, skip_last=job.skip_last) for job in body)
    deps = tuple(tuple(Dep(labels.index(t.label), t.lag, t.after, t.cause) for t in job.waits) for job in body)
    return Phase(name, PhaseKind.BODY, repeat, ops, deps)


def run_jobs(
    *bodies: Sequence[Job],
    repeat: int = 1,
    issue_cycles: int = 0,
    queue_depth: int = 64,
    token_latency_cycles: int = 0,
) -> tuple[dict[OpKey, Times], Trace]:
    """Execute one phase for each body (named "0", "1", ...); the times of every op, and the trace."""
    phases = tuple(job_phase(str(number), body, repeat) for number, body in enumerate(bodies))
    services = tuple(
        tuple(Service(job.occupancy, 0, job.depth, write_cycles=job.write) for job in body) for body in bodies
    )
    units = tuple(sorted({job.unit for body in bodies for job in body}))
    program = Program("by hand", (), phases)
    spec = MachineSpec(units, services, issue_cycles, queue_depth, token_latency_cycles=token_latency_cycles)
    trace = execute(program, spec, Options(window=Window(0, repeat)))
    times = {
        (str(r.phase), r.repetition, bodies[r.phase][r.op].label): (r.start, r.free, r.done) for r in trace.records
    }
    return times, trace
