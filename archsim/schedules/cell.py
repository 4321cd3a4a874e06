"""The ops of one cell on this machine, whatever the order they are issued in.

`CellOps` makes what all kinds have in common: MAC tiles, loads and stores. Each kind (lstm.py, gru.py, rnn.py) adds
its row blocks and what follows the sums. A schedule (fused.py, split.py) decides which MAC tiles come when.

Repetition r of the body is the cell's r-th step: it reads h of the step before in slot r of `h`, writes slot r + 1, and
stands at time t = r, or t = T - 1 - r if the cell runs in reverse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from archsim.arch import ArchConfig
from archsim.components.activation import Activate, GateRows
from archsim.components.dram import Dram, Transfer
from archsim.components.hold import Hold
from archsim.components.mac_array import MacArray, MacTile
from archsim.program.ir import Buffer, Op, Region
from archsim.schedules.buffers import H_SLOTS, CellBuffers, Sharing, Storage, make_buffers
from archsim.schedules.tiling import Block, Group, Part, Segment, block_major, cut, interleaved, number_groups
from archsim.workload.network import CellSpec, FunctionSpec

DEFERRED_GROUPS = 2
"""What follows a group's state update is issued after the gates of the group that comes so many later.

Both use the activation unit, in order: were tanh(c) issued at once, the unit would stand still while the element-wise
unit computes c. Two groups' gates fill most of that gap in the presets (0, 1, 2 and 3 take 154, 97, 85 and 82 cycles a
step on edge_64x64 with silero_vad), and each costs a slot in the state buffer.
"""

Layout = list[tuple[Block, int, int]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a cell is given by the network around it.

    `prefix` begins the names of its ops and buffers. `source` is the DRAM tensor of its input; None if `source_h`, the
    h of the cell before it, is its input at once (wavefront). `target` is the DRAM tensor of its output, from entry
    `target_start` on; None if only the next cell reads it. `valid` says which sequences are there at each time step;
    None if all always are. `sharers`: cells that share the accumulators at a time.
    """

    prefix: str
    steps: int
    batch: int
    source: Buffer | None
    source_h: Buffer | None
    target: Buffer | None
    target_start: int
    valid: Buffer | None
    sharers: int


