"""Writes figures as text: thousands separated, no more digits than they carry."""

from __future__ import annotations

from math import floor, log10

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DIGITS = 4


def cycles(value: float) -> str:
    """The text of a number of cycles: whole if it is, otherwise (a mean) with one decimal."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def significant(value: float) -> str:
    """The text of a quantity with at most four significant digits, as "1,611", "108.2" or "0.07".

    Whole digits are never cut.
    """
    if not value:
        return "0"
    decimals = max(0, _DIGITS - 1 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def span(low: float, high: float) -> str:
    """The text of the lowest and highest of a quantity, as "410 to 900": three digits, since more are not known."""
    return f"{_rough(low)} to {_rough(high)}"


def behind(low: float | None, high: float | None) -> str:
    """What stands behind a quantity: its lowest and highest, as " (410 to 900)", or "" if there are none."""
    return "" if low is None or high is None else f" ({span(low, high)})"


def _rough(value: float) -> str:
    """The text of a quantity that is known roughly."""
    return significant(float(f"{value:.3g}"))


def percent(share: float) -> str:
    """The text of a share (1 = all) as percent with one decimal, below 0.1 % with two significant digits."""
    value = 100 * share
    if not value:
        return "0 %"
    if abs(value) >= 0.1:
        return f"{value:,.1f} %"
    return f"{value:.{1 - floor(log10(abs(value)))}f} %"


def part(amount: float, whole: float) -> str:
    """The text of a part of a whole as percent with one decimal, "<0.1 %" if it is too small for that."""
    if amount and 1000 * amount < whole:
        return "<0.1 %"
    return f"{100 * amount / whole:.1f} %" if amount else "0 %"


def binary_bytes(amount: int) -> str:
    """The text of bytes in the binary unit that suits them, as "18.3 MiB"; below 1 KiB exact."""
    if amount < 1024:
        return f"{amount} B"
    power = min((amount.bit_length() - 1) // 10, len(_BINARY_UNITS) - 1)
    return f"{amount / (1 << 10 * power):,.1f} {_BINARY_UNITS[power]}"


def error(value: float) -> str:
    """The text of a numerical error with two significant digits, as "3.0e-07"."""
    return f"{value:.1e}" if value else "0"


def plural(count: int, singular: str) -> str:
    """The text of a count with its noun, as "1 step" or "70 steps"."""
    return f"{count:,} {singular}" if count == 1 else f"{count:,} {singular}s"
