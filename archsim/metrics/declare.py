"""Declares a metric once, with its unit, its meaning and its formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_type_hints


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of a figure, as the annotation of a field: `x: Annotated[int, Metric(...)]`.

    `unit` is "" for a name.
    """

    unit: str
    meaning: str
    formula: str = ""


def declared(owner: type) -> dict[str, Metric]:
    """The declarations of a class's fields, by name, in order."""
    found: dict[str, Metric] = {}
    for name, hint in get_type_hints(owner, include_extras=True).items():
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, Metric):
                found[name] = note
    return found
