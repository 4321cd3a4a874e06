"""What archsim brings along, for `archsim list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.arch import ArchConfig
from archsim.arch.datapath import UNIT_KINDS
from archsim.config import load_document
from archsim.config.presets import PresetKind, preset_folder, preset_names
from archsim.errors import FaultsError
from archsim.schedules import SCHEDULES

Entries = list[tuple[str, str]]


def catalogue() -> list[tuple[str, Entries]]:
    """(title, entries) of each section; an entry is a name and a line about it."""
    units = {kind.name: kind.summary for kind in UNIT_KINDS}
    components = [
        (name, units.get(name) or str(field.description))
        for name, field in ArchConfig.model_fields.items()
        if name not in ("summary", "clock_mhz")
    ]
    return [
        ("Architectures (arch_configs/)", _presets(PresetKind.ARCH)),
        ("Workloads (workloads/; or inline: lstm:input,hidden,t=steps,b=batch)", _presets(PresetKind.WORKLOAD)),
        ("Schedules (fused and split mean interleaved)", [(s.name, s.summary) for s in SCHEDULES]),
        ("Components (the sections of an architecture)", components),
    ]


def _presets(kind: PresetKind) -> Entries:
    folder = preset_folder(kind)
    return [(name, _summary(load_document(folder / f"{name}.yaml", FaultsError).data)) for name in preset_names(kind)]


def _summary(data: Mapping[str, Any]) -> str:
    """A preset's line; that of a workload with a task says which."""
    return str(data["summary"]) + (f"; task: {data['task']['summary']}" if "task" in data else "")
