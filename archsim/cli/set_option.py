"""Which input a `--set` changes, the architecture or the workload, and what is said of one that neither has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from archsim.config import Override
from archsim.config.allowed import allowed_keys
from archsim.config.slots import field_slots, slot_of
from archsim.config.text import dotted, shown
from archsim.errors import Fault

if TYPE_CHECKING:
    from archsim.families.machine_config import MachineConfig

ARCH = "architecture"
WORKLOAD = "workload"
NEAREST = 3
"""Most keys that are named for one that is unknown."""


@dataclass(frozen=True, slots=True)
class Sets:
    """The overrides of a command line by the input that has their field, and a fault for each that neither has."""

    arch: tuple[Override, ...]
    workload: tuple[Override, ...]
    faults: tuple[Fault, ...]

    @classmethod
    def make(cls, overrides: Sequence[Override], arch: type[MachineConfig]) -> Sets:
        """The overrides sorted, where `arch` is the architecture's model; a `summary`, which both have, is for it."""
        from archsim.workload.config import WorkloadConfig

        models: Mapping[str, type[BaseModel]] = {ARCH: arch, WORKLOAD: WorkloadConfig}
        inputs: dict[str, list[Override]] = {name: [] for name in models}
        faults = []
        for override in overrides:
            key = override.path.split(".")[0]
            owner = next((name for name, model in models.items() if key in field_slots(model)), None)
            if owner is None:
                faults.append(Fault(str(override), dotted((key,)), _unknown(key, models)))
            else:
                inputs[owner].append(override)
        return cls(tuple(inputs[ARCH]), tuple(inputs[WORKLOAD]), tuple(faults))


def _unknown(key: str, models: Mapping[str, type[BaseModel]]) -> str:
    """The message about a key that neither input has at its top."""
    keys = {name: allowed_keys(slot_of(model)) for name, model in models.items()}
    close = difflib.get_close_matches(key, [known for names in keys.values() for known in names], n=NEAREST)
    # The last part of a path alone is the commonest mistake of all: rows=32 for mac_array.rows=32.
    inside = [
        (f"{section}.{key}", name)
        for name, model in models.items()
        for section, slot in field_slots(model).items()
        if slot.model is not None and key in field_slots(slot.model)
    ]
    meant = inside or [(near, name) for near in close for name, names in keys.items() if near in names]
    if meant:
        hint = " or ".join(f"{shown(path)} ({name})" for path, name in meant)
        return f"unknown key; did you mean {hint}?"
    return f"unknown key; of this machine: {', '.join(keys[ARCH])}; of a workload: archsim docs workloads"
