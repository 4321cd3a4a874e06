"""Defines the errors, split by whose fault they are.

Everything below `ArchsimError` is something the user can mend: the command line prints it on one line per fault
and exits with 2. `SimulatorBug` is ours. Each class keeps all constructor arguments in `args`, because SimPy
re-raises exceptions as `type(e)(*e.args)`.
"""

from __future__ import annotations

from dataclasses import dataclass


def one_line(text: str) -> str:
    """The text with every character that cannot be printed (line breaks, controls, surrogates) escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input.

    `where` is the file (or command-line option) with its line, as "edge.yaml:12"; `path` the field's path inside it,
    as "mac_array.rows" ("" for the whole file); `message` says what is wrong and what is allowed. As text it is one
    line, whatever of others stands in it.
    """

    where: str
    path: str
    message: str

    def __str__(self) -> str:
        return one_line(": ".join(part for part in (self.where, self.path, self.message) if part))


class ArchsimError(Exception):
    """An error by the user's input; `str()` is one line for each fault."""


class FaultsError(ArchsimError):
    """All faults of one input at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class ArchError(FaultsError):
    """The architecture description is not valid."""


class WorkloadError(FaultsError):
    """The workload, its weights or its input are not valid."""


class SpaceError(FaultsError):
    """The design space is not valid."""


class ScheduleError(ArchsimError):
    """A program has a hazard (two ops in conflict that nothing orders), or no schedule of that name exists."""


class CapacityError(ArchsimError):
    """A memory is too small for the program: the demand, what there is, the gap, and the knobs that close it."""

    def __init__(self, memory: str, need: int, have: int, unit: str, needed_for: str, knobs: tuple[str, ...]) -> None:
        super().__init__(memory, need, have, unit, needed_for, knobs)
        self.memory = memory
        self.need = need
        self.have = have
        self.unit = unit
        self.needed_for = needed_for
        self.knobs = knobs
        self.measured: tuple[str, ...] = ()
        """What was measured of designs that fit, a text each."""

    @property
    def gap(self) -> int:
        """How much is missing, in `unit`."""
        return self.need - self.have

    @property
    def short(self) -> str:
        """What is missing, without what it is for and what would close the gap."""
        return f"{self.memory}: needs {self.need:,} {self.unit}, has {self.have:,}, {self.gap:,} short"

    def __str__(self) -> str:
        measured = f"; measured: {'; '.join(self.measured)}" if self.measured else ""
        return (
            f"{self.memory}: needs {self.need:,} {self.unit} ({self.needed_for}), has {self.have:,}, "
            f"{self.gap:,} short; what would close the gap: {'; or '.join(self.knobs)}{measured}"
        )


class OutputError(ArchsimError):
    """Results cannot be written where they should go."""


class ExecutorError(ArchsimError):
    """The executor that was asked for does not exist, or cannot time this run."""


class LengthError(ArchsimError):
    """A run takes more cycles than are counted."""


class ExtensionError(ArchsimError):
    """What another installed package offers to archsim cannot be used."""


class ExtensionWarning(UserWarning):
    """What another installed package offers cannot be used, and nobody has asked for it."""


class ClusterWarning(UserWarning):
    """Nobody is there who could evaluate designs: it is waited for a while."""


class CacheWarning(UserWarning):
    """What was computed cannot be kept for later: it is computed again each time."""


class Interrupted(ArchsimError):
    """Stopped by Ctrl-C; the message says what was kept and how to go on."""


class SimulatorBug(Exception):
    """The error when archsim contradicts itself: not the user's fault."""


class DeadlockError(SimulatorBug):
    """The machine stopped with work left; lists every blocked op and what it waits for."""
