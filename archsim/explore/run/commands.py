"""Writes the `archsim run` command line that gives a point's full report."""

from __future__ import annotations

import json
import shlex

from archsim.explore.results.study import Point
from archsim.explore.space.expression import Scalar
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space import Space


class RunCommands:
    """The command lines of a space's points; what they have in common is quoted once."""

    def __init__(self, space: Space) -> None:
        self._workloads = [
            shlex.join(["archsim", "run", space.arch_reference, use.reference, "--schedule"]) for use in space.workloads
        ]
        self._fixed = [_option(f"{path}={_text(value)}") for path, value in space.fixed.items()]
        self._end = [] if space.with_arithmetic else ["--timing-only"]
        self._options: dict[tuple[str, type, str], str] = {}
        self._schedules: dict[str, str] = {}

    def of(self, point: Point) -> list[str]:
        """One command line for each workload of the space; it sets what the space fixes, varies and derives."""
        schedule = self._schedules.get(point.schedule)
        if schedule is None:
            schedule = self._schedules[point.schedule] = shlex.quote(point.schedule)
        options = [*self._fixed, *(self._set(k, v) for k, v in point.inputs.items() if k != SCHEDULE), *self._end]
        return [" ".join([begin, schedule, *options]) for begin in self._workloads]

    def _set(self, path: str, value: Scalar) -> str:
        key = path, type(value), repr(value)
        found = self._options.get(key)
        if found is None:
            found = self._options[key] = _option(f"{path}={_text(value)}")
        return found


def _option(text: str) -> str:
    return shlex.join(["--set", text])


def _text(value: object) -> str:
    """The text of a value as --set takes it: YAML."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)
