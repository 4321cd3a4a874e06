"""Says what a run's folder was made from: versions, hashes of all inputs, and the command that makes it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from archsim import __version__
from archsim.api import Simulation
from archsim.api.ranking import best_name
from archsim.config.types import StrictModel
from archsim.errors import Fault, WorkloadError

NAME = "manifest.json"
MAX_BYTES = 1 << 20
"""Largest manifest that is read."""


class Manifest(StrictModel):
    """What a run's folder was made from."""

    archsim: str = Field(description="version that made it")
    numpy: str = Field(description="version of NumPy that computed the numbers")
    schedule: str = Field(description="the schedule that was asked for; best: the best one then")
    timing_only: bool = Field(description="whether no numbers were computed")
    executor: str = Field(description="what was asked to time the run")
    command: tuple[str, ...] = Field(description="the command, in the folder, that simulates it again")
    inputs: dict[str, str] = Field(description="file of the folder, or that its workload reads -> SHA-256")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for besides its inputs and its schedule."""

    timing_only: bool = False
    executor: str = "auto"


def manifest_json(simulation: Simulation, options: Options, folder: Path) -> str:
    """The manifest of a run whose inputs stand in the folder already."""
    import numpy as np

    ranking = simulation.ranking
    name = simulation.schedule.name if ranking is None else best_name(ranking.by)
    command = ["archsim", "run", "arch.yaml", "workload.yaml", "--schedule", name]
    command += ["--timing-only"] if options.timing_only else []
    command += [] if options.executor == "auto" else ["--executor", options.executor]
    found = Manifest(
        archsim=__version__,
        numpy=np.__version__,
        schedule=name,
        timing_only=options.timing_only,
        executor=options.executor,
        command=tuple(command),
        inputs=dict(input_hashes(simulation, folder)),
    )
    return json.dumps(found.model_dump(mode="json"), indent=2) + "\n"


def input_hashes(simulation: Simulation, folder: Path) -> Iterator[tuple[str, str]]:
    """The resolved inputs in the folder, the technology, and each file that the workload reads, with its SHA-256."""
    for name in ("arch.yaml", "workload.yaml"):
        yield name, hashlib.sha256((folder / name).read_bytes()).hexdigest()
    if simulation.arch.config.costing is not None:
        yield "technology", simulation.arch.prices.digest
    for name in dict.fromkeys(_files(simulation.workload.config.model_dump(mode="json"))):
        yield name, hashlib.sha256((simulation.workload.folder / name).read_bytes()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of results; WorkloadError if it has none that can be read."""
    file = folder / NAME
    try:
        if file.stat().st_size > MAX_BYTES:
            raise WorkloadError((Fault(str(file), "", "is no manifest: too large"),))
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise WorkloadError((Fault(str(file), "", f"cannot be read: {error.strerror or error}"),)) from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise WorkloadError((Fault(str(file), where, "is no manifest of a run of archsim"),)) from error


def _files(section: Mapping[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _files(value)
        elif key == "file" and value is not None:
            yield str(value)
