"""Writes the results of a finished exploration, and the front as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archsim.config.collecting import seldom
from archsim.explore.page.page import html_page
from archsim.explore.results.figures import figures
from archsim.explore.results.objective_words import objective_unit
from archsim.explore.results.parquet import parquet_bytes
from archsim.explore.results.reasons import reasons_rows
from archsim.explore.results.study import Status, Study
from archsim.explore.results.study_folder import RESULTS, remove_file, write_file
from archsim.explore.results.table import csv_bytes, points_table
from archsim.explore.run.journal import NAME as JOURNAL
from archsim.explore.run.journal import held
from archsim.explore.space.objectives import Objective
from archsim.report.figures.drawing import quantity
from archsim.report.text.figures_as_text import plural
from archsim.report.text.layout import heading, sentence, table
from archsim.technology.comparable import chain_note

TEXT_WIDTH = 120
"""Characters of a line that does not go to a terminal: fronts have many columns."""
MOST_SHOWN = 40
"""Points of the front in the text; pareto.csv has all."""
MOST_OTHERS = 10_000
"""Points beside the front in points.csv of an exploration that keeps its points in parts."""


@seldom()
def write_results(study: Study, folder: Path, plots: bool = True) -> list[str]:
    """Write all results of a study; they depend on its points alone. Returns notes on what is not written.

    OutputError if they cannot be written, or another exploration is under way in the folder.
    """
    with held(folder / JOURNAL):
        return _written(study, folder, plots)


def _written(study: Study, folder: Path, plots: bool) -> list[str]:
    notes = list(filter(None, [_technologies(study)]))
    rows = points_table(study, study.extract(MOST_OTHERS))
    parquet = parquet_bytes(rows) if study.every_figure else None
    pictures = figures(study) if plots else {}
    files: dict[str, bytes] = {
        "points.csv": csv_bytes(rows),
        "pareto.csv": csv_bytes(points_table(study, study.pareto())),
        "index.html": html_page(study, pictures).encode(),
        **pictures,
    }
    if parquet is not None:
        files["points.parquet"] = parquet
    elif study.every_figure:
        notes.append('points.parquet is not written: it needs pyarrow, pip install "archsim[explore]"')
    else:
        notes.append(
            f"points.csv has {rows.rows:,} of {len(study.points):,} points, the front and others evenly spaced; "
            f"{study.files_of_all} have all, with the figures that objectives and constraints name"
        )
    for name in RESULTS:  # what an earlier, smaller exploration left
        if name not in files and (folder / name).exists():
            remove_file(folder / name)
    for name, data in files.items():
        write_file(folder / name, data)
    return notes


def _technologies(study: Study) -> str:
    """A note on technologies of the space that do not share their sources; "" if there is none."""
    tried = [parameter for parameter in study.space.parameters if parameter.path == "technology"]
    return chain_note(choice.value for parameter in tried for choice in parameter.choices if type(choice.value) is str)


def study_json(study: Study, notes: Sequence[str] = ()) -> str:
    """The figures, the front and what is to be noted as one JSON object."""
    names = [objective.name for objective in study.space.objectives]
    same_as = study.same_as()
    found: dict[str, Any] = {
        "evaluated": study.count(Status.EVALUATED),
        "infeasible": study.count(Status.INFEASIBLE),
        "pruned": study.count(Status.PRUNED),
        "failed": study.count(Status.FAILED),
        "seconds": study.seconds,
        "designs_per_second": study.designs_per_second,
        "one_by_one": dict(study.alone),
        "front": [
            {
                "inputs": {**point.inputs, "schedule": point.schedule},
                "objectives": dict(zip(names, point.objectives or (), strict=True)),
                "same_as": [other.schedule for other in same_as.get(point.number, ())],
            }
            for point in study.pareto()
        ],
        "notes": list(notes),
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def study_text(study: Study, width: int = TEXT_WIDTH) -> str:
    """The results as text: counts, the front, and why points are infeasible."""
    from io import StringIO

    from rich.console import Console

    text = StringIO()
    console = Console(file=text, width=width, color_system=None)
    space, front = study.space, study.pareto()
    counts = ", ".join(f"{study.count(status):,} {status.value}" for status in Status)
    console.print(
        sentence(f"Space {space.name}: {plural(len(study.points), 'point')} of {space.size:,} looked at: {counts}")
    )
    shown = front[:MOST_SHOWN]
    notes = [f"the first {MOST_SHOWN} of {len(front)}; pareto.csv has all"] if len(front) > MOST_SHOWN else []
    if all(use.workload.spec.streaming for use in space.workloads):
        notes.append("of a frame on a machine that is on")
    console.print(heading("Pareto front", "; ".join(notes)))
    paths = [parameter.path for parameter in space.parameters]
    same_as = study.same_as()
    rows = [
        [
            *(f"{value:.6g}" for value in point.objectives or ()),
            *(_shown(point.inputs[path]) for path in paths),
            *([", ".join(other.schedule for other in same_as.get(point.number, ()))] if same_as else []),
        ]
        for point in shown
    ]
    headers = [*(_header(objective) for objective in space.objectives), *paths, *(["same as"] if same_as else [])]
    kinds = [">~"] * len(headers)
    named = [[f"{headers[0]}: {row[0]}", *row[1:]] for row in rows]  # as lists, where a point has a line a column
    console.print(table(kinds, headers, rows, narrow=table(kinds, headers, named)))
    reasons = reasons_rows(study)
    if reasons:
        console.print(heading("Without figures"))
        console.print(table((">", "<~"), None, reasons))
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _header(objective: Objective) -> str:
    """The name of an objective's column: which way is better, and the unit where the name does not end in it."""
    unit = "" if quantity(objective.name.replace(".", "_")).endswith(")") else objective_unit(objective)
    return f"{objective.name} ({objective.direction[:3]}{', ' if unit else ''}{unit})"
