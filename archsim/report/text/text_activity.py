"""What a delta network has skipped, in the whole report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.report.text.figures_as_text import percent
from archsim.report.text.layout import heading, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def activity(simulation: Simulation) -> list[RenderableType]:
    """The columns of each layer that were multiplied, in the mean of a step; nothing of any other network."""
    spec = simulation.workload.spec
    found = simulation.activity
    if found is None:
        return []
    rows = []
    for number, (columns, (cell,)) in enumerate(zip(found.layers, spec.layers, strict=True)):
        for name, size, sent, share in (
            ("x", cell.input_size, columns.x, columns.x_share),
            ("h", cell.hidden_size, columns.h, columns.h_share),
        ):
            rows.append((f"layer {number} {name}", f"{sent / spec.steps:,.1f}", f"of {size:,}", percent(share)))
    note = (
        f"columns that have changed, in the mean of a step; {percent(found.skipped_share)} of the multiply-accumulates "
        "are skipped, and their weights not fetched"
    )
    return [heading("Activity", note), table(("<", ">", "<", ">"), None, rows)]
