"""Says what a run's folder was made from: versions, hashes of all inputs, and the command that makes it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from archsim import __version__
from archsim.api.ranking import BEST
from archsim.config.files.regular_files import open_regular, read_regular
from archsim.config.types import StrictModel
from archsim.errors import Fault, WorkloadError
from archsim.families.load import Arch
from archsim.workload import Workload
from archsim.workload.named_files import named_files

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
    keep_steps: bool = Field(default=False, description="whether outputs.npz has what passed through at every step")
    command: tuple[str, ...] = Field(description="the command, in the folder, that simulates it again")
    inputs: dict[str, str] = Field(description="file of the folder, or that its workload reads -> SHA-256")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for besides its inputs and its schedule."""

    timing_only: bool = False
    executor: str = "auto"
    keep_steps: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be run: the inputs, the name of the schedule, or what the best one is asked for by, and options."""

    arch: Arch
    workload: Workload
    schedule: str
    options: Options = Options()

    @property
    def mark(self) -> str:
        """Eight hexadecimal digits that stand for overrides and options; "" if there are none."""
        parts = [*self.arch.overrides, *self.workload.overrides]
        parts += ["timing only"] if self.options.timing_only else []
        parts += ["keep steps"] if self.options.keep_steps else []
        parts += [] if self.options.executor == "auto" else [f"executor {self.options.executor}"]
        parts += [f"schedule {self.schedule}"] if self.schedule in BEST else []
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8] if parts else ""


def manifest_of(asked: Asked, folder: Path) -> Manifest:
    """The manifest of a run whose resolved inputs stand in the folder already."""
    import numpy as np

    name, options = asked.schedule, asked.options
    command = ["archsim", "run", "arch.yaml", "workload.yaml", "--schedule", name]
    command += ["--timing-only"] if options.timing_only else []
    command += ["--keep-steps"] if options.keep_steps else []
    command += [] if options.executor == "auto" else ["--executor", options.executor]
    return Manifest(
        archsim=__version__,
        numpy=np.__version__,
        schedule=name,
        timing_only=options.timing_only,
        executor=options.executor,
        keep_steps=options.keep_steps,
        command=tuple(command),
        inputs=dict(input_hashes(asked.arch, asked.workload, folder)),
    )


def manifest_json(manifest: Manifest) -> str:
    """The text of a manifest's file."""
    return json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"


def input_hashes(arch: Arch, workload: Workload, folder: Path) -> Iterator[tuple[str, str]]:
    """The resolved inputs in the folder, the technology, and each file that the workload reads, with its SHA-256."""
    for name in ("arch.yaml", "workload.yaml"):
        yield name, hashlib.sha256((folder / name).read_bytes()).hexdigest()
    if arch.config.costing is not None:
        yield "technology", arch.prices.digest
    for name in named_files(workload.config):
        path = workload.folder / name
        try:
            with open_regular(path) as file:
                yield name, hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise WorkloadError((Fault(str(path), "", f"cannot be read: {error.strerror or error}"),)) from error


def difference(old: Manifest, new: Manifest) -> str:
    """What is not the same in two manifests, in a few words; "" if all is."""
    for name in ("schedule", "timing_only", "executor", "archsim", "numpy"):
        if getattr(old, name) != getattr(new, name):
            return f"{name.replace('_', ' ')} {getattr(old, name)}, now {getattr(new, name)}"
    for name in dict.fromkeys([*old.inputs, *new.inputs]):
        if old.inputs.get(name) != new.inputs.get(name):
            return f"another {name}"
    return ""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of results; WorkloadError if it has none that can be read."""
    file = folder / NAME
    try:
        return Manifest.model_validate_json(read_regular(file, MAX_BYTES))
    except OSError as error:
        raise WorkloadError((Fault(str(file), "", f"cannot be read: {error.strerror or error}"),)) from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise WorkloadError((Fault(str(file), where, "is no manifest of a run of archsim"),)) from error
