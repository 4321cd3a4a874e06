"""Walks from the end of a run back to its beginning, from each event to the one that it had waited for.

The rules of time (docs/microarchitecture/rules.md) say of each event that it is the latest of a few others plus so many
cycles. So one of these is exactly that many cycles earlier, and the cycles between belong to an op and a cause. Chained
to the beginning of the run, the segments follow each other without a gap: their lengths sum to the latency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.critical.times import AllTimes, Instance, Order, Rules, last_op
from archsim.errors import SimulatorBug
from archsim.program.ir import After, PhaseKind, Program


class Cause(StrEnum):
    """What the cycles of a segment are."""

    COMPUTE = "compute"
    """The op's datapath works."""
    PORT = "wait_port"
    """The op holds its unit for a memory port."""
    STREAM = "stream"
    """The op works, and its first word is not through yet."""
    DRAIN = "drain"
    """The op has left its unit, and its results are in the pipeline."""
    WRITE_PORT = "write_port"
    """Its results wait for those of the op before to pass the write port, and pass it."""
    TOKEN = "token"
    """A token is on its way to the op, or to the first op of a phase."""
    ISSUE = "issue"
    """The sequencer is issuing it, or an op that had to be issued before."""
    FRAME = "wait_frame"
    """A frame of a stream waits for a later one, beside which it is worked on."""

    @property
    def sequencers(self) -> bool:
        """Whether the cycles are the sequencer's, and not those of the op's unit."""
        return self in (Cause.ISSUE, Cause.FRAME)


@dataclass(frozen=True, slots=True)
class Segment:
    """The cycles [start, end) of the path, and the op that they belong to."""

    start: int
    end: int
    cause: Cause
    instance: Instance

    @property
    def cycles(self) -> int:
        """Its length."""
        return self.end - self.start


class _Event(StrEnum):
    START = "start"
    FREE = "free"
    DONE = "done"
    ISSUE = "issue"


_Step = tuple[Sequence[Segment], _Event, Instance | None]
"""Segments in front of the event that was looked at, the last one first, and the event at their beginning, of an op; of
none where the phase begins."""


def critical_path(program: Program, rules: Rules, times: AllTimes) -> tuple[Segment, ...]:
    """The critical path of a run, from its first cycle to its last.

    Of several events that an event may have waited for (in the same cycle) the op before on the same unit is taken,
    then the tokens in the order of the dependencies, then the sequencer. SimulatorBug if the times follow from nothing.
    """
    return tuple(reversed(list(_Walk(program, rules, times).back())))


def frame_path(program: Program, rules: Rules, times: AllTimes, last: Instance, since: int) -> tuple[Segment, ...]:
    """The critical path from cycle `since`, when a frame came, until the op `last` is done.

    As critical_path, without what was before `since`. Where it comes to the release of a later repetition, the cycles
    before are a wait for that frame.
    """
    found: list[Segment] = []
    walk, event = _Walk(program, rules, times), _Event.DONE
    instance: Instance | None = last
    reached = int(times.done[last.phase][last.repetition, last.op])
    while instance is not None and reached > since:
        at, (segments, event, instance) = instance, walk.before(event, instance)
        for segment in segments:
            if segment.cycles and segment.end > since:
                found.append(replace(segment, start=max(since, segment.start)))
            reached = min(reached, segment.start)
    if reached > since:
        found.append(Segment(since, reached, Cause.FRAME, at))
    return tuple(reversed(found))


