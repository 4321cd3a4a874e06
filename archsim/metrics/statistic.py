"""Statistics of a run that other packages declare: computed from the program and its trace, shown beside archsim's own.

Those of installed packages are found under their entry-point group; a caller of `simulate` may give others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import SupportsFloat

from archsim.config.extensions import STATISTICS as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise, not_text
from archsim.config.text import one_line
from archsim.errors import ExtensionError
from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import Units
from archsim.metrics.stats import Stats
from archsim.program.ir import Program
from archsim.trace import Trace
from archsim.workload.network import NetworkSpec

Value = float | Mapping[str, float]
"""A figure, or one for each of some names."""

Computed = SupportsFloat | Mapping[str, SupportsFloat]
"""A figure, or one for each of some names, as a package computes it: Python's numbers, numpy's, or fractions."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a statistic may look at: the program, when its ops ran, the machine, the network, and archsim's figures."""

    program: Program
    trace: Trace
    config: MachineConfig
    units: Units
    spec: NetworkSpec
    stats: Stats


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic from outside archsim.

    `name`: its key under "further" in stats.json. `unit`: "1" of a share, "" of a count. `meaning` and `formula` say
    what it is, as of archsim's own figures. `compute`: a number, or one for each of some names, from a finished run.
    """

    name: str
    unit: str
    meaning: str
    formula: str
    compute: Callable[[FinishedRun], Computed]


_TEXTS = ("name", "unit", "meaning", "formula")
"""What of a statistic is text."""


@dataclass(frozen=True, slots=True)
class Further:
    """A statistic of a run with its value."""

    statistic: Statistic
    value: Value


def installed_statistics() -> tuple[Statistic, ...]:
    """The statistics that installed packages offer, in the order of their names."""
    return tuple(STATISTICS.all().values())


def _fault(name: str, statistic: Statistic) -> str:
    return not_text(statistic, *_TEXTS) or named_otherwise(name, statistic.name, "statistic")


STATISTICS = EntryGroup(GROUP, Statistic, _fault)
"""The entries under which packages offer statistics."""


def compute_further(run: FinishedRun, statistics: Sequence[Statistic]) -> tuple[Further, ...]:
    """The values of some statistics; ExtensionError if one fails, is declared wrongly, or is no finite number."""
    for given in statistics:
        if not isinstance(given, Statistic):
            raise ExtensionError(f"{GROUP}: expected an instance of Statistic, got {type(given).__name__}")
        if fault := not_text(given, *_TEXTS):
            raise ExtensionError(f"{GROUP}: {given.name}: {fault}")
    names = [statistic.name for statistic in statistics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ExtensionError(f"{GROUP}: {twice}: there are several statistics of that name")
    return tuple(Further(statistic, _value(run, statistic)) for statistic in statistics)


def _value(run: FinishedRun, statistic: Statistic) -> Value:
    try:
        found = statistic.compute(run)
    except Exception as error:  # whatever the other package does
        what = one_line(f"{type(error).__name__}: {error}")
        raise ExtensionError(f"{GROUP}: {statistic.name}: cannot be computed: {what}") from error
    if isinstance(found, Mapping):
        return {str(name): _number(statistic, value) for name, value in found.items()}
    return _number(statistic, found)


def _number(statistic: Statistic, value: object) -> float:
    """The value as a plain int or float; numbers of numpy and fractions become one too."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ExtensionError(f"{GROUP}: {statistic.name}: expected finite numbers, got {one_line(repr(value))}")
