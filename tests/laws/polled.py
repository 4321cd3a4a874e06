"""The machine cycle by cycle: every rule looked at anew in each cycle, with single ports as sets of taken cycles.

Slow, and without events or processes, so that its agreement with the machine in every cycle of every op says that the
order in which events come plays no part. Services are given, with what ops need of single ports.
"""

from __future__ import annotations

from collections import defaultdict

from archsim.engines.events import MachineSpec
from archsim.engines.events.options import Jitter
from archsim.hardware.unit import PortUse, Service
from archsim.program.ir import After, Phase, Program
from archsim.trace import OpRecord


def polled(program: Program, spec: MachineSpec, jitter: Jitter | None = None) -> tuple[list[OpRecord], int]:
    """Every op's times, and the end of the run."""
    taken: dict[str, set[int]] = defaultdict(set)
    records: list[OpRecord] = []
    now = 0
    for number, phase in enumerate(program.phases):
        run = _Phase(number, phase, spec, jitter, taken, now)
        while not run.over(now):
            run.cycle(now)
            now += 1
        records += [run.records[key] for key in sorted(run.records)]
    return records, now


class _Phase:
    def __init__(
        self, number: int, phase: Phase, spec: MachineSpec, jitter: Jitter | None, taken: dict[str, set[int]], now: int
    ) -> None:
        self.number, self.phase, self.spec, self.jitter, self.taken = number, phase, spec, jitter, taken
        self.records: dict[tuple[int, int], OpRecord] = {}
        self.last: dict[str, OpRecord] = {}
        self.queues: dict[str, list[tuple[int, int]]] = {name: [] for name in spec.units}
        repetitions = range(phase.repeat)
        ops = range(len(phase.ops))
        self.to_issue = [(r, k) for r in repetitions for k in ops]
        self.all = sum(self._takes_part(*instance) for instance in self.to_issue)
        self.begin = now + spec.token_latency_cycles
        self.issuing_since: int | None = None

    def over(self, now: int) -> bool:
        return len(self.records) == self.all and all(record.done <= now for record in self.records.values())

    def cycle(self, now: int) -> None:
        """Issue and start whatever can be; those that need a single port when nothing else is left, in order."""
        while True:
            if self._issue(now) or any(self._start_ready(name, now, contending=False) for name in self.queues):
                continue
            asking = [name for name in self.queues if self._ready(name, now) is not None]
            for name in asking:
                self._start_ready(name, now, contending=True)
            if not asking:
                return

    def _issue(self, now: int) -> bool:
        if not self.to_issue or now < self.begin:
            return False
        if self.issuing_since is None and self._has_place(self.to_issue[0]):
            self.issuing_since = now
        if self.issuing_since is None or now < self.issuing_since + self.spec.issue_cycles:
            return False
        instance = self.to_issue.pop(0)
        if self._takes_part(*instance):
            self.queues[self.phase.ops[instance[1]].unit].append(instance)
        self.issuing_since = None
        if self.to_issue and self._has_place(self.to_issue[0]):
            self.issuing_since = now
        return True

    def _takes_part(self, repetition: int, index: int) -> bool:
        return self.phase.ops[index].active(repetition, self.phase.repeat)

    def _has_place(self, instance: tuple[int, int]) -> bool:
        """Whether the interval of an op can begin: there is room in its queue, or it is left out and passed over."""
        queue = self.queues[self.phase.ops[instance[1]].unit]
        return not self._takes_part(*instance) or len(queue) < self.spec.queue_depth

    def _ready(self, name: str, now: int) -> tuple[int, int] | None:
        before = self.last.get(name)
        if not self.queues[name] or (before is not None and before.free > now):
            return None
        repetition, index = self.queues[name][0]
        for dep in self.phase.deps[index]:
            there = repetition - dep.lag
            if there < 0 or not self.phase.ops[dep.op].active(there, self.phase.repeat):
                continue
            other = self.records.get((there, dep.op))
            latency = self.spec.token_latency_cycles
            if other is None or (other.done if dep.after is After.DONE else other.free) + latency > now:
                return None
        return repetition, index

    def _uses(self, index: int) -> tuple[PortUse, ...]:
        return self.spec.port_uses[self.number][index] if self.spec.port_uses else ()

    def _start_ready(self, name: str, now: int, *, contending: bool) -> bool:
        ready = self._ready(name, now)
        if ready is None or bool(self._uses(ready[1])) != contending:
            return False
        repetition, index = self.queues[name].pop(0)
        service = self.spec.services[self.number][index]
        if self.jitter is not None:
            service = self.jitter(self.number, repetition, index, service)
        before = self.last.get(name)
        retired = before.done if before else 0
        held, written = self._held(service, self._uses(index), now, retired)
        beats = self.spec.services[self.number][index].write_cycles
        done = max(now + held + service.depth_cycles, retired + beats, written)
        record = OpRecord(self.number, repetition, index, now, now + held, done)
        self.records[repetition, index] = self.last[name] = record
        return True

    def _held(self, service: Service, uses: tuple[PortUse, ...], now: int, retired: int) -> tuple[int, int]:
        """The rule of single ports, a cycle at a time: how long the unit is held, and when all lines are written."""
        held = max(service.compute_cycles, service.port_cycles)
        for use in uses:
            cycle = now
            for word in range(use.read_cycles):
                while cycle in self.taken[use.memory]:
                    cycle += 1
                self.taken[use.memory].add(cycle)
                still = use.read_tails[word] if use.read_tails else 1
                held = max(held, cycle - now + still)
        even, written = held, 0
        for use in uses:
            lines = self._written(use, now + service.depth_cycles, even, retired)
            if lines:
                # Nobody else's cycles: only the op before and this op's own pace keep its lines back.
                alone = max(now + service.depth_cycles + even, retired + len(lines)) - 1
                held = max(held, even + lines[-1] - alone)
                written = max(written, lines[-1] + 1)
        return held, written

    def _written(self, use: PortUse, begin: int, even: int, retired: int) -> list[int]:
        """The cycles of the lines that an op writes: they come out from `begin` on, behind the op before."""
        lines: list[int] = []
        for line in range(use.write_cycles):
            come_out = -(-(line + 1) * even // use.write_cycles)  # of `even` cycles, this many must have passed
            cycle = max([begin + come_out - 1, retired, *lines[-1:]])
            while cycle in self.taken[use.memory]:
                cycle += 1
            self.taken[use.memory].add(cycle)
            lines.append(cycle)
        return lines
