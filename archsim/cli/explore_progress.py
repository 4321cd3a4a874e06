"""Shows the progress of an exploration on stderr: points, designs a second, best so far, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from archsim.cli.progress import bar_width
from archsim.explore.results.study import Point
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Values
from archsim.explore.space.space import Space


def _two_lines() -> Any:  # noqa: ANN401 rich is imported where a bar is shown
    """A bar, and below it the note, which ends in "..." where it has no room."""
    from collections.abc import Iterable

    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class TwoLines(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            for task in self.tasks:
                yield Text(task.fields["note"], no_wrap=True, overflow="ellipsis")

    console = Console(stderr=True)
    bar = BarColumn(bar_width(console.width))
    columns = (TextColumn("points"), bar, MofNCompleteColumn(), TimeRemainingColumn())
    return TwoLines(*columns, console=console, transient=True)


class ExploreProgress(Watcher):
    """A progress bar on stderr, a line of what was found below it, if that is a terminal and they are not hidden."""

    def __init__(self, hidden: bool) -> None:
        self._shown = not hidden and sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None
        self._space: Space | None = None
        self._best: list[float | None] = []
        self._fresh = 0
        self._begun = 0.0

    def begin(self, budget: int, space: Space) -> None:
        self._space, self._begun = space, time.monotonic()
        self._best = [None] * len(space.objectives)
        if not self._shown:
            return
        self._bar = _two_lines()
        self._task = self._bar.add_task("points", total=budget, note="")
        self._bar.start()

    def counted(self, points: Sequence[Point], fresh: int) -> None:
        self._fresh += fresh
        for point in points:
            if point.objectives is not None:
                self._learn(point.objectives)
        if self._bar is not None:
            self._bar.update(self._task, advance=len(points), note=self.note())

    def restored(self, points: int, objectives: Values) -> None:
        assert self._space is not None
        if len(objectives):
            ends = zip(self._space.objectives, objectives.min(axis=0), objectives.max(axis=0), strict=True)
            self._learn([float(least if objective.sign == 1 else most) for objective, least, most in ends])
        if self._bar is not None:
            self._bar.update(self._task, advance=points, note=self.note())

    def reported(self, points: int, fresh: int, objectives: Values) -> None:
        self._fresh += fresh
        self.restored(points, objectives)

    def _learn(self, values: Sequence[float]) -> None:
        assert self._space is not None
        for place, (objective, value) in enumerate(zip(self._space.objectives, values, strict=True)):
            best = self._best[place]
            if best is None or objective.sign * value < objective.sign * best:
                self._best[place] = value

    def note(self) -> str:
        """Rate and best so far, as the bar shows them."""
        assert self._space is not None
        rate = self._fresh / max(time.monotonic() - self._begun, 1e-9)
        known = zip(self._space.objectives, self._best, strict=True)
        best = ", ".join(f"{objective.name} {value:.4g}" for objective, value in known if value is not None)
        return f"{rate:,.0f} designs/s" + (f"; best so far: {best}" if best else "")

    def __enter__(self) -> ExploreProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
