"""Keeps occupied cycles over time in a fixed number of bins, however long the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_BINS = 1024
_FLUSH_AT = 4096


@dataclass(frozen=True, slots=True)
class Timeline:
    """The occupied cycles of a unit in bins.

    Bin i covers cycles [start + i * bin_cycles, start + (i + 1) * bin_cycles); `busy` counts occupied cycles.
    """

    start: int
    bin_cycles: int
    busy: tuple[int, ...]


class TimelineBuilder:
    """Collects a unit's occupied intervals, in order and without overlap, into bins.

    When time outgrows the bins, neighbours are merged and their width doubles.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._bin_cycles = 1
        self._busy = np.zeros(0, np.int64)  # up to the last bin with an occupied cycle
        self.intervals: list[tuple[int, int]] = []

    def add(self, start: int, cycles: int) -> None:
        """Note that the unit is occupied in [start, start + cycles)."""
        self.intervals.append((start, cycles))
        if len(self.intervals) >= _FLUSH_AT:
            self._flush()

    def finish(self, end: int) -> Timeline:
        """The timeline up to `end`, the end of the phase."""
        self._flush()
        self._reach(end - self._start)
        used = self._bins(end - self._start)
        busy = self._busy[:used].tolist()
        return Timeline(self._start, self._bin_cycles, (*busy, *[0] * (used - len(busy))))

    def _bins(self, length: int) -> int:
        return -(-length // self._bin_cycles)

    def _reach(self, length: int) -> None:
        while length > MAX_BINS * self._bin_cycles:
            if len(self._busy):
                self._busy = np.add.reduceat(self._busy, np.arange(0, len(self._busy), 2))
            self._bin_cycles *= 2

    def _flush(self) -> None:
        if not self.intervals:
            return
        pairs = np.array(self.intervals, np.int64)
        self.intervals.clear()
        starts, lengths = pairs[:, 0] - self._start, pairs[:, 1]
        length = int(starts[-1] + lengths[-1])
        self._reach(length)
        edges = np.arange(self._bins(length) + 1, dtype=np.int64) * self._bin_cycles
        busy = np.diff(_busy_before(edges, starts, lengths))
        busy[: len(self._busy)] += self._busy
        self._busy = busy


def _busy_before(
    times: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The occupied cycles before each time, for intervals in order and without overlap."""
    whole = np.concatenate([[0], np.cumsum(lengths)])
    last = np.searchsorted(starts, times, side="right") - 1
    begun = last >= 0
    last = np.maximum(last, 0)
    partial = np.clip(times - starts[last], 0, lengths[last])
    return np.where(begun, whole[last] + partial, 0)
