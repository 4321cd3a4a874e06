"""Puts texts, data and scripts into a page's template: one HTML file that fetches nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim import __version__
from archsim.errors import OutputError
from archsim.report.page.plotly_js import plotly_base64

TEMPLATES = Path(__file__).resolve().parent / "template"
"""What all pages share: layout.html, blocks.html, page.css, and the scripts base.js and page.js."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be: its title, the tabs (name and text), what its template shows, and its charts.

    `data`: dataclasses, of which the script of a chart finds the n-th as `archsim.runs[n]`; `scripts`: the files of the
    charts, which run between base.js and page.js; `template`: its file, beside which there may be others.
    """

    title: str
    sections: Sequence[tuple[str, str]]
    template: Path
    content: object
    data: Sequence[object]
    scripts: Sequence[Path]


def render(page: Page) -> str:
    """The page as HTML, the same text for the same data; OutputError if Jinja2 or plotly is missing.

    Names, files and figures are text: the template escapes all of them, and the data of the charts holds no `<`.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise OutputError("a page needs Jinja2: pip install jinja2") from error
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader([page.template.parent, TEMPLATES]),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    scripts = (TEMPLATES / "base.js", *page.scripts, TEMPLATES / "page.js")
    return environment.get_template(page.template.name).render(
        title=page.title,
        version=__version__,
        sections=page.sections,
        content=page.content,
        data=_json(page.data),
        plotly=plotly_base64(),
        style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        scripts=[script.read_text(encoding="utf-8") for script in scripts],
    )


def _json(data: Sequence[object]) -> str:
    """JSON that cannot end the element that it stands in: `<`, `>` and `&` are written as their codes."""
    text = json.dumps(list(data), separators=(",", ":"), allow_nan=False, default=_fields)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _fields(one: object) -> dict[str, object]:
    """The fields of a dataclass by name."""
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}  # type: ignore[arg-type]