class _Walk:
    def __init__(self, program: Program, rules: Rules, times: AllTimes) -> None:
        self._program = program
        self._rules = rules
        self._times = times
        self._orders = [Order(phase) for phase in program.phases]

    def back(self) -> Iterator[Segment]:
        """The segments from the last one to the first."""
        for number in range(len(self._program.phases) - 1, -1, -1):
            event = _Event.DONE
            instance: Instance | None = Instance(number, *last_op(self._times.done[number]))
            while instance is not None:
                segments, event, instance = self.before(event, instance)
                yield from (segment for segment in segments if segment.cycles)

    def before(self, event: _Event, x: Instance) -> _Step:
        """What an event of an op followed from."""
        match event:
            case _Event.DONE:
                return self._before_done(x)
            case _Event.FREE:
                return self._before_free(x)
            case _Event.START:
                return self._before_start(x)
            case _Event.ISSUE:
                return self._before_issue(x)

    def _before_done(self, x: Instance) -> _Step:
        """D = max(F + d, D' + w)."""
        done, free = self._time(self._times.done, x), self._time(self._times.free, x)
        service = self._rules.services[x.phase][x.op]
        before = self._orders[x.phase].on_unit(x.repetition, x.op)
        if before is not None and done > free + service.depth_cycles:
            y = Instance(x.phase, *before)
            earlier = self._time(self._times.done, y)
            if earlier + service.write_cycles == done:
                return (Segment(earlier, done, Cause.WRITE_PORT, x),), _Event.DONE, y
        unit = self._program.phases[x.phase].ops[x.op].unit
        if done != free + service.depth_cycles and unit not in self._rules.with_history:
            raise self._unexplained("done", x)
        return (Segment(free, done, Cause.DRAIN, x),), _Event.FREE, x

    def _before_free(self, x: Instance) -> _Step:
        """F = S + occ; of an op that follows another word by word, no earlier than that one is done."""
        start, free = self._time(self._times.start, x), self._time(self._times.free, x)
        compute = self._time(self._times.compute, x)
        held = self._time(self._times.held, x)
        if free == start + held:
            works = start + held - compute
            parts = Segment(works, free, Cause.COMPUTE, x), Segment(start, works, Cause.PORT, x)
            return parts, _Event.START, x
        for y, after in self._senders(x):
            if after is After.FIRST and self._time(self._times.done, y) == free:
                return (), _Event.DONE, y
        raise self._unexplained("free", x)

    def _before_start(self, x: Instance) -> _Step:
        """S = max(F', the last token's arrival, issue)."""
        times, latency = self._times, self._rules.token_latency_cycles
        start = self._time(times.start, x)
        before = self._orders[x.phase].on_unit(x.repetition, x.op)
        if before is not None:
            y = Instance(x.phase, *before)
            if self._time(times.free, y) == start:
                return (), _Event.FREE, y
        for y, after in self._senders(x):
            if after is After.FIRST:
                step = self._first_word(y, start)
                if step is not None:
                    return step
            else:
                event = _Event.DONE if after is After.DONE else _Event.FREE
                sent = self._time(times.done if after is After.DONE else times.free, y)
                if sent + latency == start:
                    return (Segment(sent, start, Cause.TOKEN, x),), event, y
        if self._time(times.issue, x) == start:
            return (), _Event.ISSUE, x
        raise self._unexplained("start", x)

    def _first_word(self, y: Instance, start: int) -> _Step | None:
        """The first word of y comes so long after y's start, or behind the results of the op before y."""
        begin = self._time(self._times.start, y)
        if begin + self._rules.services[y.phase][y.op].first_word_cycles == start:
            return (Segment(begin, start, Cause.STREAM, y),), _Event.START, y
        before = self._orders[y.phase].on_unit(y.repetition, y.op)
        if before is not None:
            earlier = Instance(y.phase, *before)
            if self._time(self._times.done, earlier) == start:
                return (), _Event.DONE, earlier
        return None

    def _before_issue(self, x: Instance) -> _Step:
        """t(k) = max(t(k-1), S of the op q places before on the unit) + issue_cycles, left-out ops passed over."""
        times, rules = self._times, self._rules
        issued = self._time(times.issue, x)
        own = 0 if self._program.phases[x.phase].ops[x.op].joined else rules.issue_cycles
        before, passed = self._orders[x.phase].issued_before(x.repetition, x.op)
        interval = own + passed * rules.issue_cycles
        if before is None or before[0] < x.repetition:
            released = self._released(x, own, issued)
            if released is not None:
                return released, _Event.ISSUE, None
        if before is None:
            begin = self._phase_start(x.phase)
            told = begin + rules.token_latency_cycles
            if told + interval == issued:
                parts = Segment(told, issued, Cause.ISSUE, x), Segment(begin, told, Cause.TOKEN, x)
                return parts, _Event.ISSUE, None
            raise self._unexplained("issue", x)
        y = Instance(x.phase, *before)
        earlier = self._time(times.issue, y)
        if earlier + interval == issued:
            return (Segment(earlier, issued, Cause.ISSUE, x),), _Event.ISSUE, y
        place = self._place(x, own, issued)
        if place is None:
            raise self._unexplained("issue", x)
        return (Segment(issued - own, issued, Cause.ISSUE, x),), _Event.START, place

    def _released(self, x: Instance, own: int, issued: int) -> Sequence[Segment] | None:
        """The segments from the release of x's repetition to its issue, if its first op waited for that."""
        rules, phase = self._rules, self._program.phases[x.phase]
        if phase.kind is not PhaseKind.BODY or x.repetition >= len(rules.releases):
            return None
        passed = sum(1 for op in phase.ops[: x.op] if not op.joined and not op.active(x.repetition, phase.repeat))
        released = self._phase_start(x.phase) + rules.releases[x.repetition]
        told = released + rules.token_latency_cycles
        if told + own + passed * rules.issue_cycles != issued:
            return None
        return Segment(told, issued, Cause.ISSUE, x), Segment(released, told, Cause.TOKEN, x)

    def _place(self, x: Instance, own: int, issued: int) -> Instance | None:
        """The op whose start gave x its place in the queue, if x was issued `own` cycles after that."""
        found = self._orders[x.phase].on_unit(x.repetition, x.op, self._rules.queue_depth)
        if found is None:
            return None
        y = Instance(x.phase, *found)
        return y if self._time(self._times.start, y) + own == issued else None

    def _senders(self, x: Instance) -> Iterator[tuple[Instance, After]]:
        """The ops whose tokens x waits for."""
        phase = self._program.phases[x.phase]
        for dep in phase.deps[x.op]:
            repetition = x.repetition - dep.lag
            if repetition >= 0 and phase.ops[dep.op].active(repetition, phase.repeat):
                yield Instance(x.phase, repetition, dep.op), dep.after

    def _phase_start(self, number: int) -> int:
        return 0 if number == 0 else int(self._times.done[number - 1].max())

    def _time(self, kind: Sequence[NDArray[np.int64]], x: Instance) -> int:
        return int(kind[x.phase].item(x.repetition, x.op))

    def _unexplained(self, event: str, x: Instance) -> SimulatorBug:
        op = self._program.phases[x.phase].ops[x.op]
        return SimulatorBug(
            f"nothing explains the {event} of '{op.label}' in repetition {x.repetition} (phase {x.phase})"
        )
