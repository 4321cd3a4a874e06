"""The ops of one cell on this machine, whatever the order they are issued in.

`CellOps` makes what all kinds have in common: MAC tiles, loads and stores. Each kind (lstm.py, gru.py, rnn.py) adds
its row blocks and what follows the sums. A schedule (fused.py, split.py) decides which MAC tiles come when.

Repetition r of the body is the cell's r-th step: it reads h of the step before in slot r of `h`, writes slot r + 1, and
stands at time t = r, or t = T - 1 - r if the cell runs in reverse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from archsim.families.cells.activation import Activate, GateRows
from archsim.families.cells.buffers import CellBuffers, Sharing, Storage, make_buffers
from archsim.families.cells.context import CellContext, slots_of, whole
from archsim.families.cells.loads import CellTransfers
from archsim.families.cells.matrix import Matrices, Matrix, make_matrices
from archsim.families.cells.placement import Placement, WeightTile, all_pinned
from archsim.families.cells.tiling import Block, Group, Segment, block_major, cut, interleaved, number_groups
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.mac_array import MacArray
from archsim.families.gemv.mac_tiles import BlockTile, MacTile
from archsim.hardware.lane_hold import Hold
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec, FunctionSpec

DEFERRED_GROUPS = 2
"""What follows a group's state update is issued after the gates of the group that comes so many later.

