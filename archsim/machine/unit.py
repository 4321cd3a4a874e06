"""One unit as a SimPy process: takes ops from its queue in order, waits for their tokens, holds itself for the
occupancy, and retires in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING

import simpy

from archsim.machine.clock import Clock
from archsim.machine.tables import CAUSE_CODES, CAUSES, KEY_BASE
from archsim.program.interpreter import sample
from archsim.program.ir import PhaseKind, Wait
from archsim.trace import Timeline, TimelineBuilder, UnitTrace

if TYPE_CHECKING:
    from archsim.machine.options import Arithmetic
    from archsim.machine.phase import Step

_ISSUE = CAUSE_CODES[Wait.ISSUE]


class UnitProcess:
    """The state of one unit during a run."""

    def __init__(self, env: Clock, name: str, arithmetic: Arithmetic | None) -> None:
        self.name = name
        self.queue: deque[tuple[int, Step, int]] = deque()
        """(cycle at which it is issued, repetition, op) of the ops that have not started."""
        self.awaited: tuple[Step, int] | None = None
        """The op whose tokens the unit waits for."""
        self._env = env
        self._arithmetic = arithmetic
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
            queue.popleft()
            occupancy = self._start(issued, step, op)
            step.run.started(self)
            yield env.timeout(occupancy)
            step.run.operands_read(step, op)

    def _start(self, issued: int, step: Step, op: int) -> int:
        """Start an op now: book the cycles, sample the operands, schedule its completion; returns the occupancy."""
        env, run = self._env, step.run
        now = env.now
        waited = now - self._free_at
        if waited:
            key = step.arrived[op]
            self._waits[_ISSUE if issued * KEY_BASE > key else key % KEY_BASE] += waited
        compute, occupancy, depth = run.timing(step, op)
        self._compute += compute
        self._port += occupancy - compute
        self._ops += 1
        free = now + occupancy
        done = max(free + depth, self._last_done)
        self._free_at, self._last_done = free, done
        self._timeline.add(now, occupancy)
        arithmetic = self._arithmetic
        values = None
        if arithmetic is not None:
            values = sample(run.ops[op], step.repetition, arithmetic.state, arithmetic.semantics)
        completion = env.timeout(done - now, (step, op, values))
        assert completion.callbacks is not None
        completion.callbacks.append(run.complete)
        if step.recorded:
            run.record(step, op, now, free, done)
        return occupancy
