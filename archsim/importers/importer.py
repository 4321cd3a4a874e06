"""Readers of model files that other installed packages offer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.config.extensions import IMPORTERS as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise, not_text
from archsim.config.text import shown
from archsim.errors import ArchsimError, ExtensionError
from archsim.importers.faults import fault, file_bytes, first_line
from archsim.importers.found import Found, Refused


@dataclass(frozen=True, slots=True)
class Importer:
    """A reader of model files from outside archsim.

    `name` and `summary` are its line in `archsim list`; `suffixes` the ends of the files that it reads, as ".json".
    `read` finds all recurrent layers of a file; it raises WorkloadError, or Refused with the reason, if it cannot.
    """

    name: str
    summary: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Found]


def installed_importers() -> tuple[Importer, ...]:
    """The importers that installed packages offer, in the order of their names."""
    return tuple(IMPORTERS.usable().values())


def _fault(name: str, importer: Importer) -> str:
    texts = isinstance(importer.suffixes, tuple) and all(isinstance(suffix, str) for suffix in importer.suffixes)
    return (
        not_text(importer, "name", "summary")
        or ("" if texts else f"suffixes must be a tuple of texts as .json, got {shown(importer.suffixes)}")
        or named_otherwise(name, importer.name, "importer")
    )


IMPORTERS = EntryGroup(GROUP, Importer, _fault)
"""The entries under which packages offer importers."""


def by_suffix(importers: Sequence[Importer], taken: Collection[str]) -> Mapping[str, Importer]:
    """The importers by suffix; ExtensionError if one of these is `taken`, or if two importers want it."""
    found: dict[str, Importer] = {}
    for importer in importers:
        for suffix in importer.suffixes:
            if not suffix.startswith(".") or suffix.count(".") > 1:
                raise ExtensionError(f"{GROUP}: {importer.name}: expected suffixes as .json, got {suffix!r}")
            if suffix in taken or suffix in found:
                other = f"the importer {found[suffix].name}" if suffix in found else "archsim itself"
                raise ExtensionError(f"{GROUP}: {importer.name}: files {suffix} are read by {other}")
            found[suffix] = importer
    return found


def read_with(importer: Importer, path: Path) -> Found:
    """What an importer finds in a file; WorkloadError if that cannot be read, ExtensionError if the importer fails."""
    file_bytes(path)  # for a message about a missing file that is the same for all suffixes
    try:
        found = importer.read(path)
    except ArchsimError:
        raise
    except Refused as error:
        raise fault(path, str(error)) from error
    except Exception as error:  # whatever the other package does
        what = f"{type(error).__name__}: {first_line(error)}"
        raise ExtensionError(f"{GROUP}: {importer.name}: stopped at {path}: {what}") from error
    if not isinstance(found, Found):
        raise ExtensionError(f"{GROUP}: {importer.name}: expected what it found (Found), got {type(found).__name__}")
    return found
