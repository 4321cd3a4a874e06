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
    occupancy: Ints
    """(R, n) the occupancy of each op in each repetition, where those differ; (0, n) where they do not."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """The service times of a phase's n ops in each of its R repetitions, which data make different."""

    compute: Ints
    """(R, n) cycles in which the datapath works."""
    occupancy: Ints
    """(R, n) cycles for which the op holds its unit."""

    @classmethod
    def from_services(cls, services: Sequence[Sequence[Service]]) -> Recorded:
        """The times of services, a row for each repetition."""
        rows = [[(s.compute_cycles, s.occupancy_cycles) for s in of_repetition] for of_repetition in services]
        table = np.array(rows, np.int64).reshape(len(rows), -1, 2)
        return cls(np.ascontiguousarray(table[..., 0]), np.ascontiguousarray(table[..., 1]))


@dataclass(frozen=True, slots=True)
class Timing:
    """The services of every phase's ops, and what the sequencer's section says."""

    services: tuple[ServiceTimes, ...]
    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int
    recorded: tuple[Recorded | None, ...] = ()
    """For each phase the times of its repetitions, None where they are all alike; () if that is so in all phases."""

    def recorded_of(self, phase: int) -> Recorded | None:
        """The times of a phase's repetitions, if they differ."""
        return self.recorded[phase] if self.recorded else None

    @property
    def phases(self) -> tuple[PhaseTiming, ...]:
        """The timing of each phase."""
        sequencer = self.issue_cycles, self.queue_depth, self.token_latency_cycles
        found = []
        for number, services in enumerate(self.services):
            recorded = self.recorded_of(number)
            none = np.zeros((0, len(services.depth)), np.int64)
            found.append(PhaseTiming(services, *sequencer, none if recorded is None else recorded.occupancy))
        return tuple(found)
