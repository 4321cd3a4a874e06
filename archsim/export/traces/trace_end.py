"""Says what is known of a run when it has ended, for the end of its trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from archsim.critical import AllTimes, Segment
from archsim.program.ir import Program

MOST_DEPENDENCIES = 100_000
"""Arrows of dependencies in a trace: a viewer shows no more."""


@dataclass(frozen=True, slots=True)
class Slice:
    """An op on its unit: where its slice begins."""

    unit: str
    start: int


Arrow = tuple[Slice, Slice]


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """The length of a run in cycles, and where its critical path goes from unit to unit; () if that is not known.

    `dependencies`: where ops wait for others, the first MOST_DEPENDENCIES of `all_dependencies`; () if not asked for.
    """

    total_cycles: int
    handovers: tuple[Arrow, ...] = ()
    dependencies: tuple[Arrow, ...] = ()
    all_dependencies: int = 0

    @classmethod
    def of(
        cls, total_cycles: int, program: Program, path: Sequence[Segment], times: AllTimes | None, every: bool = False
    ) -> TraceEnd:
        """The end of a run with a critical path; `times`: those of all ops, without which it has no places.

        `every`: with all dependencies, too.
        """
        if times is None:
            return cls(total_cycles)
        instances = [segment.instance for segment in path]
        found = []
        for before, after in pairwise(instances):
            units = [program.phases[one.phase].ops[one.op].unit for one in (before, after)]
            if units[0] != units[1]:
                starts = [int(times.start[one.phase][one.repetition, one.op]) for one in (before, after)]
                found.append((Slice(units[0], starts[0]), Slice(units[1], starts[1])))
        if not every:
            return cls(total_cycles, tuple(found))
        arrows = _dependencies(program, times)
        first = tuple(islice(arrows, MOST_DEPENDENCIES))
        return cls(total_cycles, tuple(found), first, len(first) + sum(1 for _ in arrows))


def _dependencies(program: Program, times: AllTimes) -> Iterator[Arrow]:
    """From each op that another waits for to that one, in program order."""
    for number, phase in enumerate(program.phases):
        starts = times.start[number]
        for repetition in range(phase.repeat):
            for place, (op, deps) in enumerate(zip(phase.ops, phase.deps, strict=True)):
                for dep in deps:
                    sent, sender = repetition - dep.lag, phase.ops[dep.op]
                    if op.active(repetition, phase.repeat) and sender.active(sent, phase.repeat):
                        begin = Slice(sender.unit, int(starts[sent, dep.op]))
                        yield begin, Slice(op.unit, int(starts[repetition, place]))
