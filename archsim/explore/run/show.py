"""Gives all figures of one point of an exploration, computed anew from what its folder says of the space."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim import __version__
from archsim.config.files.regular_files import read_regular
from archsim.config.json_text import json_of
from archsim.config.text import one_line
from archsim.errors import ArchsimError, OutputError
from archsim.explore.results.study_folder import SETUP, write_file
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome
from archsim.explore.search.constraints import Constraints
from archsim.explore.search.objective_values import ObjectiveValues
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Expression, ExpressionError, Scalar, parse_expression
from archsim.explore.space.grid import Grid
from archsim.explore.space.objectives import Objective
from archsim.explore.space.space import Space
from archsim.explore.space.space_config import Aggregate
from archsim.workload import load_workload

MOST_SETUP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """A point: its inputs and schedule, and what became of its design; None if the machine is not valid.

    `reason`: why the space does not have it as evaluated, be it that a constraint does not hold or an objective is not
    defined; `streams`: the workloads that are streams, whose figures of a whole run are those of a cold start.
    """

    number: int
    inputs: Mapping[str, Scalar]
    schedule: str
    outcome: Outcome | None
    reason: Reason | None
    streams: frozenset[str]


def keep_setup(folder: Path, space: Space, executor: str) -> None:
    """Write into a folder what is needed to evaluate and judge any point of a space; OutputError if that fails."""
    kept = {
        "archsim": __version__,
        "setup": Setup.from_space(space, executor).to_json(),
        "constraints": [constraint.text for constraint in space.constraints],
        "objectives": [(each.name, each.expression.text, each.sign) for each in space.objectives],
        "weights": [use.weight for use in space.workloads],
        "aggregate": space.aggregate.value,
    }
    write_file(folder / SETUP, (json.dumps(kept) + "\n").encode())


def show_point(folder: Path, number: int) -> ShownPoint:
    """A point of the space that was explored in a folder, with every figure, also if a constraint does not hold.

    OutputError if the folder does not say what was explored, or the space has no such point.
    """
    kept = _kept(folder / SETUP)
    grid = kept.grid
    if not 0 <= number < grid.size:
        raise OutputError(f"{folder}: has no point {number:,}; its space has points 0 to {grid.size - 1:,}")
    found = grid.resolve(number)
    config = found.config
    workloads = [load_workload(reference) for reference in kept.setup.workloads]
    streams = frozenset(workload.name for workload in workloads if workload.spec.streaming)
    if config is None:
        return ShownPoint(number, found.inputs, found.schedule, None, found.reason, streams)
    design = Design(number, found.inputs, found.schedule, "", make_config=lambda: config)
    outcome = DesignEvaluator(kept.setup).run(Task("", number, found.schedule))
    judge = Constraints(kept.constraints, bool(streams))
    reason = judge.before(design) or outcome.reason or judge.after(design, outcome.outputs)
    if reason is None:
        weights = {workload.name: weight for workload, weight in zip(workloads, kept.weights, strict=True)}
        objectives = ObjectiveValues(kept.objectives, weights, kept.aggregate).of(design, outcome.outputs)
        reason = objectives if isinstance(objectives, Reason) else None
    return ShownPoint(number, found.inputs, found.schedule, outcome, reason, streams)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a folder says of its space."""

    setup: Setup
    grid: Grid
    constraints: tuple[Expression, ...]
    objectives: tuple[Objective, ...]
    weights: tuple[float, ...]
    aggregate: Aggregate


def _kept(path: Path) -> _Kept:
    again = "explore again into this folder"
    try:
        data: Any = json_of(read_regular(path, MOST_SETUP_BYTES))
        version, setup = data["archsim"], Setup.from_json(data["setup"])
        constraints = tuple(parse_expression(text) for text in data["constraints"])
        objectives = tuple(Objective(str(n), parse_expression(text), int(sign)) for n, text, sign in data["objectives"])
        weights = tuple(map(float, data["weights"]))
        if len(weights) != len(setup.workloads) or min(weights) <= 0:
            raise ValueError("a workload has no weight")
        kept = _Kept(setup, Grid.from_json(setup.grid), constraints, objectives, weights, Aggregate(data["aggregate"]))
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror or error}; {again}") from error
    except (ArchsimError, AttributeError, ExpressionError, KeyError, TypeError, ValueError) as error:
        raise OutputError(f"{path}: does not say what was explored; {again}") from error
    if version != __version__:
        other = one_line(str(version))
        raise OutputError(f"{path}: was written by archsim {other}, and this is {__version__}; {again}")
    return kept
