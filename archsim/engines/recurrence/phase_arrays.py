"""A program as arrays: what the recurrence looks back on. Made once for a program, whatever the service times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.program.ir import After, Phase, PhaseKind, Program, Wait

Ints = npt.NDArray[np.int64]

CAUSES: tuple[Wait, ...] = tuple(Wait)
"""A cause's code is its place here. Of tokens that arrive in the same cycle the one of the highest code counts."""

ISSUE_CODE = CAUSES.index(Wait.ISSUE)
OPERAND_CODE = CAUSES.index(Wait.OPERAND)

EVENTS: tuple[After, ...] = tuple(After)
DONE_CODE = EVENTS.index(After.DONE)
FIRST_CODE = EVENTS.index(After.FIRST)


@dataclass(frozen=True, slots=True, eq=False)
class PhaseTables:
    """One phase: n ops in program order on the program's units, with their m dependencies.

    Op k waits for the dependencies first_dep[k] .. first_dep[k + 1] - 1: for op dep_op, dep_lag repetitions before, at
    the event dep_after (place in EVENTS); a wait is booked under dep_cause (place in CAUSES). `lagged`: the ops that
    some dependency looks back on with a lag; max_lag is 0 if there is none. All ops take part from repetition `head` to
    repeat - tail - 1. `joined` (n): issued with the op before; `times` (n): in how many repetitions an op takes part;
    `instances` (units): ops that a unit executes in the phase; `marks`: repetitions whose ends count.
    """

    name: str
    kind: PhaseKind
    repeat: int
    unit: Ints
    skip_first: Ints
    skip_last: Ints
    first_dep: Ints
    dep_op: Ints
    dep_lag: Ints
    dep_after: Ints
    dep_cause: Ints
    lagged: Ints
    max_lag: int
    head: int
    tail: int
    joined: npt.NDArray[np.bool_]
    times: Ints
    instances: Ints
    marks: Ints

    @property
    def executes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.instances.any())


@dataclass(frozen=True, slots=True, eq=False)
class ProgramTables:
    """All phases of a program; `units` are the names of the machine's units, in its order."""

    program: Program
    units: tuple[str, ...]
    phases: tuple[PhaseTables, ...]

    @classmethod
    def of(cls, program: Program, units: tuple[str, ...]) -> ProgramTables:
        """The tables of a program that runs on units of these names."""
        places = {name: place for place, name in enumerate(units)}
        return cls(program, units, tuple(_phase_tables(phase, places) for phase in program.phases))


def _phase_tables(phase: Phase, places: dict[str, int]) -> PhaseTables:
    ops, repeat = phase.ops, phase.repeat
    unit = _ints([places[op.unit] for op in ops])
    times = _ints([op.instances(repeat) for op in ops])
    deps = [dep for of_op in phase.deps for dep in of_op]
    marks = {0, *phase.steady_repetitions, repeat - 1}
    instances = np.zeros(len(places), np.int64)
    np.add.at(instances, unit, times)
    return PhaseTables(
        name=phase.name,
        kind=phase.kind,
        repeat=repeat,
        unit=unit,
        skip_first=_ints([op.skip_first for op in ops]),
        skip_last=_ints([op.skip_last for op in ops]),
        first_dep=np.concatenate([_ints([0]), np.cumsum(_ints([len(of_op) for of_op in phase.deps]))]),
        dep_op=_ints([dep.op for dep in deps]),
        dep_lag=_ints([dep.lag for dep in deps]),
        dep_after=_ints([EVENTS.index(dep.after) for dep in deps]),
        dep_cause=_ints([CAUSES.index(dep.cause) for dep in deps]),
        lagged=_ints(sorted({dep.op for dep in deps if dep.lag})),
        max_lag=phase.max_lag,
        head=phase.head,
        tail=max((op.skip_last for op in ops), default=0),
        joined=np.array([op.joined for op in ops], np.bool_),
        times=times,
        instances=instances,
        marks=_ints(sorted(marks)),
    )


def _ints(values: list[int]) -> Ints:
    return np.array(values, np.int64)
