"""Lists a program as text: every op of every phase with operands, service time and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archsim.hardware.unit import Service
from archsim.program.ir import Buffer, Dep, Op, Phase, Program
from archsim.report.text.figures_as_text import binary_bytes, plural
from archsim.report.text.regions import operands_text

Services = Sequence[Sequence[Service]]
"""For each phase, the service time of each op."""

LEGEND = """\
How to read this
  a -> b      reads a, writes b: buffer{slot}[entries]. {slot} is left out if there is but one, [entries] if it is all
              of them; "+=" adds to what is there.
  t           repetition of the phase, from 0; in the body the time step.
  when        the repetitions in which the op takes part; without it, all.
  work        MAC: multiply-accumulates; val: values written.
  holds       cycles for which the op holds its unit; its unit takes ops in program order.
  latency     cycles from its start until its results are visible. Both are the least where they depend on the run:
              on DRAM of kind ddr, and at memories with a single port.
  waits for   the ops whose numbers stand there: "done", its results are visible; "free", it has read its operands;
              "@-1": of one repetition before. In parentheses: what a wait for it is booked as.
  A phase starts when the one before has ended."""


def program_listing(program: Program, services: Services | None = None) -> str:
    """The schedule as text, with a newline at its end; `services` adds how many cycles each op takes."""
    lines = [f"program {program.schedule}: {plural(program.op_instances, 'op')} executed, {program.macs:,} MACs", ""]
    lines += _buffers(program.buffers)
    for number, phase in enumerate(program.phases):
        lines += ["", *_phase(phase, services[number] if services else None)]
    return "\n".join(line.rstrip() for line in [*lines, "", LEGEND]) + "\n"


def _buffers(buffers: Sequence[Buffer]) -> Iterator[str]:
    yield "buffers"
    rows = [("buffer", "memory", "holds", "slots x entries x width", "format", "size")]
    for buffer in buffers:
        slots = "t" if buffer.slots is None else f"{buffer.slots:,}"
        size = binary_bytes(-(-buffer.bits_of(buffer.entries) // 8)) + " a slot"
        if buffer.slots is not None:
            size = binary_bytes(buffer.size_bytes)
        shape = f"{slots} x {buffer.entries:,} x {buffer.width:,}"
        rows.append((buffer.name, buffer.memory, buffer.kind.value, shape, buffer.number_format.name, size))
    yield from _aligned(rows, "<<<<<>")


def _phase(phase: Phase, services: Sequence[Service] | None) -> Iterator[str]:
    times = "once" if phase.repeat == 1 else f"{phase.repeat:,} times"
    kind = "" if phase.name == phase.kind.value else f" ({phase.kind.value})"
    yield f"phase {phase.name}{kind}: {plural(len(phase.ops), 'op')}, {times}"
    header = ("op", "unit", "label", "when", "work", "holds", "latency", "waits for")
    rows = [header]
    for index, op in enumerate(phase.ops):
        service = services[index] if services else None
        holds = f"{service.occupancy_cycles:,} cy" if service else ""
        latency = f"{service.latency_cycles:,} cy" if service else ""
        waits = ", ".join(_dependency(dep) for dep in phase.deps[index]) or "-"
        rows.append((str(index), op.unit, op.label, _when(op, phase), _work(op), holds, latency, waits))
    heads = _aligned(rows, "><<<>>><")
    yield next(heads)
    for op, head in zip(phase.ops, heads, strict=True):
        yield head
        yield f"{'':8}{operands_text(op)}"


def _when(op: Op, phase: Phase) -> str:
    if not op.conditional:
        return ""
    if not op.instances(phase.repeat):
        return "never"
    first = f"t>={op.skip_first}" if op.skip_first else ""
    last = f"t<{phase.repeat - op.skip_last}" if op.skip_last else ""
    return " and ".join(part for part in (first, last) if part)


def _work(op: Op) -> str:
    if op.macs:
        return f"{op.macs:,} MAC"
    return f"{sum(region.entries * region.buffer.width for region in op.writes):,} val"


def _dependency(dep: Dep) -> str:
    lag = f"@-{dep.lag}" if dep.lag else ""
    return f"{dep.op}{lag} {dep.after.value} ({dep.cause.value.removeprefix('wait_')})"


def _aligned(rows: Sequence[tuple[str, ...]], sides: str) -> Iterator[str]:
    """The rows in columns; a column that is empty but for its header is left out."""
    used = [column for column in range(len(sides)) if any(row[column] for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in used}
    for row in rows:
        yield "  " + "  ".join(f"{row[column]:{sides[column]}{widths[column]}}" for column in used)
