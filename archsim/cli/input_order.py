"""Says it in one line if architecture and workload are given in each other's place, or a model file as a workload."""

from __future__ import annotations

from pathlib import Path

from archsim.config import load_document
from archsim.config.file_kind import kind_of_keys
from archsim.config.presets import PresetKind, find_file, is_name, preset_names
from archsim.config.text import one_line
from archsim.errors import ArchError, Fault, FaultsError, WorkloadError

MODEL_SUFFIXES = (".onnx", ".pt", ".pth", ".pt2", ".bin", ".ckpt", ".keras", ".h5", ".tflite", ".safetensors", ".npz")
"""Ends of the names of model files, which `archsim import` reads."""


def check_inputs(arch: str, workload: str, *, altered: bool) -> None:
    """Raise what is wrong with two references by themselves, before anything is imported that reads their files.

    ArchError or WorkloadError if there is no such file or preset, or one is of the other's kind. `altered`: fields of
    the inputs are set, and what is wrong with these comes before a workload that does not exist.
    """
    if ":" in arch:
        from archsim.workload.network import CellKind

        if arch.partition(":")[0] in list(CellKind):
            raise ArchError((Fault(arch[:80], "", "is a workload; the architecture comes first, then the workload"),))
    check_order(arch, workload)
    find_file(PresetKind.ARCH, arch, ArchError)
    if is_name(arch) and not altered and ":" not in workload:  # a preset has no faults of its own, which come before
        find_file(PresetKind.WORKLOAD, workload, WorkloadError)


def check_order(arch: str, workload: str) -> None:
    """ArchError or WorkloadError if one is of the other's kind; what cannot be read is left to its loader."""
    given, then = _kind(arch), _kind(workload)
    arch, workload = one_line(arch), one_line(workload)
    if given is PresetKind.WORKLOAD and then is PresetKind.ARCH:
        message = f"is a workload, and {workload} an architecture; the architecture comes first: {workload} {arch}"
        raise ArchError((Fault(arch, "", message),))
    if given is PresetKind.WORKLOAD and not is_name(arch):
        raise ArchError((Fault(arch, "", "is a workload; the architecture comes first, then the workload"),))
    if then is PresetKind.ARCH and not is_name(workload):
        raise WorkloadError((Fault(workload, "", "is an architecture; the workload comes behind it"),))
    if then is PresetKind.SPACE and not is_name(workload):
        raise WorkloadError((Fault(workload, "", f"is a design space; type: archsim explore {workload}"),))
    if Path(workload).suffix.lower() in MODEL_SUFFIXES:
        name = Path(workload).stem
        message = f"is a model file; this makes a workload of it: archsim import {workload} --out {name}.yaml"
        raise WorkloadError((Fault(workload, "", message),))


def _kind(reference: str) -> PresetKind | None:
    """The kind of a preset's name or of a file; None if it is of no kind for sure, or unreadable."""
    if is_name(reference):
        kinds = [kind for kind in (PresetKind.ARCH, PresetKind.WORKLOAD) if reference in preset_names(kind)]
        return kinds[0] if len(kinds) == 1 else None
    try:
        path = Path(reference)
        if path.suffix not in (".yaml", ".yml") or not path.is_file():  # a pipe can be read once
            return None
        keys = load_document(path, WorkloadError).data.keys()
    except (FaultsError, OSError):
        return None
    return kind_of_keys(keys)
