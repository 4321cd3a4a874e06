"""Evaluates designs: what a worker does, in this process or another."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from archsim.api import simulate
from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.evaluate import Evaluator
from archsim.api.frames import measure_frames
from archsim.checking.validation import Validation
from archsim.config import Override
from archsim.config.text import shorten
from archsim.engines.choose import FAST, MACHINE
from archsim.errors import ArchsimError, CapacityError
from archsim.explore.results.accuracy_results import accuracy_outputs, measured_outputs
from archsim.explore.run.declared import Declared
from archsim.explore.run.outcome import Kind, Outcome, Outputs
from archsim.explore.run.output_table import Output, OutputTable
from archsim.explore.run.table_evaluation import EvaluatedTable, TableEvaluation, evaluated_table, frame_outputs
from archsim.explore.space.design import Reason, capacity_reason
from archsim.explore.space.grid import Grid
from archsim.explore.space.names import result_names
from archsim.explore.space.resolver import Resolver
from archsim.explore.space.space import Space
from archsim.explore.space.workload_variants import WorkloadVariants
from archsim.families.load import Arch
from archsim.families.schedules import find_schedule
from archsim.metrics import Stats
from archsim.metrics.flat import flat
from archsim.workload import Workload


@dataclass(frozen=True, slots=True)
class Task:
    """A design to evaluate, as it travels to a worker: its key, its number in the grid, and its schedule."""

    key: str
    number: int
    schedule: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What all tasks of an exploration share, as it travels to a worker. `grid`: as Grid.to_json writes it.

    `declared`: the figures that are wanted; None is all.
    """

    arch_name: str
    grid: str
    workloads: tuple[str, ...]
    executor: str
    with_arithmetic: bool
    declared: Declared | None = None

    @staticmethod
    def from_space(space: Space, executor: str, declared: Declared | None = None) -> Setup:
        """The setup of a space's designs."""
        references = tuple(use.reference for use in space.workloads)
        return Setup(space.arch_name, space.grid.to_json(), references, executor, space.with_arithmetic, declared)

    def to_json(self) -> str:
        """The setup as one line of JSON."""
        return json.dumps(dataclasses.astuple(self))

    @staticmethod
    def from_json(text: str) -> Setup:
        """Reads what `to_json` wrote."""
        arch_name, grid, workloads, executor, with_arithmetic, declared = json.loads(text)
        return Setup(arch_name, grid, tuple(workloads), executor, with_arithmetic, Declared.from_data(declared))


CHUNK_SECONDS = 1.0
"""About how long a worker is busy with what it is given at once: its outcomes are journalled together."""
PROGRAMS = 128
"""Programs that are kept: a generation of `cloud` has about a hundred."""


