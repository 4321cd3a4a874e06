"""Takes faulty parts out of a space file, so that what is wrong with the rest is found in the same go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archsim.config import Document
from archsim.config.text import KeyPath, dotted
from archsim.errors import Fault

PARTS = ("derived", "set", "parameters", "workloads", "constraints", "objectives")
"""Keys whose value is a list or a mapping, of which a part alone can be faulty."""


def without_faults(document: Document, faults: Iterable[Fault]) -> tuple[Document, Mapping[KeyPath, KeyPath]]:
    """The document without each key, or part of one of PARTS, that a fault names; its lines are those of the file.

    The mapping has, for parts of lists, the path that each had in the file.
    """
    wrong = {fault.path for fault in faults}
    out = {path[: 2 if path[0] in PARTS else 1] for path in document.lines if path and dotted(path) in wrong}
    data: dict[str, Any] = {}
    places: dict[KeyPath, KeyPath] = {}
    for key, value in document.data.items():
        if (key,) in out:
            continue
        data[key] = value
        if isinstance(value, dict):
            data[key] = {part: value[part] for part in value if (key, part) not in out}
        elif isinstance(value, list):
            kept = [part for part in range(len(value)) if (key, part) not in out]
            data[key] = [value[part] for part in kept]
            places |= {(key, place): (key, part) for place, part in enumerate(kept)}
    return Document(document.source, data, document.lines), places
