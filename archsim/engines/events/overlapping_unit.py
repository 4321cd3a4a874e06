"""A unit as a process that takes the next op before the one before it is done: its session says when, as time goes on.

Nothing can enter the unit before the next event of the simulation, so that the session may work on up to its cycle each
time; it says in which cycle to ask it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

import simpy

from archsim.engines.events.clock import Clock
from archsim.engines.events.options import Arithmetic
from archsim.engines.events.ports import Arbiter
from archsim.engines.events.repetition import IssuedOp
from archsim.engines.events.service_clock import OpTiming
from archsim.engines.events.unit_process import UnitProcess
from archsim.hardware.overlap import OverlappingSession
from archsim.trace.limits import LARGEST_CYCLE


class _UnderWay:
    """An op in the unit: since when, and in which cycles it frees the unit and is done, as far as that is known."""

    __slots__ = ("done", "free", "issued", "port_from", "start")

    def __init__(self, issued: IssuedOp, start: int) -> None:
        self.issued = issued
        self.start = start
        self.free: int | None = None
        self.done: int | None = None
        self.port_from = 0


class OverlappingUnit(UnitProcess):
    """The state of such a unit during a run. Results still retire in the order of the ops."""

    def __init__(
        self, env: Clock, name: str, arithmetic: Arithmetic | None, arbiter: Arbiter, session: OverlappingSession
    ) -> None:
        super().__init__(env, name, arithmetic, arbiter)
        self._session = session
        self._under_way: dict[int, _UnderWay] = {}
        self._retiring: deque[_UnderWay] = deque()
        """Ops whose completion is not scheduled, in their order."""
        self._entered: simpy.Event | None = None
        """What the process waits for: it comes when it is known in which cycle the op frees the unit."""
        self._asked_at: int | None = None
        """The cycle in which the session is asked next."""

    def _execute(self, issued: IssuedOp) -> Generator[simpy.Event, None, None]:
        env, start = self._env, self._env.now
        self._book_wait(issued, start)
        if self._arithmetic is not None:
            issued.results = self._arithmetic.sample(issued.facts.op, issued.repetition.number)
        op = _UnderWay(issued, start)
        self._under_way[self._session.enter(issued.facts.op, issued.repetition.number, start)] = op
        self._retiring.append(op)
        self._supervisor.started(self)
        self._ask_later()
        if op.free is None:
            self._entered = env.event()
            yield self._entered
            self._entered = None
        assert op.free is not None
        self._ops += 1
        self._compute += op.free - start
        nominal = self._supervisor.timing(issued, self._last_done)
        free = max(op.free, start + nominal.port)
        self._port += free - op.free
        self._timeline.add(start, free - start)
        issued.timing = nominal._replace(compute=op.free - start, occupancy=free - start)
        op.free = self._free_at = free
        self._retire()
        if free > env.now:
            yield env.pause(free - env.now)

    def _ask_later(self) -> None:
        """See to it that the session is asked in the cycle in which it knows more, if nothing enters before."""
        cycle = self._session.next_cycle()
        if cycle is None:
            return
        cycle = max(cycle, self._env.now)  # it may have stood still, with stores that nothing waits for
        if self._asked_at is not None and self._asked_at <= cycle:
            return
        self._asked_at = cycle
        self._env.after(cycle - self._env.now, self._ask, cycle)

    def _ask(self, cycle: int) -> None:
        """Ask the session what has become certain, unless it was to be asked in an earlier cycle since."""
        if cycle != self._asked_at:
            return
        self._asked_at = None
        following = self._env.peek()
        for certain in self._session.advance(LARGEST_CYCLE if following > LARGEST_CYCLE else int(following)):
            op = self._under_way[certain.ticket]
            if certain.done:
                op.done, op.port_from = certain.cycle, certain.port_from
            else:
                op.free = certain.cycle
                assert self._entered is not None
                self._entered.succeed()
            if op.done is not None and op.free is not None:
                del self._under_way[certain.ticket]
        self._retire()
        self._ask_later()

    def _retire(self) -> None:
        """Schedule the completion of ops, in their order, as far as it is known when they are done."""
        while self._retiring:
            op = self._retiring[0]
            timing = op.issued.timing
            if op.done is None or timing is None:
                return
            self._retiring.popleft()
            assert op.free is not None
            passed = max(op.port_from + timing.port, self._last_done + timing.write)
            self._complete(op, max(op.done, op.free, passed), timing)

    def _complete(self, op: _UnderWay, done: int, timing: OpTiming) -> None:
        self._last_done = done
        op.issued.timing = timing._replace(depth=done - op.start - timing.occupancy)
        self._env.after(done - self._env.now, self._supervisor.completed, op.issued)
        if op.issued.repetition.recorded:
            assert op.free is not None
            self._supervisor.record(op.issued, op.start, op.free, done)
