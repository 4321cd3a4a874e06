"""Writes the `archsim run` command line that gives a point's full report."""

from __future__ import annotations

import json
import shlex

from archsim.explore.results.study import Point
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space import Space


def run_commands(space: Space, point: Point) -> list[str]:
    """One command line for each workload of the space; it sets what the space fixes, varies and derives."""
    sets = [*space.fixed.items(), *((k, v) for k, v in point.inputs.items() if k != SCHEDULE)]
    options = [part for path, value in sets for part in ("--set", f"{path}={_text(value)}")]
    timing = [] if space.with_arithmetic else ["--timing-only"]
    return [
        shlex.join(
            ["archsim", "run", space.arch_reference, use.reference, "--schedule", point.schedule, *options, *timing]
        )
        for use in space.workloads
    ]


def _text(value: object) -> str:
    """The text of a value as --set takes it: YAML."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)
