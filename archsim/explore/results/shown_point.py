"""Prints a point with every figure."""

from __future__ import annotations

import json

from archsim.explore.run.outcome import Kind
from archsim.explore.run.output_table import Output
from archsim.explore.run.show import ShownPoint
from archsim.explore.space.parameters import SCHEDULE


def point_text(point: ShownPoint) -> str:
    """The point as text: inputs, then the figures on each workload, or why there are none."""
    lines = [f"Point {point.number:,}: schedule {point.schedule}"]
    lines += [f"  {path} = {_shown(value)}" for path, value in point.inputs.items() if path != SCHEDULE]
    status, why = _status(point)
    if why:
        lines.append(f"{status}: {why}")
    for workload, figures in (point.outcome.outputs if point.outcome else {}).items():
        lines.append(f"On {workload}:")
        width = max(map(len, figures))
        lines += [f"  {name:<{width}}  {_shown(value)}" for name, value in figures.items()]
    return "\n".join(lines) + "\n"


def point_json(point: ShownPoint) -> str:
    """The point as one JSON object."""
    status, why = _status(point)
    outputs = {name: dict(found) for name, found in point.outcome.outputs.items()} if point.outcome else {}
    data = {
        "point": point.number,
        "inputs": {**point.inputs, "schedule": point.schedule},
        "status": status,
        "reason": why or None,
        "outputs": outputs,
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _status(point: ShownPoint) -> tuple[str, str]:
    if point.outcome is None:
        return "infeasible", point.why
    reason = point.outcome.reason
    status = "evaluated" if point.outcome.kind is Kind.DONE else point.outcome.kind.value
    return status, "" if reason is None else reason.what


def _shown(value: Output) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
