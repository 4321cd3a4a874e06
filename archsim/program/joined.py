"""Executes a program without time, as the interpreter does, but ops of one shape that are independent all at once.

Results are the interpreter's in every bit: an op gets the same operands, since where they come from is followed
(value_flow.py), and a unit joins ops only where it computes each as it does alone. Buffers are written at the end of a
repetition. Repetitions in which some op is left out, and phases that cannot be followed, are the interpreter's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from archsim.formats.number import Array
from archsim.program.interpreter import Semantics, interpret_repetition
from archsim.program.ir import Op, Phase, Program, Region
from archsim.program.state import State
from archsim.program.value_flow import BEFORE, Origin, Slot, ValueFlow, value_flow

FEWEST_REPETITIONS = 4
"""Repetitions in which all ops take part, from which joining ops is worth finding out how."""


class Side(Enum):
    """How the operands of joined ops lie: one below the other, as further rows, or beside it, as further lanes."""

    ROWS = "rows"
    LANES = "lanes"


@dataclass(frozen=True, slots=True)
class Joining:
    """How an op may be joined with others of its shape.

    `key`: what else must be equal for all of them. `shared`: the places, among its reads, of operands of which all have
    the same one.
    """

    side: Side
    key: Hashable = ()
    shared: tuple[int, ...] = ()


class JoinedKernel(Protocol):
    """The arithmetic of joined ops: as hardware.numerics.Kernel, of an op that writes one region."""

    @property
    def effect(self) -> Callable[[Sequence[Array]], tuple[Array, ...]]:
        """The result from the operands."""

    @property
    def retire(self) -> Callable[[Array, Array], Array] | None:
        """The new contents from old ones and the result, of ops that update."""


class JoinedSemantics(Semantics, Protocol):
    """The arithmetic of ops, and how they may be joined."""

    def joining(self, op: Op) -> Joining | None:
        """How an op may be joined with others; None if it may not."""

    def joined(self, ops: Sequence[Op]) -> JoinedKernel:
        """The arithmetic of ops of one shape that have the same joining."""

    def moves(self, op: Op) -> bool:
        """Whether an op only copies its operands, one after the other."""


class JoinedObserver(Protocol):
    """Sees what ops have computed."""

    def __call__(self, op: Op, repetition: int, results: tuple[Array, ...]) -> None:
        """An op's results in a repetition."""

    def joined(self, ops: Sequence[Op], repetition: int, results: Array) -> None:
        """The results of several ops of one shape, each (rows, width), one below the other."""


def interpret_joined(
    program: Program, semantics: JoinedSemantics, state: State, observer: JoinedObserver | None = None
) -> None:
    """Execute the whole program on `state`, without time."""
    for phase in program.phases:
        tail = phase.repeat - max((op.skip_last for op in phase.ops), default=0)
        whole = range(phase.head, tail)
        flow = value_flow(phase) if len(whole) >= FEWEST_REPETITIONS else None
        plan = None if flow is None else _Plan(phase, flow, semantics, state)
        for repetition in range(phase.repeat):
            if plan is None or repetition not in whole:
                interpret_repetition(phase, repetition, semantics, state, observer)
            else:
                plan.run(repetition, observer)


class _Plan:
    """A repetition of a phase, as nodes in the order in which they are computed."""

    def __init__(self, phase: Phase, flow: ValueFlow, semantics: JoinedSemantics, state: State) -> None:
        self._state = state
        self._nodes: list[_Node] = []
        nodes = np.full(len(phase.ops), BEFORE, np.int64)
        firsts = np.zeros(len(phase.ops), np.int64)
        members: list[list[int]] = []
        for ops, joining in _groups(phase, flow, semantics):
            number = len(self._nodes)
            entries = sum(region.entries for region in phase.ops[ops[0]].writes)
            nodes[ops], firsts[ops] = number, np.arange(len(ops)) * entries
            members.append(ops)
            self._nodes.append(_Node(tuple(phase.ops[op] for op in ops), joining, semantics))
        constant = _Constants(flow.written)
        for node, ops in zip(self._nodes, members, strict=True):
            node.connect([flow.operands[op] for op in ops], nodes, firsts, constant)
        self._left = [_Left(origin, nodes, firsts) for origin in flow.left]

    def run(self, repetition: int, observer: JoinedObserver | None) -> None:
        """Execute one repetition: compute everything, then write what is left in buffers."""
        values: list[Array] = []
        for node in self._nodes:
            values.append(node.value(repetition, self._state, values))
            if observer is not None:
                node.show(observer, repetition, values[-1])
        for left in self._left:
            left.write(repetition, self._state, values)


