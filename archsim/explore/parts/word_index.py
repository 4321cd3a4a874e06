"""Finds rows by 64-bit words: sorted arrays, of which two are merged when they are about of a size.

12 bytes a row; a dictionary would take ten times as much. Different things may have the same word: who asks must look
whether a row is the one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint32]


class WordIndex:
    """Rows by the words of what they hold."""

    def __init__(self) -> None:
        self._runs: list[tuple[Words, Rows]] = []

    def __len__(self) -> int:
        return sum(len(words) for words, _ in self._runs)

    def add(self, words: Words, first: int, places: npt.NDArray[np.intp] | None = None) -> None:
        """Add rows: `first` and those after it, one a word; with `places`, those at these distances from `first`."""
        rows = np.arange(len(words)) if places is None else places
        self._push(words, (rows + first).astype(np.uint32))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (low, low_rows), (high, high_rows) = self._runs.pop(-2), self._runs.pop()
            self._push(np.concatenate([low, high]), np.concatenate([low_rows, high_rows]))

    def find(self, words: Words) -> Iterator[tuple[int, int]]:
        """The place of each word that is known, and a row that has it; a word may have several rows."""
        for known, rows in self._runs:
            left, right = np.searchsorted(known, words, "left"), np.searchsorted(known, words, "right")
            for place in np.flatnonzero(right > left).tolist():
                for row in rows[left[place] : right[place]].tolist():
                    yield place, row

    def _push(self, words: Words, rows: Rows) -> None:
        order = np.argsort(words, kind="stable")
        self._runs.append((words[order], rows[order]))
