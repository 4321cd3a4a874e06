"""A phase, prepared for execution: who waits for whom, and how many each op waits for."""

from __future__ import annotations

from archsim.program.codes import CAUSE_CODES, CAUSES
from archsim.program.ir import After, Phase

KEY_BASE = 16
"""A wait is remembered as cycle * KEY_BASE + code of its cause, so that the latest, then the highest code, wins."""
assert len(CAUSES) <= KEY_BASE

SameRepetition = tuple[tuple[int, int], ...]
"""(waiting op, cause code) in the same repetition."""
LaterRepetition = tuple[tuple[int, int, int], ...]
"""(waiting op, lag, cause code) in a later repetition."""


class TokenTables:
    """The tokens of a phase: for each op those that wait for its DONE, FREE and FIRST, and how many it waits for.

    `followed[op]`: the ops whose words the op takes as they come.
    """

    def __init__(self, phase: Phase) -> None:
        count = len(phase.ops)
        self.phase = phase
        self.repeat = phase.repeat
        self.done_same, self.done_later = _consumers(phase, After.DONE)
        self.free_same, self.free_later = _consumers(phase, After.FREE)
        self.first_same, _ = _consumers(phase, After.FIRST)
        self.followed = [tuple(dep.op for dep in deps if dep.after is After.FIRST) for deps in phase.deps]
        self.conditional = tuple(op.conditional for op in phase.ops)
        # In and behind the inner repetitions all ops take part, so that all of them are alike.
        head = max((op.skip_first for op in phase.ops), default=0)
        tail = max((op.skip_last for op in phase.ops), default=0)
        self._inner_from = phase.max_lag + head
        self._inner_to = phase.repeat - tail
        self._inner_pending = [len(deps) for deps in phase.deps]
        self._all = tuple(range(count))

    def active(self, repetition: int) -> tuple[int, ...]:
        """The ops that take part in a repetition, in program order."""
        if self._inner(repetition):
            return self._all
        phase = self.phase
        return tuple(k for k in self._all if phase.ops[k].active(repetition, phase.repeat))

    def left_out_before(self, repetition: int) -> tuple[int, ...]:
        """How many instructions the sequencer passes over before each op that takes part, and after the last one.

        An op that is part of the instruction before it (joined) is passed over with that one.
        """
        active = self.active(repetition)
        if active is self._all:
            return (0,) * (len(active) + 1)
        found, passed, following = [], 0, iter((*active, len(self._all)))
        next_active = next(following)
        for k in (*self._all, len(self._all)):
            if k == next_active:
                found.append(passed)
                passed, next_active = 0, next(following, -1)
            elif not self.phase.ops[k].joined:
                passed += 1
        return tuple(found)

    def pending(self, repetition: int) -> list[int]:
        """For each op the tokens it waits for: dependencies on ops that are there."""
        if self._inner(repetition):
            return self._inner_pending.copy()
        phase = self.phase
        return [
            sum(dep.lag <= repetition and phase.ops[dep.op].active(repetition - dep.lag, phase.repeat) for dep in deps)
            for deps in phase.deps
        ]

    def _inner(self, repetition: int) -> bool:
        return self._inner_from <= repetition < self._inner_to


def _consumers(phase: Phase, after: After) -> tuple[list[SameRepetition], list[LaterRepetition]]:
    """For each op who waits for its event `after`: dependencies turned round, from the waiting op to the awaited."""
    same: list[list[tuple[int, int]]] = [[] for _ in phase.ops]
    later: list[list[tuple[int, int, int]]] = [[] for _ in phase.ops]
    for index, deps in enumerate(phase.deps):
        for dep in deps:
            if dep.after is after:
                code = CAUSE_CODES[dep.cause]
                if dep.lag:
                    later[dep.op].append((index, dep.lag, code))
                else:
                    same[dep.op].append((index, code))
    return [tuple(c) for c in same], [tuple(c) for c in later]
