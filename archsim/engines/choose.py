"""Which executor times a program: the discrete-event machine, or the compiled recurrence where it applies."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.errors import ExecutorError

AUTO, FAST, MACHINE = "auto", "fast", "machine"
EXECUTORS = (AUTO, FAST, MACHINE)
"""auto: the second executor wherever it applies, else the machine."""


SHORT_OPS = 100_000
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


def refused(reason: str) -> ExecutorError:
    """The error for a run that `fast` was asked for, but cannot time."""
    return ExecutorError(f"--executor {FAST}: {reason}; --executor {MACHINE} can time it")
