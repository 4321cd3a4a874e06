"""Says whose code an unforeseen error is from, so that no author of another package is told of a bug in archsim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from traceback import walk_tb

from archsim.config.extensions import GROUPS

OWN = "archsim"
_ASKED = "archsim.config.read_tracking"
"""What refuses a field that is read too late stands here; whoever reads it is at fault."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of another package: its name, the module and the number of the line."""

    package: str
    module: str
    line: int

    def __str__(self) -> str:
        """The package, module and line, as a message begins with them."""
        return f"{self.package}: {self.module}, line {self.line}"


def outside_place(error: BaseException) -> Place | None:
    """Where an error was raised, if the innermost code is that of a package which adds to archsim, else None.

    Code of libraries that archsim or the package called stands further in, and is left out. An error that was raised
    anew, as SimPy does, is looked for where it came from.
    """
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    packages = _packages()
    for frame, line in reversed(list(walk_tb(first.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        root = module.partition(".")[0]
        if root == OWN and module != _ASKED:
            return None
        if root in packages:
            return Place(packages[root], module, line)
    return None


def _packages() -> Mapping[str, str]:
    """The installed package of each top-level module that an entry names."""
    entries = [entry for group in GROUPS for entry in entry_points(group=group)]
    return {entry.module.partition(".")[0]: entry.dist.name for entry in entries if entry.dist is not None}
