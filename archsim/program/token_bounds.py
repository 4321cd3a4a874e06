"""Proves for each dependency how many of its tokens can be under way at once, whatever the service times.

A dependency is an edge from a sender to a receiver, both ops of one body. A token is under way from the sender's event
until the receiver of its repetition starts. docs/program_json.md, "Tokens", derives the bound; in short: each event of
an op instance gets a clock, which holds for each unit the youngest op instance that is known to have started by then.
Known is only what the rules of the machine guarantee (docs/microarchitecture/rules.md): units and the sequencer are in
order, a queue has so many places, a token comes before the start that waits for it. What the receiver is known to have
started when the sender sends bounds the tokens that are left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.program.ir import After, Dep, Op, Phase

_NOBODY = -1
_Clock = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenWindow:
    """When an edge's tokens are sent and taken in a phase, in repetitions.

    `initial`: tokens that are there when the phase starts, for receivers whose sender lies before it or is left out.
    The sender sends in repetitions [send_from, send_until), and the receiver takes a token in each repetition before
    `take_until` in which it takes part.
    """

    initial: int
    send_from: int
    send_until: int
    take_until: int

    @classmethod
    def of(cls, dep: Dep, sender: Op, receiver: Op, repeat: int) -> TokenWindow:
        """The window of a dependency between two ops of a phase that is repeated so often."""
        sends = sender.skip_first, repeat - sender.skip_last
        takes = receiver.skip_first, repeat - receiver.skip_last
        # Repetition r of the receiver takes the token of r - lag; a sender that is left out at the end is not waited
        # for, one that is left out at the beginning stands for a token that has been there from the start.
        take_until = max(takes[0], min(takes[1], sends[1] + dep.lag))
        send_from = max(sends[0], takes[0] - dep.lag)
        send_until = max(send_from, min(sends[1], takes[1] - dep.lag))
        initial = max(0, min(sends[0] + dep.lag, take_until) - takes[0])
        return cls(initial, send_from, send_until, take_until)

    def under_way(self, receiver: Op, sent: int, started: int, lag: int) -> int:
        """The most tokens after the sender's event of repetition `sent`, if the receiver has started `started`."""
        last = min(sent + lag, self.take_until - 1)
        return last - max(receiver.skip_first - 1, started)


def most_tokens(phase: Phase, queue_depth: int) -> tuple[tuple[int, ...], ...]:
    """For each op and each of its dependencies the most tokens that can be under way at the end of a cycle."""
    return _Walk(phase, queue_depth).run()


