"""What a delta network has skipped, in the whole report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics.activity import ActivityFigures
from archsim.report.text.figures_as_text import percent, significant
from archsim.report.text.layout import heading, table
from archsim.workload.network import cell_names

if TYPE_CHECKING:
    from rich.console import RenderableType


LEAST_SHARE = 0.005
"""Parts of what is saved that are less of it are left out."""


def activity(simulation: Simulation) -> list[RenderableType]:
    """The columns of each layer that were multiplied, in the mean of a step; nothing of any other network."""
    spec = simulation.workload.spec
    found = simulation.activity
    if found is None:
        return []
    rows = []
    for layer, cell, columns in zip(cell_names(spec.layers), spec.cells, found.layers, strict=True):
        for name, size, sent, share in (
            ("x", cell.input_size, columns.x, columns.x_share),
            ("h", cell.recurrent_size, columns.h, columns.h_share),
        ):
            if size:
                rows.append((f"{layer} {name}", f"{sent / spec.steps:,.1f}", f"of {size:,}", percent(share)))
    note = (
        f"columns that have changed, in the mean of a step; {percent(found.skipped_share)} of the multiply-accumulates "
        "are skipped, and their weights not fetched"
    )
    return [heading("Activity", note), table(("<", ">", "<", ">"), None, rows), *_saved(simulation, found)]


def _saved(simulation: Simulation, found: ActivityFigures) -> list[RenderableType]:
    """What the skipped columns would have taken: cycles, and energy by part, the largest first."""
    dense, cycles = found.dense_latency_cycles, simulation.stats.latency_cycles
    rows = [("cycles", f"{dense:,}", f"{dense - cycles:,}", percent(1 - cycles / dense))]
    if found.skipped_uj is not None and found.dense_energy_uj is not None and found.skipped_part_uj is not None:
        whole, total = found.skipped_uj, found.dense_energy_uj
        rows.append(("energy, uJ", significant(total), significant(whole), percent(whole / total)))
        parts = sorted(found.skipped_part_uj.items(), key=lambda part: -part[1])
        rows += [
            (f"  {name}", "", significant(uj), percent(uj / whole) + " of it")
            for name, uj in parts
            if uj >= LEAST_SHARE * whole > 0
        ]
    columns = ("", "no column skipped", "saved", "share")
    return [table(("<", ">", ">", ">"), columns, rows)]