class CellOps(ABC):
    """Makes the ops of one cell."""

    blocks: ClassVar[tuple[Block, ...]]
    """Row blocks in the order in which they stand in an interleaved group."""
    gate_sets: ClassVar[tuple[tuple[Block, ...], ...]]
    """Row blocks in gate-major order; those of one set stand in one group."""

    def __init__(self, spec: CellSpec, arch: ArchConfig, around: Surroundings, order: str) -> None:
        """`order` is "interleaved" or "gate_major"; CapacityError if the accumulators cannot hold a group."""
        self.spec = spec
        self.around = around
        self.rotating = order == "interleaved"
        self._array_rows = arch.mac_array.rows
        self._activation, self._elementwise = arch.activation, arch.elementwise
        self._gate_slots = arch.state_buffer.gate_slots
        self.groups = number_groups(self._layouts())
        self._projections = cut(0, spec.proj_size, self._array_rows)
        self._rotations = len(self.groups) + len(self._projections)
        sharing = Sharing(self._rotations, around.sharers)
        self.buffers: CellBuffers = make_buffers(
            spec, arch, around.batch, around.prefix, self.groups, self._storage(), sharing, around.source
        )

    @property
    def accumulator_slots(self) -> int:
        """Groups that the accumulators hold at once."""
        slots = self.buffers.sums.slots
        assert slots is not None
        return slots

    def fused_tiles(self, group: Group) -> Iterator[Op]:
        """W [x_t, h_{t-1}] + bias for a group: one GEMV of K = I + H where all its rows take both parts."""
        if group.input_rows == group.hidden_rows == (0, group.rows):
            for tile in cut(0, group.rows, self._array_rows):
                yield self._tile(group, tile, "mac", ("x", "h"), start=True)
        else:
            yield from self.input_tiles(group)
            yield from self.hidden_tiles(group)

    def input_tiles(self, group: Group) -> Iterator[Op]:
        """W_ih x_t + bias for a group; rows without an input part begin with their bias."""
        start, stop = group.input_rows
        tiles = cut(start, stop, self._array_rows)
        for tile in tiles:
            sums_stop = group.rows if tile is tiles[-1] else tile[1]
            yield self._tile(group, tile, "mac_x", ("x",), start=True, sums_stop=sums_stop)

    def hidden_tiles(self, group: Group) -> Iterator[Op]:
        """W_hh h_{t-1}, added to what input_tiles left in the accumulators."""
        for tile in cut(*group.hidden_rows, self._array_rows):
            yield self._tile(group, tile, "mac_h", ("h",), start=False)

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

    def load_input_ahead(self) -> list[Op]:
        """x of the step `prefetch_steps` ahead from DRAM, while x_t is in use; nothing where x is another cell's h."""
        source, x = self.around.source, self.buffers.x
        if source is None or x is None:
            return []
        ahead = _slots(x) - 1
        label = f"load x[t+{ahead}]" if not self.spec.reverse else f"load x[t-{ahead}]"
        return [self._transfer(label, self._at_time(source, ahead), whole(x, ahead, 1), skip_last=ahead)]

    def store_output(self) -> list[Op]:
        """h_t to DRAM."""
        target = self.around.target
        if target is None:
            return []
        first = self.around.target_start
        region = self._at_time(target, 0, first, first + self.spec.output_size)
        return [self._transfer("store h", whole(self.buffers.h, 1, 1), region)]

    def load_weights(self) -> list[Op]:
        """All weights into the weight SRAM, group by group."""
        b = self.buffers
        ops: list[Op] = []
        for group in self.groups:
            first, stop = group.input_rows
            rows = group.w_ih_start, group.w_ih_start + stop - first
            ops += self._load_rows("W_ih", b.dram_w_ih, b.w_ih, group, Part.HIDDEN, rows)
            first, stop = group.hidden_rows
            rows = group.w_hh_start, group.w_hh_start + stop - first
            ops += self._load_rows("W_hh", b.dram_w_hh, b.w_hh, group, Part.INPUT, rows)
            if b.bias is not None and b.dram_bias is not None:
                packed = Region(b.bias, group.bias_start, group.bias_start + group.rows)
                pieces = tuple(self._bias_rows(b.dram_bias, segment) for segment in group.segments)
                ops.append(self._load(f"load bias[{group.index}]", pieces, packed))
        for name, source, target in (("peephole", b.dram_peephole, b.peephole), ("W_hr", b.dram_w_hr, b.w_hr)):
            if source is not None and target is not None:
                ops.append(self._transfer(f"load {name}", whole(source), whole(target)))
        return ops

    def load_state(self) -> list[Op]:
        """h_0 and, if there is one, c_0."""
        b = self.buffers
        ops = [self._transfer("load h_0", whole(b.dram_h_0), whole(b.h))]
        if b.dram_c_0 is not None and b.c is not None:
            ops.append(self._transfer("load c_0", whole(b.dram_c_0), whole(b.c)))
        return ops

    def load_first_inputs(self) -> list[Op]:
        """x of the steps before load_input_ahead takes over."""
        source, x = self.around.source, self.buffers.x
        if source is None or x is None:
            return []
        count = min(_slots(x) - 1, self.around.steps)
        return [
            self._transfer(f"load x_{step}", self._at_time(source, step, fixed=True), whole(x, step))
            for step in range(count)
        ]

    def store_state(self) -> list[Op]:
        """h_n and, if there is one, c_n to DRAM."""
        b = self.buffers
        ops = [self._transfer("store h_n", whole(b.h, self.around.steps % H_SLOTS), whole(b.dram_h_n))]
        if b.dram_c_n is not None and b.c is not None:
            ops.append(self._transfer("store c_n", whole(b.c), whole(b.dram_c_n)))
        return ops

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
        if b.vector is None or b.w_hr is None or not self._projections:
            return []
        ops: list[Op] = []
        for number, (start, stop) in enumerate(self._projections):
            index = len(self.groups) + number
            sums = Region(b.sums, 0, stop - start, offset=index, stride=self._rotations)
            ops.append(
                MacTile(
                    unit=MacArray.name,
                    label=f"{self.around.prefix}mac_r[{number}]",
                    weights=(Region(b.w_hr, start, stop),),
                    vectors=(whole(b.vector),),
                    sums=sums,
                    start=True,
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
    ) -> Op:
        b = self.buffers
        first, stop = tile
        ih, hh = group.w_ih_start - group.input_rows[0], group.w_hh_start - group.hidden_rows[0]
        weights = {"x": Region(b.w_ih, ih + first, ih + stop), "h": Region(b.w_hh, hh + first, hh + stop)}
        vectors = {"x": self._input(), "h": self._recurrent(group)}
        sums_stop = stop if sums_stop is None else sums_stop
        bias = None
        if start and b.bias is not None and not self._activation.adds_bias:
            bias = Region(b.bias, group.bias_start + first, group.bias_start + sums_stop)
        number = f"{group.index}" if group.rows <= self._array_rows else f"{group.index}.{first // self._array_rows}"
        return MacTile(
            unit=MacArray.name,
            label=f"{self.around.prefix}{name}[{number}]",
            weights=tuple(weights[kind] for kind in inputs),
            vectors=tuple(vectors[kind] for kind in inputs),
            sums=self._in_group(b.sums, group, first, sums_stop),
            start=start,
            bias=bias,
        )

    def _input(self) -> Region:
        """x_t: in the input buffer, or the h that the cell before has just written."""
        if self.buffers.x is not None:
            return whole(self.buffers.x, 0, 1)
        assert self.around.source_h is not None
        return whole(self.around.source_h, 1, 1)

    def _recurrent(self, group: Group) -> Region:
        """What W_hh is multiplied with: h_{t-1}."""
        return whole(self.buffers.h, 0, 1)

    def _hold(self, old: Region) -> Hold | None:
        """Sequences that are not there at this time step keep `old`."""
        valid = self.around.valid
        return None if valid is None else Hold(self._at_time(valid, 0), old)

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
            label=f"{self.around.prefix}{label}",
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

    def _at_time(
        self, buffer: Buffer, ahead: int, start: int = 0, stop: int | None = None, *, fixed: bool = False
    ) -> Region:
        """A tensor with a time axis at the cell's step r + ahead (or, fixed, at its step `ahead`)."""
        reverse = self.spec.reverse
        offset = self.around.steps - 1 - ahead if reverse else ahead
        stride = 0 if fixed else (-1 if reverse else 1)
        return Region(buffer, start, buffer.entries if stop is None else stop, offset, stride)

    def _load_rows(
        self, name: str, source: Buffer, target: Buffer, group: Group, without: Part, rows: tuple[int, int]
    ) -> list[Op]:
        units = self.spec.hidden_size
        pieces = tuple(
            Region(source, first, first + segment.units)
            for segment in group.segments
            if segment.block.part is not without
            for first in (segment.block.gate * units + segment.first_unit,)
        )
        return [self._load(f"load {name}[{group.index}]", pieces, Region(target, *rows))] if pieces else []

    def _bias_rows(self, source: Buffer, segment: Segment) -> Region:
        """DRAM holds a bias for each gate; a candidate whose parts are kept apart has a second one behind them."""
        block = self.spec.kind.gates if segment.block.part is Part.HIDDEN else segment.block.gate
        first = block * self.spec.hidden_size + segment.first_unit
        return Region(source, first, first + segment.units)

    def _load(self, label: str, sources: tuple[Region, ...], target: Region) -> Op:
        return Transfer(unit=Dram.name, label=f"{self.around.prefix}{label}", sources=sources, target=target)

    def _transfer(self, label: str, source: Region, target: Region, skip_last: int = 0) -> Op:
        return Transfer(
            unit=Dram.name,
            label=f"{self.around.prefix}{label}",
            sources=(source,),
            target=target,
            skip_last=skip_last,
        )


def whole(buffer: Buffer, offset: int = 0, stride: int = 0) -> Region:
    """All entries of a slot."""
    return Region(buffer, 0, buffer.entries, offset, stride)


def _slots(buffer: Buffer) -> int:
    assert buffer.slots is not None
    return buffer.slots