class DesignEvaluator:
    """Evaluates the designs of one exploration: in batches by the programs that they share, else one after the other.

    `fewest`: fewer designs of one program go one by one.
    """

    def __init__(self, setup: Setup, fewest: int = 1) -> None:
        self._setup = setup
        self._variants = WorkloadVariants(setup.workloads, setup.with_arithmetic)
        self._evaluator = Evaluator(PROGRAMS)
        self._batches = BatchEvaluator(self._evaluator.programs, fewest)
        self._grid = Grid.from_json(setup.grid)
        self._resolver = Resolver(self._grid)
        self._why_alone = ""
        if setup.with_arithmetic:
            self._why_alone = "numbers are computed"
        elif setup.executor == MACHINE:
            self._why_alone = "the machine was asked for"

    @property
    def programs_built(self) -> int:
        """How many programs were built and verified so far."""
        return self._evaluator.programs_built

    @property
    def arithmetic_executed(self) -> int:
        """How often the arithmetic of a network was executed whose numbers several machines share."""
        return self._evaluator.activities.computed

    def run_all(self, tasks: Sequence[Task]) -> list[Outcome]:
        """The outcomes of some designs, in their order; they are those of `run`."""
        outcomes = dict(chain.from_iterable(self._places(tasks)))
        return [outcomes[place] for place in range(len(tasks))]

    def parts(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        """The outcomes of some designs, in parts of about CHUNK_SECONDS of work each, as they are finished.

        The first one comes at once, so that there is something to see.
        """
        begun, part = -math.inf, list[Outcome]()
        for known in self._places(tasks):
            part += [outcome for _, outcome in known]
            if part and time.perf_counter() - begun > CHUNK_SECONDS:
                yield part
                begun, part = time.perf_counter(), []
        if part:
            yield part

    def _places(self, tasks: Sequence[Task]) -> Iterator[list[tuple[int, Outcome]]]:
        """The place of each task and its outcome, as soon as they are known."""
        alike: dict[tuple[Override, ...], list[int]] = {}
        for place, task in enumerate(tasks):
            alike.setdefault(self._grid.overrides(task.number), []).append(place)
        for overrides, places in alike.items():
            workloads = self._variants.of(overrides).workloads
            for known in self._places_alike([tasks[place] for place in places], workloads):
                yield [(places[place], outcome) for place, outcome in known]

    def _places_alike(
        self, tasks: Sequence[Task], workloads: Sequence[Workload]
    ) -> Iterator[list[tuple[int, Outcome]]]:
        """The place and the outcome of each of some tasks, which have the same workloads."""
        left = dict.fromkeys(range(len(tasks)), self._why_alone)
        if not self._why_alone:
            try:
                for part in self._batch(tasks, workloads):
                    known = [(place, outcome) for place, outcome, _ in part if outcome is not None]
                    left |= {place: why for place, outcome, why in part if outcome is None}
                    for place, _ in known:
                        del left[place]
                    yield known
            except Exception as error:  # whatever it is: one by one it is the failure of the design that has it
                left = dict.fromkeys(left, f"a batch failed: {type(error).__name__}")
        for place, why in left.items():
            yield [(place, self.run(tasks[place], why))]

    def run(self, task: Task, alone: str = "asked for by itself") -> Outcome:
        """The outcome of one design; whatever goes wrong with it is part of the outcome."""
        try:
            config = self._grid.resolve(task.number).config
            assert config is not None  # else it is infeasible, and no task
            arch = Arch(self._setup.arch_name, config)
            variant = self._variants.of(self._grid.overrides(task.number))
            if variant.reason is not None:
                return Outcome(task.key, Kind.INFEASIBLE, {}, reason=variant.reason, alone=alone)
            results = {work.name: self._figures(arch, work, task.schedule) for work in variant.workloads}
        except ArchsimError as error:
            return infeasible(task.key, error, alone)
        except MemoryError as error:
            what = f"there is not enough memory to evaluate it: {error}"
            return Outcome(task.key, Kind.FAILED, {}, reason=Reason("memory", shorten(what, 500)), alone=alone)
        except Exception as error:  # a bug at one point must not end the exploration of the others
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            return Outcome(task.key, Kind.FAILED, {}, reason=Reason("bug", what[:500]), alone=alone)
        executors = dict.fromkeys(executor for executor, _ in results.values())
        outputs = {name: found for name, (_, found) in results.items()}
        outcome = Outcome(task.key, Kind.DONE, outputs, " ".join(executors), alone=alone)
        return outcome if self._setup.declared is None else self._setup.declared.outcome(outcome)

    def _batch(
        self, tasks: Sequence[Task], workloads: Sequence[Workload]
    ) -> Iterator[list[tuple[int, Outcome | None, str]]]:
        """The place of each task and its outcome from a batch; None, and why, of those that go one by one.

        They come as the last workload's do, some programs at a time.
        """
        resolved = self._resolver.resolve([task.number for task in tasks])
        places = resolved.places.tolist()
        others = sorted(set(range(len(tasks))).difference(places))
        yield [(place, None, "its fields are not told apart") for place in others]
        outputs: dict[int, dict[str, Outputs]] = {place: {} for place in places}
        table = TableEvaluation(self._batches, resolved.designs, self._setup.declared)
        for number, workload in enumerate(workloads):
            for part in table.parts(workload):
                for rows, columns in part.figures:
                    figures = OutputTable(columns)
                    for row, place in enumerate(resolved.places[rows].tolist()):
                        outputs[place][workload.name] = figures.row(row)
                known: list[tuple[int, Outcome | None, str]] = []
                for row in part.rows.tolist() if number == len(workloads) - 1 else ():
                    place, error = places[row], table.refusal(row)
                    key = tasks[place].key
                    if row in table.left:
                        known.append((place, None, table.left[row]))
                    elif error is not None:
                        known.append((place, infeasible(key, error), ""))
                    else:
                        known.append((place, Outcome(key, Kind.DONE, outputs.pop(place), FAST), ""))
                yield known

    def table(self, designs: Designs, workloads: Sequence[Workload]) -> EvaluatedTable:
        """What becomes of a table of designs, all with these workloads."""
        if self._why_alone:
            return EvaluatedTable.without(len(designs), self._why_alone)
        return evaluated_table(self._batches, designs, workloads, self._setup.declared)

    def _figures(self, arch: Arch, workload: Workload, schedule: str) -> tuple[str, Outputs]:
        if not self._setup.with_arithmetic:
            return self._timed(arch, workload, schedule)
        own = self._evaluator.own_numbers(arch, workload, schedule)
        if own is not None:  # the same on all machines of the same arithmetic
            _check_numbers(own.validation)
            executor, figures = self._timed(arch, workload, schedule)
            return executor, {**figures, **measured_outputs(own.accuracy)}
        simulation = simulate(arch, workload, schedule, statistics=())
        _check_numbers(simulation.validation)
        figures = frame_outputs(simulation.frames) | stats_outputs(simulation.stats)
        return MACHINE, {**figures, **accuracy_outputs(simulation)}

    def _timed(self, arch: Arch, workload: Workload, schedule: str) -> tuple[str, Outputs]:
        """The figures without arithmetic, and which executor gave them."""
        evaluation = self._evaluator.evaluate(arch, workload, schedule, self._setup.executor)
        frames = None
        if workload.spec.streaming:
            found = find_schedule(schedule, arch.config.family)
            frames = measure_frames(arch, workload, found, self._evaluator)
        return evaluation.executor, frame_outputs(frames) | stats_outputs(evaluation.stats)


def stats_outputs(stats: Stats) -> dict[str, Output]:
    """Every figure under its name; entries of mappings after a dot."""
    return {entry: value for name in result_names() for entry, value in flat(name, getattr(stats, name))}


def infeasible(key: str, error: ArchsimError, alone: str = "") -> Outcome:
    """The outcome of a design that is refused; `alone`: why it was not evaluated in a batch."""
    if isinstance(error, CapacityError):
        return Outcome(key, Kind.INFEASIBLE, {}, reason=capacity_reason(error), alone=alone)
    kind = type(error).__name__.removesuffix("Error").lower()
    reason = Reason(kind, "; ".join(str(error).splitlines()))
    return Outcome(key, Kind.INFEASIBLE, {}, reason=reason, alone=alone)


def _check_numbers(found: Validation) -> None:
    if found.passed is False:
        raise AssertionError("the machine's numbers are wrong; archsim validate shows where")
