"""The ops of an LSTM on this machine, whatever the order they are issued in.

`LstmOps` makes each op from the buffers and groups; a schedule (fused.py, split.py) decides which MAC tiles come when.
Repetition r of the body is time step t = r: it reads h_{t-1} in slot r of `h` and writes h_t into slot r + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from archsim.arch import ArchConfig
from archsim.components.activation import Activate, Activation, Function
from archsim.components.dram import Dram, Transfer
from archsim.components.elementwise import CellUpdate, Elementwise, HiddenUpdate
from archsim.components.mac_array import MacArray, MacTile
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, Op, PhaseKind, Program, Region
from archsim.schedules import tiling
from archsim.schedules.buffers import H_SLOTS, GateStorage, LstmBuffers, make_buffers
from archsim.schedules.capacity import check_capacity
from archsim.schedules.tiling import Gate, Group
from archsim.workload import LstmSpec

DEFERRED_GROUPS = 2
"""tanh(c) and the hidden update of a group are issued after the gates of the group that comes so many later.

Both gates and tanh(c) use the activation unit, in order: were tanh(c) issued at once, the unit would stand still while
the element-wise unit computes c. Two groups' gates fill most of that gap in the presets (0, 1, 2 and 3 take 152, 95, 81
and 77 cycles a step on edge_64x64 with silero_vad), and each costs a slot in the state buffer.
"""


@dataclass(frozen=True, slots=True)
class LstmOps:
    """Makes the ops of one LSTM layer."""

    spec: LstmSpec
    buffers: LstmBuffers
    groups: tuple[Group, ...]
    rotating: bool
    """Gates and tanh(c) rotate through slots by group (interleaved); otherwise they are kept for all hidden units."""
    deferred_groups: int
    """How many groups later tanh(c) and the hidden update of a group are issued."""

    @property
    def accumulator_slots(self) -> int:
        """Groups that the accumulators hold at once."""
        slots = self.buffers.sums.slots
        assert slots is not None
        return slots

    def fused_tiles(self, group: Group) -> Iterator[Op]:
        """W [x_t, h_{t-1}] + bias for a group: one GEMV of K = I + H."""
        for tile in group.tiles:
            yield self._tile(group, tile, "mac", ("x", "h"), start=True)

    def input_tiles(self, group: Group) -> Iterator[Op]:
        """W_ih x_t + bias for a group."""
        for tile in group.tiles:
            yield self._tile(group, tile, "mac_x", ("x",), start=True)

    def hidden_tiles(self, group: Group) -> Iterator[Op]:
        """W_hh h_{t-1}, added to what input_tiles left in the accumulators."""
        for tile in group.tiles:
            yield self._tile(group, tile, "mac_h", ("h",), start=False)

    def after_macs(self, groups: Sequence[Group]) -> Iterator[list[Op]]:
        """For each group in turn the ops that follow its MAC tiles; the last ones also hold what was deferred."""
        deferred: list[list[Op]] = []
        for group in groups:
            ops = [*self._activations(group)]
            late: list[Op] = []
            if group.has(Gate.G):
                ops.append(self._cell(group))
                late.append(self._tanh_cell(group))
            if group.has(Gate.O) and late:
                late.append(self._hidden(group))
            deferred.append(late)
            if len(deferred) > self.deferred_groups:
                ops += deferred.pop(0)
            if group.has(Gate.O) and not late:
                ops.append(self._hidden(group))
            if group is groups[-1]:
                ops += [op for late in deferred for op in late]
            yield ops

    @property
    def prefetch_steps(self) -> int:
        """How many steps ahead of its use x is loaded."""
        assert self.buffers.x.slots is not None
        return self.buffers.x.slots - 1

    def load_input_ahead(self) -> Op:
        """x_{t+p} from DRAM, p = prefetch_steps, while x_t is in use."""
        ahead = self.prefetch_steps
        source = self._whole(self.buffers.dram_x, offset=ahead, stride=1)
        target = self._whole(self.buffers.x, offset=ahead, stride=1)
        return self._transfer(f"load x[t+{ahead}]", source, target, skip_last=ahead)

    def store_output(self) -> Op:
        """h_t to DRAM."""
        return self._transfer("store h", self._new_h(), self._whole(self.buffers.dram_output, stride=1))

    def prologue(self) -> list[Op]:
        """Weights and bias into the weight SRAM, group by group; then h_0, c_0 and the first steps of x."""
        b = self.buffers
        ops: list[Op] = []
        for group in self.groups:
            for name, source, target in (
                ("W_ih", b.dram_w_ih, b.w_ih),
                ("W_hh", b.dram_w_hh, b.w_hh),
                ("bias", b.dram_bias, b.bias),
            ):
                pieces = tuple(self._gate_rows(source, segment) for segment in group.segments)
                packed = Region(target, group.start, group.start + group.rows)
                label = f"load {name}[{group.index}]"
                ops.append(Transfer(unit=Dram.name, label=label, sources=pieces, target=packed))
        ops.append(self._transfer("load h_0", self._whole(b.dram_h_0), self._whole(b.h)))
        ops.append(self._transfer("load c_0", self._whole(b.dram_c_0), self._whole(b.c)))
        first = range(min(self.prefetch_steps, self.spec.steps))
        return ops + [self._transfer(f"load x_{t}", self._whole(b.dram_x, t), self._whole(b.x, t)) for t in first]

    def epilogue(self) -> list[Op]:
        """h_n and c_n to DRAM."""
        b = self.buffers
        last_h = self._whole(b.h, offset=self.spec.steps % H_SLOTS)
        return [
            self._transfer("store h_n", last_h, self._whole(b.dram_h_n)),
            self._transfer("store c_n", self._whole(b.c), self._whole(b.dram_c_n)),
        ]

    def _tile(self, group: Group, tile: tuple[int, int], name: str, inputs: tuple[str, ...], *, start: bool) -> Op:
        b = self.buffers
        weights = {"x": b.w_ih, "h": b.w_hh}
        vectors = {"x": self._whole(b.x, stride=1), "h": self._whole(b.h, stride=1)}
        first, stop = group.start + tile[0], group.start + tile[1]
        number = f"{group.index}" if len(group.tiles) == 1 else f"{group.index}.{group.tiles.index(tile)}"
        return MacTile(
            unit=MacArray.name,
            label=f"{name}[{number}]",
            weights=tuple(Region(weights[name], first, stop) for name in inputs),
            vectors=tuple(vectors[name] for name in inputs),
            sums=self._in_group(b.sums, group, *tile),
            bias=Region(b.bias, first, stop) if start else None,
        )

    def _activations(self, group: Group) -> Iterator[Op]:
        """One op for each run of neighbouring segments that share a function."""
        for function, run in groupby(group.segments, key=lambda segment: segment.gate.function):
            segments = list(run)
            start, stop = segments[0].row, segments[-1].row + segments[-1].units
            names = "".join(segment.gate.name.lower() for segment in segments)
            first, last = (self._gate(group, segment.gate) for segment in (segments[0], segments[-1]))
            yield Activate(
                unit=Activation.name,
                label=f"{function.value}_{names}[{group.index}]",
                function=function,
                source=self._in_group(self.buffers.sums, group, start, stop),
                target=Region(first.buffer, first.start, last.stop, first.offset, first.stride),
            )

    def _cell(self, group: Group) -> Op:
        return CellUpdate(
            unit=Elementwise.name,
            label=f"cell[{group.index}]",
            input_gate=self._gate(group, Gate.I),
            forget_gate=self._gate(group, Gate.F),
            candidate=self._gate(group, Gate.G),
            cell=self._units_of(self.buffers.c, group, Gate.G),
        )

    def _tanh_cell(self, group: Group) -> Op:
        return Activate(
            unit=Activation.name,
            label=f"tanh_c[{group.index}]",
            function=Function.TANH,
            source=self._units_of(self.buffers.c, group, Gate.G),
            target=self._tanh(group, Gate.G),
        )

    def _hidden(self, group: Group) -> Op:
        target = self._units_of(self.buffers.h, group, Gate.O)
        return HiddenUpdate(
            unit=Elementwise.name,
            label=f"hidden[{group.index}]",
            output_gate=self._gate(group, Gate.O),
            tanh_cell=self._tanh(group, Gate.O),
            hidden=Region(target.buffer, target.start, target.stop, offset=1, stride=1),
        )

    def _gate(self, group: Group, gate: Gate) -> Region:
        """Where the activated gate of the group's hidden units lies."""
        if self.rotating:
            segment = group.segment(gate)
            return self._in_group(self.buffers.gates, group, segment.row, segment.row + segment.units)
        segment = group.segments[0]
        first = gate * self.spec.hidden_size + segment.first_unit
        return Region(self.buffers.gates, first, first + segment.units)

    def _tanh(self, group: Group, gate: Gate) -> Region:
        if self.rotating:
            return self._in_group(self.buffers.tanh_c, group, 0, group.segment(gate).units)
        return self._units_of(self.buffers.tanh_c, group, gate)

    def _units_of(self, buffer: Buffer, group: Group, gate: Gate) -> Region:
        segment = group.segment(gate)
        return Region(buffer, segment.first_unit, segment.first_unit + segment.units)

    def _gate_rows(self, buffer: Buffer, segment: tiling.Segment) -> Region:
        first = segment.gate * self.spec.hidden_size + segment.first_unit
        return Region(buffer, first, first + segment.units)

    def _in_group(self, buffer: Buffer, group: Group, start: int, stop: int) -> Region:
        """Rows of the group in the slot that rotates to it."""
        return Region(buffer, start, stop, offset=group.index, stride=len(self.groups))

    def _whole(self, buffer: Buffer, offset: int = 0, stride: int = 0) -> Region:
        return Region(buffer, 0, buffer.entries, offset, stride)

    def _new_h(self) -> Region:
        return self._whole(self.buffers.h, offset=1, stride=1)

    def _transfer(self, label: str, source: Region, target: Region, skip_last: int = 0) -> Op:
        return Transfer(unit=Dram.name, label=label, sources=(source,), target=target, skip_last=skip_last)


