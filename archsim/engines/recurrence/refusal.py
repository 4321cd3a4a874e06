"""Says in one line why the recurrence does not hold or cannot be computed, so that the machine must execute."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from archsim.hardware.unit import Service, Unit
from archsim.program.ir import After, Program
from archsim.trace.limits import LARGEST_CYCLE


def program_refusal(program: Program) -> str:
    """Why the second executor cannot time a program, whatever the machine; "" if it can."""
    for phase in program.phases:
        for index, (op, deps) in enumerate(zip(phase.ops, phase.deps, strict=True)):
            for dep in deps:
                if dep.after is After.FIRST and dep.lag:
                    return f"'{op.label}' follows the words of an op of an earlier repetition"
                if dep.lag < 0 or not 0 <= dep.op < len(phase.ops) or (dep.lag == 0 and dep.op >= index):
                    return f"'{op.label}' waits for an op that does not come before it"
    return ""


def machine_refusal(units: Iterable[Unit[Any]], single_ported: Iterable[str]) -> str:
    """Why the second executor cannot time any program on a machine; "" if it can.

    `single_ported`: the memories whose one port all units share.
    """
    return refusal_of(sorted({unit.name for unit in units if not unit.recorded}), single_ported)


def refusal_of(dynamic: Collection[str], single_ported: Iterable[str]) -> str:
    """Why a machine cannot be timed, by the units whose service times depend on what was before; empty if it can."""
    if dynamic:
        return f"service times of {', '.join(dynamic)} depend on what was before"
    shared = sorted(single_ported)
    return f"units are granted the one port of {', '.join(shared)} in the order in which they ask" if shared else ""


def length_refusal(services: Iterable[Service], times: Iterable[int], issue_cycles: int) -> str:
    """Why the second executor cannot time a run of this length, "" if it can: no time may exceed 64 bits.

    The run executes ops of each of the services so many times. No time of it exceeds the sum of all occupancies, depths
    and issue intervals.
    """
    longest = sum(
        (service.occupancy_cycles + service.depth_cycles + issue_cycles) * count
        for service, count in zip(services, times, strict=True)
    )
    return "" if longest < LARGEST_CYCLE else f"the run may take {longest:,} cycles, beyond 64-bit integers"
