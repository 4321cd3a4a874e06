"""Turns the parts of a text report into plain data that a template can write as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.errors import SimulatorBug
from archsim.report.text.layout import Rows

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_STRONG = "bold"


@dataclass(frozen=True, slots=True)
class Heading:
    """A section's title, with a note on its figures."""

    text: str
    note: str = ""
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str
    strong: bool = False
    kind: str = "paragraph"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of cells, which stands out if it is `strong`."""

    cells: tuple[str, ...]
    strong: bool


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table: which columns are aligned to the right, their names (none if they have no names), and its rows."""

    right: tuple[bool, ...]
    headers: tuple[str, ...]
    rows: tuple[TableRow, ...]
    kind: str = "table"


Block = Heading | Paragraph | TableBlock


def blocks(parts: Sequence[RenderableType]) -> tuple[Block, ...]:
    """Parts of a report as data: what archsim.report.text.layout makes, and nothing else."""
    return tuple(map(_block, parts))


def _block(part: RenderableType) -> Block:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if isinstance(part, Text):
        return _heading(part)
    if isinstance(part, Padding) and isinstance(part.renderable, Text):
        return Paragraph(part.renderable.plain, strong=_STRONG in str(part.renderable.style))
    if isinstance(part, Rows):
        return _rows(part)
    if isinstance(part, Padding) and isinstance(part.renderable, Table):
        return _table(part.renderable)
    raise SimulatorBug(f"a report has a part that no page shows: {type(part).__name__}")


def _heading(text: object) -> Heading:
    """A heading; its note, which the layout puts behind it in a style of its own, apart from it."""
    from rich.text import Text

    assert isinstance(text, Text)
    spans = [span for span in text.spans if "not" in str(span.style)]
    if not spans:
        return Heading(text.plain.strip())
    start = spans[0].start
    return Heading(text.plain[:start].strip(), text.plain[start:].strip().removeprefix("(").removesuffix(")"))


def _rows(part: Rows) -> TableBlock:
    return TableBlock(
        right=tuple(column.startswith(">") for column in part.columns),
        headers=tuple(part.headers or ()),
        rows=tuple(TableRow(tuple(row), strong=number in part.strong) for number, row in enumerate(part.rows)),
    )


def _table(table: Table) -> TableBlock:
    columns = [[_plain(cell) for cell in column.cells] for column in table.columns]
    rows = zip(*columns, strict=True)
    return TableBlock(
        right=tuple(column.justify == "right" for column in table.columns),
        headers=tuple(_plain(column.header) for column in table.columns) if table.show_header else (),
        rows=tuple(
            TableRow(tuple(row), strong=_STRONG in str(about.style or ""))
            for row, about in zip(rows, table.rows, strict=True)
        ),
    )


def _plain(cell: object) -> str:
    from rich.text import Text

    return cell.plain if isinstance(cell, Text) else str(cell)
