"""The rules of time as a recurrence: what the machine must do, without events, queues or processes.

With P the start of the phase, for the ops in program order:

    issue(op) = max(issue(op before), S(op that must leave the queue first)) + issue_cycles
    S(op)     = max(P, F(op before on the unit), issue(op), D or F of each dependency + token_latency_cycles)
    F(op)     = S(op) + occupancy
    D(op)     = max(F(op) + depth, D(op before on the unit) + write_cycles)

where an op that a repetition leaves out has issue(op) = issue(op before) + issue_cycles and nothing else, and what
stands before the first op was issued at P + token_latency_cycles. The next phase starts at the largest D. A repetition
of a body that has a release is issued no earlier than at P + token_latency_cycles + release: what stands before its
first op counts as issued then at the earliest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from archsim.engines.events import MachineSpec
from archsim.engines.events.options import Jitter
from archsim.program.ir import After, PhaseKind, Program, Wait
from archsim.trace import OpRecord


@dataclass
class Expected:
    """What the recurrence says."""

    records: list[OpRecord] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    waits: Counter[tuple[str, str]] = field(default_factory=Counter)
    end: int = 0


def recurrence(
    program: Program, spec: MachineSpec, jitter: Jitter | None = None, releases: Sequence[int] = ()
) -> Expected:
    """Evaluate the rules above, op after op."""
    found = Expected()
    for number, phase in enumerate(program.phases):
        begin = found.end
        found.starts.append(begin)
        issued = begin + spec.token_latency_cycles
        records: dict[tuple[int, int], OpRecord] = {}
        on_unit: dict[str, list[OpRecord]] = {name: [] for name in spec.units}
        told = issued
        for repetition in range(phase.repeat):
            if phase.kind is PhaseKind.BODY and repetition < len(releases):
                issued = max(issued, told + releases[repetition])
            for index, op in enumerate(phase.ops):
                if not op.active(repetition, phase.repeat):
                    issued += spec.issue_cycles
                    continue
                queue = on_unit[op.unit]
                if len(queue) >= spec.queue_depth:
                    issued = max(issued, queue[-spec.queue_depth].start)
                issued += spec.issue_cycles
                tokens = []
                for dep in phase.deps[index]:
                    other = records.get((repetition - dep.lag, dep.op))
                    if other is not None:
                        time = other.done if dep.after is After.DONE else other.free
                        time += spec.token_latency_cycles
                        tokens.append((time, list(Wait).index(dep.cause), dep.cause))
                free_before = queue[-1].free if queue else begin
                start = max([free_before, issued, *(time for time, _, _ in tokens)])
                service = spec.services[number][index]
                if jitter is not None:
                    service = jitter(number, repetition, index, service)
                free = start + max(service.compute_cycles, service.port_cycles)
                beats = spec.services[number][index].write_cycles
                done = max(free + service.depth_cycles, queue[-1].done + beats if queue else 0)
                record = OpRecord(number, repetition, index, start, free, done)
                records[repetition, index] = record
                queue.append(record)
                # A wait is booked on what came last; of tokens that came together on the last cause of Wait.
                last = max(tokens, default=(-1, 0, Wait.ISSUE))
                cause = Wait.ISSUE if issued > last[0] else last[2]
                found.waits[op.unit, cause.value] += start - free_before
        found.records += [records[key] for key in sorted(records)]
        found.end = max((record.done for record in records.values()), default=begin)
    return found
