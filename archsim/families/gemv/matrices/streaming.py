"""Streams weights: loads that bring a body's tiles into their slots, ahead of the MAC tiles that read them.

A matrix with n streamed tiles a step (W_ih of a hoisted schedule: a block of steps) has s slots, and tile i of step t
uses slot (t n + i) mod s. So the slot of tile i is free for the tile s places later, which may be one of a later step,
as soon as the array has read it. Its load stands right behind that MAC tile in program order: no later than it could
start, and not so early that it would wait at the head of DRAM's queue for something that is not yet issued. The loads
of the first tiles of step t + 1 stand among the last tiles of step t, before "store h" of step t, which waits for all
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archsim.families.cells.context import slots_of
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.matrices.matrix import Matrix
from archsim.families.gemv.matrices.placement import WeightTile
from archsim.hardware.dram.transfers import Dram, Transfer
from archsim.program.ir import Op, Region


def with_loads(cell: GemvCell, ops: Sequence[Op]) -> list[Op]:
    """The ops of a body with a load behind each tile that reads a slot, for the tile that takes the slot over."""
    matrices = {matrix.slots.name: matrix for matrix in cell.matrices.streamed() if matrix.slots is not None}
    found: list[Op] = []
    if not matrices:
        return list(ops)
    for op in ops:
        found.append(op)
        if isinstance(op, MacTile | BlockTile):
            for region in op.reads:
                matrix = matrices.get(region.buffer.name)
                if matrix is not None:
                    found.append(_following(cell, matrix, op, region))
    return found


def first_loads(cell: GemvCell) -> list[Op]:
    """The loads of the tiles that fill the slots before the first step.

    They include tiles of later steps if a step has fewer than there are slots.
    """
    found: list[Op] = []
    for matrix in cell.matrices.streamed():
        assert matrix.slots is not None
        for number in range(slots_of(matrix.slots)):
            step, place = divmod(number, len(matrix.streamed))
            if step < cell.passes(matrix):
                tile = matrix.streamed[place]
                found.append(_load(cell, matrix, tile, f"{step}", Region(matrix.slots, 0, tile.rows, number)))
    return found


def _following(cell: GemvCell, matrix: Matrix, op: Op, region: Region) -> Op:
    """The load of the tile that takes over the slot which `op` reads."""
    steps, place = divmod(region.offset + slots_of(region.buffer), region.stride)
    tile = matrix.streamed[place]
    target = Region(region.buffer, 0, tile.rows, region.offset, region.stride)
    load = _load(cell, matrix, tile, f"t+{steps}" if steps else "", target, op.skip_last + steps)
    return replace(load, step_stride=op.step_stride, step_offset=op.step_offset)


def _load(cell: GemvCell, matrix: Matrix, tile: WeightTile, step: str, target: Region, skip_last: int = 0) -> Op:
    name = f"stream {matrix.name}[{cell.tile_number(matrix, tile)}]"
    return Transfer(
        unit=Dram.name,
        label=f"{cell.context.prefix}{name}" + (f" of {step}" if step else ""),
        sources=matrix.sources(tile),
        target=target,
        skip_last=skip_last,
    )
