"""Repetitions under way, and the ops that are on their way through the machine."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.engines.events.service_clock import OpTiming
from archsim.engines.events.token_tables import KEY_BASE, TokenTables
from archsim.formats.number import Array
from archsim.program.ir import Op, Phase, PhaseKind


@dataclass(frozen=True, slots=True)
class OpFacts:
    """What is the same of an op in all repetitions of its phase."""

    index: int
    """Its place in the phase's program order."""
    op: Op
    timing: OpTiming | None
    """Its times; None if they are known only when it starts."""
    first_word: int | None
    """Cycles from its start until its first word is visible; None if no op follows its words."""
    followed: tuple[int, ...]
    """The ops (by index) whose words it takes as they come."""
    contends: bool
    """Whether the op needs a port that units share."""


class Repetition:
    """One repetition of a phase under way: which of its ops wait for how many tokens, and which are done."""

    __slots__ = ("arrived", "finished", "left", "number", "pending", "recorded")

    def __init__(self, tables: TokenTables, number: int, recorded: bool) -> None:
        self.number = number
        self.pending = tables.pending(number)
        """Tokens of each op of which it is not known when they arrive."""
        self.arrived = [0] * len(self.pending)
        """Key (tables.KEY_BASE) of the last token of each op, of those that are known."""
        self.left = len(tables.active(number))
        """Ops not yet completed."""
        self.finished = bytearray(len(self.pending))
        """1 for each op that has completed."""
        self.recorded = recorded
        """Whether the times of its ops are kept one by one."""


class IssuedOp:
    """One op of one repetition, from its issue to its completion: what queues hold, and what events are about."""

    __slots__ = ("cause", "facts", "issued_at", "repetition", "results", "timing", "waited")

    def __init__(self, facts: OpFacts, repetition: Repetition, issued_at: int) -> None:
        self.facts = facts
        self.repetition = repetition
        self.issued_at = issued_at
        """The cycle in which it comes to its unit's queue."""
        self.timing = facts.timing
        """Its times; None as long as they are not known."""
        self.waited = 0
        """Cycles for which its unit stood still before it started."""
        self.cause = 0
        """The code of what the unit waited for."""
        self.results: tuple[Array, ...] = ()
        """What it has computed, one array for each region that it writes; () before that and in timing-only runs."""

    def is_op(self, repetition: Repetition, index: int) -> bool:
        """Whether this is the instance of op number `index` in that repetition."""
        return self.repetition is repetition and self.facts.index == index

    def ready(self) -> bool:
        """Return whether it is known when the last token arrives that the op waits for."""
        return not self.repetition.pending[self.facts.index]

    def starts_from(self) -> int:
        """The cycle from which the op can start, once it is ready: it is in the queue, and has all its tokens."""
        return max(self.issued_at, self.repetition.arrived[self.facts.index] // KEY_BASE)

    def follows(self) -> bool:
        """Whether the op takes words from another one that is not done yet."""
        return not all(self.repetition.finished[other] for other in self.facts.followed)

    def __str__(self) -> str:
        return op_name(self.facts.op, self.repetition.number)


def op_name(op: Op, repetition: int) -> str:
    """An op of a repetition, for messages."""
    return f"'{op.label}' of repetition {repetition}"


class Repetitions:
    """The repetitions of one phase that are under way: begun by the first touch, ended by the last completion."""

    def __init__(self, phase: Phase, tables: TokenTables, recorded: range) -> None:
        """`recorded`: the repetitions of a body whose ops are recorded; of other phases all are."""
        self._tables = tables
        self._recorded = recorded if phase.kind is PhaseKind.BODY else range(phase.repeat)
        self._under_way: dict[int, Repetition] = {}

    def at(self, number: int) -> Repetition:
        """The repetition of this number, made when it is first touched."""
        found = self._under_way.get(number)
        if found is None:
            found = self._under_way[number] = Repetition(self._tables, number, number in self._recorded)
        return found

    def if_under_way(self, number: int) -> Repetition | None:
        """The repetition of this number; None if it has not begun or is over."""
        return self._under_way.get(number)

    def end(self, repetition: Repetition) -> None:
        """Forget a repetition whose ops have all completed."""
        del self._under_way[repetition.number]
