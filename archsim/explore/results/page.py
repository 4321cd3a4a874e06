"""Writes index.html: the front, the figures, and every design with the command that gives its full report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from archsim.explore.results.study import Point, Status, Study
from archsim.explore.run.commands import run_commands

MOST_ROWS = 20_000
"""Designs that the page lists; points.csv has all."""

_STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse;margin:1em 0}"
    "td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}"
    "th{position:sticky;top:0;background:#fff}code{font-size:12px}img{max-width:100%;display:block;margin:1em 0}"
    "td:last-child{text-align:left}"
)


def html_page(study: Study, pictures: Sequence[str]) -> str:
    """The page as HTML; `pictures` are the names of the figures beside it."""
    space = study.space
    counts = ", ".join(f"{len(study.with_status(status)):,} {status.value}" for status in Status)
    workloads = ", ".join(use.reference for use in space.workloads)
    evaluated = study.with_status(Status.EVALUATED)
    listed = evaluated[:MOST_ROWS]
    left_out = f" (the first {MOST_ROWS:,} of {len(evaluated):,})" if len(evaluated) > MOST_ROWS else ""
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>archsim explore {escape(space.name)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(space.name)}: {escape(space.config.summary)}</h1>",
        f"<p>{escape(space.arch_reference)} with {escape(workloads)}; sampler {space.config.sampler.value}, "
        f"seed {space.config.seed}; {space.size:,} points in the grid; {counts}.</p>",
        "<p>Files: <a href='points.csv'>points.csv</a>, <a href='pareto.csv'>pareto.csv</a></p>",
        "<h2>Pareto front</h2>",
        *_table(study, study.pareto()),
        *(f'<img src="{name}" alt="{name.removesuffix(".png")}">' for name in pictures),
        f"<details><summary>All evaluated designs{left_out}</summary>",
        *_table(study, listed),
        "</details></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(study: Study, points: Sequence[Point]) -> Iterable[str]:
    space = study.space
    inputs = list(points[0].inputs) if points else []
    yield "<table><tr>"
    yield "".join(f"<th>{escape(name)}</th>" for name in ("point", *inputs, *(o.name for o in space.objectives)))
    yield "<th>full report</th></tr>"
    for point in points:
        cells = [str(point.number), *(_cell(point.inputs.get(name)) for name in inputs)]
        cells += [_cell(value) for value in point.objectives or ()]
        commands = "<br>".join(f"<code>{escape(command)}</code>" for command in run_commands(space, point))
        yield (
            f'<tr id="p{point.number}">' + "".join(f"<td>{escape(c)}</td>" for c in cells) + f"<td>{commands}</td></tr>"
        )
    yield "</table>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
