"""One unit as a SimPy process: takes ops from its queue in order, waits for their tokens, holds itself for the
occupancy, and retires in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Protocol

import simpy

from archsim.engines.events.clock import Clock
from archsim.engines.events.options import Arithmetic
from archsim.engines.events.ports import Arbiter
from archsim.engines.events.repetition import IssuedOp, Repetition
from archsim.engines.events.service_clock import OpTiming
from archsim.engines.events.token_tables import KEY_BASE
from archsim.program.codes import CAUSE_CODES, CAUSES, ISSUE_CODE, OPERAND_CODE
from archsim.program.ir import PhaseKind
from archsim.trace import Timeline, TimelineBuilder, UnitTrace


class Supervisor(Protocol):
    """What a unit asks and tells about its ops: the only way by which it acts on anything but itself.

    Each method is called in the cycle in which the thing happens.
    """

    def timing(self, issued: IssuedOp, retired: int) -> OpTiming:
        """How long an op takes that starts now; asked once for each op whose times are not known beforehand.

        `retired`: when the op before of its unit is done.
        """

    def started(self, unit: UnitProcess) -> None:
        """The unit has taken an op out of its queue."""

    def first_word(self, issued: IssuedOp) -> None:
        """The first word of an op that others follow is visible (FIRST)."""

    def operands_read(self, issued: IssuedOp) -> None:
        """The op has read its operands and freed the unit (FREE)."""

    def completed(self, issued: IssuedOp) -> None:
        """The op's results are visible (DONE)."""

    def record(self, issued: IssuedOp, start: int, free: int, done: int) -> None:
        """The times of an op of a repetition that is recorded, as soon as they are certain."""


