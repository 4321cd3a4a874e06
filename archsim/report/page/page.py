"""Writes the page of one run, or of several side by side: text and charts in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.report.page.page_data import SECTIONS, charts_of, names_of, texts_of
from archsim.report.page.render import TEMPLATES, Page, render
from archsim.report.page.saved_run import SavedRun

_SCRIPTS = ("bars.js", "utilization.js", "timeline.js", "lines.js")


def html_page(runs: Sequence[SavedRun]) -> str:
    """The page as HTML, the same text for the same runs; OutputError if Jinja2 or plotly is missing."""
    names = names_of([run.folder for run in runs])
    texts = [texts_of(run, name) for run, name in zip(runs, names, strict=True)]
    title = texts[0].title if len(texts) == 1 else f"{len(texts)} runs side by side"
    charts = [charts_of(run, name, len(runs)) for run, name in zip(runs, names, strict=True)]
    scripts = [TEMPLATES / name for name in _SCRIPTS]
    return render(Page(title, SECTIONS, TEMPLATES / "page.html", texts, charts, scripts))
