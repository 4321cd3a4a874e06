"""Has what a thing looks like wherever it is drawn, and what it is called there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedLook:
    """The colour and hatch of a thing in figures and pages, and the words that a legend has for it."""

    words: str
    colour: str
    hatch: str = ""
