"""What a run shows while it works, where stdout is a terminal: a bar over time steps, or what is being done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def step_progress(steps: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what the machine calls with the number of completed time steps; None where nobody would see it."""
    if not sys.stdout.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("time steps"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("time steps", total=steps)
    begun = time.monotonic()
    shown = False

    def progress(done: int) -> None:
        nonlocal shown
        if not shown and time.monotonic() - begun > SHOWN_AFTER_SECONDS:
            shown = True
            bar.start()
        if shown:
            bar.update(task, completed=done)

    try:
        yield progress
    finally:
        if shown:
            bar.stop()
