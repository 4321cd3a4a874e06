"""What the recurrence needs to know of a machine: service times and the sequencer's parameters, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.engines.recurrence.phase_arrays import Ints
from archsim.hardware.unit import Service


class ServiceTimes(NamedTuple):
    """The service times of n ops, in cycles, as in Service."""

    compute: Ints
    """(n) cycles in which the datapath works."""
    occupancy: Ints
    """(n) cycles for which the op holds its unit, at least 1."""
    depth: Ints
    """(n) cycles from the end of the occupancy until the results are visible."""
    first_word: Ints
    """(n) cycles from the start until the first word is visible behind a FIFO."""
    write: Ints
    """(n) cycles in which the results pass the unit's write ports."""

    @classmethod
    def from_services(cls, services: Sequence[Service]) -> ServiceTimes:
        """The times of services, one for each op."""
        rows = [
            (s.compute_cycles, s.occupancy_cycles, s.depth_cycles, s.first_word_cycles, s.write_cycles)
            for s in services
        ]
        table = np.array(rows, np.int64).reshape(-1, 5)
        return cls(*np.ascontiguousarray(table.T))

    def at(self, places: npt.NDArray[np.intp] | Ints) -> ServiceTimes:
        """The times at some places, in that order: from the services of shapes those of ops."""
        return ServiceTimes(*(times[places] for times in self))


class PhaseTiming(NamedTuple):
    """What one phase's timing depends on besides the program."""

    services: ServiceTimes
    """The service times of the phase's ops."""
    issue_cycles: int
    """Cycles between two ops that the sequencer issues."""
    queue_depth: int
    """Ops that wait in front of each unit at most."""
    token_latency_cycles: int
    """Cycles from an event until the tokens that it sends arrive."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The services of every phase's ops, and what the sequencer's section says."""

    services: tuple[ServiceTimes, ...]
    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int = 0

    @property
    def phases(self) -> tuple[PhaseTiming, ...]:
        """The timing of each phase."""
        sequencer = self.issue_cycles, self.queue_depth, self.token_latency_cycles
        return tuple(PhaseTiming(services, *sequencer) for services in self.services)
