"""Names the ways in which a comparison of designs is written."""

from __future__ import annotations

from enum import StrEnum


class TableFormat(StrEnum):
    """How a comparison is written."""

    TEXT = "text"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"
    JSON = "json"
