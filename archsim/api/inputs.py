"""Takes inputs as a person gives them: a preset's name, a path, or what was loaded already."""

from __future__ import annotations

from pathlib import Path

from archsim.families.load import Arch, load_arch, load_workload_for
from archsim.workload import Workload

AnyArch = Arch | str | Path
AnyWorkload = Workload | str | Path


def as_arch(given: AnyArch) -> Arch:
    """The architecture of a preset's name, a path, or itself; TypeError for anything else."""
    if isinstance(given, Arch):
        return given
    if isinstance(given, str | Path):
        return load_arch(str(given))
    raise TypeError(f"an architecture is a preset's name, a path or what load_arch returns, not {_kind(given)}")


def as_workload(given: AnyWorkload, arch: Arch) -> Workload:
    """The workload of a preset's name, a path, an inline form, or itself; TypeError for anything else.

    `arch`: the machine that it is meant for, which decides what an inline form leaves open.
    """
    if isinstance(given, Workload):
        return given
    if isinstance(given, str | Path):
        return load_workload_for(arch, str(given))
    raise TypeError(f"a workload is a preset's name, a path, inline, or what load_workload returns, not {_kind(given)}")


def _kind(given: object) -> str:
    return type(given).__name__
