"""Interprets plain (unquoted) YAML scalars: YAML 1.2 core, less what is ambiguous or not finite."""

from __future__ import annotations

import math
import re

from archsim.config.text import shown

Scalar = str | int | float | bool | None

MAX_NUMBER_LENGTH = 40
"""Most characters of an integer: Python refuses to convert thousands of digits, and no quantity has them."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class ScalarError(ValueError):
    """The error of a plain scalar that is refused; `str()` says why, on one line."""


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar.

    `yes`, `on`, `1:30`, `1_000` and dates stay strings, as YAML 1.2 has them. Raises `ScalarError` for
    integers with a leading zero (octal to some readers, decimal to others), for numbers that are not finite,
    and for huge integers.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"numbers must be finite, got {text}")
    if _LEADING_ZERO.fullmatch(text):
        raise ScalarError(
            f"{shown(text)} is ambiguous: an integer must not start with 0 "
            f"(write it without the 0, or in quotes when it is a string)"
        )
    if _DECIMAL.fullmatch(text) or _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ScalarError(f"an integer may have at most {MAX_NUMBER_LENGTH} characters, got one of {len(text):,}")
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ScalarError(f"numbers must be finite, and {shown(text)} is too large")
    return value
