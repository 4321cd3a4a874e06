"""Makes the ops of one cell on a machine with one MAC array, whatever order they are issued in.

A schedule (fused.py, split.py, hoisted.py) decides which MAC tiles come when; what follows the sums is that of all
machines (families/cells).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from archsim.config.read_tracking import read_only_as
from archsim.errors import CapacityError
from archsim.families.cells.buffers import BufferMaker, Slots, make_buffers
from archsim.families.cells.context import CellContext, CellMachine, CellMemories, slots_of, whole
from archsim.families.cells.kinds import CELL_OPS
from archsim.families.cells.loads import CellTransfers
from archsim.families.cells.tiling import Group, cut
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.blocks import Blocks
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.cell import CellDeltas, LayerDeltas
from archsim.families.gemv.matrices.dram_rows import MatrixPieces
from archsim.families.gemv.matrices.matrix import Matrix, make_matrices
from archsim.families.gemv.matrices.placement import Placement, WeightTile, all_pinned
from archsim.families.gemv.matrices.weight_buffers import make_weights
from archsim.hardware.dram.transfers import Dram
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec

STATE = "state_buffer"
"""The memory of h, c and the gates."""


class GemvCell:
    """Makes the ops of one cell."""

    def __init__(
        self,
        spec: CellSpec,
        config: GemvConfig,
        context: CellContext,
        *,
        interleaved: bool,
        blocks: Blocks | None = None,
        placement: Placement | None = None,
        layer: LayerDeltas | None = None,
    ) -> None:
        """Take a cell; `interleaved`: whether a group holds rows of all gates.

        `blocks`: if W_ih x is made for several steps. `layer`: what is known of its deltas, in a delta network.

        Without a `placement` all weights are in the weight SRAM. CapacityError if the accumulators cannot hold a group.
        """
        self.spec, self.config, self.context, self.blocks = spec, config, context, blocks
        kind, machine, array_rows = CELL_OPS[spec.kind], _cell_machine(config), config.mac_array.rows
        plan = kind.plan(spec, machine, interleaved=interleaved)
        self.groups = plan.groups
        self.placement = placement or all_pinned(self.groups, spec.proj_size, array_rows)
        self._tile_rows = self.placement.tile_rows
        self._projections = cut(0, spec.proj_size, self._tile_rows)
        rotations = len(self.groups) + len(self._projections)
        # A slot of the accumulators holds a group, or a tile of the projection.
        slot_rows = max(min(spec.proj_size, array_rows), *(group.rows for group in self.groups))
        # Those of a delta network stay from step to step, so that each group of each stream has its own.
        staying = rotations * context.streams if layer else None
        sum_slots = staying or _accumulator_slots(config, slot_rows * context.batch, rotations, context.sharers)
        x_slots = config.input_buffer.prefetch_steps + 1 if blocks is None else blocks.x_slots
        maker = BufferMaker(context.prefix, context.batch, config.formats, _memories(config))
        slots = Slots(x_slots, sum_slots, slot_rows)
        self.buffers = make_buffers(spec, maker, self.groups, plan.storage, slots, context.source, context.streams)
        pieces = MatrixPieces.in_model(spec, self.groups)
        tiled = pieces if placement and config.weight_sram.stream_layout == "tiles" else None
        sums, kept = self.buffers.sums, config.weight_sparsity
        self.weights = make_weights(spec, maker, self.groups, self.placement, sums, blocks, tiled, kept)
        self.matrices = make_matrices(pieces, self.placement, self.weights)
        self.transfers = CellTransfers(spec, context, self.buffers, Dram.name)
        self._ops = kind(plan, machine, context, self.buffers, rotations)
        x = self.buffers.x or context.source_h
        self.deltas = (
            None if layer is None or x is None else CellDeltas(spec, context, x, self.buffers.h, layer, config)
        )
        self._late_bias = config.activation.adds_bias or spec.layer_norm

    @property
    def accumulator_slots(self) -> int:
        """How many groups the accumulators hold at once."""
        return slots_of(self.buffers.sums)

    @property
    def all_buffers(self) -> tuple[Buffer, ...]:
        """Every buffer of the cell."""
        return (*self.weights.beside(self.buffers), *(self.deltas.buffers if self.deltas else ()))

    def input_region(self) -> Region:
        """The region of x_t."""
        return self._ops.input()

    def hidden_region(self) -> Region:
        """The region of h_{t-1}."""
        return whole(self.buffers.h, 0, 1)

    def gate_rows(self, groups: int) -> Iterator[int]:
        """The rows of the weight matrices, in torch's order, that so many first groups hold."""
        for group in self.groups[:groups]:
            for segment in group.segments:
                first = segment.block.gate * self.spec.hidden_size + segment.first_unit
                yield from range(first, first + segment.units)

    def load_weights(self) -> list[Op]:
        """The loads of biases and of the weights that stay into the weight SRAM, group by group."""
        pinned = {
            matrix.name: {group: (pieces, target) for group, pieces, target in matrix.pinned_loads()}
            for matrix in (self.matrices.w_ih, self.matrices.w_hh)
        }
        ops: list[Op] = []
        for group in self.groups:
            for name, loads in pinned.items():
                if group.index in loads:
                    ops.append(self.transfers.transfer(f"load {name}[{group.index}]", *loads[group.index]))
            ops += self.transfers.load_bias(group)
        ops += self.transfers.load_peephole()
        ops += self.transfers.load_layer_norm()
        for _, pieces, target in self.matrices.w_hr.pinned_loads():
            ops.append(self.transfers.transfer("load W_hr", pieces, target))
        return ops

    def fused_tiles(self, group: Group) -> Iterator[Op]:
        """The tiles W [x_t, h_{t-1}] + bias of a group: one GEMV of K = I + H where all rows take both."""
        if group.input_rows == group.hidden_rows == (0, group.rows):
            for tile in cut(0, group.rows, self._tile_rows):
                yield self._tile(group, tile, "mac", ("x", "h"), start=True)
        else:
            yield from self.input_tiles(group)
            yield from self.hidden_tiles(group)

    def input_tiles(self, group: Group) -> Iterator[MacTile]:
        """The tiles W_ih x_t + bias of a group; rows without an input part begin with their bias."""
        start, stop = group.input_rows
        tiles = cut(start, stop, self._tile_rows)
        for tile in tiles:
            sums_stop = group.rows if tile is tiles[-1] else tile[1]
            yield self._tile(group, tile, "mac_x", ("x",), start=True, sums_stop=sums_stop)

    def hidden_tiles(self, group: Group) -> Iterator[Op]:
        """The tiles W_hh h_{t-1} of a group, added to what input_tiles left in the accumulators."""
        for tile in cut(*group.hidden_rows, self._tile_rows):
            yield self._tile(group, tile, "mac_h", ("h",), start=False)

    def onto_tiles(self, group: Group) -> Iterator[Op]:
        """The tiles W_hh h_{t-1} of a group, beginning with the W_ih x_t + bias that was made before."""
        assert self.weights.input_sums is not None
        tiles = cut(*group.hidden_rows, self._tile_rows)
        for tile in tiles:
            first = 0 if tile is tiles[0] else tile[0]  # rows without a hidden part come first
            onto = self._made_ahead(self.weights.input_sums, group, first, tile[1], 0, 1)
            op = self._tile(group, tile, "mac_h", ("h",), start=True)
            sums = self._ops.summed(group, first, tile[1])
            yield replace(op, bias=None, onto=onto, sums=sums)

    def block_tiles(self, first: int) -> Iterator[BlockTile]:
        """The tiles W_ih x + bias of the steps from number `first` of a block on, for all groups.

        In repetition b of what they stand in, they are those of block b.
        """
        x, made, blocks = self.buffers.x, self.weights.input_sums, self.blocks
        assert x is not None
        assert made is not None
        assert blocks is not None
        places = range(first - blocks.missing, blocks.size - blocks.missing)
        for group in self.groups:
            for tile in self.input_tiles(group):
                rows = tile.sums
                yield BlockTile(
                    unit=tile.unit,
                    label=tile.label.replace("mac_x", "gemm_x"),
                    weights=tile.weights[0],
                    vectors=tuple(whole(x, place, blocks.size) for place in places),
                    sums=tuple(
                        self._made_ahead(made, group, rows.start, rows.stop, place, blocks.size) for place in places
                    ),
                    bias=tile.bias,
                    origin=tile.origins[0],
                    step_stride=blocks.size,
                    step_offset=places[0],
                )

    def after_macs(self) -> Iterator[list[Op]]:
        """For each group in turn the ops that follow its MAC tiles; the last ones end with the projection.

        They are issued in this order: those of a group may have some that were deferred from groups before it.
        """
        for group, ops in zip(self.groups, self._ops.after_sums(), strict=True):
            yield [*ops, *self._project()] if group is self.groups[-1] else ops

    def passes(self, matrix: Matrix) -> int:
        """How often the run multiplies with a whole matrix: every time step, or W_ih for a block of them."""
        return self.context.steps if self.blocks is None or matrix is not self.matrices.w_ih else self.blocks.count

    def tile_number(self, matrix: Matrix, tile: WeightTile) -> str:
        """The number by which labels name a tile: its group, or group.tile if that has several.

        A tile of W_hr is named by its own number.
        """
        part = f"{tile.start // self._tile_rows}"
        if matrix is self.matrices.w_hr:
            return part
        return f"{tile.group}" if self.groups[tile.group].rows <= self._tile_rows else f"{tile.group}.{part}"

    def _project(self) -> list[Op]:
        """The ops of h_t = W_hr (o * tanh(c)), issued once the whole vector is there."""
        vector, ops = self.buffers.vector, list[Op]()
        for number, (start, stop) in enumerate(self._projections):
            assert vector is not None
            sums = self._ops.projected(number, stop - start)
            ops.append(
                MacTile(
                    unit=MacArray.name,
                    label=f"{self.context.prefix}mac_r[{number}]",
                    weights=(self.matrices.w_hr.region(0, start),),
                    vectors=(whole(vector),),
                    sums=sums,
                    start=True,
                    origins=(self.matrices.w_hr.origin(0, start),),
                )
            )
            ops.append(self._ops.project(number, sums, start, stop))
        return ops

    def _tile(
        self,
        group: Group,
        tile: tuple[int, int],
        name: str,
        inputs: tuple[str, ...],
        *,
        start: bool,
        sums_stop: int | None = None,
    ) -> MacTile:
        b = self.buffers
        first, stop = tile
        matrices = {"x": self.matrices.w_ih, "h": self.matrices.w_hh}
        vectors = {"x": self._ops.input(), "h": self._ops.recurrent(group)}
        sums_stop = stop if sums_stop is None else sums_stop
        bias = None
        if start and b.bias is not None and not self._late_bias:
            bias = Region(b.bias, group.bias_start + first, group.bias_start + sums_stop)
        number = f"{group.index}" if group.rows <= self._tile_rows else f"{group.index}.{first // self._tile_rows}"
        return MacTile(
            unit=MacArray.name,
            label=f"{self.context.prefix}{name}[{number}]",
            weights=tuple(matrices[kind].region(group.index, first) for kind in inputs),
            vectors=tuple(vectors[kind] for kind in inputs),
            sums=self._ops.summed(group, first, sums_stop),
            start=start,
            bias=bias,
            origins=tuple(matrices[kind].origin(group.index, first) for kind in inputs),
        )

    def _made_ahead(self, made: Buffer, group: Group, start: int, stop: int, offset: int, stride: int) -> Region:
        """The region of a group's rows in the buffer of sums made ahead."""
        encoding = self._ops.sums_encoding(group)
        return Region(made, group.bias_start + start, group.bias_start + stop, offset, stride, encoding)


