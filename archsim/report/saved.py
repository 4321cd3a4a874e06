"""A run in files: its figures as JSON, and its resolved inputs as YAML that `archsim run` takes again."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from pathlib import Path
from typing import Any

from archsim.api import Simulation
from archsim.arch import Arch
from archsim.workload import Workload


def stats_json(simulation: Simulation) -> str:
    """All figures and the verdict on the numbers, as one JSON object."""
    figures = dataclasses.asdict(simulation.stats)
    figures["validation"] = dataclasses.asdict(simulation.validation)
    return json.dumps(figures, indent=2, allow_nan=False) + "\n"


def resolved_arch(arch: Arch) -> str:
    """The architecture with all overrides applied."""
    return _yaml(arch.config.model_dump(mode="json"))


def resolved_workload(workload: Workload, folder: Path) -> str:
    """The workload with all overrides applied; its files are named relative to the results' `folder`."""
    data = workload.config.model_dump(mode="json", exclude_none=True)
    final = folder.resolve().parent / "any"  # the temporary folder and the final one have the same parent
    for section in data.values():
        if isinstance(section, dict) and "file" in section:
            section["file"] = os.path.relpath((workload.folder / section["file"]).resolve(), final)
    return _yaml(data)


def _yaml(data: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()
