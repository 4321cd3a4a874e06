"""Lets Python look for cycles of dead objects seldom, while many objects are made that live on."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 200_000
"""After so many new objects it is looked; Python's own 700 make it look through every program again and again."""


@contextmanager
def seldom() -> Iterator[None]:
    """Within it Python looks for cycles after NEW_OBJECTS; afterwards as before."""
    before = gc.get_threshold()
    if before[0]:  # else it does not look at all
        gc.set_threshold(max(NEW_OBJECTS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def seldom_to_the_end() -> None:
    """From now on Python looks for cycles after NEW_OBJECTS, and not at all when the process ends.

    For a process that is one command: what it has made goes with it, and looking through all of it at the end, as
    Python does several times, takes a tenth of a short run.
    """
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(NEW_OBJECTS, before[0]), *before[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
