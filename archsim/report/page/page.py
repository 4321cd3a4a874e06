"""Writes the page of one run, or of several side by side: text and charts in one HTML file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from archsim import __version__
from archsim.errors import OutputError
from archsim.report.page.page_data import SECTIONS, charts_of, names_of, texts_of
from archsim.report.page.plotly_js import plotly_base64
from archsim.report.page.saved_run import SavedRun

_FOLDER = Path(__file__).resolve().parent / "template"
_SCRIPTS = ("base.js", "bars.js", "utilization.js", "timeline.js", "lines.js", "page.js")


def html_page(runs: Sequence[SavedRun]) -> str:
    """The page as HTML, the same text for the same runs; OutputError if Jinja2 or plotly is missing.

    Names, files and figures are text: the template escapes all of them, and the data of the charts holds no `<`.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise OutputError("a page needs Jinja2: pip install jinja2") from error
    names = names_of([run.folder for run in runs])
    texts = [texts_of(run, name) for run, name in zip(runs, names, strict=True)]
    charts = [charts_of(run, name, len(runs)) for run, name in zip(runs, names, strict=True)]
    environment = Environment(
        autoescape=True, loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html").render(
        title=texts[0].title if len(texts) == 1 else f"{len(texts)} runs side by side",
        version=__version__,
        sections=SECTIONS,
        runs=texts,
        data=_json([dataclasses.asdict(chart) for chart in charts]),
        plotly=plotly_base64(),
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        scripts=[(_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS],
    )


def _json(data: object) -> str:
    """JSON that cannot end the element that it stands in: `<`, `>` and `&` are written as their codes."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
