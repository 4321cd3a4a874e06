"""Says which technologies may be compared: those whose prices are of one chain of sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archsim.errors import ArchError
from archsim.technology.config import Technology
from archsim.technology.load import load_technology


def chain_of(reference: str) -> str:
    """The name of a technology's chain of sources: its own, if the file names none."""
    return load_technology(reference).chain or f"{reference} alone"


def same_chain(one: Technology, other: Technology) -> bool:
    """Whether the prices of two technologies are of one chain of sources: they name the same, or are the same."""
    return one == other or (one.chain == other.chain != "")


def chain_note(references: Iterable[str]) -> str:
    """A line that says which technologies do not share their sources; "" if all do, or cannot be read."""
    chains: dict[str, list[str]] = {}
    for reference in sorted(set(references)):
        try:
            chains.setdefault(chain_of(reference), []).append(Path(reference).name)
        except ArchError:
            continue  # whoever needs its prices says so
    if len(chains) < 2:
        return ""
    groups = "; ".join(", ".join(dict.fromkeys(names)) for names in chains.values())
    return f"energies and areas of technologies that do not share their sources cannot be compared: {groups}"
