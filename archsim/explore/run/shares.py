"""Deals tasks out to workers: like ones to the same worker, so that what they share is made once.

Tasks of one schedule and of neighbouring machines mostly have one program, which a worker builds for the first of them
and keeps. Results do not depend on who gets what.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence

from archsim.explore.run.backend import like_together
from archsim.explore.run.evaluation import Task


class Shares:
    """The tasks of a round in order of schedule and machine, cut into a stretch for each of `count` workers."""

    def __init__(self, tasks: Sequence[Task], count: int) -> None:
        ordered = like_together(tasks)
        ends = [len(ordered) * place // count for place in range(count + 1)]
        self._stretches = [deque(ordered[start:stop]) for start, stop in itertools.pairwise(ends)]
        self._alone: deque[Task] = deque()

    def __len__(self) -> int:
        return len(self._alone) + sum(map(len, self._stretches))

    def put_back(self, task: Task) -> None:
        """Put a task back, to be taken again by itself."""
        self._alone.append(task)

    def take(self, place: int, most: int) -> list[Task]:
        """Take up to `most` tasks for a worker: from its own stretch, or from the end of the longest."""
        if self._alone:
            return [self._alone.popleft()]
        own = self._stretches[place]
        if own:
            return [own.popleft() for _ in range(min(most, len(own)))]
        longest = max(self._stretches, key=len)
        return [longest.pop() for _ in range(min(most, -(-len(longest) // 2)))]
