"""How a metric is declared: once, with its unit, its meaning and its formula."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure is. `unit` is "" for a name."""

    unit: str
    meaning: str
    formula: str = ""


def metric(unit: str, meaning: str, formula: str = "") -> Any:
    """A dataclass field that carries its declaration."""
    return field(metadata={"metric": Metric(unit, meaning, formula)})


def declared(owner: type[Any]) -> dict[str, Metric]:
    """The declarations of a dataclass, by field name, in order."""
    return {f.name: f.metadata["metric"] for f in fields(owner) if "metric" in f.metadata}
