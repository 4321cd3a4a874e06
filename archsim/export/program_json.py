"""Writes a program as one JSON object: all that a model outside archsim needs to execute it (docs/program_json.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archsim.checking.numbers import Numbers, prepare
from archsim.export.buffer_data import BufferData, MemoryMap, banked_memories, buffer_data
from archsim.export.contents import contents
from archsim.export.head import VerifiedRun
from archsim.export.machine_data import machine_data
from archsim.export.op_data import Functions, OpData, OpWriter
from archsim.export.plain import Arguments, ObjectWriter, Write
from archsim.families.load import Arch
from archsim.families.schedules import AskedSchedule
from archsim.formats import KINDS, IntegerFormat
from archsim.hardware.constants import FLOATING, OpConstants
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Op
from archsim.program.token_bounds import TokenWindow, most_tokens
from archsim.workload import Workload

FORMAT = "archsim-program"
VERSION = 1


@dataclass(frozen=True, slots=True)
class PhaseData:
    """A phase: a body of ops, repeated."""

    name: str
    kind: str
    repeat: int
    time_steps: int
    ops: int
    tokens: int


@dataclass(frozen=True, slots=True)
class TokenData:
    """A dependency of `to_op` on `from_op`, and its tokens."""

    phase: int
    from_op: int
    to_op: int
    lag: int
    event: str
    cause: str
    initial: int
    send_from: int
    send_until: int
    take_until: int
    most: int


@dataclass(frozen=True, slots=True)
class ExportedProgram:
    """A verified program with its machine. `numbers` is None if nothing was asked of its arithmetic."""

    run: VerifiedRun
    numbers: Numbers | None
    timing_only: bool

    @classmethod
    def make(
        cls, arch: Arch, workload: Workload, schedule: AskedSchedule, timing_only: bool, with_contents: bool
    ) -> ExportedProgram:
        """Build and verify the program, and load its numbers as far as they are needed.

        Raises what `simulate` raises before it executes anything.
        """
        run = VerifiedRun.make(arch, workload, schedule)
        some_integers = any(isinstance(arch.config.formats.format(kind), IntegerFormat) for kind in KINDS)
        needed = not timing_only and (some_integers or with_contents)
        numbers = prepare(run.program, arch.config, workload) if needed else None
        return cls(run, numbers, timing_only)

    def write(self, write: Write, with_contents: bool = False) -> None:
        """Write the JSON object; with `with_contents` also what is in the buffers before the program starts."""
        program, config = self.run.program, self.run.arch.config
        memory_map = MemoryMap.of(program, self.run.units)
        functions = Functions()
        out = ObjectWriter(write)
        self.run.write_head(out, FORMAT, VERSION)
        out.field("steps", self.run.workload.spec.steps)
        out.field("batch", self.run.workload.spec.batch)
        out.field("machine", machine_data(config, self.run.units, self.run.spec, program, memory_map.used_bits))
        out.field("configuration", Arguments(config.model_dump(mode="json")))
        out.array("buffers", self._buffers(memory_map))
        out.array("phases", self._phases())
        out.array("ops", self._ops(memory_map, functions))
        out.array("tokens", self._tokens())
        out.array("functions", functions)
        if with_contents and self.numbers is not None:
            out.array("contents", contents(self.numbers, self.run.units))
        out.end()

    def _buffers(self, memory_map: MemoryMap) -> Iterator[BufferData]:
        encodings = {} if self.numbers is None else self.numbers.encodings
        banked = banked_memories(self.run.units)
        for buffer in self.run.program.buffers:
            place, encoding = memory_map.places[buffer.name], encodings.get(buffer.name)
            yield buffer_data(buffer, place, encoding, buffer.memory in banked)

    def _phases(self) -> Iterator[PhaseData]:
        for phase in self.run.program.phases:
            tokens = sum(map(len, phase.deps))
            yield PhaseData(phase.name, phase.kind.value, phase.repeat, phase.time_steps, len(phase.ops), tokens)

    def _ops(self, memory_map: MemoryMap, functions: Functions) -> Iterator[OpData]:
        writer = OpWriter(self.run.program.buffers, memory_map.places, functions)
        uses = self.run.spec.port_uses
        numerics = None if self.numbers is None else Numerics(self.numbers.encodings)
        for number, phase in enumerate(self.run.program.phases):
            for index, op in enumerate(phase.ops):
                shared = uses[number][index] if uses else ()
                service = self.run.spec.services[number][index]
                ported = self.run.units[op.unit].read_ports(op)
                yield writer.data(number, index, op, ported, service, shared, self._constants(op, numerics))

    def _constants(self, op: Op, numerics: Numerics | None) -> OpConstants | None:
        if numerics is not None:
            return self.run.units[op.unit].constants(op, numerics)
        return None if self.timing_only else FLOATING

    def _tokens(self) -> Iterator[TokenData]:
        for number, phase in enumerate(self.run.program.phases):
            most = most_tokens(phase, self.run.spec.queue_depth)
            for index, deps in enumerate(phase.deps):
                for dep, at_most in zip(deps, most[index], strict=True):
                    window = TokenWindow.of(dep, phase.ops[dep.op], phase.ops[index], phase.repeat)
                    yield TokenData(
                        phase=number,
                        from_op=dep.op,
                        to_op=index,
                        lag=dep.lag,
                        event=dep.after.value,
                        cause=dep.cause.value,
                        initial=window.initial,
                        send_from=window.send_from,
                        send_until=window.send_until,
                        take_until=window.take_until,
                        most=at_most,
                    )
