"""From an architecture file to the machine that it describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.arch.families import DEFAULT_FAMILY, FAMILIES
from archsim.arch.machine import MachineConfig
from archsim.config import Document, Override, load_document, validate
from archsim.config.presets import PresetKind, find_file
from archsim.errors import ArchError, Fault


@dataclass(frozen=True, slots=True)
class Arch:
    """An architecture with the name under which its results are kept, and the changes made to its file with --set."""

    name: str
    config: MachineConfig
    overrides: tuple[str, ...] = ()


def load_arch(reference: str, overrides: Sequence[Override] = ()) -> Arch:
    """The architecture of a preset's name or a file's path, with `--set` overrides applied.

    Raises ArchError with all faults at once.
    """
    path = find_file(PresetKind.ARCH, reference, ArchError)
    document = load_document(path, ArchError)
    config = validate(_model(document), document, overrides, ArchError)
    return Arch(path.stem, config, tuple(f"{override.path}={override.value}" for override in overrides))


def _model(document: Document) -> type[MachineConfig]:
    """The model of the family that the file names; ArchError if there is none of that name."""
    family = document.data.get("family", DEFAULT_FAMILY)
    if not isinstance(family, str) or family not in FAMILIES:
        where = f"{document.source}:{document.lines[('family',)]}"
        names = ", ".join(repr(name) for name in FAMILIES)
        raise ArchError((Fault(where, "family", f"expected one of {names} (kind of machine), got {family!r}"),))
    return FAMILIES[family].config
