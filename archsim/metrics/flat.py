"""Flattens nested figures: each number or text inside one gets a name of its own, as `energy.total_uj`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass


def flat(name: str, figure: object) -> Iterator[tuple[str, int | float | str | None]]:
    """The figures in a figure by name, entries of mappings and groups after a dot; what is no number or text is not."""
    if isinstance(figure, Mapping):
        for key, inner in figure.items():
            yield from flat(f"{name}.{key}", inner)
    elif is_dataclass(figure):
        for field in fields(figure):
            yield from flat(f"{name}.{field.name}", getattr(figure, field.name))
    elif figure is None or isinstance(figure, int | float | str):
        yield name, figure
