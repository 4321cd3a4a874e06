"""Makes the codes of a matrix of weights when they are read, instead of keeping a second copy of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.formats import Encoding
from archsim.formats.number import Array
from archsim.program.ir import Program

VALUES_AT_ONCE = 1 << 15
"""Values that are encoded at once: 8 bytes each, several times, fit a core's cache."""


def stored_by_rows(values: npt.NDArray[Any], encoding: Encoding) -> tuple[Array, int]:
    """The codes of real numbers (slots, entries, width), some entries at a time: the steps stay in the cache."""
    slots, entries, width = values.shape
    stored, beyond = np.empty_like(values, encoding.stored_type), 0  # in the order in memory that values have
    count = max(1, VALUES_AT_ONCE // max(1, slots * width))
    for start in range(0, entries, count):
        rows = slice(start, start + count)
        codes, lost = encoding.rows(start, start + count).encoded(values[:, rows])
        stored[:, rows] = codes
        beyond += lost
    return stored, beyond


def all_within(values: npt.NDArray[Any], encoding: Encoding) -> bool:
    """Whether no number (slots, entries, width) is beyond the range of its code.

    The codes of one scale rise with the numbers, so that those of the least and the largest of an entry tell of all.
    """
    if not values.size:
        return True
    ends = np.stack([values.min(axis=(0, 2)), values.max(axis=(0, 2))], axis=1)
    return encoding.encoded(ends[np.newaxis])[1] == 0


@dataclass(frozen=True, eq=False)
class TensorCodes:
    """The codes of real numbers (slots, entries, width), all of them within the range, made when they are read."""

    values: npt.NDArray[Any]
    encoding: Encoding

    @property
    def shape(self) -> tuple[int, ...]:
        """(slots, entries, width)"""
        return self.values.shape

    def rows(self, slot: int, start: int, stop: int) -> Array:
        """The codes of some entries of a slot, (entries, width)."""
        stored, _ = stored_by_rows(self.values[slot : slot + 1, start:stop], self.encoding.rows(start, stop))
        found: Array = stored[0]
        return found

    def whole(self) -> Array:
        """All codes, (slots, entries, width)."""
        return stored_by_rows(self.values, self.encoding)[0]


def loaded_once(program: Program) -> frozenset[str]:
    """The inputs that are read in front of the bodies and behind them alone, where nothing is repeated."""
    repeated = {
        region.buffer.name for phase in program.phases if phase.repeat > 1 for op in phase.ops for region in op.reads
    }
    return frozenset(buffer.name for buffer in program.buffers if buffer.is_input) - repeated
