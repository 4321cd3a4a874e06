"""Says what is known of a run when it has ended, for the end of its trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from archsim.critical import AllTimes, Segment
from archsim.program.ir import Program


@dataclass(frozen=True, slots=True)
class Slice:
    """An op on its unit: where its slice begins."""

    unit: str
    start: int


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """The length of a run in cycles, and where its critical path goes from unit to unit; () if that is not known."""

    total_cycles: int
    handovers: tuple[tuple[Slice, Slice], ...] = ()

    @classmethod
    def of(cls, total_cycles: int, program: Program, path: Sequence[Segment], times: AllTimes | None) -> TraceEnd:
        """The end of a run with a critical path; `times`: those of all ops, without which it has no places."""
        if times is None:
            return cls(total_cycles)
        instances = [segment.instance for segment in path]
        found = []
        for before, after in pairwise(instances):
            units = [program.phases[one.phase].ops[one.op].unit for one in (before, after)]
            if units[0] != units[1]:
                starts = [int(times.start[one.phase][one.repetition, one.op]) for one in (before, after)]
                found.append((Slice(units[0], starts[0]), Slice(units[1], starts[1])))
        return cls(total_cycles, tuple(found))