class UnitProcess:
    """The state of one unit during a run."""

    def __init__(self, env: Clock, name: str, arithmetic: Arithmetic | None, arbiter: Arbiter) -> None:
        self.name = name
        self.awaited: IssuedOp | None = None
        """The op whose tokens the unit waits for."""
        self.draining: IssuedOp | None = None
        """The op whose last words the unit waits for."""
        self.waiting: deque[IssuedOp] = deque()
        """The queue: the ops that have not started."""
        self._env = env
        self._arithmetic = arithmetic
        self._arbiter = arbiter
        self._supervisor: Supervisor
        self._wake: simpy.Event | None = None
        self._free_at = 0
        self._last_done = 0
        self._compute = 0
        self._port = 0
        self._ops = 0
        self._waits = [0] * len(CAUSES)
        self._timeline = TimelineBuilder(0)
        env.process(self._process())

    def put(self, issued: IssuedOp) -> None:
        """Add an op to the end of the queue."""
        self.waiting.append(issued)
        if len(self.waiting) == 1:
            self._resume()

    def tokens_complete(self, repetition: Repetition, index: int) -> None:
        """It is known when an op of the unit has all its tokens: go on then, if the unit waits for this one."""
        awaited = self.awaited
        if awaited is not None and awaited.is_op(repetition, index):
            self._resume(max(0, awaited.starts_from() - self._env.now))

    def words_complete(self, repetition: Repetition, index: int) -> None:
        """An op that an op of this unit follows is done: look again, if the unit waits for its last words."""
        if self.draining is not None and self.draining.is_op(repetition, index):
            self._resume()

    def begin_phase(self, supervisor: Supervisor) -> None:
        """From now on all ops are of the phase that `supervisor` stands for."""
        self._supervisor = supervisor

    def end_phase(self, kind: PhaseKind) -> tuple[UnitTrace, Timeline]:
        """Book the time since the last op as idle; returns where the phase's cycles went."""
        now = self._env.now
        waits = {cause: self._waits[code] for cause, code in CAUSE_CODES.items()}
        trace = UnitTrace(self._ops, self._compute, self._port, waits, {kind: now - self._free_at})
        timeline = self._timeline.finish(now)
        self._free_at = now
        self._ops = self._compute = self._port = 0
        self._waits = [0] * len(CAUSES)
        self._timeline = TimelineBuilder(now)
        return trace, timeline

    def _resume(self, cycles: int = 0) -> None:
        """Go on so many cycles from now, if the unit stands still."""
        event = self._wake
        if event is not None:
            self._wake = None
            self._env.tell(event, cycles)

    def _stand_still(self) -> simpy.Event:
        """What the process waits for until it is told to go on."""
        self._wake = self._env.until_told()
        return self._wake

    def _process(self) -> Generator[simpy.Event, None, None]:
        env, queue = self._env, self.waiting
        while True:
            if not queue:
                yield self._stand_still()
            issued = queue[0]
            if not issued.ready():
                self.awaited = issued
                yield self._stand_still()
                self.awaited = None
            else:
                early = issued.starts_from() - env.now
                if early > 0:
                    yield env.pause(early)
            if issued.facts.contends:
                yield self._arbiter.request(self.name)
            # The op keeps its place in the queue until it starts, so that the sequencer sees a place free only now.
            queue.popleft()
            yield from self._execute(issued)
            self._supervisor.operands_read(issued)

    def _execute(self, issued: IssuedOp) -> Generator[simpy.Event, None, None]:
        """Start an op now, and hold the unit until the op frees it."""
        start = self._env.now
        timing = self._start(issued, start)
        self._supervisor.started(self)
        yield self._env.pause(timing.occupancy)
        if issued.facts.followed:
            yield from self._drain(issued, start, timing)

    def _book_wait(self, issued: IssuedOp, now: int) -> None:
        """Book for what the unit stood still before an op that starts now."""
        facts = issued.facts
        waited = now - self._free_at
        if waited:
            # Of the op's issue and its last token the later one is the cause; in the same cycle it is the token.
            key = issued.repetition.arrived[facts.index]
            issued.waited = waited
            issued.cause = ISSUE_CODE if issued.issued_at * KEY_BASE > key else key % KEY_BASE
            self._waits[issued.cause] += waited

    def _start(self, issued: IssuedOp, now: int) -> OpTiming:
        """Start an op now: book the cycles and, if it follows no other op's words, finish it."""
        facts = issued.facts
        self._book_wait(issued, now)
        timing = facts.timing
        if timing is None:
            timing = issued.timing = self._supervisor.timing(issued, self._last_done)
        self._compute += timing.compute
        self._port += timing.occupancy - timing.compute
        self._ops += 1
        if facts.first_word is not None:
            # Words leave the unit in order: not before the results of the op before.
            self._env.after(max(facts.first_word, self._last_done - now), self._supervisor.first_word, issued)
        self._timeline.add(now, timing.occupancy)
        if not facts.followed:
            self._finish(issued, now, now, now + timing.occupancy, timing)
        return timing

    def _drain(self, issued: IssuedOp, start: int, timing: OpTiming) -> Generator[simpy.Event, None, None]:
        """Wait for the last words of the ops that this one follows, then schedule its completion."""
        due = self._env.now
        while issued.follows():
            self.draining = issued
            yield self._stand_still()
            self.draining = None
        now = self._env.now
        self._waits[OPERAND_CODE] += now - due
        self._finish(issued, now, start, now, timing)

    def _finish(self, issued: IssuedOp, now: int, start: int, free: int, timing: OpTiming) -> None:
        """Compute the results and schedule the op's completion, now that it is known when it is free."""
        # Results retire in order, and through one write port: those of a short op come behind those of the op before.
        done = max(free + timing.depth, self._last_done + timing.write)
        self._free_at, self._last_done = free, done
        if self._arithmetic is not None:
            issued.results = self._arithmetic.sample(issued.facts.op, issued.repetition.number)
        self._env.after(done - now, self._supervisor.completed, issued)
        if issued.repetition.recorded:
            self._supervisor.record(issued, start, free, done)
