"""Works out what a unit says of an op, once for all programs that have such an op on such a unit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from archsim.hardware.operators import Operator
from archsim.hardware.unit import Service, Unit, Work
from archsim.metrics.actions import Access, operands
from archsim.program.ir import Buffer, Op
from archsim.program.shapes import op_shape

MOST_OPS = 1 << 15
"""Ops of which something is kept, and ops that are told apart; then all of it begins anew."""

_BUFFER = attrgetter(*(field.name for field in fields(Buffer)))

Asked = Mapping[str, int | None]
"""Memory -> width in bits a cycle of those ports whose width a unit asked for."""


@dataclass(frozen=True, slots=True)
class CountedOps:
    """The ops of one unit, one of each shape, and how often each is executed.

    `contents`: of each op a number that it shares with equal ops of other programs; `content`: that of all together.
    """

    ops: tuple[tuple[Op, int], ...]
    contents: tuple[int, ...]
    content: int


NO_OPS = CountedOps((), (), -1)
"""Of a unit that executes none."""


@dataclass(frozen=True, slots=True, eq=False)
class OpFacts:
    """What a unit says of an op.

    `operators` and `operands`: what it switches and moves, () of a unit without a model of energy; `asked`: the widths
    of ports that it follows from.
    """

    service: Service
    work: Work
    operators: tuple[tuple[Operator, int], ...]
    operands: tuple[tuple[Access, int], ...]
    asked: Asked

    @staticmethod
    def of(unit: Unit[Any], op: Op) -> OpFacts:
        """Ask a unit for all of it."""
        asking, noted = unit.with_noted_ports()
        service, work = asking.cycles(op), asking.work(op)
        modelled = unit.has_energy_model
        operators = tuple(asking.tally(op).items()) if modelled else ()
        moved = tuple(operands(op, asking)) if modelled else ()
        return OpFacts(service, work, operators, moved, MappingProxyType(noted.asked))


def fits(asked: Asked, unit: Unit[Any]) -> bool:
    """Whether the ports of a unit are as wide as those that were asked for."""
    return all(memory in unit.ports and unit.ports[memory] == width for memory, width in asked.items())


class KnownOps:
    """What units say of ops, kept for other programs.

    Ops are the same if they are of one shape and their buffers are equal in every field.
    """

    def __init__(self) -> None:
        self._number = count()
        self._contents: dict[Hashable, int] = {}
        self._kept: dict[tuple[int, int], list[OpFacts]] = {}

    def counted(self, ops: Sequence[tuple[Op, int]]) -> CountedOps:
        """Ops of one unit, as they are told apart here."""
        if len(self._contents) >= MOST_OPS:
            self._contents.clear()  # numbers are not given again, so what is kept under them stays true
        buffers: dict[Buffer, Hashable] = {}
        contents = tuple(self._known(_content(op_shape(op), buffers)) for op, _ in ops)
        return CountedOps(tuple(ops), contents, self._known((contents, tuple(times for _, times in ops))))

    def facts(self, unit: Unit[Any], ops: CountedOps) -> list[OpFacts]:
        """What a unit says of each of some ops."""
        identity = self._known(unit.identity)
        return [self._of(identity, unit, op, content) for (op, _), content in zip(ops.ops, ops.contents, strict=True)]

    def _of(self, identity: int, unit: Unit[Any], op: Op, content: int) -> OpFacts:
        kept = self._kept.get((identity, content), ())
        for known in kept:
            if fits(known.asked, unit):
                return known
        if len(self._kept) >= MOST_OPS:
            self._kept.clear()
        found = OpFacts.of(unit, op)
        self._kept[identity, content] = [*kept, found]
        return found

    def _known(self, content: Hashable) -> int:
        try:
            known = self._contents.get(content)
        except TypeError:  # a field that has no hash: it is like no other
            return next(self._number)
        if known is None:
            known = self._contents[content] = next(self._number)
        return known


def _content(shape: Hashable, buffers: dict[Buffer, Hashable]) -> Hashable:
    """A shape with buffers by what they are, not which; `buffers`: those met before."""
    if isinstance(shape, tuple):
        return tuple(_content(part, buffers) for part in shape)
    if isinstance(shape, Buffer):
        known = buffers.get(shape)
        if known is None:
            known = buffers[shape] = _BUFFER(shape)
        return known
    return shape