def _memories(config: GemvConfig) -> CellMemories:
    """Which memory holds what."""
    weights = "weight_sram"
    biases = weights if config.bias_buffer is None else "bias_buffer"
    return CellMemories("dram", weights, biases, "input_buffer", STATE, "accumulators")


def _cell_machine(config: GemvConfig) -> CellMachine:
    """The machine as cells see it."""
    return CellMachine(
        config.formats,
        config.activation,
        config.elementwise,
        config.mac_array.rows,
        config.state_buffer.gate_slots,
    )


def _accumulator_slots(config: GemvConfig, group_entries: int, rotations: int, sharers: int) -> int:
    """How many groups the accumulators can hold at once; more than two steps' worth is of no use."""
    most = 2 * rotations
    slots: int = read_only_as(config.accumulators, "entries", partial(_groups, group_entries * sharers, most))
    if not slots:
        what = "rows of one group x batch" + (f" x {sharers} cells at a time" if sharers > 1 else "")
        raise CapacityError(
            "accumulators",
            group_entries * sharers,
            config.accumulators.entries,
            "entries",
            what,
            ("more accumulators.entries", "a smaller batch", "fewer mac_array.rows (down to 4)"),
        )
    return slots


def _groups(entries: int, most: int, have: int) -> int:
    """How many groups of so many entries there is room for, up to `most`."""
    return min(have // entries, most)
