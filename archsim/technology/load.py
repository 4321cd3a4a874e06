"""Finds and reads a technology file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from archsim.config import load_document, validate
from archsim.config.presets import PresetKind, find_file, is_name
from archsim.errors import ArchError, Fault
from archsim.technology.conditions import USUAL, Conditions
from archsim.technology.config import Technology
from archsim.technology.prices import Prices
from archsim.technology.scaling import ScaledTechnology, scaled


def load_technology(reference: str) -> Technology:
    """The technology of a preset's name or a file's path; raises ArchError with all faults at once."""
    return load_prices(reference).technology


def load_prices(reference: str, conditions: Conditions = USUAL) -> Prices:
    """The prices of that technology under some conditions; a preset, and a file that has not changed, is read once."""
    usual = _usual_prices(reference)
    return usual if conditions == USUAL else _under(usual, conditions)


@lru_cache(maxsize=64)
def _under(usual: Prices, conditions: Conditions) -> Prices:
    return Prices(usual.technology, conditions)


def _usual_prices(reference: str) -> Prices:
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
    document = load_document(path, ArchError)
    if "scaled_from" not in document.data:
        return Prices(validate(Technology, document, (), ArchError))
    found = validate(ScaledTechnology, document, (), ArchError)
    anchor_at = found.scaled_from if is_name(found.scaled_from) else str(path.parent / found.scaled_from)
    anchor = find_file(PresetKind.TECHNOLOGY, anchor_at, ArchError)
    if "scaled_from" in load_document(anchor, ArchError).data:
        message = "expected a technology that is not scaled itself"
        raise ArchError((Fault(str(path), "scaled_from", message),))
    return Prices(scaled(load_technology(anchor_at), found))
