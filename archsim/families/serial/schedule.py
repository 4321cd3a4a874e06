"""Defines the schedule `unit_by_unit`: a hidden unit after the other, each unit's gates beside the next one's sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archsim.errors import ArchError, Fault, ScheduleError
from archsim.families.schedule import Schedule
from archsim.families.serial.config import GATES, SerialConfig
from archsim.families.serial.units import (
    Controller,
    CopyStates,
    DotProduct,
    FinishStep,
    SerialElementwise,
    StartStep,
    UnitSums,
    UpdateUnit,
)
from archsim.hardware.functions.method_registry import make_method
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, DataKind, Op, PhaseKind, Program, Region
from archsim.workload.network import CellKind, CellSpec, NetworkSpec

SUM_SLOTS = 2
"""Accumulators, and behind them the registers that the element-wise machine reads."""


@dataclass(frozen=True, slots=True)
class UnitByUnit(Schedule[SerialConfig]):
    """The schedule of the family serial."""

    name: str = "unit_by_unit"
    summary: str = "a hidden unit after the other; what follows a unit's sums runs beside the next unit's"
    family: str = "serial"
    splits_sums: bool = False
    interleaves_gates: bool = True

    def build(self, spec: NetworkSpec, config: SerialConfig) -> Program:
        """Build the program; ScheduleError if the machine cannot run the network."""
        _refuse(spec, config)
        cell = spec.cells[0]
        buffers = _Buffers.of(cell, spec.steps, config)
        body = build_phase("body", PhaseKind.BODY, list(_step(cell, buffers)), repeat=spec.steps)
        return Program(self.name, buffers.all(), (body,))


SERIAL_SCHEDULES = (UnitByUnit(),)
"""All schedules of the family serial."""


@dataclass(frozen=True, slots=True)
class _Buffers:
    """What a cell's numbers lie in: x and weights before the run, h_n and c_n in the temporary RAMs after it."""

    source: Buffer
    x: Buffer
    w_ih: Buffer
    w_hh: Buffer
    bias: Buffer | None
    h: Buffer
    c: Buffer
    sums: Buffer
    new_h: Buffer
    new_c: Buffer
    output: Buffer
    h_n: Buffer
    c_n: Buffer

    @classmethod
    def of(cls, cell: CellSpec, steps: int, config: SerialConfig) -> _Buffers:
        data, units = config.data, cell.hidden_size

        def vector(name: str, memory: str, kind: DataKind, entries: int, held: str, slots: int = 1) -> Buffer:
            return Buffer(name, memory, kind, entries, 1, config.formats.format(held), slots, format_kind=held)

        def matrix(name: str, kind: DataKind, inputs: int) -> Buffer:
            return Buffer(
                f"dram.{name}", "rom", kind, cell.rows, inputs, data, is_input=True, format_kind="weight", matrix=True
            )

        source = vector("dram.x", "input_buffer", DataKind.X, cell.input_size, "input")
        output = vector("dram.output", "host", DataKind.OUTPUT, units, "hidden")
        h, c = (
            vector("h", "state_rams", DataKind.H, units, "hidden"),
            vector("c", "state_rams", DataKind.C, units, "cell"),
        )
        bias = vector("dram.bias", "rom", DataKind.BIAS, cell.rows, "accumulator")
        return cls(
            source=replace(source, slots=None, length=steps, is_input=True),
            x=vector("x", "input_buffer", DataKind.X, cell.input_size, "input"),
            w_ih=matrix("W_ih", DataKind.W_IH, cell.input_size),
            w_hh=matrix("W_hh", DataKind.W_HH, units),
            bias=replace(bias, is_input=True) if cell.bias else None,
            h=replace(h, is_input=True, tensor="dram.h_0"),
            c=replace(c, is_input=True, tensor="dram.c_0"),
            sums=vector("sums", "sum_registers", DataKind.PARTIAL_SUM, GATES, "gate", SUM_SLOTS),
            new_h=replace(h, name="new_h", memory="temporary_rams", encoding="h"),
            new_c=replace(c, name="new_c", memory="temporary_rams", encoding="c"),
            output=replace(output, slots=None, length=steps),
            h_n=vector("dram.h_n", "host", DataKind.H, units, "hidden"),
            c_n=vector("dram.c_n", "host", DataKind.C, units, "cell"),
        )

    def all(self) -> tuple[Buffer, ...]:
        """All buffers, in the order in which listings show them."""
        read = (self.source, self.w_ih, self.w_hh, *((self.bias,) if self.bias else ()))
        return (
            *read, self.x, self.h, self.c, self.sums, self.new_h, self.new_c, self.output, self.h_n, self.c_n,
        )  # fmt: skip


def _step(cell: CellSpec, b: _Buffers) -> Iterator[Op]:
    """The ops of a time step."""
    units = cell.hidden_size
    now = Region(b.source, 0, cell.input_size, stride=1)
    yield StartStep(unit=Controller.name, label="start", sources=(now,), targets=(_whole(b.x),))
    for unit in range(units):
        rows = [gate * units + unit for gate in range(GATES)]

        def of_gates(buffer: Buffer | None, rows: list[int] = rows) -> tuple[Region, ...]:
            return () if buffer is None else tuple(Region(buffer, row, row + 1) for row in rows)

        sums = Region(b.sums, 0, GATES, offset=unit, stride=units)
        yield UnitSums(
            unit=DotProduct.name,
            label=f"sums[{unit}]",
            w_ih=of_gates(b.w_ih),
            w_hh=of_gates(b.w_hh),
            x=_whole(b.x),
            h=_whole(b.h),
            bias=of_gates(b.bias),
            sums=sums,
        )
        yield UpdateUnit(
            unit=SerialElementwise.name,
            label=f"update[{unit}]",
            sums=sums,
            old_c=Region(b.c, unit, unit + 1),
            new_c=Region(b.new_c, unit, unit + 1),
            new_h=Region(b.new_h, unit, unit + 1),
        )
    states = (_whole(b.new_h), _whole(b.new_c))
    yield CopyStates(unit=SerialElementwise.name, label="copy h, c", sources=states, targets=(_whole(b.h), _whole(b.c)))
    yield FinishStep(
        unit=Controller.name,
        label="finish",
        sources=(_whole(b.h), _whole(b.c)),
        targets=(_whole(b.h_n), _whole(b.c_n), Region(b.output, 0, units, stride=1)),
    )


def _whole(buffer: Buffer) -> Region:
    return Region(buffer, 0, buffer.entries)


def _refuse(spec: NetworkSpec, config: SerialConfig) -> None:
    """Raise ScheduleError for what the machine has no hardware for, ArchError for unknown functions."""
    first = spec.cells[0]
    wanted = {
        "cells other than an LSTM": first.kind is not CellKind.LSTM,
        "more than one input (I = 1 is what the cell takes)": first.input_size != 1,
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
        raise ScheduleError(f"--schedule unit_by_unit: machines of the family serial do not run {', '.join(missing)}")
    method = make_method(config.elementwise, config.formats)
    standard = tuple(function.name for function in first.functions) == ("sigmoid", "tanh", "tanh")
    functions = frozenset(function.name for function in first.functions)
    if not standard or method.unsupported(functions):
        message = f"the machine has one sigmoid and one tanh unit; the workload needs {', '.join(sorted(functions))}"
        raise ArchError((Fault("architecture", "elementwise.method", message),))
