"""Evaluates designs: what a worker does, in this process or another."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archsim.api import Simulation, simulate
from archsim.api.evaluate import Evaluator
from archsim.errors import ArchsimError, CapacityError
from archsim.explore.results.accuracy_results import accuracy_outputs
from archsim.explore.run.outcome import Kind, Outcome, Output, Outputs
from archsim.explore.space.design import Reason, capacity_reason
from archsim.explore.space.fields import config_of
from archsim.explore.space.names import result_names
from archsim.explore.space.space import Space
from archsim.families.load import Arch
from archsim.metrics import Stats
from archsim.workload import Workload, load_workload


@dataclass(frozen=True, slots=True)
class Task:
    """A design to evaluate, as it travels to a worker."""

    key: str
    schedule: str
    arch_json: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What all tasks of an exploration share, as it travels to a worker."""

    arch_name: str
    workloads: tuple[str, ...]
    executor: str
    with_arithmetic: bool

    @staticmethod
    def from_space(space: Space, executor: str) -> Setup:
        """The setup of a space's designs."""
        references = tuple(use.reference for use in space.workloads)
        return Setup(space.arch_name, references, executor, space.with_arithmetic)

    def to_json(self) -> str:
        """The setup as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Setup:
        """Reads what `to_json` wrote."""
        data = json.loads(text)
        return Setup(data["arch_name"], tuple(data["workloads"]), data["executor"], data["with_arithmetic"])


class DesignEvaluator:
    """Evaluates the designs of one exploration, one after the other."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._workloads = tuple(load_workload(reference) for reference in setup.workloads)
        self._evaluator = Evaluator()

    def run(self, task: Task) -> Outcome:
        """The outcome of one design; whatever goes wrong with it is part of the outcome."""
        try:
            arch = Arch(self._setup.arch_name, config_of(json.loads(task.arch_json)))
            results = {work.name: self._figures(arch, work, task.schedule) for work in self._workloads}
        except CapacityError as error:
            return Outcome(task.key, Kind.INFEASIBLE, {}, reason=capacity_reason(error))
        except ArchsimError as error:
            kind = type(error).__name__.removesuffix("Error").lower()
            return Outcome(task.key, Kind.INFEASIBLE, {}, reason=Reason(kind, "; ".join(str(error).splitlines())))
        except Exception as error:  # a bug at one point must not end the exploration of the others
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            return Outcome(task.key, Kind.FAILED, {}, reason=Reason("bug", what[:500]))
        executors = dict.fromkeys(executor for executor, _ in results.values())
        return Outcome(task.key, Kind.DONE, {name: r for name, (_, r) in results.items()}, " ".join(executors))

    def _figures(self, arch: Arch, workload: Workload, schedule: str) -> tuple[str, Outputs]:
        if not self._setup.with_arithmetic:
            evaluation = self._evaluator.evaluate(arch, workload, schedule, self._setup.executor)
            return evaluation.executor, stats_outputs(evaluation.stats)
        simulation = simulate(arch, workload, schedule, statistics=())
        _check_numbers(simulation)
        return "machine", stats_outputs(simulation.stats) | accuracy_outputs(simulation)


def stats_outputs(stats: Stats) -> dict[str, Output]:
    """Every figure under its name; entries of mappings after a dot."""
    outputs: dict[str, Output] = {}
    for name in result_names():
        outputs.update(_flat(name, getattr(stats, name)))
    return outputs


def _flat(name: str, value: object) -> Iterator[tuple[str, Output]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _flat(f"{name}.{each.name}", getattr(value, each.name))
    elif value is None or isinstance(value, int | float | str):
        yield name, value


def _check_numbers(simulation: Simulation) -> None:
    if simulation.validation.passed is False:
        raise AssertionError("the machine's numbers are wrong; archsim validate shows where")
