"""One fault: a stretch of a source file, and what stands there instead."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong about the changed expression."""

    COMPARISON = "comparison"
    OFF_BY_ONE = "off by one"
    OPERATOR = "operator"
    OPERAND = "operand"
    FACTOR = "factor"
    MIN_MAX = "min and max"
    DROPPED_TERM = "dropped term"
    CONDITION = "condition"


@dataclass(frozen=True)
class Fault:
    """The text from `start` to `end` (characters of the file) becomes `after`.

    `path` is relative to the tree; `line` (from 1) and `column` (bytes, from 0) are its place.
    """

    path: str
    line: int
    column: int
    start: int
    end: int
    kind: Kind
    before: str
    after: str

    @property
    def package(self) -> str:
        """The folder below the top of the package, or the package's own name for a module at the top."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else parts[0]

    @property
    def key(self) -> str:
        """A name that stays as long as the fault's file does."""
        text = f"{self.path}:{self.start}:{self.end}:{self.after}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def apply(self, source: str) -> str:
        """The source with the fault in it."""
        if source[self.start : self.end] != self.before:
            raise ValueError(f"{self.path}:{self.line}: the file is not the one that the fault was found in")
        return source[: self.start] + self.after + source[self.end :]

    def shown(self) -> str:
        """One line: where, and what becomes what."""
        before, after = " ".join(self.before.split()), " ".join(self.after.split())
        return f"{self.path}:{self.line} [{self.kind}] {before} => {after}"
