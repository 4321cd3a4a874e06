"""Keeps the pictures that a command draws, so that forks of this process that run it again need not draw them.

Matplotlib draws in memory, and takes a second of a processor for what a command writes in a few milliseconds. A command
draws the same pictures in the same order each time, so a picture is known by how many were drawn before it.
"""

from __future__ import annotations

from typing import Any

import pytest

from archsim.report.figures import drawing

DRAWING = ("archsim.report.figures.drawing.drawn", "archsim.explore.results.figures.drawn")


class KeptPictures:
    """Draws what was not drawn yet, and gives what was. `rewind` before each command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._kept: list[bytes] = []
        self._place = 0
        self._draw = drawing.drawn
        for name in DRAWING:
            monkeypatch.setattr(name, self.drawn)

    def rewind(self) -> None:
        """The next picture is the first one of a command."""
        self._place = 0

    def drawn(self, *what: Any, **look: Any) -> bytes:
        """The next picture."""
        if self._place == len(self._kept):
            self._kept.append(self._draw(*what, **look))
        self._place += 1
        return self._kept[self._place - 1]
