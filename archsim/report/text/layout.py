"""Lays out a text report: headings, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

INDENT = 2


def title(text: str) -> RenderableType:
    """The report's first line."""
    from rich.text import Text

    return Text(text, style="bold", overflow="fold")


def heading(name: str, note: str = "") -> RenderableType:
    """A section's title, after an empty line, with a note on its figures."""
    from rich.text import Text

    text = Text("\n" + name, style="bold")
    if note:
        text.append(f"  ({note})", style="not bold")
    return text


def sentence(text: str, style: str = "") -> RenderableType:
    """A paragraph."""
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, INDENT))


def facts(rows: Sequence[tuple[str, str]]) -> RenderableType:
    """A list of names and what they are, side by side."""
    return table(("<", "<~"), None, rows)


def table(
    columns: Sequence[str],
    headers: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    strong: Sequence[int] = (),
) -> RenderableType:
    """A table of rows of text, bold those in `strong`.

    Each column is "<" or ">" for its side, with "~" if it may wrap.
    """
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=headers is not None, header_style="dim")
    for number, kind in enumerate(columns):
        grid.add_column(
            Text(headers[number]) if headers else "",
            justify="right" if kind[0] == ">" else "left",
            no_wrap="~" not in kind,
            overflow="fold",
        )
    for number, row in enumerate(rows):
        grid.add_row(*(Text(cell) for cell in row), style="bold" if number in strong else "")
    return Padding(grid, (0, 0, 0, INDENT))


def print_parts(parts: Sequence[RenderableType], console: Console) -> None:
    """Print the parts of a section one below the other, with nothing in them taken for markup."""
    if parts:
        console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)
