"""Defines the schedule `operators`: an LSTM unrolled in time into the operators that Vela makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archsim.errors import ArchError, Fault, ScheduleError
from archsim.families.ethosu.config import EthosuConfig
from archsim.families.ethosu.operators import Add, DotProduct, Engine, Multiply, Operator, Pass
from archsim.families.schedule import Schedule
from archsim.formats import Formats
from archsim.hardware.functions.method_registry import make_method
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, DataKind, PhaseKind, Program, Region
from archsim.workload.network import CellKind, CellSpec, FunctionSpec, NetworkSpec

GATES = "ifgo"
SIGMOID, TANH = FunctionSpec("sigmoid"), FunctionSpec("tanh")


@dataclass(frozen=True, slots=True)
class Operators(Schedule[EthosuConfig]):
    """The schedule of the family ethosu."""

    name: str = "operators"
    summary: str = "21 operators a time step, one after the other: dot products of x and of h apart, weights from flash"
    family: str = "ethosu"
    splits_sums: bool = True
    interleaves_gates: bool = False

    def build(self, spec: NetworkSpec, config: EthosuConfig) -> Program:
        """Build the program; ScheduleError if the compiler would not make these operators of the network."""
        _refuse(spec, config)
        cell = _Cell.of(spec.cells[0], spec.steps, config.formats)
        prologue = build_phase("prologue", PhaseKind.PROLOGUE, list(cell.first()))
        body = build_phase("body", PhaseKind.BODY, list(cell.step()), repeat=spec.steps)
        return Program(self.name, tuple(cell.buffers.values()), (prologue, body))


ETHOSU_SCHEDULES = (Operators(),)
"""All schedules of the family ethosu."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell and its buffers by name."""

    spec: CellSpec
    buffers: dict[str, Buffer]

    @classmethod
    def of(cls, cell: CellSpec, steps: int, formats: Formats) -> _Cell:
        units, found = cell.hidden_size, list[Buffer]()

        def vector(name: str, kind: DataKind, entries: int, held: str, encoding: str = "") -> Buffer:
            made = Buffer(name, "sram", kind, entries, 1, formats.format(held), format_kind=held, encoding=encoding)
            found.append(made)
            return made

        def given(buffer: Buffer, memory: str = "sram", *, matrix: bool = False) -> None:
            found[-1] = replace(buffer, is_input=True, memory=memory, matrix=matrix)

        def in_time(buffer: Buffer) -> None:
            found[-1] = replace(found[-1], slots=None, length=steps)

        given(vector("dram.x", DataKind.X, cell.input_size, "input"))
        in_time(found[-1])
        for name, kind, width in (("W_ih", DataKind.W_IH, cell.input_size), ("W_hh", DataKind.W_HH, units)):
            given(replace(vector(f"dram.{name}", kind, cell.rows, "weight"), width=width), "flash", matrix=True)
        if cell.bias:
            given(vector("dram.bias", DataKind.BIAS, cell.rows, "accumulator"), "flash")
        given(vector("dram.h_0", DataKind.H, units, "hidden"))
        given(vector("dram.c_0", DataKind.C, units, "cell"))
        vector("h", DataKind.H, units, "hidden")
        vector("dram.c_n", DataKind.C, units, "cell")
        for gate in GATES:
            vector(f"x_{gate}", DataKind.PARTIAL_SUM, units, "gate", "sums")
            vector(f"h_{gate}", DataKind.PARTIAL_SUM, units, "gate", "sums")
            vector(f"raw_{gate}", DataKind.GATE, units, "activation", "gates")
            vector(f"gate_{gate}", DataKind.GATE, units, "activation", "gates")
        for name in ("fc", "ig"):
            vector(name, DataKind.PARTIAL_SUM, units, "cell", "c")
        vector("tanh_c", DataKind.GATE, units, "activation")
        vector("dram.output", DataKind.OUTPUT, units, "hidden")
        in_time(found[-1])
        return cls(cell, {buffer.name: buffer for buffer in found})

    def first(self) -> Iterator[Operator]:
        """The copies of the first states, once."""
        yield Pass(unit=Engine.name, label="copy h_0", source=self._all("dram.h_0"), target=self._all("h"))
        yield Pass(unit=Engine.name, label="copy c_0", source=self._all("dram.c_0"), target=self._all("dram.c_n"))

    def step(self) -> Iterator[Operator]:
        """The operators of a time step, in the compiler's order."""
        unit, every = Engine.name, self._all
        for number, gate in enumerate("ifg"):
            yield from self._gate(number, gate)
        c = every("dram.c_n")
        yield Multiply(unit=unit, label="f * c", first=c, second=every("gate_f"), target=every("fc"))
        yield Multiply(unit=unit, label="i * g", first=every("gate_i"), second=every("raw_g"), target=every("ig"))
        yield Add(unit=unit, label="c", first=every("fc"), second=every("ig"), target=c)
        yield from self._gate(3, "o")
        yield Pass(unit=unit, label="tanh(c)", source=c, target=every("tanh_c"), function=TANH)
        yield Multiply(unit=unit, label="h", first=every("tanh_c"), second=every("gate_o"), target=every("h"))
        output = self.buffers["dram.output"]
        yield Pass(unit=unit, label="copy h", source=every("h"), target=Region(output, 0, output.entries, stride=1))

    def _gate(self, number: int, gate: str) -> Iterator[Operator]:
        units, x = self.spec.hidden_size, self.buffers["dram.x"]
        rows = number * units, (number + 1) * units
        vectors = {"x": Region(x, 0, x.entries, stride=1), "h": self._all("h")}
        for name, matrix in (("h", "dram.W_hh"), ("x", "dram.W_ih")):
            bias = Region(self.buffers["dram.bias"], *rows) if self.spec.bias and name == "x" else None
            yield DotProduct(
                unit=Engine.name,
                label=f"W {name} of {gate}",
                weights=Region(self.buffers[matrix], *rows),
                vector=vectors[name],
                bias=bias,
                target=self._all(f"{name}_{gate}"),
            )
        yield Add(
            unit=Engine.name,
            label=f"{gate}",
            first=self._all(f"x_{gate}"),
            second=self._all(f"h_{gate}"),
            target=self._all(f"raw_{gate}"),
            function=TANH if gate == "g" else SIGMOID,
        )
        if gate != "g":
            source, target = self._all(f"raw_{gate}"), self._all(f"gate_{gate}")
            yield Pass(unit=Engine.name, label=f"clamp {gate}", source=source, target=target)

    def _all(self, name: str) -> Region:
        buffer = self.buffers[name]
        return Region(buffer, 0, buffer.entries)


