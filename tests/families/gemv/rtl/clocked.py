"""The RTL's sequencer, queues and tokens in Python, cycle by cycle, from the generated files alone."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.families.gemv.rtl.whole_numbers import UNITS, Machine

Event = tuple[str, int]
"""s, f or d (an op starts, is free, is done), and the op's number."""


@dataclass
class Shell:
    """What is around a datapath (unit_shell.sv): a queue, the beats that are left, and a ring of ops that retire."""

    ring_size: int
    queue: deque[int] = field(default_factory=deque)
    left: int = 0
    current: int = 0
    ring: deque[tuple[int, int, int]] = field(default_factory=deque)
    since: int = 1 << 30


@dataclass
class Clocked:
    """The timing of a machine: `events` by kind and op, the cycles of each."""

    machine: Machine
    events: Mapping[Event, list[int]] = field(default_factory=lambda: defaultdict(list))

    def run(self, most: int) -> int:
        """Clock the machine until its program has ended; returns the cycle of the last event."""
        c, package = self.machine.c, self.machine.package
        latency, count = c["TOKEN_LATENCY"], c["EDGES"]
        producers, consumers = package.numbers("EDGE_PRODUCER", 16), package.numbers("EDGE_CONSUMER", 16)
        after_done = [bool(bit) for bit in package.numbers("EDGE_AFTER_DONE", 1)]
        credits = package.numbers("EDGE_INITIAL", c["CREDIT_BITS"])
        assert len(producers) == len(consumers) == len(after_done) == len(credits) == count
        edges_into = defaultdict(list)
        for edge, consumer in enumerate(consumers):
            edges_into[consumer].append(edge)
        rings = {"dma": c["DMA_RING"], "mac": c["MAC_RING"], "act": c["ACT_RING"], "ew": c["EW_RING"]}
        shells = {unit: Shell(rings[unit]) for unit in UNITS}
        program, under_way, wait = deque(self.machine.issued()), 0, 0
        tokens: dict[tuple[bool, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        retired: dict[int, int] = defaultdict(int)
        freed: list[int] = []
        for now in range(most):
            done = []
            for shell in shells.values():
                shell.since += 1
                if shell.ring and now >= shell.ring[0][1] and shell.since >= shell.ring[0][2]:
                    done.append(shell.ring.popleft()[0])
                    shell.since = 0
            for kind, ops in (("f", freed), ("d", done)):
                for op in ops:
                    self.events[kind, op].append(now)
                    tokens[kind == "d", op][now + latency] += 1
            retired[now + latency] += len(done)
            for edge, producer in enumerate(producers):
                credits[edge] += tokens[after_done[edge], producer].get(now, 0)
            freed, started = [], set()
            for unit, shell in shells.items():
                if shell.queue and not shell.left:
                    head = self.machine.number(unit, shell.queue[0])
                    if all(credits[edge] > 0 for edge in edges_into[head]):
                        shell.current = shell.queue.popleft()
                        shell.left = self.machine.roms[unit][shell.current]["occupancy"]
                        self.events["s", head].append(now)
                        started.add(unit)
                        for edge in edges_into[head]:
                            credits[edge] -= 1
                if shell.left:
                    shell.left -= 1
                    if not shell.left:
                        op = self.machine.number(unit, shell.current)
                        freed.append(op)
                        beats = self.machine.roms[unit][shell.current]["write_beats"]
                        shell.ring.append((op, now + 1 + self._depth(unit, shell.current), beats))
                        assert len(shell.ring) <= shell.ring_size, "an op is lost"
            under_way -= retired[now]
            if not program and not under_way:
                return now
            if now >= latency and program:
                left_out, unit, op, barrier = program[0]
                room = left_out or len(shells[unit].queue) < c["QUEUE"]
                if not barrier or not under_way:
                    fire = room if c["ISSUE"] == 1 else wait == 1
                    if wait:
                        wait -= 1
                    elif room and c["ISSUE"] != 1:
                        wait = c["ISSUE"] - 1
                    if fire:
                        program.popleft()
                        if not left_out:
                            shells[unit].queue.append(op)
                            under_way += 1
        raise AssertionError(f"not at its end after {most} cycles")

    def _depth(self, unit: str, op: int) -> int:
        c = self.machine.c
        if unit == "ew":
            return c["CELL_DEPTH" if self.machine.roms[unit][op]["adds"] else "HIDDEN_DEPTH"]
        return c[{"dma": "DRAM_LATENCY", "mac": "MAC_DEPTH", "act": "ACT_DEPTH"}[unit]]
