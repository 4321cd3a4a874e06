"""Finds ops that differ only in where their operands lie: they take the same time and do the same work."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, cast

from archsim.program.ir import Buffer, Op, Program, Region

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
        numbers: dict[Hashable, int] = {}
        ops: list[Op] = []
        found: list[tuple[int, ...]] = []
        for phase in program.phases:
            distinct, places = phase.shapes
            of_phase: list[int] = []
            for op in distinct:
                number = numbers.setdefault(op_shape(op), len(ops))
                if number == len(ops):
                    ops.append(op)
                of_phase.append(number)
            found.append(tuple(map(of_phase.__getitem__, places)))
        return cls(tuple(ops), tuple(found))

    def times(self, program: Program) -> tuple[int, ...]:
        """How often the program executes ops of each shape."""
        found = [0] * len(self.ops)
        for phase, shapes in zip(program.phases, self.of_phase, strict=True):
            for op, shape in zip(phase.ops, shapes, strict=True):
                found[shape] += op.instances(phase.repeat)
        return tuple(found)


def shapes_of(ops: Sequence[Op]) -> tuple[tuple[Op, ...], tuple[int, ...]]:
    """The first of the ops of each shape, and for each op the number of its shape among these."""
    numbers: dict[Hashable, int] = {}
    distinct: list[Op] = []
    places: list[int] = []
    for op in ops:
        place = numbers.setdefault(op_shape(op), len(distinct))
        if place == len(distinct):
            distinct.append(op)
        places.append(place)
    return tuple(distinct), tuple(places)


def op_shape(op: Op) -> Hashable:
    """A key that is equal for two ops of one kind and unit whose operands are as many entries of the same buffers.

    Their numbers stand for the same, too.
    """
    return type(op), *map(_shape, _what(type(op))(op))


@cache
def _what(kind: type[Op]) -> Callable[[Op], tuple[object, ...]]:
    """What reads the fields of an op of a kind that say what it does."""
    return _getter(field.name for field in fields(kind) if field.name not in _WHICH)


@cache
def _inside(kind: type[Any]) -> Callable[[object], tuple[object, ...]] | None:
    """What reads the fields that count of a value of a kind; None of a kind without fields."""
    if not is_dataclass(kind) or issubclass(kind, Buffer):
        return None
    return _getter(field.name for field in fields(kind) if not field.metadata.get(PLACE))


def _getter(names: Iterable[str]) -> Callable[[object], tuple[object, ...]]:
    found = tuple(names)
    if len(found) > 1:
        return attrgetter(*found)
    return lambda value: tuple(getattr(value, name) for name in found)


_PLAIN = frozenset({type(None), bool, int, float, str})
"""The commonest kinds of values without fields."""


def _shape(value: object) -> Hashable:
    kind: Any = type(value)
    if kind is Region:
        region = cast(Region, value)
        return region.buffer, region.stop - region.start, region.encoding
    if kind in _PLAIN:
        return cast("str | None", value)
    if isinstance(value, tuple):
        return tuple(map(_shape, value))
    inside = _inside(kind)
    if inside is not None:
        return kind, *map(_shape, inside(value))
    assert isinstance(value, Hashable)
    return value
