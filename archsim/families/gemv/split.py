"""Defines the order `split`: W_ih x_t, then W_hh h_{t-1} onto the same accumulators.

The x parts need no h_{t-1}: they run ahead of the h parts by as many groups as the accumulators can hold besides the
one in work, so that the first ones fill the time in which the last hidden update of the step before drains.
"""

from __future__ import annotations

from archsim.families.gemv.cell import GemvCell
from archsim.program.ir import Op


def split(cell: GemvCell) -> list[Op]:
    """The ops of one time step."""
    groups = cell.groups
    ahead = min(cell.accumulator_slots - 1, len(groups))
    ops: list[Op] = []
    for group in groups[:ahead]:
        ops += cell.input_tiles(group)
    for index, (group, following) in enumerate(zip(groups, cell.after_macs(), strict=True)):
        if not ahead:
            ops += cell.input_tiles(group)
        ops += cell.hidden_tiles(group)
        if ahead and index + ahead < len(groups):
            ops += cell.input_tiles(groups[index + ahead])
        ops += following
    return ops
