"""What `archsim list` prints, as data: sections of names with a line about each; and its form in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

Entries = list[tuple[str, str]]


class Listed(StrEnum):
    """What kind of thing a section lists: what `archsim list` may be asked for."""

    MACHINES = "machines"
    TECHNOLOGIES = "technologies"
    WORKLOADS = "workloads"
    ACTIVITIES = "activities"
    SPACES = "spaces"
    SCHEDULES = "schedules"
    UNITS = "units"
    METHODS = "methods"
    DRAMS = "drams"
    FORMATS = "formats"
    STATISTICS = "statistics"
    IMPORTERS = "importers"


@dataclass(frozen=True, slots=True)
class Section:
    """Things of a kind under a title; an entry is a name and a line about it."""

    kind: Listed
    title: str
    entries: Entries


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that there is, in sections; the line about what is not archsim's says the package.

    `broken`: a line for each entry of an installed package that cannot be used, with the entry, the package and why.
    """

    parts: tuple[Section, ...]
    broken: tuple[str, ...]

    @property
    def sections(self) -> tuple[tuple[str, Entries], ...]:
        """Titles and entries of all sections."""
        return tuple((part.title, part.entries) for part in self.parts)

    def to_json(self) -> bytes:
        """The catalogue as JSON, for a file that only archsim reads."""
        parts = [[part.kind, part.title, part.entries] for part in self.parts]
        return json.dumps([parts, self.broken]).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Catalogue:
        """The catalogue that `to_json` wrote."""
        parts, broken = json.loads(text)
        sections = (
            Section(Listed(kind), title, [(name, about) for name, about in entries]) for kind, title, entries in parts
        )
        return cls(tuple(sections), tuple(broken))