def make_ops(spec: LstmSpec, arch: ArchConfig, order: str) -> LstmOps:
    """The op maker for a gate order; CapacityError if something does not fit."""
    rows = arch.mac_array.rows
    rotating = order == "interleaved"
    groups = (tiling.interleaved if rotating else tiling.gate_major)(spec.hidden_size, rows)
    group_rows = max(group.rows for group in groups)
    if rotating:
        # A group's gates live until its deferred hidden update: one slot more than that lets the next group begin.
        deferred = DEFERRED_GROUPS
        storage = GateStorage(group_rows, group_rows // 4, deferred + 2)
    else:
        # The o groups follow the g groups at once; tanh(c) of a unit must be issued before its hidden update.
        deferred = min(DEFERRED_GROUPS, len(groups) // len(Gate))
        storage = GateStorage(4 * spec.hidden_size, spec.hidden_size, 1)
    buffers = make_buffers(spec, arch, group_rows, len(groups), storage)
    check_capacity(buffers.all(), arch)
    return LstmOps(spec, buffers, groups, rotating, deferred)


def make_program(name: str, ops: LstmOps, body: Sequence[Op]) -> Program:
    """Prologue, the body once a time step, epilogue."""
    phases = (
        build_phase("prologue", PhaseKind.PROLOGUE, ops.prologue()),
        build_phase("body", PhaseKind.BODY, body, repeat=ops.spec.steps),
        build_phase("epilogue", PhaseKind.EPILOGUE, ops.epilogue()),
    )
    return Program(schedule=name, buffers=ops.buffers.all(), phases=phases)
