"""Defines how far the sources of a price disagree: its low and its high, as factors of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from typing import Annotated

from pydantic import Field, model_validator

from archsim.config.types import PositiveNumber, StrictModel

Source = Annotated[str, Field(strict=True, min_length=1, max_length=1200)]
"""Where numbers come from: a publication, a tool with its version, or "inferred" with the reasoning."""

Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class Spread(StrictModel):
    """The lowest and highest that sources give, as factors of the number that is taken."""

    low: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(description="lowest, as a factor of the number")
    high: Annotated[float, Field(strict=True, ge=1, le=100)] = Field(description="highest, as a factor of the number")
    source: Source = Field(default="none given", description="which sources these are")

    def scaled(self, by: Scale) -> Spread:
        """The spread of the product of a number with this one and a factor with its own."""
        low, high = self.low * by.low / by.factor, self.high * by.high / by.factor
        return Spread(low=low, high=high, source=f"{self.source}; {by.source}"[:1200])


SURE = Spread(low=1.0, high=1.0)
"""The spread of a number of which nothing else is known."""


class Scale(StrictModel):
    """A factor from one technology to another, with its own low and high."""

    source: Source = Field(description="where the factor comes from")
    factor: PositiveNumber = Field(description="factor of the number")
    low: PositiveNumber = Field(description="lowest factor that a source gives")
    high: PositiveNumber = Field(description="highest factor that a source gives")

    @model_validator(mode="after")
    def _in_order(self) -> Scale:
        if not self.low <= self.factor <= self.high:
            raise ValueError("low <= factor <= high is needed")
        return self


@dataclass(frozen=True, slots=True)
class Range:
    """An amount with its low and its high."""

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def each(self) -> tuple[float, float, float]:
        """Value, low and high."""
        return self.value, self.low, self.high

    def times(self, factor: float) -> Range:
        """The amount so many times."""
        return Range(self.value * factor, self.low * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        """The sum of two amounts."""
        return Range(self.value + other.value, self.low + other.low, self.high + other.high)

    def by(self, other: Range) -> Range:
        """The product of two amounts of which neither is below 0."""
        return Range(self.value * other.value, self.low * other.low, self.high * other.high)


def spread_of(value: float, spread: Spread) -> Range:
    """A number with its low and high."""
    return Range(value, value * spread.low, value * spread.high)


def sum_of(amounts: Iterable[Range]) -> Range:
    """The sum, whatever the order: of the values, of the lows and of the highs."""
    found = list(amounts)
    return Range(fsum(a.value for a in found), fsum(a.low for a in found), fsum(a.high for a in found))
