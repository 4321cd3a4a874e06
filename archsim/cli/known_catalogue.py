"""The catalogue of `archsim list`, kept on disk: it says the same until a file of archsim's changes.

Making it takes a second, for all presets are read and all families imported. It is kept only where no installed
package adds to it: what such packages offer is seen by importing them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from archsim.config.extensions import GROUPS
from archsim.config.files.kept_files import KeptFiles
from archsim.config.files.sources import PACKAGE, sources_digest, sources_of
from archsim.config.listed import Catalogue
from archsim.config.presets import PresetKind, preset_folder


def known_catalogue() -> Catalogue:
    """Everything that can be used, from the disk where nothing has changed since it was kept."""
    digest = _digest()
    files = KeptFiles("catalogue")
    kept = files.get(digest) if digest is not None else None
    if kept is not None:
        return Catalogue.from_json(kept)
    from archsim.report.text.catalogue import catalogue

    found = catalogue()
    if digest is not None:
        files.put(digest, found.to_json())
    return found


def _digest() -> bytes | None:
    """The digest of all that the catalogue follows from; None where more than archsim's own files count."""
    offered = entry_points()  # once: each call reads what all packages say of themselves
    if any(offered.select(group=group) for group in GROUPS):
        return None
    sources = sources_of(PACKAGE)
    if not sources:  # not installed as files
        return None
    return bytes.fromhex(sources_digest([*sources, *_presets()]))


def _presets() -> Iterator[Path]:
    for kind in PresetKind:
        yield from sorted(preset_folder(kind).rglob("*.yaml"))
