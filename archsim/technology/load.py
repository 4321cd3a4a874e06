"""Finds and reads a technology file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from archsim.config import load_document, validate
from archsim.config.presets import PresetKind, find_file, is_name
from archsim.errors import ArchError
from archsim.technology.config import Technology
from archsim.technology.prices import Prices


def load_technology(reference: str) -> Technology:
    """The technology of a preset's name or a file's path; raises ArchError with all faults at once."""
    return load_prices(reference).technology


def load_prices(reference: str) -> Prices:
    """The prices of that technology; a file that has not changed is read once."""
    path = _preset(reference) if is_name(reference) else find_file(PresetKind.TECHNOLOGY, reference, ArchError)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0  # reading it says why
    return _prices(path, stamp)


@lru_cache(maxsize=32)
def _preset(name: str) -> Path:
    """The place of a preset, or of a file of that name in the current folder; an error is not kept."""
    return find_file(PresetKind.TECHNOLOGY, name, ArchError)


@lru_cache(maxsize=32)
def _prices(path: Path, stamp: int) -> Prices:
    return Prices(validate(Technology, load_document(path, ArchError), (), ArchError))
