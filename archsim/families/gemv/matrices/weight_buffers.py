"""Makes the buffers of a cell's weight matrices on a machine with one MAC array, and of sums made ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archsim.families.cells.banks import SUMS_BANK
from archsim.families.cells.buffers import BufferMaker, CellBuffers
from archsim.families.cells.tiling import Group
from archsim.families.gemv.blocks import Blocks
from archsim.families.gemv.matrices.dram_rows import MatrixPieces, tile_by_tile
from archsim.families.gemv.matrices.placement import MatrixPlacement, Placement
from archsim.program.ir import Buffer, DataKind
from archsim.program.sparsity import Sparsity
from archsim.workload.network import CellSpec

INPUT_SUMS = "input_sums"
"""The name, behind a cell's prefix, of the buffer that keeps W_ih x + bias until its step comes."""


@dataclass(frozen=True, slots=True)
class WeightBuffers:
    """The weight matrices of a cell, (rows, K) each, in DRAM and in the weight SRAM.

    The SRAM holds the rows that are pinned (`w_ih`, ...), and slots for the tiles that are streamed. `input_sums` holds
    W_ih x and the bias of several time steps, for all groups, if they are made ahead of the sums. None where a cell has
    no such thing.
    """

    dram_w_ih: Buffer
    dram_w_hh: Buffer | None
    dram_w_hr: Buffer | None
    w_ih: Buffer | None
    w_hh: Buffer | None
    w_hr: Buffer | None
    slots_w_ih: Buffer | None
    slots_w_hh: Buffer | None
    slots_w_hr: Buffer | None
    input_sums: Buffer | None

    def beside(self, b: CellBuffers) -> tuple[Buffer, ...]:
        """Every buffer of the cell, in the order in which they lie in DRAM and reports list them."""
        outside = (self.dram_w_ih, self.dram_w_hh, b.dram_bias, b.dram_peephole, b.dram_layer_norm, self.dram_w_hr)
        states = (b.dram_h_0, b.dram_c_0, b.dram_h_n, b.dram_c_n)
        weights = (self.w_ih, self.w_hh, b.bias, b.peephole, b.layer_norm, self.w_hr)
        slots = (self.slots_w_ih, self.slots_w_hh, self.slots_w_hr)
        inside = (b.x, b.h, b.c, b.sums, b.gates, b.scratch, b.vector, self.input_sums)
        return tuple(found for found in (*outside, *states, *weights, *slots, *inside) if found is not None)


def make_weights(
    spec: CellSpec,
    maker: BufferMaker,
    groups: Sequence[Group],
    placement: Placement,
    sums: Buffer,
    blocks: Blocks | None,
    tiled: MatrixPieces | None,
    sparsity: Sparsity,
) -> WeightBuffers:
    """Make the buffers of a cell's matrices; `blocks`: if W_ih x is made for several steps at once.

    `tiled`: the pieces of tiles in the model, if streamed matrices lie in DRAM tile by tile.
    """
    w_ih = replace(maker.weights("W_ih", DataKind.W_IH, spec.rows, spec.input_size, "weight"), sparsity=sparsity)
    w_hh = maker.weights("W_hh", DataKind.W_HH, spec.rows, spec.output_size, "weight", spec.kind.recurrent)
    w_hh = w_hh and replace(w_hh, sparsity=sparsity)
    w_hr = maker.weights("W_hr", DataKind.W_HR, spec.proj_size, spec.hidden_size, "weight", bool(spec.proj_size))
    w_hr = w_hr and replace(w_hr, sparsity=sparsity)
    prefix, slots = maker.prefix, placement.slots
    dram_w_ih = maker.outside(w_ih, "W_ih")
    dram_w_hh = maker.outside(w_hh, "W_hh") if w_hh else None
    if tiled and placement.w_ih.streamed_tiles:
        dram_w_ih = tile_by_tile(dram_w_ih, tiled.w_ih)
    if tiled and dram_w_hh and placement.w_hh.streamed_tiles:
        dram_w_hh = tile_by_tile(dram_w_hh, tiled.w_hh)
    return WeightBuffers(
        dram_w_ih=dram_w_ih,
        dram_w_hh=dram_w_hh,
        dram_w_hr=maker.outside(w_hr, "W_hr") if w_hr else None,
        w_ih=_pinned(w_ih, placement.w_ih),
        w_hh=_pinned(w_hh, placement.w_hh) if w_hh else None,
        w_hr=_pinned(w_hr, placement.w_hr) if w_hr else None,
        slots_w_ih=_slots(w_ih, prefix, "W_ih", placement.w_ih, slots),
        slots_w_hh=_slots(w_hh, prefix, "W_hh", placement.w_hh, slots) if w_hh else None,
        slots_w_hr=_slots(w_hr, prefix, "W_hr", placement.w_hr, slots) if w_hr else None,
        input_sums=None if blocks is None else _input_sums(maker, sums, groups, blocks),
    )


def _input_sums(maker: BufferMaker, sums: Buffer, groups: Sequence[Group], blocks: Blocks) -> Buffer:
    """The buffer of sums that wait in the state buffer, in the format that they have behind the array."""
    rows, memory = sum(group.rows for group in groups), maker.memories.state
    name, slots = f"{maker.prefix}{INPUT_SUMS}", blocks.input_sum_slots
    return replace(sums, name=name, memory=memory, entries=rows, slots=slots, bank=SUMS_BANK)


def _pinned(matrix: Buffer, placement: MatrixPlacement) -> Buffer | None:
    """The buffer of the rows of a matrix that stay in the weight SRAM."""
    rows = placement.pinned_rows
    return replace(matrix, entries=rows) if rows else None


def _slots(matrix: Buffer, prefix: str, name: str, placement: MatrixPlacement, slots: int) -> Buffer | None:
    """The buffer of slots of a tile each, through which the rest is streamed."""
    rows = placement.slot_rows
    return replace(matrix, name=f"{prefix}stream.{name}", entries=rows, slots=slots) if rows else None
