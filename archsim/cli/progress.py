"""What a run shows while it works, on a terminal: a bar over time steps or designs, or what is being done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

SHOWN_AFTER_SECONDS = 1.0


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show what is being done while it is, on a terminal."""
    if not sys.stdout.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def bar_width(terminal: int) -> int:
    """Characters of a bar on a terminal of that width: a third, so that the words and numbers beside it are whole."""
    return min(40, terminal // 3)


@contextmanager
def step_progress(steps: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what the machine calls with the number of completed time steps; None where nobody would see it.

    Before the first step it says that the run is prepared, behind the last one that its numbers are checked.
    """
    if not sys.stdout.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    width = bar_width(console.width)
    columns = (TextColumn("{task.description}"), BarColumn(width), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("preparing", total=None)

    def progress(done: int) -> None:
        if done < steps:
            bar.update(task, description="time steps", total=steps, completed=done)
        else:
            bar.update(task, description="checking", total=None)

    with _shown_late(bar):
        yield progress


@contextmanager
def design_progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what is called with how many designs are measured, of how many; None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width(console.width)), MofNCompleteColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    task = bar.add_task(what, total=None)

    def progress(done: int, total: int) -> None:
        bar.update(task, total=total, completed=done)

    with _shown_late(bar):
        yield progress


@contextmanager
def stage_progress(what: str) -> Iterator[Callable[[str], None] | None]:
    """Yield what is called with the name of each stage when it begins; None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)

    def progress(stage: str) -> None:
        bar.update(task, description=f"{what}: {stage}")

    with _shown_late(bar):
        yield progress


@contextmanager
def _shown_late(bar: Progress) -> Iterator[None]:
    """Show a bar when what is done takes longer than a second."""
    timer = Timer(SHOWN_AFTER_SECONDS, bar.start)  # it must appear although nothing calls progress
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a bar that is about to start has started, and can be stopped
        bar.stop()
