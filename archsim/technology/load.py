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
    """The prices of that technology; a preset, and a file that has not changed, is read once."""
    if is_name(reference):
        return _preset(reference)
    path = find_file(PresetKind.TECHNOLOGY, reference, ArchError)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0  # reading it says why
    return _prices(path, stamp)


@lru_cache(maxsize=32)
def _preset(name: str) -> Prices:
    """The prices of a preset; an error is not kept."""
    return _prices(find_file(PresetKind.TECHNOLOGY, name, ArchError), 0)


@lru_cache(maxsize=32)
def _prices(path: Path, stamp: int) -> Prices:
    return Prices(validate(Technology, load_document(path, ArchError), (), ArchError))
