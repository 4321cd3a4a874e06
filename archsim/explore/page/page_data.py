"""Collects what an exploration's charts show: designs as columns, and counts of designs where they are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from archsim.explore.results.objective_words import objective_words
from archsim.explore.results.study import Point, Study, spaced
from archsim.explore.run.commands import RunCommands
from archsim.explore.space.expression import Scalar

MOST_DESIGNS = 10_000
"""Designs that the charts show one by one; of more, all are counted in cells."""
MOST_FRONT = MOST_DESIGNS // 2
"""Of them, most that are of the front."""
_CELLS = 60
"""Cells along each axis of a pair of objectives."""
_DECADE = 10.0
"""An axis is logarithmic if its values are positive and span more."""


@dataclass(frozen=True, slots=True)
class ObjectiveAxis:
    """An objective: what it is called, with its unit, which way is better, the values of the designs shown."""

    name: str
    direction: str
    log: bool
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class InputAxis:
    """A parameter: the texts of its values in order, and for each design shown the place of its value among them."""

    name: str
    texts: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Density:
    """How many of all evaluated designs lie in each cell of a pair of objectives: `counts[y][x]`."""

    x: int
    y: int
    x_edges: tuple[float, ...]
    y_edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class DesignsChart:
    """The designs that a page shows; `front`: how many of them, the first ones, are of the Pareto front.

    `densities` only where not every evaluated design is shown. `front_left_out`: how many of the front are not shown.
    """

    evaluated: int
    front: int
    front_left_out: int
    numbers: tuple[int, ...]
    objectives: tuple[ObjectiveAxis, ...]
    inputs: tuple[InputAxis, ...]
    commands: tuple[str, ...]
    densities: tuple[Density, ...]


def designs_chart(study: Study) -> DesignsChart:
    """What the charts show: the front, and beside it all other designs, or of too many some evenly spaced."""
    everything, whole_front = study.values(), study.pareto()
    front = spaced(whole_front, MOST_FRONT)
    shown = [*front, *study.others(MOST_DESIGNS - len(front))]
    logs = [_is_log(everything[:, place]) for place in range(everything.shape[1])]
    axes = [
        ObjectiveAxis(
            objective_words(objective), objective.direction, log, tuple(_objectives(point)[place] for point in shown)
        )
        for place, (objective, log) in enumerate(zip(study.space.objectives, logs, strict=True))
    ]
    commands = RunCommands(study.space)
    pairs = combinations(range(len(axes)), 2) if len(shown) < len(everything) else ()
    return DesignsChart(
        len(everything),
        len(front),
        len(whole_front) - len(front),
        tuple(point.number for point in shown),
        tuple(axes),
        tuple(_input_axis(name, shown) for name in _varied(shown)),
        tuple("\n".join(commands.of(point)) for point in shown),
        tuple(_density(everything, logs, x, y) for x, y in pairs),
    )


def _objectives(point: Point) -> tuple[float, ...]:
    return point.objectives or ()


def _varied(points: Sequence[Point]) -> list[str]:
    """The inputs that are not the same in all points; all, if each is."""
    names = dict.fromkeys(name for point in points for name in point.inputs)
    varied = [name for name in names if len(set(_texts_of(name, points).values())) > 1]
    return varied or list(names)


def _input_axis(name: str, points: Sequence[Point]) -> InputAxis:
    known = _texts_of(name, points)
    values = {text: value for (_, value), text in known.items()}
    texts = sorted(values, key=lambda text: _order(values[text]))
    order = {text: place for place, text in enumerate(texts)}
    places = {key: order[text] for key, text in known.items()}
    return InputAxis(name, tuple(texts), tuple(places[type(value), value] for value in _values_of(name, points)))


def _texts_of(name: str, points: Sequence[Point]) -> dict[tuple[type, Scalar | None], str]:
    """The text of each value that an input has, by the value and its type."""
    return {key: _text(key[1]) for key in dict.fromkeys((type(value), value) for value in _values_of(name, points))}


def _values_of(name: str, points: Sequence[Point]) -> list[Scalar | None]:
    return [point.inputs.get(name) for point in points]


def _order(value: Scalar | None) -> tuple[bool, float, str]:
    """Numbers by size, then words by letters."""
    number = isinstance(value, int | float)
    return not number, float(value) if isinstance(value, int | float) else 0.0, str(value)


def _text(value: Scalar | None) -> str:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if plain else "-" if value is None else str(value)


def _is_log(values: npt.NDArray[np.float64]) -> bool:
    return bool(values.size and values.min() > 0 and values.max() > _DECADE * values.min())


def _density(values: npt.NDArray[np.float64], logs: Sequence[bool], x: int, y: int) -> Density:
    edges = [_edges(values[:, place], logs[place]) for place in (x, y)]
    counts, _, _ = np.histogram2d(values[:, y], values[:, x], bins=(edges[1], edges[0]))
    rows = tuple(tuple(map(int, row)) for row in counts)
    return Density(x, y, tuple(map(float, edges[0])), tuple(map(float, edges[1])), rows)


def _edges(values: npt.NDArray[np.float64], log: bool) -> npt.NDArray[np.float64]:
    """The edges of cells of the same width on their axis; the outer ones are the least and the largest value."""
    low, high = values.min(), values.max()
    if low == high:
        margin = abs(low) / 2 or 0.5
        return np.array([low - margin, high + margin])
    edges = np.geomspace(low, high, _CELLS + 1) if log else np.linspace(low, high, _CELLS + 1)
    edges[0], edges[-1] = low, high
    return edges
