"""Draws the pictures of an exploration: PNGs of the common width, the same bytes for the same points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.explore.results.objective_words import objective_words
from archsim.explore.results.study import Point, Status, Study
from archsim.explore.search.front import Values
from archsim.explore.search.importance import importance
from archsim.report.figures.drawing import (
    PALETTE,
    drawn,
    in_words,
    new_figure,
    put_legend,
    put_lines,
    scale_log_axis,
)
from archsim.report.figures.look import USUAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OTHER = "#BBBBBB"
FRONT = PALETTE[6]
_LABEL_CHARS = 12
MOST_PAIRS = 5
"""Objectives that are shown in pairs."""
_BEHIND: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
"""Keeps a label readable on top of lines."""


def figures(study: Study) -> dict[str, bytes]:
    """The pictures by file name, as PNGs; none if no point has objectives."""
    if not study.count(Status.EVALUATED):
        return {}
    drawings: dict[str, Callable[[Study], Figure]] = {
        "pareto.png": _scatter,
        "parallel.png": _parallel,
        "importance.png": _importance,
        "best.png": _best,
    }
    if len(study.space.objectives) > 2:
        drawings["pairs.png"] = _pairs
    if len(study.space.objectives) < 2:
        del drawings["pareto.png"]
    found: dict[str, bytes] = {}
    for name, draw in drawings.items():
        found[name] = drawn(partial(draw, study))
    return found


def _values(points: Sequence[Point]) -> Values:
    return np.array([point.objectives for point in points], np.float64)


def _title(figure: Figure, study: Study, what: str) -> None:
    """Put the title above a figure: what is shown, and of how many points of which space."""
    evaluated, front = study.count(Status.EVALUATED), len(study.pareto())
    of = f"space {study.space.name}: {evaluated:,} designs evaluated, {front:,} of them on the Pareto front"
    put_lines(figure, USUAL, (what, of))


def _label(study: Study, place: int) -> str:
    """The objective in words with its unit, and which way is better where that is not the usual one."""
    objective = study.space.objectives[place]
    return objective_words(objective) + ("" if objective.sign == 1 else ", more is better")


def _scale(axes: Any, values: Values, which: str) -> None:  # noqa: ANN401 an axis of matplotlib
    """Scale an axis: logarithmic where the values span more than a decade, with two of them at least."""
    if values.min() > 0 and values.max() > 10 * values.min():
        getattr(axes, f"set_{which}scale")("log")
        limits = scale_log_axis(getattr(axes, f"{which}axis"), values.min() / 1.1, values.max() * 1.1)
        getattr(axes, f"set_{which}lim")(limits)


def _draw_pair(axes: Any, study: Study, x: int, y: int) -> None:  # noqa: ANN401
    points, front = study.values(), _values(study.pareto())
    axes.scatter(points[:, x], points[:, y], s=5, color=OTHER, linewidths=0, label="evaluated")
    axes.scatter(front[:, x], front[:, y], s=14, color=FRONT, label="on the front", zorder=3)
    if len(study.space.objectives) == 2:
        ordered = front[np.argsort(front[:, x])]
        axes.plot(ordered[:, x], ordered[:, y], color=FRONT, linewidth=0.8, drawstyle="steps-post", zorder=2)
    _scale(axes, points[:, x], "x")
    _scale(axes, points[:, y], "y")


def _scatter(study: Study) -> Figure:
    figure = new_figure(USUAL, 3.4)
    axes = figure.subplots()
    _draw_pair(axes, study, 0, 1)
    axes.set_xlabel(_label(study, 0))
    axes.set_ylabel(_label(study, 1))
    put_legend(figure, USUAL, axes.get_legend_handles_labels()[0])
    _title(figure, study, f"{_label(study, 0)} against {_label(study, 1)}")
    return figure


def _pairs(study: Study) -> Figure:
    count = min(len(study.space.objectives), MOST_PAIRS)
    figure = new_figure(USUAL, 0.7 + 1.8 * (count - 1))
    grid = figure.subplots(count - 1, count - 1, squeeze=False)
    for row in range(1, count):
        for column in range(count - 1):
            axes = grid[row - 1][column]
            if column >= row:
                axes.set_axis_off()
                continue
            _draw_pair(axes, study, column, row)
            if column == 0:
                axes.set_ylabel(_label(study, row))
            if row == count - 1:
                axes.set_xlabel(_label(study, column))
    _title(figure, study, "Objectives in pairs: a point on the front may look dominated in one of them")
    return figure


def _parallel(study: Study) -> Figure:
    """Draw parallel axes: parameters by the place of their value, then objectives; a line for each design."""
    space = study.space
    figure = new_figure(USUAL, 3.7)
    axes = figure.subplots()
    names = [*(p.path for p in space.parameters), *(_label(study, n) for n in range(len(space.objectives)))]
    places = [{choice.label: n for n, choice in enumerate(p.choices)} for p in space.parameters]
    everything = study.values()
    low, high = everything.min(axis=0), everything.max(axis=0)

    def heights(point: Point) -> list[float]:
        chosen = [
            place[point.inputs[p.path]] / max(1, len(p.choices) - 1)
            for p, place in zip(space.parameters, places, strict=True)
        ]
        reached = (np.array(point.objectives) - low) / np.where(high > low, high - low, 1.0)
        return [*chosen, *map(float, reached)]

    front = study.pareto()
    colours = _colours(len(front))
    for point, colour in zip(front, colours, strict=True):
        axes.plot(range(len(names)), heights(point), color=colour, linewidth=0.8, alpha=0.7)
    for place, parameter in enumerate(space.parameters):
        for number, choice in enumerate(parameter.choices):
            if len(parameter.choices) <= 8 or number in (0, len(parameter.choices) - 1):
                height = number / max(1, len(parameter.choices) - 1)
                axes.text(place + 0.04, height, _short(choice.label), fontsize=6, va="center", zorder=4, bbox=_BEHIND)
    for place in range(len(space.objectives)):
        at = len(space.parameters) + place
        for height, value in ((0.0, low[place]), (1.0, high[place])):
            axes.text(at + 0.04, height, f"{value:.4g}", fontsize=6, va="center", zorder=4, bbox=_BEHIND)
    for place in range(len(names)):
        axes.axvline(place, color="black", linewidth=0.5, zorder=1)
    axes.set_xticks(range(len(names)), [name.replace(".", ".\n") for name in names], rotation=30, ha="right")
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(names) - 0.5)
    axes.spines["left"].set_visible(False)
    _title(figure, study, "The front's designs: parameters, then objectives (bright: best in the first objective)")
    return figure


def _colours(count: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["viridis"](1.0 - 0.9 * n / max(1, count - 1)) for n in range(count)]


def _short(label: object) -> str:
    """A choice as text, in several lines if it is long: cut off, two of them would look the same."""
    text = f"{label:,}" if isinstance(label, int) and not isinstance(label, bool) else str(label)
    return fill(in_words(text), _LABEL_CHARS) if isinstance(label, str) else text


def _importance(study: Study) -> Figure:
    space = study.space
    figure = new_figure(USUAL, 0.6 + 0.22 * len(space.parameters) * len(space.objectives))
    axes = figure.subplots()
    height = 0.8 / len(space.objectives)
    for place in range(len(space.objectives)):
        shares = importance(study, place)
        at = [n + place * height for n in range(len(shares))]
        rest = max(0.0, 1.0 - sum(shares.values()))
        label = f"{_label(study, place)}, not by one parameter alone: {rest:.0%}"
        axes.barh(at, list(shares.values()), height, color=PALETTE[place % len(PALETTE)], label=label)
    middle = height * (len(space.objectives) - 1) / 2
    axes.set_yticks([n + middle for n in range(len(space.parameters))], [p.path for p in space.parameters])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the variance that the parameter alone explains (epsilon squared)")
    put_legend(figure, USUAL, axes.get_legend_handles_labels()[0], 2)
    _title(figure, study, "Which parameters matter")
    return figure


def _best(study: Study) -> Figure:
    """Draw how near each objective is to its best value as points are asked for: 1 at the first, 0 at the best."""
    space = study.space
    figure = new_figure(USUAL, 2.6)
    axes = figure.subplots()
    flat: list[str] = []
    ordered = study.asked_values()
    counts = np.arange(1, len(ordered) + 1)
    for place, objective in enumerate(space.objectives):
        values = np.where(np.isnan(ordered[:, place]), np.inf, objective.sign * ordered[:, place])
        best = np.minimum.accumulate(values)
        known = np.isfinite(best)
        first, last = best[known][0], best[-1]
        if first == last:  # a line of zeros would say that it was found late
            flat.append(_label(study, place))
            continue
        gap = (best[known] - last) / (first - last)
        axes.step(counts[known], gap, where="post", color=PALETTE[place % len(PALETTE)], label=_label(study, place))
    axes.set_xlabel("points looked at")
    axes.set_ylim(-0.03, 1.05)
    axes.set_ylabel("gap to the best (first point: 1)")
    if len(ordered) > 100:
        axes.set_xscale("log")
        axes.set_xlim(*scale_log_axis(axes.xaxis, 1, len(ordered)))
    put_legend(figure, USUAL, axes.get_legend_handles_labels()[0])
    note = f"; best at the first point: {', '.join(flat)}" if flat else ""
    _title(figure, study, f"Best so far: how soon the sampler finds what it finds{note}")
    return figure
