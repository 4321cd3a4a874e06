"""Prints a point with every figure."""

from __future__ import annotations

import json

from archsim.explore.results.table import shown_name
from archsim.explore.run.outcome import Kind
from archsim.explore.run.output_table import Output
from archsim.explore.run.show import ShownPoint
from archsim.explore.space.design import Reason
from archsim.explore.space.parameters import SCHEDULE


def point_text(point: ShownPoint) -> str:
    """The point as text: inputs, why the space does not have it as evaluated, and the figures on each workload."""
    lines = [f"Point {point.number:,}: schedule {point.schedule}"]
    lines += [f"  {path} = {_shown(value)}" for path, value in point.inputs.items() if path != SCHEDULE]
    if point.reason is not None:
        lines.append(f"{_status(point)}: {_why(point.reason)}")
    for workload, figures in _outputs(point).items():
        lines.append(f"On {workload}:")
        width = max(map(len, figures))
        lines += [f"  {name:<{width}}  {_shown(value)}" for name, value in figures.items()]
    return "\n".join(lines) + "\n"


def point_json(point: ShownPoint) -> str:
    """The point as one JSON object."""
    data = {
        "point": point.number,
        "inputs": {**point.inputs, "schedule": point.schedule},
        "status": _status(point),
        "reason": None if point.reason is None else point.reason.what,
        "outputs": _outputs(point),
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _status(point: ShownPoint) -> str:
    if point.reason is None:
        return "evaluated"
    failed = point.outcome is not None and point.outcome.kind is Kind.FAILED
    return Kind.FAILED.value if failed else Kind.INFEASIBLE.value


def _why(reason: Reason) -> str:
    """What does not hold, and by how much where it is about numbers."""
    what = f"constraint {reason.what}" if reason.kind == "constraint" else reason.what
    if reason.need is None or reason.have is None:
        return what
    return f"{what}: needs {_shown(reason.need)}, has {_shown(reason.have)} {reason.unit}".rstrip()


def _outputs(point: ShownPoint) -> dict[str, dict[str, Output]]:
    """Workload -> its figures, each under the name that it has in points.csv."""
    found = point.outcome.outputs if point.outcome else {}
    return {
        workload: {shown_name(name, workload in point.streams): value for name, value in figures.items()}
        for workload, figures in found.items()
    }


def _shown(value: Output) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
