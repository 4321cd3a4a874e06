"""A program as arrays: what the recurrence looks back on. Made once for a program, whatever the service times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.program.codes import CAUSE_CODES
from archsim.program.ir import Phase, Program

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class PhaseArrays(NamedTuple):
    """One phase of n ops in program order, with their m dependencies, on the U units of the machine.

    All repetitions from `head` to repeat - tail - 1 have all ops; in others some are left out. The dependencies of op k
    are those from first_dep[k] to first_dep[k + 1] - 1.
    """

    repeat: int
    """Repetitions of the phase."""
    head: int
    """The first repetition in which all ops take part."""
    tail: int
    """Repetitions at the end of the phase in which some ops are left out."""
    max_lag: int
    """The longest lag of a dependency, in repetitions; 0 if there is none with a lag."""
    unit: Ints
    """(n) the place of the op's unit among the machine's units."""
    skip_first: Ints
    """(n) how many of the first repetitions leave the op out."""
    skip_last: Ints
    """(n) how many of the last repetitions leave the op out."""
    joined: Flags
    """(n) whether the op is issued with the one before it, without an issue interval of its own."""
    times: Ints
    """(n) in how many repetitions the op takes part."""
    first_dep: Ints
    """(n + 1) where the dependencies of each op begin."""
    dep_op: Ints
    """(m) the op that is waited for."""
    dep_lag: Ints
    """(m) how many repetitions before that op stands."""
    dep_after: Ints
    """(m) the code of the event that is waited for (program.codes.EVENTS)."""
    dep_cause: Ints
    """(m) the code of the cause under which a wait is booked (program.codes.CAUSES)."""
    lagged: Ints
    """The ops that some dependency with a lag looks back on, in program order."""
    instances: Ints
    """(U) ops that each unit executes in the whole phase."""
    marks: Ints
    """The repetitions whose ends are reported, ascending."""

    @classmethod
    def from_phase(cls, phase: Phase, places: dict[str, int]) -> PhaseArrays:
        """The arrays of a phase; `places` says where each unit stands among the machine's."""
        ops, repeat, touched = phase.ops, phase.repeat, phase.accesses
        unit = _ints([places[name] for name in touched.units])[touched.unit]
        times = np.maximum(0, repeat - touched.skip_first - touched.skip_last)
        dep_of, dep_op, dep_lag, dep_after = phase.order
        instances = np.zeros(len(places), np.int64)
        np.add.at(instances, unit, times)
        return cls(
            repeat=repeat,
            head=phase.head,
            tail=int(touched.skip_last.max(initial=0)),
            max_lag=phase.max_lag,
            unit=unit,
            skip_first=touched.skip_first,
            skip_last=touched.skip_last,
            joined=np.array([op.joined for op in ops], np.bool_),
            times=times,
            first_dep=np.append(0, np.cumsum(np.bincount(dep_of, minlength=len(ops)))),
            dep_op=dep_op,
            dep_lag=dep_lag,
            dep_after=dep_after,
            dep_cause=_ints([CAUSE_CODES[dep.cause] for of_op in phase.deps for dep in of_op]),
            lagged=np.unique(dep_op[dep_lag != 0]),
            instances=instances,
            marks=_ints(list(phase.marked_repetitions)),
        )

    @property
    def executes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.instances.any())


@dataclass(frozen=True, slots=True, eq=False)
class ProgramTables:
    """All phases of a program as arrays; `units` are the names of the machine's units, in its order."""

    program: Program
    units: tuple[str, ...]
    phases: tuple[PhaseArrays, ...]

    @classmethod
    def from_program(cls, program: Program, units: tuple[str, ...]) -> ProgramTables:
        """The tables of a program that runs on units of these names."""
        return cls(program, units, arrays_of(program, units))


def arrays_of(program: Program, units: Sequence[str]) -> tuple[PhaseArrays, ...]:
    """The phases of a program as arrays, on units of these names."""
    places = {name: place for place, name in enumerate(units)}
    return tuple(PhaseArrays.from_phase(phase, places) for phase in program.phases)


def _ints(values: list[int]) -> Ints:
    return np.array(values, np.int64)