Both use the activation unit, in order: were tanh(c) issued at once, the unit would stand still while the element-wise
unit computes c. Two groups' gates fill most of that gap in the presets (0, 1, 2 and 3 take 154, 97, 85 and 82 cycles a
step on edge_64x64 with silero_vad), and each costs a slot in the state buffer.
"""

Layout = list[tuple[Block, int, int]]


class CellOps(ABC):
    """Makes the ops of one cell."""

    blocks: ClassVar[tuple[Block, ...]]
    """Row blocks in the order in which they stand in an interleaved group."""
    gate_sets: ClassVar[tuple[tuple[Block, ...], ...]]
    """Row blocks in gate-major order; those of one set stand in one group."""

    def __init__(
        self,
        spec: CellSpec,
        arch: GemvConfig,
        context: CellContext,
        interleaved: bool,
        placement: Placement | None = None,
    ) -> None:
        """`interleaved`: whether a group holds rows of all gates. Without a `placement` all weights are in the weight
        SRAM.

        CapacityError if the accumulators cannot hold a group.
        """
        self.spec = spec
        self.context = context
        self.rotating = interleaved
        self._array_rows = arch.mac_array.rows
        self._activation, self._elementwise = arch.activation, arch.elementwise
        self._gate_slots = arch.state_buffer.gate_slots
        self.groups = number_groups(self._layouts())
        self.placement = placement or all_pinned(self.groups, spec.proj_size, self._array_rows)
        self._tile_rows = self.placement.tile_rows
        self._projections = cut(0, spec.proj_size, self._tile_rows)
        self._rotations = len(self.groups) + len(self._projections)
        sharing = Sharing(self._rotations, context.sharers)
        self.buffers: CellBuffers = make_buffers(
            spec,
            arch,
            context.batch,
            context.prefix,
            self.groups,
            self._storage(),
            sharing,
            context.source,
            self.placement,
            context.blocks,
        )
        self.matrices: Matrices = make_matrices(spec, self.groups, self.placement, self.buffers)
        self.transfers = CellTransfers(spec, context, self.groups, self.buffers, self.matrices)

    @property
    def accumulator_slots(self) -> int:
        """Groups that the accumulators hold at once."""
        return slots_of(self.buffers.sums)

    def fused_tiles(self, group: Group) -> Iterator[Op]:
        """W [x_t, h_{t-1}] + bias for a group: one GEMV of K = I + H where all its rows take both parts."""
        if group.input_rows == group.hidden_rows == (0, group.rows):
            for tile in cut(0, group.rows, self._tile_rows):
                yield self._tile(group, tile, "mac", ("x", "h"), start=True)
        else:
            yield from self.input_tiles(group)
            yield from self.hidden_tiles(group)

    def input_tiles(self, group: Group) -> Iterator[MacTile]:
        """W_ih x_t + bias for a group; rows without an input part begin with their bias."""
        start, stop = group.input_rows
        tiles = cut(start, stop, self._tile_rows)
        for tile in tiles:
            sums_stop = group.rows if tile is tiles[-1] else tile[1]
            yield self._tile(group, tile, "mac_x", ("x",), start=True, sums_stop=sums_stop)

    def hidden_tiles(self, group: Group) -> Iterator[Op]:
        """W_hh h_{t-1}, added to what input_tiles left in the accumulators."""
        for tile in cut(*group.hidden_rows, self._tile_rows):
            yield self._tile(group, tile, "mac_h", ("h",), start=False)

    def onto_tiles(self, group: Group) -> Iterator[Op]:
        """W_hh h_{t-1}, beginning with the W_ih x_t + bias that was made before."""
        assert self.buffers.parts is not None
        tiles = cut(*group.hidden_rows, self._tile_rows)
        for tile in tiles:
            first = 0 if tile is tiles[0] else tile[0]  # rows without a hidden part come first
            onto = self._parts(self.buffers.parts, group, first, tile[1], 0, 1)
            op = self._tile(group, tile, "mac_h", ("h",), start=True)
            yield replace(op, bias=None, onto=onto, sums=self._in_group(self.buffers.sums, group, first, tile[1]))

    def block_tiles(self, first: int) -> Iterator[BlockTile]:
        """W_ih x + bias of the steps from number `first` of a block on, for all groups.

        In repetition b of what they stand in, they are those of block b.
        """
        x, parts, blocks = self.buffers.x, self.buffers.parts, self.context.blocks
        assert x is not None
        assert parts is not None
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
                        self._parts(parts, group, rows.start, rows.stop, place, blocks.size) for place in places
                    ),
                    bias=tile.bias,
                    origin=tile.origins[0],
                    step_stride=blocks.size,
                    step_offset=places[0],
                )

    def passes(self, matrix: Matrix) -> int:
        """How often the run multiplies with a whole matrix: every time step, or W_ih for a block of them."""
        blocks = self.context.blocks
        return self.context.steps if blocks is None or matrix is not self.matrices.w_ih else blocks.count

    def tile_number(self, matrix: Matrix, tile: WeightTile) -> str:
        """How labels name a tile: by its group, or, if that has several, as group.tile; of W_hr by its number."""
        part = f"{tile.start // self._tile_rows}"
        if matrix is self.matrices.w_hr:
            return part
        return f"{tile.group}" if self.groups[tile.group].rows <= self._tile_rows else f"{tile.group}.{part}"

    def after_macs(self, groups: Sequence[Group]) -> Iterator[list[Op]]:
        """For each group in turn the ops that follow its MAC tiles; the last ones also hold what was deferred."""
        deferred: list[list[Op]] = []
        for group in groups:
            ops, late, last = self._follow(group)
            deferred.append(late)
            if len(deferred) > self._deferred_groups():
                ops += deferred.pop(0)
            ops += last
            if group is groups[-1]:
                ops += [op for waiting in deferred for op in waiting]
                ops += self._project()
            yield ops

    @abstractmethod
    def _follow(self, group: Group) -> tuple[list[Op], list[Op], list[Op]]:
        """What follows a group's sums: ops at once, ops to be deferred, and ops after what is deferred from before."""

    @abstractmethod
    def _storage(self) -> Storage:
        """How gates and scratch are kept."""

    def _layouts(self) -> list[Layout]:
        if self.rotating:
            return interleaved(self.blocks, self.spec.hidden_size, self._array_rows)
        return block_major(self.gate_sets, self.spec.hidden_size, self._array_rows)

    def _deferred_groups(self) -> int:
        """How many groups later deferred ops are issued: in gate-major order the last set follows the one before."""
        if self.rotating:
            return DEFERRED_GROUPS
        return min(DEFERRED_GROUPS, len(self.groups) // len(self.gate_sets))

    @property
    def _rotating_slots(self) -> int:
        """Groups whose gates are kept: those until the deferred ops, and one more lets the next group begin."""
        return self._deferred_groups() + 2 if self._gate_slots is None else self._gate_slots

    def _project(self) -> list[Op]:
        """h_t = W_hr (o * tanh(c)), once the whole vector is there."""
        b = self.buffers
        if b.vector is None or not self._projections:
            return []
        ops: list[Op] = []
        for number, (start, stop) in enumerate(self._projections):
            index = len(self.groups) + number
            sums = Region(b.sums, 0, stop - start, offset=index, stride=self._rotations)
            weights = self.matrices.w_hr.region(0, start)
            ops.append(
                MacTile(
                    unit=MacArray.name,
                    label=f"{self.context.prefix}mac_r[{number}]",
                    weights=(weights,),
                    vectors=(whole(b.vector),),
                    sums=sums,
                    start=True,
                    origins=(self.matrices.w_hr.origin(0, start),),
                )
            )
            target = Region(b.h, start, stop, offset=1, stride=1)
            identity, hold = FunctionSpec("identity"), self._hold(self._old_h(target))
            ops.append(self._activate(f"project[{number}]", identity, sums, target, gate=False, hold=hold))
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
        vectors = {"x": self._input(), "h": self._recurrent(group)}
        sums_stop = stop if sums_stop is None else sums_stop
        bias = None
        if start and b.bias is not None and not self._activation.adds_bias:
            bias = Region(b.bias, group.bias_start + first, group.bias_start + sums_stop)
        number = f"{group.index}" if group.rows <= self._tile_rows else f"{group.index}.{first // self._tile_rows}"
        return MacTile(
            unit=MacArray.name,
            label=f"{self.context.prefix}{name}[{number}]",
            weights=tuple(matrices[kind].region(group.index, first) for kind in inputs),
            vectors=tuple(vectors[kind] for kind in inputs),
            sums=self._in_group(b.sums, group, first, sums_stop),
            start=start,
            bias=bias,
            origins=tuple(matrices[kind].origin(group.index, first) for kind in inputs),
        )

    def _parts(self, parts: Buffer, group: Group, start: int, stop: int, offset: int, stride: int) -> Region:
        """Rows of a group in the buffer of sums made ahead."""
        return Region(parts, group.bias_start + start, group.bias_start + stop, offset, stride)

    def _input(self) -> Region:
        """x_t: in the input buffer, or the h that the cell before has just written."""
        if self.buffers.x is not None:
            return whole(self.buffers.x, 0, 1)
        assert self.context.source_h is not None
        return whole(self.context.source_h, 1, 1)

    def _recurrent(self, group: Group) -> Region:
        """What W_hh is multiplied with: h_{t-1}."""
        return whole(self.buffers.h, 0, 1)

    def _hold(self, old: Region) -> Hold | None:
        """Sequences that are not there at this time step keep `old`."""
        valid = self.context.valid
        return None if valid is None else Hold(self.context.at_time(valid, self.spec.reverse, 0), old)

    def _old_h(self, new: Region) -> Region:
        """h_{t-1} of the hidden units whose h_t is `new`."""
        return Region(new.buffer, new.start, new.stop, offset=0, stride=1)

    def _activate(
        self,
        label: str,
        function: FunctionSpec,
        source: Region,
        target: Region,
        *,
        gate: bool = True,
        hold: Hold | None = None,
        rows: tuple[GateRows, ...] = (),
        block: Block | None = None,
        bias: Region | None = None,
    ) -> Op:
        return Activate(
            unit=self._activation.unit(None if block is None else block.gate),
            label=f"{self.context.prefix}{label}",
            function=function,
            source=source,
            target=target,
            clip=self.spec.clip if gate else None,
            hold=hold,
            gates=rows,
            bias=bias,
        )

    def _late_bias(self, group: Group, start: int, stop: int) -> Region | None:
        """The bias of rows of a group, if the activation unit adds it."""
        bias = self.buffers.bias if self._activation.adds_bias else None
        return None if bias is None else Region(bias, group.bias_start + start, group.bias_start + stop)

    def _in_group(self, buffer: Buffer, group: Group, start: int, stop: int) -> Region:
        """Rows of the group in the slot that rotates to it."""
        return Region(buffer, start, stop, offset=group.index, stride=self._rotations)

    def _new_h(self, segment: Segment) -> Region:
        """h_t of a segment's hidden units."""
        return Region(self.buffers.h, segment.first_unit, segment.first_unit + segment.units, offset=1, stride=1)
