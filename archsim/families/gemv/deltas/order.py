"""Defines the order of a time step of a delta network: x is encoded and multiplied while h is still on its way."""

from __future__ import annotations

from dataclasses import replace

from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.deltas.cell import CellDeltas
from archsim.families.gemv.order import STEP_BY_STEP
from archsim.program.ir import Op


def delta_step(cell: GemvCell) -> list[Op]:
    """The ops of one time step: changes of x for all groups, then those of h group by group, as in `split`."""
    deltas = _deltas(cell)
    ops = [deltas.encode_x(cell.input_region())]
    ops += [deltas.tile(tile) for group in cell.groups for tile in cell.input_tiles(group)]
    ops += deltas.encode_h(cell.hidden_region())
    for group, following in zip(cell.groups, cell.after_macs(), strict=True):
        ops += [deltas.tile(tile) for tile in cell.hidden_tiles(group) if isinstance(tile, MacTile)]
        ops += following
    return ops


def _first_sums(cell: GemvCell) -> list[Op]:
    """The tiles that leave the biases in the accumulators, for each stream in turn."""
    deltas = _deltas(cell)
    tiles = [tile for group in cell.groups for tile in cell.input_tiles(group)]
    return [deltas.bias_tile(tile, stream) for stream in range(cell.context.streams) for tile in tiles]


DELTA_STEPS = replace(STEP_BY_STEP, first_sums=_first_sums, marks_all=True)


def _deltas(cell: GemvCell) -> CellDeltas:
    assert cell.deltas is not None
    return cell.deltas
