"""Single ports that units share: which cycles of them are taken, and who comes first.

An op gets its port cycles when it starts: a read takes the first free cycles from the start on; the lines that it
writes take, one after the other, the first free cycle from the one in which they are there, behind the results of the
unit's op before. What an op has got is never taken back, so no op waits for a port longer than the ops that had started
before it hold it. Of ops that start in the same cycle the one whose unit is named first is served first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import simpy

from archsim.engines.events.clock import Clock
from archsim.hardware.unit import PortUse, Service, ceil_div

_LAST_IN_CYCLE = 2
"""SimPy's priority after that of all other events of a cycle (URGENT is 0, NORMAL 1)."""


class PortBook:
    """The taken cycles of one port from `now` on, as the bits of an integer."""

    def __init__(self) -> None:
        self._now = 0
        self._taken = 0

    def advance(self, now: int) -> None:
        """Forget the cycles before now."""
        self._taken >>= now - self._now
        self._now = now

    def take_each(self, cycles: int, first: int) -> list[int]:
        """Take the first free cycles from cycle `first` on; returns them."""
        taken = self._taken >> first - self._now
        stop = self.take(cycles, first) + 1
        return [cycle for cycle in range(first, stop) if not taken >> cycle - first & 1]

    def take(self, cycles: int, first: int) -> int:
        """Take the first free cycles from cycle `first` on; returns the last of them."""
        ahead = self._taken >> first - self._now  # bit i: cycle first + i is taken
        # The window must hold `cycles` free cycles and those that are taken in it. Each time it grows it may reach more
        # taken ones; it is large enough when it does not have to grow.
        window = cycles
        while (reached := cycles + (ahead & (1 << window) - 1).bit_count()) > window:
            window = reached
        # Now all of the window is taken. Its last cycle was free, or the window would not have grown as far as that.
        self._taken |= (1 << window) - 1 << first - self._now
        return first + window - 1


class SharedPorts:
    """The single ports of a run: what each op needs of them is booked when it starts."""

    def __init__(self, memories: Sequence[str]) -> None:
        self._books = {memory: PortBook() for memory in memories}

    def grant(self, uses: Sequence[PortUse], service: Service, now: int, retired: int) -> Service:
        """The service of an op that starts now, with its port cycles taken; it holds its unit until it has had them.

        Reads hold the unit up: a step waits for its words. Lines to be written come out of the pipeline evenly,
        `depth_cycles` after the cycles of the occupancy, and retire in order: not before `retired`, the cycle in which
        the unit's op before is done. Where the last one is written later than that, the unit is held up for as long.
        `write_cycles` becomes what passes from `retired` on until all lines are written.
        """
        occupancy, depth = service.occupancy_cycles, service.depth_cycles
        for use in uses:
            book = self._books[use.memory]
            book.advance(now)
            if use.read_tails:  # all reads begin at once; what waits longest for a word holds the unit
                words = zip(book.take_each(use.read_cycles, now), use.read_tails, strict=True)
                occupancy = max(occupancy, *(cycle - now + tail for cycle, tail in words))
            elif use.read_cycles:
                occupancy = max(occupancy, book.take(use.read_cycles, now) + 1 - now)
        even = occupancy  # lines come out evenly over the time that the reads leave, however late they are written
        written = retired
        for use in uses:
            if not use.write_cycles:
                continue
            last = max(now, retired) - 1
            for line in range(1, use.write_cycles + 1):
                there = now + depth + ceil_div(line * even, use.write_cycles) - 1
                last = self._books[use.memory].take(1, max(there, last + 1))
            # Behind an op that is done late a line waits at the end of the pipeline, and the unit for nothing: only
            # what others have of the port holds it up.
            due = max(now + depth + even, retired + use.write_cycles)
            occupancy, written = max(occupancy, even + last + 1 - due), max(written, last + 1)
        return replace(
            service,
            port_cycles=max(occupancy, service.port_cycles),
            write_cycles=max(service.write_cycles, written - retired),
        )


class _EndOfCycle(simpy.Event):
    """An event that comes after everything else of this cycle."""

    def __init__(self, env: Clock) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, priority=_LAST_IN_CYCLE)  # type: ignore[arg-type]


class Arbiter:
    """Lets units that want to start in the same cycle begin in a fixed order, whatever order events came in."""

    def __init__(self, env: Clock, order: Sequence[str]) -> None:
        self._env = env
        self._rank: Mapping[str, int] = {name: place for place, name in enumerate(order)}
        self._waiting: list[tuple[int, simpy.Event]] = []

    def request(self, unit: str) -> simpy.Event:
        """What a unit waits for, in this very cycle, before it starts an op that needs a single port."""
        granted = self._env.event()
        if not self._waiting:
            round_over = _EndOfCycle(self._env)
            assert round_over.callbacks is not None
            round_over.callbacks.append(self._grant)
        self._waiting.append((self._rank[unit], granted))
        return granted

    def _grant(self, event: simpy.Event) -> None:
        waiting, self._waiting = self._waiting, []
        for _, granted in sorted(waiting, key=lambda request: request[0]):
            granted.succeed()
