"""Names the files that a workload reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archsim.workload.config import WorkloadConfig


def named_files(config: WorkloadConfig) -> tuple[str, ...]:
    """The files that a workload names, each once, in the order in which they stand; relative to its own folder."""
    return tuple(dict.fromkeys(_files(config.model_dump(mode="json"))))


def _files(section: Mapping[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _files(value)
        elif key == "file" and value is not None:
            yield str(value)
