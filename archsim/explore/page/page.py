"""Writes index.html, the page of an exploration: the front, all designs in linked charts, what has no figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.explore.page.page_data import designs_chart
from archsim.explore.results.objective_words import objective_words
from archsim.explore.results.reasons import reasons_rows
from archsim.explore.results.study import Point, Status, Study
from archsim.explore.run.commands import RunCommands
from archsim.explore.space.objectives import Objective
from archsim.report.page.blocks import Block, blocks
from archsim.report.page.render import Page, render
from archsim.report.text.layout import facts, heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_ROWS = 500
"""Designs of the front in the table; pareto.csv has all."""
_FOLDER = Path(__file__).resolve().parent / "template"

SECTIONS = (
    ("designs", "Designs"),
    ("front", "Front as a table"),
    ("figures", "Figures"),
    ("space", "Space"),
)
"""The sections of the page by name, each a tab, and the tabs' texts."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure: its file's name, and what is in it, so that the page needs no other file."""

    name: str
    png_base64: str


@dataclass(frozen=True, slots=True)
class StudyTexts:
    """The tables and sentences of each section, and the figures."""

    sections: dict[str, tuple[Block, ...]]
    pictures: tuple[Picture, ...]


def html_page(study: Study, pictures: Mapping[str, bytes]) -> str:
    """The page as HTML; `pictures`: name -> PNG. OutputError if Jinja2 or plotly is missing."""
    space, chart = study.space, designs_chart(study)
    counts = ", ".join(f"{study.count(status):,} {status.value}" for status in Status)
    everything = "points.csv has all" if study.every_figure else "the Parquet files in parts have all"
    shown = _shown(chart.evaluated, len(chart.numbers), chart.front_left_out, everything)
    sections: dict[str, list[RenderableType]] = {
        "designs": [sentence(f"{len(study.points):,} points of {space.size:,} looked at: {counts}. {shown}")],
        "front": _front(study),
        "figures": [] if pictures else [sentence("No figures were drawn.")],
        "space": _space(study),
    }
    shown_pictures = tuple(Picture(name, base64.b64encode(png).decode("ascii")) for name, png in pictures.items())
    texts = StudyTexts({name: blocks(parts) for name, parts in sections.items()}, shown_pictures)
    title = f"{space.name}: {space.config.summary}"
    return render(Page(title, SECTIONS, _FOLDER / "explore.html", texts, [chart], [_FOLDER / "designs.js"]))


def _shown(evaluated: int, shown: int, front_left_out: int, everything: str) -> str:
    """What the charts show of the evaluated designs, and what they leave out."""
    if shown == evaluated:
        return "The charts show every evaluated design."
    front = f"the front but {front_left_out:,} designs of it" if front_left_out else "the whole front"
    return (
        f"The charts show {shown:,} of the evaluated designs one by one: {front}, and others evenly spaced; the shades "
        f"behind them count all; {everything}."
    )


def _front(study: Study) -> list[RenderableType]:
    space, front = study.space, study.pareto()
    if not front:
        return [sentence("No design was evaluated.")]
    inputs, same_as = list(front[0].inputs), study.same_as()
    commands = RunCommands(space)
    same = ["same as"] if same_as else []
    headers = [
        "point",
        *(f"{objective_words(o)}, {o.direction}" for o in space.objectives),
        *inputs,
        *same,
        "full report",
    ]
    rows = [
        [
            f"{point.number:,}",
            *(f"{value:.6g}" for value in point.objectives or ()),
            *(_cell(point, name) for name in inputs),
            *([", ".join(other.schedule for other in same_as.get(point.number, ()))] if same else []),
            "; ".join(commands.of(point)),
        ]
        for point in front[:MOST_ROWS]
    ]
    note = f"the first {MOST_ROWS:,} of {len(front):,}; pareto.csv has all" if len(front) > MOST_ROWS else ""
    return [heading("Pareto front", note), table([*[">~"] * (len(headers) - 1), "<"], headers, rows)]


def _cell(point: Point, name: str) -> str:
    value = point.inputs.get(name)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _objective(objective: Objective) -> str:
    """An objective with its unit, and what it is where its name is another."""
    what = "" if objective.expression.text == objective.name else f": {objective.expression.text}"
    return f"{objective.direction} {objective_words(objective)}{what}"


def _space(study: Study) -> list[RenderableType]:
    space = study.space
    rows = [
        ("architecture", space.arch_reference),
        *(("workload", use.reference) for use in space.workloads),
        ("sampler", f"{space.config.sampler.value}, seed {space.config.seed}"),
        *(("objective", _objective(o)) for o in space.objectives),
        *(("constraint", constraint.text) for constraint in space.constraints),
        *(("fixed", f"{path} = {value}") for path, value in space.fixed.items()),
        *((p.path, ", ".join(str(choice.label) for choice in p.choices)) for p in space.parameters),
        *(("derived", f"{path} = {expression.text}") for path, expression in space.derived),
    ]
    found: list[RenderableType] = [heading("Space"), facts(rows)]
    reasons = reasons_rows(study)
    if reasons:
        found += [heading("Without figures", "designs, and why"), table((">", "<~"), None, reasons)]
    return found
