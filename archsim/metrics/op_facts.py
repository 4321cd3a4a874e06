"""Works out what a unit says of an op, once for all programs that have such an op on such a unit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

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
"""The ops of a unit that executes none."""


@dataclass(frozen=True, slots=True, eq=False)
class OpService:
    """How long an op takes on a unit; `asked`: the widths of ports that it follows from."""

    service: Service
    asked: Asked

    @staticmethod
    def of(unit: Unit[Any], op: Op) -> OpService:
        """Ask a unit for it."""
        asking, noted = unit.with_noted_ports()
        return OpService(asking.cycles(op), MappingProxyType(noted.asked))


@dataclass(frozen=True, slots=True, eq=False)
class OpActions:
    """What an op does on a unit, however long it takes, so that it mostly follows from no port's width.

    `operators` and `operands`: what it switches and moves, () of a unit without a model of energy; `asked`: the widths
    of ports that it follows from.
    """

    work: Work
    operators: tuple[tuple[Operator, int], ...]
    operands: tuple[tuple[Access, int], ...]
    asked: Asked

    @staticmethod
    def of(unit: Unit[Any], op: Op) -> OpActions:
        """Ask a unit for all of it."""
        asking, noted = unit.with_noted_ports()
        work, modelled = asking.work(op), unit.has_energy_model
        operators = tuple(asking.tally(op).items()) if modelled else ()
        moved = tuple(operands(op, asking)) if modelled else ()
        return OpActions(work, operators, moved, MappingProxyType(noted.asked))


class Asking(Protocol):
    """What follows from the widths of ports that were asked for."""

    @property
    def asked(self) -> Asked: ...


Said = TypeVar("Said", OpService, OpActions)
Found = TypeVar("Found", bound=Asking)


class UnitWidths:
    """The widths of a unit's ports, looked up once for each set of memories."""

    def __init__(self, unit: Unit[Any]) -> None:
        self._ports = unit.ports
        self._known: dict[tuple[str, ...], tuple[int | None, ...]] = {}

    def of(self, memories: tuple[str, ...]) -> tuple[int | None, ...]:
        """The widths of the ports into some memories; () if there are none into one of them."""
        known = self._known.get(memories)
        if known is None:
            there = all(memory in self._ports for memory in memories)
            known = self._known[memories] = tuple(map(self._ports.__getitem__, memories)) if there else ()
        return known


class ByWidths(Generic[Found]):
    """What is known of units that differ in the widths of their ports, by those widths that it follows from."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], dict[tuple[int | None, ...], Found]] = {}

    def get(self, widths: UnitWidths) -> Found | None:
        """What is known of a unit with ports of these widths."""
        for memories, of_memories in self._found.items():
            found = of_memories.get(widths.of(memories))
            if found is not None:
                return found
        return None

    def put(self, found: Found) -> None:
        """Keep it for units whose ports are as wide where it asked for them."""
        self._found.setdefault(tuple(found.asked), {})[tuple(found.asked.values())] = found


class KnownOps:
    """What units say of ops, kept for other programs.

    Ops are the same if they are of one shape and their buffers are equal in every field.
    """

    def __init__(self) -> None:
        self._number = count()
        self._contents: dict[Hashable, int] = {}
        self._services: dict[tuple[int, int], ByWidths[OpService]] = {}
        self._actions: dict[tuple[int, int], ByWidths[OpActions]] = {}

    def counted(self, ops: Sequence[tuple[Op, int]]) -> CountedOps:
        """Ops of one unit, as they are told apart here."""
        if len(self._contents) >= MOST_OPS:
            self._contents.clear()  # numbers are not given again, so what is kept under them stays true
        buffers: dict[Buffer, Hashable] = {}
        contents = tuple(self._known(_content(op_shape(op), buffers)) for op, _ in ops)
        return CountedOps(tuple(ops), contents, self._known((contents, tuple(times for _, times in ops))))

    def services(self, unit: Unit[Any], ops: CountedOps) -> list[OpService]:
        """How long each of some ops takes on a unit."""
        return self._of_each(self._services, OpService.of, unit, ops)

    def actions(self, unit: Unit[Any], ops: CountedOps) -> list[OpActions]:
        """What each of some ops does on a unit."""
        return self._of_each(self._actions, OpActions.of, unit, ops)

    def _of_each(
        self,
        kept: dict[tuple[int, int], ByWidths[Said]],
        ask: Callable[[Unit[Any], Op], Said],
        unit: Unit[Any],
        ops: CountedOps,
    ) -> list[Said]:
        identity, widths, found = self._known(unit.identity), UnitWidths(unit), list[Said]()
        for (op, _), content in zip(ops.ops, ops.contents, strict=True):
            key = identity, content
            known = kept.get(key)
            said = None if known is None else known.get(widths)
            if said is None:
                if len(kept) >= MOST_OPS:
                    kept.clear()
                said = ask(unit, op)
                kept.setdefault(key, ByWidths()).put(said)
            found.append(said)
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
