"""Which executor times a program: the discrete-event machine, or the compiled recurrence where it applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from archsim.errors import ExecutorError

AUTO, FAST, MACHINE = "auto", "fast", "machine"
EXECUTORS = (AUTO, FAST, MACHINE)
"""auto: the second executor wherever it applies, else the machine."""

SHORT_OPS = 20_000
"""A single run of fewer ops is over before the compiled code is loaded: `auto` leaves it to the machine."""


@dataclass(frozen=True, slots=True)
class Executor:
    """What timed a run: `name` is "fast" or "machine"; `reason`, of `auto`, why it was the machine, else ""."""

    name: str
    reason: str


def check_executor(executor: str) -> None:
    """ExecutorError for a name that is none of EXECUTORS."""
    if executor not in EXECUTORS:
        raise ExecutorError(f"--executor {executor[:40]}: no such executor; allowed: {', '.join(EXECUTORS)}")


Timing = TypeVar("Timing")


def choose(executor: str, fast: Callable[[], Timing | str], rather_machine: str = "") -> tuple[Timing | None, Executor]:
    """Time a run by the second executor if that is to do it; the timing, or None if the machine must execute the run.

    `executor` is what was asked for, one of EXECUTORS; `fast` times the run, or says why that cannot be;
    `rather_machine` is why `auto` leaves the run to the machine without trying, "" if it does not. ExecutorError if the
    second executor was asked for by name, and cannot time the run.
    """
    if executor == MACHINE:
        return None, Executor(MACHINE, "")
    if executor == AUTO and rather_machine:
        return None, Executor(MACHINE, rather_machine)
    timing = fast()
    if not isinstance(timing, str):
        return timing, Executor(FAST, "")
    if executor == FAST:
        raise ExecutorError(f"--executor {FAST}: {timing}; --executor {MACHINE} can time it")
    return None, Executor(MACHINE, timing)
