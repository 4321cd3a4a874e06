"""Makes cells of CSV files harmless: a spreadsheet takes text that begins with certain characters for a formula."""

from __future__ import annotations

from collections.abc import Iterable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What formulas begin with, also behind a character that a spreadsheet leaves out."""


def harmless(cell: object) -> object:
    """The cell; a text that would be a formula has an apostrophe in front, by which spreadsheets know a text.

    Numbers, negative ones too, are no texts and stay as they are.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def harmless_row(cells: Iterable[object]) -> list[object]:
    """A row of such cells."""
    return [harmless(cell) for cell in cells]