def _groups(phase: Phase, flow: ValueFlow, semantics: JoinedSemantics) -> list[tuple[list[int], Joining | None]]:
    """The ops that are computed together, a level after the other."""
    _, shapes = phase.shapes
    found: dict[Hashable, tuple[list[int], Joining | None]] = {}
    for number, op in enumerate(phase.ops):
        joining = semantics.joining(op) if len(op.writes) == 1 else None
        if joining is None:
            found[number] = ([number], None)
            continue
        shared = tuple(_same(flow.operands[number][place]) for place in joining.shared)
        key = (flow.levels[number], shapes[number], joining, shared)
        found.setdefault(key, ([], joining))[0].append(number)
    return sorted(found.values(), key=lambda group: (flow.levels[group[0][0]], group[0][0]))


def _same(origin: Origin) -> Hashable:
    """A key that is equal for two operands that are the same values."""
    return origin.slot, origin.ops.tobytes(), origin.rows.tobytes()


@dataclass(frozen=True, slots=True)
class _Constants:
    """The buffers that the phase does not write; of a slot of those that does not move nothing changes."""

    written: frozenset[str]

    def has(self, slot: Slot) -> bool:
        """Whether a slot holds the same in all repetitions."""
        return slot.buffer.name not in self.written and not slot.moves


