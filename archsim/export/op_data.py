"""Ops as data: operands with addresses and slot pointers, service times, and the integers of their arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

from archsim.errors import SimulatorBug
from archsim.export.buffer_data import Place
from archsim.export.machine_data import ServiceData
from archsim.export.plain import Arguments, Plain, plain
from archsim.formats import NumberFormat
from archsim.hardware.constants import (
    ActivationConstants,
    FunctionConstants,
    FunctionStep,
    OpConstants,
    StepConstants,
    StepsConstants,
)
from archsim.hardware.unit import PortUse, Service
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.activity import LayerActivity

_COMMON = frozenset(field.name for field in fields(Op))
"""Fields that every op has; the others are the arguments of its kind."""


@dataclass(frozen=True, slots=True)
class SlotPointer:
    """Which slot repetition r uses: (start + r * increment) mod modulus; None: no modulus."""

    start: int
    increment: int
    modulus: int | None

    @classmethod
    def from_region(cls, region: Region) -> SlotPointer:
        """The pointer of a region; with a modulus both numbers are below it, so that one subtraction wraps it."""
        slots = region.buffer.slots
        if slots is None:
            return cls(region.offset, region.stride, None)
        return cls(region.offset % slots, region.stride % slots, slots)


@dataclass(frozen=True, slots=True)
class OperandData:
    """A region of one slot of a buffer; `first_bit`: where it begins in the memory, in slot 0."""

    buffer: int
    first_entry: int
    entries: int
    slot: SlotPointer
    first_bit: int | None
    slot_stride_bits: int
    bits: int


@dataclass(frozen=True, slots=True)
class OpData:
    """An op of a phase's body."""

    phase: int
    op: int
    label: str
    unit: str
    type: str
    skip_first: int
    skip_last: int
    joined: bool
    step_stride: int
    step_offset: int
    macs: int
    operands: tuple[OperandData, ...]
    reads: tuple[int, ...]
    ported_reads: tuple[int, ...]
    updates: tuple[int, ...]
    writes: tuple[int, ...]
    awaits: tuple[int, ...]
    arguments: Arguments
    service: ServiceData
    single_ports: tuple[PortUse, ...]
    arithmetic: Arguments | None


class Functions:
    """The functions that ops evaluate, each once; ops name them by their number."""

    def __init__(self) -> None:
        self._numbers: dict[FunctionConstants, int] = {}

    def number(self, function: FunctionConstants) -> int:
        """The number of a function, a new one if it has not come yet."""
        return self._numbers.setdefault(function, len(self._numbers))

    def __iter__(self) -> Iterator[FunctionConstants]:
        """All functions in the order of their numbers."""
        return iter(self._numbers)


class OpWriter:
    """Makes the data of a program's ops."""

    def __init__(self, buffers: Sequence[Buffer], places: Mapping[str, Place], functions: Functions) -> None:
        self._numbers = {buffer.name: number for number, buffer in enumerate(buffers)}
        self._places = places
        self._functions = functions

    def data(
        self,
        phase: int,
        index: int,
        op: Op,
        ported: tuple[Region, ...],
        service: Service,
        uses: tuple[PortUse, ...],
        constants: OpConstants | None,
    ) -> OpData:
        """The data of one op.

        `ported`: what it reads through its unit's read ports; `uses`: what it needs of single ports; `constants`: None
        if they were not asked for.
        """
        operands: dict[Region, int] = {}

        def number(region: Region) -> int:
            return operands.setdefault(region, len(operands))

        reads, writes = tuple(map(number, op.reads)), tuple(map(number, op.writes))
        updates, awaits = tuple(map(number, op.updates)), tuple(map(number, op.awaits))
        own = [field.name for field in fields(op) if field.name not in _COMMON]
        arguments = {name: _argument(getattr(op, name), operands) for name in own}
        return OpData(
            phase=phase,
            op=index,
            label=op.label,
            unit=op.unit,
            type=type(op).__name__,
            skip_first=op.skip_first,
            skip_last=op.skip_last,
            joined=op.joined,
            step_stride=op.step_stride,
            step_offset=op.step_offset,
            macs=op.macs,
            operands=tuple(map(self._operand, operands)),
            reads=reads,
            ported_reads=tuple(map(number, ported)),
            updates=updates,
            writes=writes,
            awaits=awaits,
            arguments=Arguments(arguments),
            service=ServiceData.from_service(service),
            single_ports=uses,
            arithmetic=None if constants is None else self._arithmetic(constants),
        )

    def _operand(self, region: Region) -> OperandData:
        place = self._places[region.buffer.name]
        before = region.buffer.bits_of(region.start) if region.start else 0
        return OperandData(
            buffer=self._numbers[region.buffer.name],
            first_entry=region.start,
            entries=region.entries,
            slot=SlotPointer.from_region(region),
            first_bit=None if place.base_bit is None else place.base_bit + before,
            slot_stride_bits=place.slot_bits,
            bits=region.bits,
        )

    def _arithmetic(self, constants: OpConstants) -> Arguments:
        if isinstance(constants, StepsConstants):
            steps: list[Plain] = [self._named(step) for step in constants.steps]
            return Arguments({"steps": steps, "definition": constants.definition})
        return Arguments(self._named(constants))

    def _named(self, constants: OpConstants | StepConstants) -> dict[str, Plain]:
        """The fields by their names; a function is its number."""
        found = {field.name: plain(getattr(constants, field.name)) for field in fields(constants)}
        if isinstance(constants, ActivationConstants | FunctionStep):
            found["function"] = self._functions.number(constants.function)
        return found


def _argument(value: object, operands: dict[Region, int]) -> Plain:
    """An argument of an op: a region is the number of an operand, anything else what it is."""
    if isinstance(value, Region):
        return {"operand": operands.setdefault(value, len(operands))}
    if isinstance(value, tuple):
        return [_argument(item, operands) for item in value]
    if isinstance(value, Buffer):
        return value.name
    if value is None or isinstance(value, bool | int | float | str | NumberFormat):
        return plain(value)
    if isinstance(value, LayerActivity):  # the columns of each step, by their numbers
        return [[list(step.x), list(step.h)] for step in value.steps]
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: _argument(getattr(value, field.name), operands) for field in fields(value)}
        return {"type": type(value).__name__, **named}
    raise SimulatorBug(f"an argument of type {type(value).__name__} has no form in JSON")
