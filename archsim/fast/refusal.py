"""When the recurrence does not hold, or cannot be computed: one line says why, and the machine must execute."""

from __future__ import annotations

from collections.abc import Iterable

from archsim.components.base import Service, Unit
from archsim.program.ir import After, Program

LARGEST_CYCLE = 1 << 62
"""Times are 64-bit integers."""

_KNOWN = (After.DONE, After.FREE)


def refusal(program: Program, units: Iterable[Unit[object]]) -> str:
    """Why the second executor cannot time this program on these units; "" if it can."""
    dynamic = sorted({unit.name for unit in units if not unit.static})
    if dynamic:
        return f"service times of {', '.join(dynamic)} depend on history"
    return program_refusal(program)


def program_refusal(program: Program) -> str:
    """The same of the program alone."""
    for phase in program.phases:
        for index, (op, deps) in enumerate(zip(phase.ops, phase.deps, strict=True)):
            for dep in deps:
                if dep.after not in _KNOWN:
                    return f"'{op.label}' waits for {dep.after.value}, which the recurrence does not know"
                if dep.lag < 0 or not 0 <= dep.op < len(phase.ops) or (dep.lag == 0 and dep.op >= index):
                    return f"'{op.label}' waits for an op that does not come before it"
    return ""


def overflow_refusal(program: Program, services: Iterable[Iterable[Service]], issue_cycles: int) -> str:
    """The same of the sum of all times, which no time of the run exceeds."""
    longest = sum(
        (service.occupancy_cycles + service.depth_cycles + issue_cycles) * op.instances(phase.repeat)
        for phase, of_phase in zip(program.phases, services, strict=True)
        for op, service in zip(phase.ops, of_phase, strict=True)
    )
    return "" if longest < LARGEST_CYCLE else f"the run may take {longest:,} cycles, and times are 64-bit integers"
