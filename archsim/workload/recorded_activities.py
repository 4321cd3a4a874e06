"""Lists the recorded activities that ship with archsim: which columns real runs of delta networks multiplied."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from archsim.config.presets import PresetKind, preset_folder
from archsim.config.text import shorten
from archsim.errors import Fault, WorkloadError


@dataclass(frozen=True, slots=True)
class RecordedActivity:
    """A file of recorded activity: its name, the workload that it is of, inline, and what was recorded."""

    name: str
    workload: str
    summary: str

    @property
    def path(self) -> Path:
        """The file."""
        return preset_folder(PresetKind.ARCH) / "published" / "edgedrnn" / f"{self.name}.nz.txt"


_SHIPPED = "EdgeDRNN's RTL with the model that it ships, thresholds of"

RECORDED = (
    RecordedActivity("shipped_th0", "gru:8,16,layers=2,t=1000", f"{_SHIPPED} 0"),
    RecordedActivity("shipped_th16", "gru:8,16,layers=2,t=1000", f"{_SHIPPED} 16 (0.0625 in q8.8)"),
    RecordedActivity(
        "8_8_16_2_200_1_16_16", "gru:8,16,layers=2,t=200", "EdgeDRNN's RTL with drawn weights, thresholds of 16"
    ),
)


def recorded(name: str) -> RecordedActivity | None:
    """The activity of that name that ships; None if there is none."""
    return next((each for each in RECORDED if each.name == name), None)


def activity_path(reference: Path) -> Path:
    """The file of a name that ships, or the path itself; WorkloadError for a name that neither ships nor is a file."""
    name = str(reference)
    found = recorded(name)
    if found is not None and not reference.exists():
        return found.path
    if found is None and reference.name == name and not reference.suffix and not reference.exists():
        names = [each.name for each in RECORDED]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        message = f"no file of that name, and no recorded activity{hint} those that ship: {', '.join(names)}"
        raise WorkloadError((Fault(shorten(name), "activity", message),))
    return reference


def workload_of(path: Path) -> str:
    """The workload, inline, that a file which ships was recorded with; "" of any other file."""
    return next((each.workload for each in RECORDED if each.path == path), "")
