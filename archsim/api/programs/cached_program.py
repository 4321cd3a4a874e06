"""A verified program with all that follows from it alone, which designs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from archsim.api.programs.figure_cache import FigureCache
from archsim.config.read_tracking import Question
from archsim.errors import ArchsimError
from archsim.families.machine_config import MachineConfig
from archsim.metrics.bounds import closing_chains
from archsim.metrics.flat import flat
from archsim.metrics.precomputed import ProgramFigures
from archsim.metrics.stats import SteadyState, steady_state
from archsim.metrics.unit_facts import SharedFacts
from archsim.program.ir import PhaseKind, Program
from archsim.program.outline import ProgramOutline
from archsim.program.shapes import Shapes
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from archsim.engines.recurrence import ChainTables, PhaseArrays, ProgramTables


FIGURES_WITH_ENTRIES = (
    "stored_bytes",
    "traffic_bytes",
    "phase_traffic_bytes",
    "compulsory_dram_bytes",
    "dram_traffic_ratio",
    "operational_intensity_ops_per_byte",
)
"""Figures of a program alone that have entries."""


@dataclass(frozen=True, slots=True, eq=False)
class ProgramParts:
    """What evaluating many designs needs of a program, without its ops one by one."""

    outline: ProgramOutline
    figures: ProgramFigures
    shapes: Shapes
    shape_times: tuple[int, ...]
    steady: tuple[SteadyState | None, ...]
    refusal: str
    phase_arrays: tuple[PhaseArrays, ...]
    chains: tuple[ChainTables | None, ...]


@dataclass(frozen=True)
class CachedProgram:
    """A verified program, and what follows from it alone. Parts are made when they are first asked for."""

    make: Callable[[], Program]
    """Gives the program, or builds it."""
    spec: NetworkSpec
    units: tuple[str, ...]
    questions: tuple[Question, ...]
    reads: Mapping[str, object]
    """Path -> value of each field of the machine that the schedule read."""
    facts: SharedFacts
    """What units do, shared with other programs."""
    known: ProgramParts | None = None
    """What is known without the program."""
    digests: dict[tuple[object, ...], tuple[bytes, bytes] | None] = field(default_factory=dict)
    """Under what it is kept on disk, by the values of the fields that were read or asked about; None: not at all."""

    def fits(self, config: MachineConfig) -> bool:
        """Whether a machine gives the answers that the program was built with."""
        return answers_alike(self.questions, config)

    @cached_property
    def program(self) -> Program:
        """The program itself."""
        return self.make()

    @cached_property
    def parts(self) -> ProgramParts:
        """What follows from the program, all of it."""
        return self.known or ProgramParts(
            self.outline,
            self.figures,
            self.shapes,
            self.shape_times,
            self.steady,
            self.refusal,
            self.phase_arrays,
            self.chains,
        )

    @cached_property
    def outline(self) -> ProgramOutline:
        """The distinct ops of each phase."""
        return self.known.outline if self.known else ProgramOutline.of(self.program)

    @cached_property
    def figures(self) -> ProgramFigures:
        """Figures that are the same on every machine."""
        return self.known.figures if self.known else ProgramFigures.from_program(self.program, self.spec.steps)

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, int | float | str | None]]:
        """The entries of each of its FIGURES_WITH_ENTRIES by their full names."""
        return {name: dict(flat(name, getattr(self.figures, name))) for name in FIGURES_WITH_ENTRIES}

    @cached_property
    def figure_cache(self) -> FigureCache:
        """Figures of the program's units, kept for each machine that has been asked for."""
        return FigureCache(self.outline, self.shapes, self.shape_times, self.facts)

    @cached_property
    def shapes(self) -> Shapes:
        """The distinct shapes of the ops."""
        return self.known.shapes if self.known else Shapes.from_program(self.program)

    @cached_property
    def shape_times(self) -> tuple[int, ...]:
        """How often the program executes ops of each shape."""
        return self.known.shape_times if self.known else self.shapes.times(self.program)

    @cached_property
    def unit_of_shape(self) -> tuple[str, ...]:
        """The unit that executes ops of each shape."""
        return tuple(op.unit for op in self.shapes.ops)

    @cached_property
    def shape_times_in_bodies(self) -> npt.NDArray[np.int64]:
        """How often the program executes ops of each shape in its bodies (S)."""
        import numpy as np

        found = np.zeros(len(self.shape_times), np.int64)
        for phase, arrays, places in zip(self.outline.phases, self.phase_arrays, self.shape_places, strict=True):
            if phase.kind is PhaseKind.BODY:
                np.add.at(found, places, arrays.times)
        return found

    @cached_property
    def shape_places(self) -> tuple[npt.NDArray[np.int64], ...]:
        """The shape of each op, by its number in `shapes`: one array (ops) for each phase."""
        import numpy as np

        return tuple(np.array(shapes, np.int64) for shapes in self.shapes.of_phase)

    @cached_property
    def steady(self) -> tuple[SteadyState | None, ...]:
        """Where the steady state of each phase is."""
        return self.known.steady if self.known else tuple(map(steady_state, self.program.phases))

    @cached_property
    def refusal(self) -> str:
        """Why the second executor cannot time the program; "" if it can."""
        from archsim.engines.recurrence import program_refusal

        return self.known.refusal if self.known else program_refusal(self.program)

    @cached_property
    def phase_arrays(self) -> tuple[PhaseArrays, ...]:
        """Each phase as arrays."""
        from archsim.engines.recurrence import arrays_of

        return self.known.phase_arrays if self.known else arrays_of(self.program, self.units)

    @cached_property
    def tables(self) -> ProgramTables:
        """The program as arrays."""
        from archsim.engines.recurrence import ProgramTables

        return ProgramTables(self.program, self.units, self.phase_arrays)

    @cached_property
    def chains(self) -> tuple[ChainTables | None, ...]:
        """How the recurrence closes in each body; None for other phases."""
        from archsim.engines.recurrence import ChainTables

        return (
            self.known.chains
            if self.known
            else tuple(
                ChainTables.from_chains(tables, closing_chains(phase)) if phase.kind is PhaseKind.BODY else None
                for phase, tables in zip(self.program.phases, self.phase_arrays, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class NoProgram:
    """Why machines have no program, and what the schedule read and asked until it found that out."""

    error: ArchsimError
    questions: tuple[Question, ...]
    reads: Mapping[str, object]

    def fits(self, config: MachineConfig) -> bool:
        """Whether a machine gives the same answers, and so has no program either."""
        return answers_alike(self.questions, config)


def answers_alike(questions: Sequence[Question], config: MachineConfig) -> bool:
    """Whether a machine answers questions as the one did that was asked them."""
    return all(asked.question(attrgetter(asked.path)(config)) == asked.answer for asked in questions)
