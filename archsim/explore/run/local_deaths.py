"""Says when a design is given up whose workers die."""

from __future__ import annotations

from archsim.explore.run.evaluation import Task
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.space.design import Reason

MOST_DEATHS = 3
"""A task whose worker dies that often is recorded as failed."""


def died(task: Task, exit_code: int) -> Outcome:
    """The outcome of a task that has cost too many workers, the last of which ended with this code."""
    what = f"its worker process died {MOST_DEATHS} times, the last with exit code {exit_code}"
    return Outcome(task.key, Kind.FAILED, {}, reason=Reason("worker", what), alone="its worker died")