class _Node:
    """One op, or several that are joined; its value is all their results, (rows, width), one below the other."""

    def __init__(self, ops: tuple[Op, ...], joining: Joining | None, semantics: JoinedSemantics) -> None:
        self._ops = ops
        self._joining = joining if len(ops) > 1 else None
        self._semantics = semantics
        self._kernel = None if self._joining is None else semantics.joined(ops)
        self._operands: list[_Operand] = []
        self._kept: Array | None = None
        self._is_constant = False

    def connect(
        self,
        origins: Sequence[tuple[Origin, ...]],
        nodes: npt.NDArray[np.int64],
        firsts: npt.NDArray[np.int64],
        constants: _Constants,
    ) -> None:
        """Say where the operands of each of the ops come from."""
        joining = self._joining
        for place in range(len(origins[0])):
            of_ops = [found[place] for found in origins]
            if joining is not None and place in joining.shared:
                of_ops = of_ops[:1]
            self._operands.append(_Operand(of_ops, nodes, firsts, constants))
        first = self._ops[0]
        only_moves = len(self._ops) == 1 and not first.updates and self._semantics.moves(first)
        self._is_constant = only_moves and all(operand.constant for operand in self._operands)

    def value(self, repetition: int, state: State, values: Sequence[Array]) -> Array:
        """What the ops compute in a repetition."""
        if self._kept is not None:
            return self._kept
        operands = [operand.value(repetition, state, values) for operand in self._operands]
        made = self._alone(operands) if self._joining is None else self._together(operands, self._joining)
        value = made
        for region in self._ops[0].writes[:1]:  # as it is stored, like all others of the op
            value = made.astype(state.array(region.buffer).dtype, copy=False)
        if self._is_constant:
            value.flags.writeable = False
            self._kept = value
        return value

    def show(self, observer: JoinedObserver, repetition: int, value: Array) -> None:
        """Let an observer see it."""
        if self._joining is not None:
            observer.joined(self._ops, repetition, value)
            return
        op, results, first = self._ops[0], [], 0
        for region in op.writes:
            results.append(value[first : first + region.entries])
            first += region.entries
        observer(op, repetition, tuple(results))

    def _alone(self, operands: list[Array]) -> Array:
        op, semantics = self._ops[0], self._semantics
        count = len(op.reads)
        results = semantics.effect(op, operands[:count])
        if op.updates:
            old = iter(operands[count:])
            pairs = zip(op.writes, results, strict=True)
            results = tuple(
                semantics.retire(op, next(old), result) if region in op.updates else result for region, result in pairs
            )
        if len(results) != 1:
            return np.concatenate(results) if results else np.empty((0, 0))
        return results[0] if results[0].base is None else results[0].copy()

    def _together(self, operands: list[Array], joining: Joining) -> Array:
        assert self._kernel is not None
        op, lanes = self._ops[0], joining.side is Side.LANES
        if lanes:
            width = op.writes[0].buffer.width
            operands = [self._beside(operand, width) for operand in operands]
        count = len(op.reads)
        (result,) = self._kernel.effect(operands[:count])
        if op.updates:
            assert self._kernel.retire is not None
            result = self._kernel.retire(operands[count], result)
        if lanes:
            return self._below(result, op.writes[0])
        return result if result.base is None else result.copy()

    def _beside(self, operand: Array, width: int) -> Array:
        """From each op's operand below the other to one beside the other, all as wide as the result."""
        count = len(self._ops)
        apart = operand.reshape(count, -1, operand.shape[1])
        if operand.shape[1] != width:
            apart = np.broadcast_to(apart, (*apart.shape[:2], width))
        return np.ascontiguousarray(apart.transpose(1, 0, 2)).reshape(apart.shape[1], count * width)

    def _below(self, result: Array, region: Region) -> Array:
        width = region.buffer.width
        apart = result.reshape(region.entries, len(self._ops), width).transpose(1, 0, 2)
        below: Array = np.ascontiguousarray(apart).reshape(-1, width)
        return below if below.base is None or below.base.base is None else below.copy()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of an operand that come from one node, or (BEFORE) from a slot: a range of its rows, or these."""

    to: slice | npt.NDArray[np.int64]
    node: int
    slot: Slot
    rows: slice | npt.NDArray[np.int64]

    def read(self, repetition: int, state: State, values: Sequence[Array]) -> Array:
        """The rows; a view if they follow each other."""
        whole = values[self.node] if self.node != BEFORE else state.slot(self.slot.buffer, self.slot.of(repetition))
        rows: Array = whole[self.rows]
        return rows


class _Operand:
    """An operand of one op, or those of several one below the other, put together from where they come from."""

    def __init__(
        self,
        origins: Sequence[Origin],
        nodes: npt.NDArray[np.int64],
        firsts: npt.NDArray[np.int64],
        constants: _Constants,
    ) -> None:
        slots = list(dict.fromkeys(origin.slot for origin in origins))
        place = np.repeat([slots.index(origin.slot) for origin in origins], [len(origin.ops) for origin in origins])
        ops = np.concatenate([origin.ops for origin in origins])
        rows = np.concatenate([origin.rows for origin in origins])
        before = ops == BEFORE
        node = np.where(before, BEFORE, nodes[ops])
        rows = np.where(before, rows, rows + firsts[ops])
        self._rows = len(rows)
        self._pieces = []
        keys = np.where(before, -1 - place, node)
        for key in np.unique(keys).tolist():
            to = np.flatnonzero(keys == key)
            slot = slots[-1 - key] if key < 0 else slots[0]
            self._pieces.append(_Piece(_range(to), BEFORE if key < 0 else key, slot, _range(rows[to])))
        self.constant = all(piece.node == BEFORE and constants.has(piece.slot) for piece in self._pieces)
        self._kept: Array | None = None

    def value(self, repetition: int, state: State, values: Sequence[Array]) -> Array:
        """The rows in a repetition; read-only, and the same array each time, if they are the same in all."""
        if self._kept is not None:
            return self._kept
        if len(self._pieces) == 1:
            found = self._pieces[0].read(repetition, state, values)
        else:
            read = [piece.read(repetition, state, values) for piece in self._pieces]
            found = np.empty((self._rows, read[0].shape[1]), read[0].dtype)
            for piece, rows in zip(self._pieces, read, strict=True):
                found[piece.to] = rows
        if self.constant:
            found = found.view()
            found.flags.writeable = False
            self._kept = found
        return found


class _Left:
    """What a repetition leaves in a slot."""

    def __init__(self, origin: Origin, nodes: npt.NDArray[np.int64], firsts: npt.NDArray[np.int64]) -> None:
        self._slot = origin.slot
        self._pieces = []
        written = np.flatnonzero(origin.ops != BEFORE)
        node = nodes[origin.ops[written]]
        rows = origin.rows[written] + firsts[origin.ops[written]]
        for number in np.unique(node).tolist():
            of_node = node == number
            self._pieces.append((_range(written[of_node]), number, _range(rows[of_node])))

    def write(self, repetition: int, state: State, values: Sequence[Array]) -> None:
        """Write it."""
        array = state.slot(self._slot.buffer, self._slot.of(repetition))
        for to, node, rows in self._pieces:
            array[to] = values[node][rows]


def _range(rows: npt.NDArray[np.int64]) -> slice | npt.NDArray[np.int64]:
    """The rows as a range, if they follow each other: NumPy then copies nothing."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
