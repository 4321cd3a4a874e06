"""Finds ops that differ only in where their operands lie: they take the same time and do the same work."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields, is_dataclass

from archsim.program.ir import Buffer, Op, Phase, Program, Region

PLACE = "place"
"""Key of the metadata of a field that says where something lies, and so is no part of a shape."""

_WHICH = frozenset({"label", "skip_first", "skip_last", "step_stride", "step_offset"})
"""Fields of an op that say which one it is and when it takes part."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """The distinct shapes of a program's ops: one op of each, and for each phase the shape of each of its ops.

    What a unit says of an op (`cycles`, `work`) it says of all ops of its shape.
    """

    ops: tuple[Op, ...]
    of_phase: tuple[tuple[int, ...], ...]

    @classmethod
    def from_program(cls, program: Program) -> Shapes:
        """The shapes of a program."""
        places: dict[Hashable, int] = {}
        ops: list[Op] = []
        found: list[tuple[int, ...]] = []
        for phase in program.phases:
            of_ops: list[int] = []
            for op in phase.ops:
                place = places.setdefault(op_shape(op), len(ops))
                if place == len(ops):
                    ops.append(op)
                of_ops.append(place)
            found.append(tuple(of_ops))
        return cls(tuple(ops), tuple(found))

    def times(self, program: Program) -> tuple[int, ...]:
        """How often the program executes ops of each shape."""
        found = [0] * len(self.ops)
        for phase, shapes in zip(program.phases, self.of_phase, strict=True):
            for op, shape in zip(phase.ops, shapes, strict=True):
                found[shape] += op.instances(phase.repeat)
        return tuple(found)


def distinct_ops(phase: Phase) -> tuple[tuple[Op, int], ...]:
    """One op of each shape in a phase, and how often the phase executes ops of that shape."""
    ops: dict[Hashable, Op] = {}
    times: dict[Hashable, int] = {}
    for op in phase.ops:
        shape = op_shape(op)
        ops.setdefault(shape, op)
        times[shape] = times.get(shape, 0) + op.instances(phase.repeat)
    return tuple((op, times[shape]) for shape, op in ops.items())


def op_shape(op: Op) -> Hashable:
    """A key that is equal for two ops of one kind and unit whose operands are as many entries of the same buffers."""
    return type(op), *(_shape(getattr(op, field.name)) for field in fields(op) if field.name not in _WHICH)


def _shape(value: object) -> Hashable:
    if isinstance(value, Region):
        return value.buffer, value.entries
    if isinstance(value, tuple):
        return tuple(map(_shape, value))
    if is_dataclass(value) and not isinstance(value, type | Buffer):
        names = (field.name for field in fields(value) if not field.metadata.get(PLACE))
        return type(value), *(_shape(getattr(value, name)) for name in names)
    assert isinstance(value, Hashable)
    return value
