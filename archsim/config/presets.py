"""Finds an architecture, a technology, a workload or a design space by a preset's name or by a path.

Presets lie in the project's `arch_configs/` (machines that exist in a subfolder) and `workloads/`; an installed wheel
carries copies inside the package.
"""

from __future__ import annotations

import difflib
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from archsim.config.text import shorten
from archsim.errors import Fault, FaultsError

MAX_PATH_CHARACTERS = 1000
"""Longest path that is looked for."""

_PACKAGE = Path(__file__).resolve().parent.parent


class PresetKind(StrEnum):
    """A kind of preset and the folder that holds it."""

    ARCH = "arch_configs"
    TECHNOLOGY = "arch_configs/technology"
    WORKLOAD = "workloads"
    SPACE = "arch_configs/spaces"


_NOUNS = {
    PresetKind.ARCH: "an architecture",
    PresetKind.TECHNOLOGY: "a technology",
    PresetKind.WORKLOAD: "a workload",
    PresetKind.SPACE: "a design space",
}


@lru_cache(len(PresetKind))
def preset_folder(kind: PresetKind) -> Path:
    """The folder of presets of that kind: inside the package if installed, beside it in a checkout."""
    inside = _PACKAGE / kind.value
    return inside if inside.is_dir() else _PACKAGE.parent / kind.value


def preset_names(kind: PresetKind) -> tuple[str, ...]:
    """The names of all presets of that kind, sorted."""
    return tuple(sorted(_files(kind)))


def preset_file(kind: PresetKind, name: str) -> Path:
    """The file of the preset of that name; KeyError if there is none."""
    return _files(kind)[name]


def find_file(kind: PresetKind, reference: str, error: type[FaultsError]) -> Path:
    """The file of a preset's name (no slash, no suffix) or of a path; raises `error` if there is none."""
    if is_name(reference):
        usual = preset_folder(kind) / f"{reference}.yaml"
        if len(reference) <= MAX_PATH_CHARACTERS and usual.is_file():
            return usual
        names = preset_names(kind)
        if reference in names:
            return preset_file(kind, reference)
        if len(reference) > MAX_PATH_CHARACTERS or not reference or not Path(reference).exists():
            close = difflib.get_close_matches(reference, names, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            other = next((other for other in PresetKind if reference in preset_names(other)), None)
            what = f"is {_NOUNS[other]}, not {_NOUNS[kind]}" if other is not None else "no preset of that name"
            message = f"{what}; {hint}presets: {', '.join(names)}; or give a file's path"
            raise error((Fault(shorten(reference) or "(empty)", "", message),))
    if len(reference) > MAX_PATH_CHARACTERS:
        raise error((Fault(shorten(reference), "", f"is longer than the {MAX_PATH_CHARACTERS} characters of a path"),))
    path = Path(reference)
    if path.suffix not in (".yaml", ".yml") and not path.is_dir():
        raise error((Fault(reference, "", "expected a preset's name or the path of a .yaml file"),))
    return path


def _files(kind: PresetKind) -> dict[str, Path]:
    """Every preset of that kind by its name, those in subfolders too, if these are not of another kind."""
    own = preset_folder(kind)
    inside = [folder for folder in map(preset_folder, PresetKind) if own in folder.parents]
    return {path.stem: path for path in own.rglob("*.yaml") if not any(folder in path.parents for folder in inside)}


def is_name(reference: str) -> bool:
    """Whether a reference names a preset; else it is a path."""
    return "/" not in reference and "\\" not in reference and not reference.endswith((".yaml", ".yml"))
