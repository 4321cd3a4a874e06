"""Says what a worker is told of a piece that it makes, and what it reports, as lines of JSON."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim import __version__
from archsim.errors import OutputError
from archsim.explore.run.evaluation import Setup
from archsim.explore.space.expression import parse_expression
from archsim.explore.space.fields import config_of
from archsim.explore.space.grid import Grid
from archsim.explore.space.objectives import Objective
from archsim.explore.space.space import Space, WeightedWorkload
from archsim.explore.space.space_config import Aggregate, SpaceConfig
from archsim.workload import load_workload

_WORD = 1 << 63


class PieceError(OutputError):
    """A worker cannot make a piece: its file cannot be written, or the worker is another archsim."""


@dataclass(frozen=True, slots=True)
class PieceSetup:
    """What all pieces of an exploration share.

    `store`: where pieces are written; `token`: what stands there for those who see it, "" if all do.
    """

    setup: Setup
    aggregate: str
    name: str
    objectives: tuple[tuple[str, str, int], ...]
    constraints: tuple[str, ...]
    weights: tuple[float, ...]
    store: str
    token: str

    @staticmethod
    def of(space: Space, setup: Setup, store: str, token: str) -> PieceSetup:
        """The setup of a space's pieces."""
        return PieceSetup(
            setup,
            space.aggregate.value,
            space.name,
            tuple((each.name, each.expression.text, each.sign) for each in space.objectives),
            tuple(constraint.text for constraint in space.constraints),
            tuple(use.weight for use in space.workloads),
            store,
            token,
        )

    def to_json(self) -> str:
        """The setup as one line of JSON."""
        return json.dumps([self.setup.to_json(), *dataclasses.astuple(self)[1:]])

    @staticmethod
    def from_json(text: str) -> PieceSetup:
        """Reads what `to_json` wrote."""
        setup, aggregate, name, objectives, constraints, weights, store, token = json.loads(text)
        named = tuple((str(word), str(expression), int(sign)) for word, expression, sign in objectives)
        return PieceSetup(
            Setup.from_json(setup), aggregate, name, named, tuple(constraints), tuple(weights), store, token
        )

    def space(self) -> Space:
        """The space, without what only samplers, a command line or a page read of it."""
        grid = Grid.from_json(self.setup.grid)
        references = zip(self.setup.workloads, self.weights, strict=True)
        return Space(
            name=self.name,
            source="",
            config=SpaceConfig.model_construct(aggregate=Aggregate(self.aggregate)),
            arch_name=self.setup.arch_name,
            arch_reference="",
            fixed={},
            base=config_of(json.loads(grid.base_json)),
            workloads=tuple(WeightedWorkload(load_workload(name), name, weight) for name, weight in references),
            schedule=grid.schedule,
            parameters=grid.parameters,
            derived=grid.derived,
            constraints=tuple(map(parse_expression, self.constraints)),
            objectives=tuple(Objective(name, parse_expression(text), sign) for name, text, sign in self.objectives),
        )


@dataclass(frozen=True, slots=True)
class PieceJob:
    """Points of one part that a worker evaluates, in this order.

    `deaths`: how many workers died over one that is alone, the last with `exit_code`.
    """

    part: int
    numbers: tuple[int, ...]
    deaths: int = 0
    exit_code: int = 0

    def to_json(self, size: int) -> str:
        """The job as one line of JSON; `size`: that of the space. Steps of one width are written as such."""
        return json.dumps([self.part, _written(self.numbers, size), self.deaths, self.exit_code])

    @staticmethod
    def from_json(text: str) -> PieceJob:
        """Reads what `to_json` wrote."""
        part, numbers, deaths, exit_code = json.loads(text)
        return PieceJob(part, tuple(_read(numbers)), deaths, exit_code)


@dataclass(frozen=True, slots=True)
class PieceReport:
    """What became of a job.

    `digest`: of the piece's file, which is `data` if the worker does not see the store; `designs`: points of designs
    that were evaluated, of which `simulated` are different ones; `front`: numbers and minimized objectives of points
    that no other of the piece dominates.
    """

    part: int
    points: int
    digest: str
    data: bytes | None
    designs: int
    simulated: int
    alone: Mapping[str, int]
    front: Sequence[tuple[int, tuple[float, ...]]]
    seconds: float

    def to_json(self) -> str:
        """The report as one line of JSON."""
        data = None if self.data is None else base64.b64encode(self.data).decode("ascii")
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        found |= {"data": data, "archsim": __version__}
        return json.dumps(found)

    @staticmethod
    def from_json(text: str | bytes) -> PieceReport:
        """Reads what `to_json` or `failure` wrote; PieceError for the latter, or if the worker has another archsim."""
        found: dict[str, Any] = json.loads(text)
        if found["archsim"] != __version__:
            raise PieceError(f"a worker has archsim {found['archsim']}, and this is {__version__}")
        if "failed" in found:
            raise PieceError(found["failed"])
        found["data"] = None if found["data"] is None else base64.b64decode(found["data"], validate=True)
        found["front"] = [(number, tuple(values)) for number, values in found["front"]]
        del found["archsim"]
        return PieceReport(**found)


def failure(error: PieceError) -> str:
    """The line that reports why a piece cannot be written."""
    return json.dumps({"archsim": __version__, "failed": str(error)})


def _written(numbers: Sequence[int], size: int) -> Any:  # noqa: ANN401 - data for JSON
    if size >= _WORD:
        return list(numbers)
    found = np.array(numbers, np.int64)
    steps = (found[1:] - found[:-1]) % size
    if len(found) > 1 and (steps == steps[0]).all():
        return {"first": numbers[0], "step": int(steps[0]), "count": len(numbers), "size": size}
    return base64.b64encode(found.astype("<i8").tobytes()).decode("ascii")


def _read(data: Any) -> list[int]:  # noqa: ANN401 - data from JSON
    if isinstance(data, dict):
        first, step, size = data["first"], data["step"], data["size"]
        return [(first + place * step) % size for place in range(data["count"])]
    if isinstance(data, str):
        found: list[int] = np.frombuffer(base64.b64decode(data, validate=True), "<i8").tolist()
        return found
    return list(map(int, data))
