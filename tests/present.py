"""What may be missing, where it must not be."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value; where it is None the test fails."""
    assert value is not None
    return value