def _refuse(spec: NetworkSpec, config: EthosuConfig) -> None:
    """Raise ScheduleError for what these operators are not, ArchError for unknown functions."""
    first = spec.cells[0]
    wanted = {
        "cells other than an LSTM": first.kind is not CellKind.LSTM,
        "more than one layer or direction": len(spec.cells) > 1,
        "a batch": spec.batch > 1,
        "a projection": bool(first.proj_size),
        "peepholes": first.peepholes,
        "layer normalization": first.layer_norm,
        "coupled gates (input_forget)": first.input_forget,
        "clipping": first.clip is not None,
        "a direction from the last step to the first": first.reverse,
        "sequences of different lengths": spec.lengths is not None,
        "streams of frames": spec.streaming,
    }
    missing = [name for name, needed in wanted.items() if needed]
    if missing:
        raise ScheduleError(f"--schedule operators: machines of the family ethosu do not run {', '.join(missing)}")
    functions = tuple(function.name for function in first.functions)
    method = make_method(config.engine, config.formats)
    if functions != ("sigmoid", "tanh", "tanh") or method.unsupported(frozenset(functions)):
        message = f"the operators have sigmoid and tanh; the workload needs {', '.join(sorted(set(functions)))}"
        raise ArchError((Fault("architecture", "engine.method", message),))
