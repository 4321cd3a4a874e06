"""Defines the order of a time step of a delta network: x is encoded and multiplied while h is still on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.deltas.cell import CellDeltas
from archsim.families.gemv.order import STEP_BY_STEP, Compute, StepPhases
from archsim.program.ir import Op, Phase, PhaseKind


def delta_step(cell: GemvCell) -> list[Op]:
    """The ops of one time step: changes of x for all groups, then those of h group by group, as in `split`."""
    deltas = _deltas(cell)
    ops = [deltas.encode_x(cell.input_region())]
    ops += [deltas.tile(tile) for group in cell.groups for tile in cell.input_tiles(group)]
    ops.append(deltas.encode_h(cell.hidden_region()))
    for group, following in zip(cell.groups, cell.after_macs(), strict=True):
        ops += [deltas.tile(tile) for tile in cell.hidden_tiles(group) if isinstance(tile, MacTile)]
        ops += following
    return ops


def _first_inputs(cell: GemvCell) -> list[Op]:
    """The loads of the first x, and the tiles that leave the biases in the accumulators."""
    deltas = _deltas(cell)
    biases: list[Op] = [deltas.bias_tile(tile) for group in cell.groups for tile in cell.input_tiles(group)]
    return [*STEP_BY_STEP.first_inputs(cell), *biases]


def _phases(cells: Sequence[GemvCell], compute: Compute, suffix: str) -> list[Phase]:
    """The phases of a layer, with the end of every step, since they differ."""
    found = STEP_BY_STEP.phases(cells, compute, suffix)
    return [replace(phase, marks_all=phase.kind is PhaseKind.BODY) for phase in found]


DELTA_STEPS = StepPhases(_first_inputs, _phases)


def _deltas(cell: GemvCell) -> CellDeltas:
    assert cell.deltas is not None
    return cell.deltas
