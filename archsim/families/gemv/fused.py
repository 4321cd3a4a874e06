"""Defines the order `fused`: the textbook concatenation [x_t, h_{t-1}], one GEMV of K = I + H for each tile."""

from __future__ import annotations

from archsim.families.gemv.cell import GemvCell
from archsim.program.ir import Op


def fused(cell: GemvCell) -> list[Op]:
    """The ops of one time step."""
    ops: list[Op] = []
    for group, following in zip(cell.groups, cell.after_macs(), strict=True):
        ops += cell.fused_tiles(group)
        ops += following
    return ops
