"""Lays out a text report: headings, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

INDENT = 2
GAP = 2
"""Spaces between columns."""


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
    narrow: Rows | None = None,
) -> Rows:
    """A table of rows of text, bold those in `strong`; no word is broken, however narrow the terminal.

    Each column is "<" or ">" for its side, with "~" if it may wrap. Where its words do not fit beside each other, each
    row is a list instead: its first cell, and below it the others with their headers; `narrow`: the table whose rows
    are listed then.
    """
    return Rows(tuple(columns), headers, rows, frozenset(strong), narrow)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that become a table or lists when it is known how wide they may be.

    `columns`: how each stands, as `table` takes it; `headers` None if they have no names; `strong`: the rows that stand
    out; `narrow`: what is listed instead where they do not fit beside each other.
    """

    columns: tuple[str, ...]
    headers: Sequence[str] | None
    rows: Sequence[Sequence[str]]
    strong: frozenset[int]
    narrow: Rows | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.padding import Padding
        from rich.segment import Segment

        if console.color_system is None and self.rows:
            text = self._plain(options.max_width)
            if text:
                yield Segment(text)
                return
        needed = self._needed()
        fits = INDENT + sum(needed) + GAP * (len(needed) - 1) <= options.max_width
        yield Padding(self._table(needed) if fits else (self.narrow or self)._lists(), (0, 0, 0, INDENT))

    def _plain(self, width: int) -> str:
        """The table without styles, as rich sets it in three times as long; "" where a row needs more than one line.

        Also "" where a cell has characters that are not printed, or take no place of their own.
        """
        from rich.cells import cell_len

        lines = [*([self.headers] if self.headers else []), *self.rows]
        sizes = [[cell_len(cell) for cell in line] for line in lines]
        widest = [max(column) for column in zip(*sizes, strict=True)]
        whole = INDENT + sum(widest) + GAP * (len(widest) - 1)
        cells = [
            (cell, size) for line, own in zip(lines, sizes, strict=True) for cell, size in zip(line, own, strict=True)
        ]
        if whole > width or not all(cell.isprintable() and size >= len(cell) for cell, size in cells):
            return ""
        text = []
        for line, own in zip(lines, sizes, strict=True):
            spaces = [" " * (most - size) for most, size in zip(widest, own, strict=True)]
            found = [
                # To the right stands what is seen of a cell: spaces behind it go in front.
                " " * (len(cell) - len(cell.rstrip())) + left + cell.rstrip() if kind[0] == ">" else cell + left
                for cell, left, kind in zip(line, spaces, self.columns, strict=True)
            ]
            text.append(" " * INDENT + (" " * GAP).join(found) + " " * (width - whole) + "\n")
        return "".join(text)

    def _needed(self) -> list[int]:
        """The least characters of each column: its longest word, or, if it does not wrap, its longest cell."""
        lines = [*([self.headers] if self.headers else []), *self.rows]
        return [
            max((len(part) for line in lines for part in (line[number].split() if "~" in kind else [line[number]])),
                default=0)
            for number, kind in enumerate(self.columns)
        ]  # fmt: skip

    def _widest(self, number: int) -> int:
        """The characters of a column's longest cell."""
        return max((len(line[number]) for line in [*([self.headers] if self.headers else []), *self.rows]), default=0)

    def _table(self, needed: Sequence[int]) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        shown = self.headers is not None
        grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=shown, header_style="dim")
        for number, kind in enumerate(self.columns):
            grid.add_column(
                Text(self.headers[number]) if self.headers else "",
                justify="right" if kind[0] == ">" else "left",
                no_wrap="~" not in kind or needed[number] == self._widest(number),  # else it might be cut, not wrapped
                overflow="fold",
                min_width=needed[number],
            )
        for number, row in enumerate(self.rows):
            grid.add_row(*(Text(cell) for cell in row), style="bold" if number in self.strong else "")
        return grid

    def _lists(self) -> RenderableType:
        from rich.console import Group
        from rich.padding import Padding
        from rich.text import Text

        parts: list[RenderableType] = []
        for number, (first, *others) in enumerate(self.rows):
            parts.append(Text(first.strip(), style="bold" if number in self.strong else "", overflow="fold"))
            names = self.headers[1:] if self.headers else [""] * len(others)
            for name, cell in zip(names, others, strict=True):
                if cell.strip():
                    text = f"{name}: {cell.strip()}" if name.strip() else cell.strip()
                    parts.append(Padding(Text(text, overflow="fold"), (0, 0, 0, INDENT)))
        return Group(*parts)


def print_parts(parts: Sequence[RenderableType], console: Console) -> None:
    """Print the parts of a section one below the other, with nothing in them taken for markup."""
    if parts:
        console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)
