"""Keeps occupied cycles over time in a fixed number of bins, however long the run."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.trace.limits import too_long

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
        self._ends = array("q")  # where each interval begins and ends

    def add(self, start: int, cycles: int) -> None:
        """Note that the unit is occupied in [start, start + cycles); LengthError if that is beyond 64-bit integers."""
        try:
            self._ends.append(start)
            self._ends.append(start + cycles)
        except OverflowError as error:
            raise too_long() from error
        if len(self._ends) >= _FLUSH_AT:
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
        if not self._ends:
            return
        ends = np.array(self._ends) - self._start
        del self._ends[:]
        length = int(ends[-1])
        self._reach(length)
        edges = np.arange(self._bins(length) + 1, dtype=np.int64) * self._bin_cycles
        busy = np.diff(_busy_before(edges, ends))
        busy[: len(self._busy)] += self._busy
        self._busy = busy


def _busy_before(times: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The occupied cycles before each time, for intervals in order and without overlap.

    They grow by one a cycle from an interval's begin to its end and not in between, which floating point interpolates
    exactly up to 2^53.
    """
    grown = np.zeros(len(ends), np.int64)
    grown[1::2] = ends[1::2] - ends[::2]
    return np.interp(times, ends, np.cumsum(grown)).astype(np.int64)