class _Walk:
    """Goes through a phase until what is known repeats itself, skips whole periods, and goes on to its end."""

    def __init__(self, phase: Phase, queue_depth: int) -> None:
        self._phase = phase
        self._count = len(phase.ops)
        self._repeat = phase.repeat
        names = sorted({op.unit for op in phase.ops})
        self._unit_of = [names.index(op.unit) for op in phase.ops]
        nobody = np.full(len(names), _NOBODY, np.int64)
        self._issue = nobody
        """What is known when the last op was issued."""
        self._free = [nobody] * len(names)
        """What is known at F of each unit's last op: the next one starts behind it."""
        self._done = [nobody] * len(names)
        """What is known at D of each unit's last op: the next one retires behind it."""
        self._starts: list[deque[_Clock]] = [deque(maxlen=queue_depth) for _ in names]
        """What is known at the last starts of each unit: an op takes the place of the one `queue_depth` before it."""
        self._depth = queue_depth
        self._events: dict[tuple[int, int, After], _Clock] = {}
        """The clocks of events by repetition and op, of the repetitions that are looked back on."""
        self._edges = list(self._edges_of_senders())
        self._most = [[self._window(op, dep).initial for dep in deps] for op, deps in enumerate(phase.deps)]

    def run(self) -> tuple[tuple[int, ...], ...]:
        phase = self._phase
        head = max((op.skip_first for op in phase.ops), default=0)
        tail = max((op.skip_last for op in phase.ops), default=0)
        seen: dict[bytes, int] | None = {}
        repetition = 0
        while repetition < self._repeat:
            for index, op in enumerate(phase.ops):
                if op.active(repetition, self._repeat):
                    self._advance(repetition, index)
            self._forget(repetition - phase.max_lag)
            left = self._repeat - tail - 1 - repetition
            if seen is not None and repetition >= head + phase.max_lag and left > 0:
                known = self._known(repetition)
                if known in seen:
                    # All that is known is what it was a period before, counted from the repetition under way: so it
                    # goes on. Whole periods may be left out; what follows them is numbered as if it came now.
                    period = repetition - seen[known]
                    self._repeat -= left // period * period
                    seen = None
                else:
                    seen[known] = repetition
            repetition += 1
        return tuple(map(tuple, self._most))

    def _advance(self, repetition: int, index: int) -> None:
        """Find the clocks of all events of an op instance; count the tokens of its edges right after each of them."""
        unit, number = self._unit_of[index], repetition * self._count + index
        starts = self._starts[unit]
        if len(starts) == self._depth:  # the place in the queue
            self._issue = np.maximum(self._issue, starts[0])
        start = np.maximum(self._issue, self._free[unit])
        followed: list[_Clock] = []
        for dep in self._phase.deps[index]:
            known = self._events.get((repetition - dep.lag, dep.op, dep.after))
            if known is None:  # before the phase, or left out
                continue
            start = np.maximum(start, known)
            if dep.after is After.FIRST:
                followed.append(self._events[repetition - dep.lag, dep.op, After.DONE])
        start[unit] = number
        first = np.maximum(start, self._done[unit])
        free = np.maximum.reduce([start, *followed]) if followed else start
        done = np.maximum(free, self._done[unit])
        starts.append(start)
        self._free[unit], self._done[unit] = free, done
        for after, clock in ((After.FREE, free), (After.FIRST, first), (After.DONE, done)):
            self._events[repetition, index, after] = clock
        for receiver, place, dep in self._edges[index]:
            clock = self._events[repetition, index, dep.after]
            self._count_tokens(receiver, place, dep, repetition, clock)

    def _count_tokens(self, receiver: int, place: int, dep: Dep, repetition: int, clock: _Clock) -> None:
        """Count the tokens of an edge right after its sender's event, whose clock is given."""
        op = self._phase.ops[receiver]
        window = self._window(receiver, dep)
        if window.send_from <= repetition < window.send_until:
            youngest = int(clock[self._unit_of[receiver]])
            started = (youngest - receiver) // self._count  # the last repetition in which the receiver has started
            found = window.under_way(op, repetition, started, dep.lag)
            self._most[receiver][place] = max(self._most[receiver][place], found)

    def _window(self, receiver: int, dep: Dep) -> TokenWindow:
        ops = self._phase.ops
        return TokenWindow.of(dep, ops[dep.op], ops[receiver], self._repeat)

    def _edges_of_senders(self) -> Iterator[list[tuple[int, int, Dep]]]:
        """For each op the edges on which it sends: receiver, place among its dependencies, dependency."""
        found: list[list[tuple[int, int, Dep]]] = [[] for _ in self._phase.ops]
        for receiver, deps in enumerate(self._phase.deps):
            for place, dep in enumerate(deps):
                found[dep.op].append((receiver, place, dep))
        yield from found

    def _forget(self, repetition: int) -> None:
        """Drop the clocks of a repetition that no op looks back on any more."""
        for index in range(self._count):
            for after in After:
                self._events.pop((repetition, index, after), None)

    def _known(self, repetition: int) -> bytes:
        """All that what follows depends on, counted from the repetition."""
        events = (self._events[key] for key in sorted(self._events) if key[0] > repetition - self._phase.max_lag)
        starts = (clock for of_unit in self._starts for clock in of_unit)
        clocks = [self._issue, *self._free, *self._done, *starts, *events]
        return (np.concatenate(clocks) - repetition * self._count).tobytes()
