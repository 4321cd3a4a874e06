"""One unit as a SimPy process: takes ops from its queue in order, waits for their tokens, holds itself for the
occupancy, and retires in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING

import simpy

from archsim.engines.events.clock import Clock
from archsim.engines.events.token_tables import CAUSE_CODES, CAUSES, KEY_BASE
from archsim.program.interpreter import sample
from archsim.program.ir import PhaseKind, Wait
from archsim.trace import Timeline, TimelineBuilder, UnitTrace

if TYPE_CHECKING:
    from archsim.engines.events.options import Arithmetic
    from archsim.engines.events.phase import Step
    from archsim.engines.events.ports import Arbiter

_ISSUE = CAUSE_CODES[Wait.ISSUE]
_OPERAND = CAUSE_CODES[Wait.OPERAND]


class UnitProcess:
    """The state of one unit during a run."""

    def __init__(self, env: Clock, name: str, arithmetic: Arithmetic | None, arbiter: Arbiter) -> None:
        self.name = name
        self.queue: deque[tuple[int, Step, int]] = deque()
        """(cycle at which it is issued, repetition, op) of the ops that have not started."""
        self.awaited: tuple[Step, int] | None = None
        """The op whose tokens the unit waits for."""
        self.draining: tuple[Step, int] | None = None
        """The op whose last words the unit waits for."""
        self._env = env
        self._arithmetic = arithmetic
        self._arbiter = arbiter
        self._wake: simpy.Event | None = None
        self._free_at = 0
        self._last_done = 0
        self._compute = 0
        self._port = 0
        self._ops = 0
        self._waits = [0] * len(CAUSES)
        self._timeline = TimelineBuilder(0)
        env.process(self._process())

    def wake(self) -> None:
        """Go on, if the unit stands still: an op has come, or the awaited op has all its tokens."""
        event = self._wake
        if event is not None:
            self._wake = None
            event.succeed()

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

    def _process(self) -> Generator[simpy.Event, None, None]:
        env, queue = self._env, self.queue
        while True:
            if not queue:
                self._wake = env.event()
                yield self._wake
            issued, step, op = queue[0]
            if issued > env.now:
                yield env.timeout(issued - env.now)
            if step.pending[op]:
                self.awaited = (step, op)
                self._wake = env.event()
                yield self._wake
                self.awaited = None
            contends = step.run.contends
            if contends is not None and contends[op]:
                yield self._arbiter.request(self.name)
            queue.popleft()
            start = env.now
            occupancy, depth = self._start(issued, step, op)
            step.run.started(self)
            yield env.timeout(occupancy)
            if step.run.tables.followed[op]:
                yield from self._drain(step, op, start, depth)
            step.run.operands_read(step, op)

    def _start(self, issued: int, step: Step, op: int) -> tuple[int, int]:
        """Start an op now: book the cycles and, if it follows no other op's words, finish; its occupancy and depth."""
        env, run = self._env, step.run
        now = env.now
        waited = now - self._free_at
        if waited:
            key = step.arrived[op]
            self._waits[_ISSUE if issued * KEY_BASE > key else key % KEY_BASE] += waited
        compute, occupancy, depth = run.timing(step, op, issued)
        self._compute += compute
        self._port += occupancy - compute
        self._ops += 1
        first_word = run.first_word_cycles[op]
        if first_word is not None:
            word = env.timeout(max(first_word, self._last_done - now), (step, op))
            assert word.callbacks is not None
            word.callbacks.append(run.first_word)
        self._timeline.add(now, occupancy)
        if not run.tables.followed[op]:
            self._finish(step, op, now, now + occupancy, depth)
        return occupancy, depth

    def _drain(self, step: Step, op: int, start: int, depth: int) -> Generator[simpy.Event, None, None]:
        """Wait for the last words of the ops that this one follows, then schedule its completion."""
        due = self._env.now
        while step.run.follows(step, op):
            self.draining = (step, op)
            self._wake = self._env.event()
            yield self._wake
            self.draining = None
        now = self._env.now
        self._waits[_OPERAND] += now - due
        self._finish(step, op, start, now, depth)

    def _finish(self, step: Step, op: int, start: int, free: int, depth: int) -> None:
        """Sample the operands and schedule the op's completion, now that it is known when it is free."""
        env, run = self._env, step.run
        now = env.now
        done = max(free + depth, self._last_done)
        self._free_at, self._last_done = free, done
        arithmetic = self._arithmetic
        values = None
        if arithmetic is not None:
            values = sample(run.ops[op], step.repetition, arithmetic.state, arithmetic.semantics)
        completion = env.timeout(done - now, (step, op, values))
        assert completion.callbacks is not None
        completion.callbacks.append(run.complete)
        if step.recorded:
            run.record(step, op, start, free, done)
