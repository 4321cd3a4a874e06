"""Makes the ops of a cell on a systolic array: tiles of weights that stream through it, and what follows.

What follows the sums is that of the other machines (lstm.py, gru.py, rnn.py), group by group in gate-major order; a
group has at most as many rows as the array has columns.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from archsim.errors import CapacityError
from archsim.families.cells.buffers import BufferMaker, Slots, make_buffers
from archsim.families.cells.context import CellContext, CellMachine, CellMemories, whole
from archsim.families.cells.kinds import CELL_OPS
from archsim.families.cells.loads import CellTransfers
from archsim.families.cells.tiling import Group, cut
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.drain import Drain, DrainPart, SystolicAccumulators
from archsim.families.systolic.host_link import HostLink
from archsim.families.systolic.systolic_array import SystolicArray, TilePass, WeightShift, WeightShifter
from archsim.families.systolic.tiles import NAMES, CellTiles, StreamTile, TileStream
from archsim.hardware.dram.transfers import Dram, Transfer
from archsim.program.ir import Buffer, DataKind, Op, Region
from archsim.workload.network import CellSpec

SUM_SLOTS = 2
"""Groups of converted sums that are kept: one is written while the one before is activated (inferred)."""

MEMORIES = CellMemories("host", *["unified_buffer"] * 5)
"""Weights alone are in DRAM; all else comes from the host into the unified buffer."""


class SystolicCell:
    """Makes the ops of one cell."""

    def __init__(self, spec: CellSpec, config: SystolicConfig, context: CellContext) -> None:
        """Take a cell; CapacityError if the accumulators cannot hold a group's two products."""
        slots = _accumulator_slots(config, context)
        kind, array = CELL_OPS[spec.kind], config.systolic_array
        machine = CellMachine(config.formats, config.activation, config.elementwise, array.columns, None)
        plan = kind.plan(spec, machine, interleaved=False)
        self.spec, self.context, self.groups = spec, context, plan.groups
        self._projections = cut(0, spec.proj_size, array.columns)
        self._rotations = len(self.groups) + len(self._projections)
        maker = BufferMaker(context.prefix, context.batch, config.formats, MEMORIES)
        sum_rows = max(min(spec.proj_size, array.columns), *(group.rows for group in self.groups))
        kept = Slots(config.unified_buffer.prefetch_steps + 1, SUM_SLOTS, sum_rows)
        self.buffers = make_buffers(spec, maker, self.groups, plan.storage, kept, context.source, context.streams)
        self.transfers = CellTransfers(spec, context, self.buffers, HostLink.name)
        self.tiles = CellTiles(spec, self.groups, array)
        self.matrices_in_dram = self.tiles.buffers(context.prefix, config.formats)
        self._ops = kind(plan, machine, context, self.buffers, self._rotations)
        most = min(slots, 2 * self._rotations)
        self._products = {
            matrix: self._product_buffer(config, matrix, max(tile.rows for tile in self.tiles.tiles_of(matrix)), most)
            for matrix in self.matrices_in_dram
        }

    def all_buffers(self) -> tuple[Buffer, ...]:
        """Every buffer of the cell."""
        b = self.buffers
        given = (b.dram_bias, b.dram_peephole, b.dram_h_0, b.dram_c_0, b.dram_h_n, b.dram_c_n)
        held = (b.bias, b.peephole, b.x, b.h, b.c, b.sums, b.gates, b.scratch, b.vector)
        named = [buffer for buffer in (*given, *held) if buffer is not None]
        return (*self.matrices_in_dram.values(), *self._products.values(), *named)

    def load_constants(self) -> list[Op]:
        """The loads of biases, group by group, and of peephole weights."""
        biases = [op for group in self.groups for op in self.transfers.load_bias(group)]
        return biases + self.transfers.load_peephole()

    def step_ops(self, stream: TileStream) -> list[Op]:
        """The ops of one time step, without loading x and storing h."""
        ops: list[Op] = []
        for group, following in zip(self.groups, self._ops.after_sums(), strict=True):
            ops += self._multiply(group, stream)
            ops.append(self._drain(group))
            ops += following
        return ops + list(chain.from_iterable(self._projected(n, stream) for n in range(len(self._projections))))

    def _multiply(self, group: Group, stream: TileStream) -> list[Op]:
        """The products W_ih x_t from the bias on, and W_hh h_{t-1}, each into accumulators of its own."""
        ops: list[Op] = []
        for kind, name, vector in (
            (DataKind.W_IH, "mac_x", self._ops.input()),
            (DataKind.W_HH, "mac_h", self._ops.recurrent(group)),
        ):
            for tile in self.tiles.tiles_of(kind, group.index):
                bias = None
                if self.buffers.bias is not None and kind is DataKind.W_IH and tile.starts:
                    start, stop = (group.bias_start + row for row in group.input_rows)
                    bias = Region(self.buffers.bias, start, stop)
                ops += self._stream(tile, stream, name, vector, group.index, bias)
        return ops

    def _stream(
        self, tile: StreamTile, stream: TileStream, name: str, vector: Region, rotation: int, bias: Region | None
    ) -> list[Op]:
        """The ops that bring a tile from DRAM into the FIFO and the array, and vectors through it."""
        prefix, label = self.context.prefix, f"{NAMES[tile.matrix]}[{tile.label}]"
        origin, inputs = self._in_dram(tile), tile.inputs
        return [
            Transfer(unit=Dram.name, label=f"{prefix}load {label}", sources=(origin,), target=stream.in_fifo(tile)),
            WeightShift(
                unit=WeightShifter.name,
                label=f"{prefix}shift {label}",
                source=stream.in_fifo(tile),
                target=stream.in_array(tile),
            ),
            TilePass(
                unit=SystolicArray.name,
                label=f"{prefix}{name}[{tile.label}]",
                tile=stream.in_array(tile),
                vector=replace(vector, start=vector.start + inputs[0], stop=vector.start + inputs[1]),
                sums=self._product(tile.matrix, tile.rows, rotation),
                start=tile.starts,
                origin=origin,
                bias=bias,
            ),
        ]

    def _drain(self, group: Group) -> Op:
        """The op that brings both products into a group's sums.

        Rows of a GRU's candidate without W_ih x begin with their bias.
        """
        parts = (
            self._part(DataKind.W_IH, group.index, group.index, group.input_rows[0], self._ops.input()),
            self._part(DataKind.W_HH, group.index, group.index, group.hidden_rows[0], self._ops.recurrent(group)),
        )
        alone = group.input_rows != (0, group.rows)
        bias = self.buffers.bias if alone else None
        return Drain(
            unit=SystolicAccumulators.name,
            label=f"{self.context.prefix}drain[{group.index}]",
            parts=parts,
            target=self._ops.in_group(self.buffers.sums, group, 0, group.rows),
            bias=None if bias is None else Region(bias, group.bias_start, group.bias_start + group.rows),
        )

    def _projected(self, number: int, stream: TileStream) -> list[Op]:
        """The ops of a tile of h_t = W_hr (o * tanh(c)), once the whole vector is there."""
        start, stop = self._projections[number]
        vector, rotation = self.buffers.vector, len(self.groups) + number
        assert vector is not None
        ops: list[Op] = []
        for tile in self.tiles.tiles_of(DataKind.W_HR, number):
            ops += self._stream(tile, stream, "mac_r", whole(vector), rotation, None)
        sums = self._ops.projected(number, stop - start)
        return [
            *ops,
            Drain(
                unit=SystolicAccumulators.name,
                label=f"{self.context.prefix}drain_r[{number}]",
                parts=(self._part(DataKind.W_HR, number, rotation, 0, whole(vector)),),
                target=sums,
            ),
            self._ops.project(number, sums, start, stop),
        ]

    def _part(self, matrix: DataKind, block: int, rotation: int, first: int, vector: Region) -> DrainPart:
        tile = self.tiles.tiles_of(matrix, block)[0]
        return DrainPart(self._product(matrix, tile.rows, rotation), first, self._in_dram(tile), vector)

    def _product(self, matrix: DataKind, rows: int, rotation: int) -> Region:
        return Region(self._products[matrix], 0, rows, offset=rotation, stride=self._rotations)

    def _product_buffer(self, config: SystolicConfig, matrix: DataKind, rows: int, slots: int) -> Buffer:
        """The accumulators of the products of one matrix, in rotation."""
        name = f"{self.context.prefix}products.{NAMES[matrix]}"
        accumulator = config.formats.format("accumulator")
        kind, batch = DataKind.PARTIAL_SUM, self.context.batch
        return Buffer(name, "accumulators", kind, rows, batch, accumulator, slots, format_kind="accumulator")

    def _in_dram(self, tile: StreamTile) -> Region:
        buffer = self.matrices_in_dram[tile.matrix]
        assert buffer.packing is not None
        first = tile.index * buffer.packing.entries
        return Region(buffer, first, first + buffer.packing.entries)


def _accumulator_slots(config: SystolicConfig, context: CellContext) -> int:
    """How many groups' two products the accumulators can hold at once."""
    need, have = 2 * context.batch * context.sharers, config.accumulators.vectors
    if have < need:
        what = "2 products x batch" + (f" x {context.sharers} cells at a time" if context.sharers > 1 else "")
        knobs = ("more accumulators.vectors", "a smaller batch")
        raise CapacityError("accumulators", need, have, "vectors", what, knobs)
    return have // need
