"""fused: the textbook concatenation [x_t, h_{t-1}], one GEMV of K = I + H for each tile."""

from __future__ import annotations

from archsim.families.cells.cell import CellOps
from archsim.program.ir import Op


def fused(cell: CellOps) -> list[Op]:
    """One time step's work."""
    ops: list[Op] = []
    for group, following in zip(cell.groups, cell.after_macs(cell.groups), strict=True):
        ops += cell.fused_tiles(group)
        ops += following
    return ops
