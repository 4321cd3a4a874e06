"""Parts of a run that are written by hand, for functions that look at nothing else of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from archsim.report.text.report_text import as_text


def thing(**parts: object) -> Any:
    """Something with those parts."""
    return SimpleNamespace(**parts)


def flat(*parts: Any, width: int = 200) -> str:
    """What sections print, with single spaces."""
    return " ".join(as_text(lambda console: console.print(*parts, markup=False, highlight=False), width).split())


def lines(*parts: Any, width: int = 200) -> list[str]:
    """The lines that sections print, each with single spaces; none that is empty."""
    text = as_text(lambda console: console.print(*parts, markup=False, highlight=False), width)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
