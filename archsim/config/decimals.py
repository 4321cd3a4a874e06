"""Numbers of a configuration as they were written."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=4096)
def decimal(number: float) -> Fraction:
    """The exact decimal number that was written: 0.1 is 1/10. The same few numbers are asked for again and again."""
    return Fraction(repr(number))
