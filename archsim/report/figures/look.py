"""Says how figures look: how wide they are, the size of their font, and whether a title stands above them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from archsim.errors import OutputError

FONT_POINTS = 8.0
"""The size of the font for which the heights of figures are given."""
ONE_COLUMN_INCHES, TWO_COLUMNS_INCHES = 3.5, 7.16
"""The width of a column, and of both, of a journal of the IEEE."""
LEAST_INCHES, MOST_INCHES = 2.5, 40.0
LEAST_POINTS, MOST_POINTS = 4.0, 24.0
_UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(in|cm|mm)")
_EM_PER_CHARACTER = 0.6
"""The mean width of a character of the font, in its size."""


class FigureFormat(StrEnum):
    """A form of a figure's file."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a figure: its width and font, dots an inch where it is made of dots, a title above it or none."""

    width_inches: float = 16 / 2.54
    font_points: float = FONT_POINTS
    dpi: int = 150
    title: bool = True

    @property
    def scale(self) -> float:
        """How much larger than usual the font is."""
        return self.font_points / FONT_POINTS

    @property
    def line_inches(self) -> float:
        """The height of a line of text."""
        return 1.4 * self.font_points / 72

    def text_inches(self, text: str) -> float:
        """About how wide a line of text is."""
        return len(text) * _EM_PER_CHARACTER * self.font_points / 72

    def characters(self, inches: float) -> int:
        """About how many characters a line of that width holds."""
        return max(8, int(inches / (_EM_PER_CHARACTER * self.font_points / 72)))


USUAL = Look()
"""The look of the figures that `archsim run` draws: 16 cm wide, at 8 points and 150 dots an inch."""


def width_of(text: str) -> float:
    """The width in inches that "one" (column), "two" or a length as "8.8cm" stands for; OutputError for others."""
    named = {"one": ONE_COLUMN_INCHES, "two": TWO_COLUMNS_INCHES}.get(text.strip().lower())
    found = _LENGTH.fullmatch(text.strip().lower())
    inches = named or (float(found[1]) * _UNITS[found[2]] if found else 0.0)
    if not LEAST_INCHES <= inches <= MOST_INCHES:
        allowed = f"one (column), two, or {LEAST_INCHES:g}in to {MOST_INCHES:g}in with the unit in, cm or mm, as 8.8cm"
        raise OutputError(f"--width {text[:40]}: allowed is {allowed}")
    return inches


def checked_font(points: float) -> float:
    """A size of the font in points; OutputError if it cannot be read or does not fit."""
    if not LEAST_POINTS <= points <= MOST_POINTS:
        raise OutputError(f"--font-size {points:g}: allowed is {LEAST_POINTS:g} to {MOST_POINTS:g} points")
    return points
