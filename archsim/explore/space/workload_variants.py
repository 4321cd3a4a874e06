"""Gives the workloads of a space's points: those of its file, with the values that a point has for their fields."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.config import Override
from archsim.config.files.regular_files import open_regular
from archsim.config.slots import inner_slot, slot_of
from archsim.errors import WorkloadError
from archsim.explore.space.design import Reason
from archsim.workload import Workload, load_workload
from archsim.workload.config import WorkloadConfig
from archsim.workload.named_files import named_files

KEPT = 1024
"""Variants that are kept: a few KB each."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The workloads of a point, or why it has none."""

    workloads: tuple[Workload, ...]
    reason: Reason | None = None


class WorkloadVariants:
    """Loads the workloads of some references with fields that have other values, and keeps those loaded last.

    `with_files`: whether digests are those of the files, too, as numbers are computed from them.
    """

    def __init__(self, references: Sequence[str], with_files: bool) -> None:
        self._references, self._with_files = tuple(references), with_files
        self._kept: OrderedDict[tuple[Override, ...], Variant] = OrderedDict()
        self._digests: dict[tuple[Override, ...], str] = {}

    def of(self, overrides: tuple[Override, ...]) -> Variant:
        """The workloads with these values."""
        found = self._kept.get(overrides)
        if found is None:
            found = self._kept[overrides] = self._loaded(overrides)
            if len(self._kept) > KEPT:
                self._digests.pop(self._kept.popitem(last=False)[0], None)
        self._kept.move_to_end(overrides)
        return found

    def digest(self, overrides: tuple[Override, ...]) -> str:
        """The digest of the workloads with these values: their settings and files."""
        found = self.of(overrides)
        if overrides not in self._digests:
            self._digests[overrides] = self._digest(found)
        return self._digests[overrides]

    def _loaded(self, overrides: tuple[Override, ...]) -> Variant:
        try:
            return Variant(tuple(load_workload(reference, overrides) for reference in self._references))
        except WorkloadError as error:
            return Variant((), Reason("workload", "; ".join(str(error).splitlines())))

    def _digest(self, variant: Variant) -> str:
        parts: list[Any] = [self._with_files]
        for workload in variant.workloads:
            data, names = workload.config.model_dump(mode="json"), sorted(named_files(workload.config))
            files = {name: _file_digest(workload.folder / name) for name in names}
            parts.append([workload.name, data, files if self._with_files else {}])
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_workload_field(path: str) -> bool:
    """Whether workloads have a field of that path."""
    slot = slot_of(WorkloadConfig)
    for part in path.split("."):
        inner = inner_slot(slot, part)
        if inner is None:
            return False
        slot = inner
    return True


def _file_digest(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"  # the evaluation says what is wrong with it
