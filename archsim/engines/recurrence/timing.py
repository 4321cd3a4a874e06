"""What the recurrence needs to know of a machine: service times and the sequencer's parameters, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.engines.recurrence.phase_arrays import Ints
from archsim.hardware.unit import Service


@dataclass(frozen=True, slots=True, eq=False)
class ServiceTimes:
    """Of the ops of one phase (n each), in cycles, as in Service; `occupancy` is at least 1."""

    compute: Ints
    occupancy: Ints
    depth: Ints
    first_word: Ints

    @classmethod
    def of(cls, services: Sequence[Service]) -> ServiceTimes:
        """Of services, one for each op."""
        rows = [(s.compute_cycles, s.occupancy_cycles, s.depth_cycles, s.first_word_cycles) for s in services]
        table = np.array(rows, np.int64).reshape(-1, 4)
        return cls(*np.ascontiguousarray(table.T))

    def at(self, places: npt.NDArray[np.intp]) -> ServiceTimes:
        """Those at some places, in that order: of ops by their shapes."""
        return ServiceTimes(self.compute[places], self.occupancy[places], self.depth[places], self.first_word[places])


@dataclass(frozen=True, slots=True)
class Timing:
    """The services of every phase's ops, and the sequencer's `issue_cycles` and `queue_depth`."""

    services: tuple[ServiceTimes, ...]
    issue_cycles: int
    queue_depth: int
