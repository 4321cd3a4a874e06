"""What the simulation says: start, free and done of every op, and every code that it retires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.api.machine_spec import machine_spec
from archsim.checking.numbers import prepare
from archsim.engines.events import Arithmetic, Options, execute
from archsim.families.load import Arch
from archsim.families.registry import build_units, family_of
from archsim.families.rtl import RtlDesign, RtlError, RtlOp, RtlSource
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.formats.number import Array
from archsim.program.ir import DataKind, Op, Program
from archsim.program.verifier import verify
from archsim.trace import Window
from archsim.workload import Workload

_PARAMETERS = frozenset({DataKind.W_IH, DataKind.W_HH, DataKind.W_HR, DataKind.BIAS})
"""What is loaded as lines, whose codes are seen in the sums."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OpTimes:
    """The cycles at which an op starts, is free and is done."""

    start: int
    free: int
    done: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A run as the simulation has it, by (phase, op number, instance): times, and codes in the order of writing."""

    program: Program
    design: RtlDesign
    times: Mapping[RtlOp, Sequence[OpTimes]]
    codes: Mapping[RtlOp, Sequence[Codes]]
    last_cycle: int

    def name(self, op: RtlOp, instance: int) -> str:
        """An instance of an op, for messages."""
        found = self.program.phases[op.phase].ops[op.index]
        phase = self.program.phases[op.phase]
        where = f" of repetition {found.skip_first + instance}" if phase.repeat > 1 else ""
        return f"'{found.label}'{where} ({phase.name})"


def expect(arch: Arch, workload: Workload, schedule: AskedSchedule) -> Expected:
    """Simulate a workload, keep every op's times and codes, and make the RTL of its program."""
    make_rtl = family_of(arch.config).rtl
    if make_rtl is None:
        raise RtlError(f"no RTL of family {arch.config.family}: gemv alone")
    units = build_units(arch.config)
    program = build_program(find_schedule(schedule, arch.config.family), workload.spec, arch.config)
    check_units(program, units)
    verify(program)
    if not arch.config.formats.exact:  # what is computed needs no floating point to be told that there is no RTL of it
        raise RtlError(f"no RTL of floating-point formats ({arch.config.formats.format('weight')}): integers alone")
    numbers = prepare(program, arch.config, workload)
    computation = numbers.begin(units)
    state = computation.state
    image = {buffer.name: state.array(buffer).copy() for buffer in program.buffers if buffer.is_input}
    name = f"{arch.name}, {workload.name}, {program.schedule}"
    design = make_rtl(RtlSource(name, program, arch.config, units, workload.spec, numbers.encodings, image))
    codes: dict[RtlOp, list[Codes]] = {op: [] for op in design.ops if op is not None}
    places = {id(op): RtlOp(p, n) for p, phase in enumerate(program.phases) for n, op in enumerate(phase.ops)}

    def observe(op: Op, repetition: int, results: tuple[Array, ...]) -> None:
        (region,) = op.writes
        if region.buffer.kind not in _PARAMETERS:
            codes[places[id(op)]].append(state.read(region, repetition).astype(np.int64))

    options = Options(
        Arithmetic(state, computation.datapath, observe), Window(0, workload.spec.steps + len(program.phases))
    )
    trace = execute(program, machine_spec(program, arch, units), options)
    times: dict[RtlOp, list[OpTimes]] = {op: [] for op in design.ops if op is not None}
    for record in sorted(trace.records, key=lambda record: (record.phase, record.repetition)):
        times[RtlOp(record.phase, record.op)].append(OpTimes(record.start, record.free, record.done))
    return Expected(program, design, times, codes, trace.total_cycles)
