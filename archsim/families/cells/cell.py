"""Makes what follows the sums of a cell on any machine: activation, cell update, hidden update.

`CellOps` makes what all kinds of cell have in common; each kind (lstm.py, gru.py, rnn.py) adds its row blocks and the
ops of a group. How the sums are made is the family's: it calls `after_sums` for what follows them, group by group.

Repetition r of the body is the cell's r-th step: it reads h of the step before in slot r of `h`, writes slot r + 1, and
stands at time t = r, or t = T - 1 - r if the cell runs in reverse. Of S streams in turn it is a step of stream r mod S,
writes slot r + S, which that stream's next one reads, and c is in slot r of S.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cache
from typing import ClassVar

from archsim.families.cells import plan as plans
from archsim.families.cells.activation import Activate, GateRows
from archsim.families.cells.buffers import CellBuffers, Storage
from archsim.families.cells.context import CellContext, CellMachine, whole
from archsim.families.cells.plan import CellPlan
from archsim.families.cells.tiling import Block, Group, Segment, block_major, interleaved, number_groups
from archsim.hardware.lane_hold import Hold
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec, FunctionSpec

PROJECTED = "projected"
"""The name of the encoding of a projection's sums, behind the cell's prefix."""
Layout = list[tuple[Block, int, int]]


class CellOps(ABC):
    """Makes the ops of one cell that follow its sums."""

    blocks: ClassVar[tuple[Block, ...]]
    """Row blocks in the order in which they stand in an interleaved group."""
    gate_sets: ClassVar[tuple[tuple[Block, ...], ...]]
    """Row blocks in gate-major order; those of one set stand in one group."""

    def __init__(
        self, plan: CellPlan, machine: CellMachine, context: CellContext, buffers: CellBuffers, rotations: int
    ) -> None:
        """Take a cell, its machine and its place in the network.

        `rotations`: groups (and tiles of a projection) that take the slots of sums in turn in a time step.
        """
        self.spec, self.groups, self.rotating = plan.spec, plan.groups, plan.interleaved
        self.context = context
        self.buffers = buffers
        self.rotations = rotations
        self._plan = plan
        self._activation, self._elementwise = machine.activation, machine.elementwise
        self._activation_unit = cache(machine.activation.unit)

    @classmethod
    def plan(cls, spec: CellSpec, machine: CellMachine, *, interleaved: bool) -> CellPlan:
        """The plan of a cell of this kind on a machine: its groups and their order.

        A gate that is normalized is a group as a whole, since nothing follows before all its sums are there.
        """
        interleaved = interleaved and not spec.layer_norm
        rows = spec.hidden_size if spec.layer_norm else machine.group_rows
        groups = number_groups(cls._layouts(spec, interleaved, rows))
        # In gate-major order the last set follows the one before.
        deferred = plans.DEFERRED_GROUPS
        if not interleaved:
            deferred = min(deferred, len(groups) // len(cls.gate_sets))
        # Gates are kept until the deferred ops of their group; one slot more lets the next group begin.
        slots = deferred + 2 if machine.gate_slots is None else machine.gate_slots
        storage = cls._storage(spec, interleaved, groups, slots)
        return CellPlan(spec, interleaved, tuple(groups), deferred, storage)

    @classmethod
    def _layouts(cls, spec: CellSpec, interleave: bool, rows: int) -> list[Layout]:
        """The row blocks of each group, as (block, first unit, units)."""
        if interleave:
            return interleaved(cls.blocks, spec.hidden_size, rows)
        return block_major(cls.gate_sets, spec.hidden_size, rows)

    @classmethod
    @abstractmethod
    def _storage(cls, spec: CellSpec, interleaved: bool, groups: Sequence[Group], slots: int) -> Storage:
        """How gates and scratch are kept; `slots`: groups whose gates are kept where they rotate."""

    @abstractmethod
    def _follow(self, group: Group) -> tuple[list[Op], list[Op], list[Op]]:
        """The ops behind a group's sums: at once, to be deferred, and after what was deferred from before."""

    def after_sums(self) -> Iterator[list[Op]]:
        """For each group in turn the ops that follow its sums; the last ones also hold what was deferred."""
        deferred: list[list[Op]] = []
        for group in self.groups:
            ops, late, last = self._follow(group)
            deferred.append(late)
            if len(deferred) > self._plan.deferred_groups:
                ops += deferred.pop(0)
            ops += last
            if group is self.groups[-1]:
                ops += [op for waiting in deferred for op in waiting]
            yield ops

    def input(self) -> Region:
        """The region of x_t: in its buffer, or the h that the cell before has just written."""
        if self.buffers.x is not None:
            return whole(self.buffers.x, 0, 1)
        assert self.context.source_h is not None
        return whole(self.context.source_h, self.context.streams, 1)

    def recurrent(self, group: Group) -> Region:
        """The region of h_{t-1}, which W_hh is multiplied with."""
        return whole(self.buffers.h, 0, 1)

    def summed(self, group: Group, start: int, stop: int) -> Region:
        """The region of a group's rows where the products are summed up, before anything is done to them."""
        return Region(self.buffers.sums, start, stop, group.index, self.rotations, self.sums_encoding(group))

    def sums_encoding(self, group: Group) -> str:
        """The name of the encoding of a group's sums, if it is another before anything is done to them; else ""."""
        return ""

    def projected(self, number: int, entries: int) -> Region:
        """The region of the sums of tile `number` of the projection, which stand in the slots behind the groups'."""
        offset, encoding = len(self.groups) + number, f"{self.context.prefix}{PROJECTED}"
        return Region(self.buffers.sums, 0, entries, offset, self.rotations, encoding)

    def in_group(self, buffer: Buffer, group: Group, start: int, stop: int) -> Region:
        """The region of a group's rows in the slot that rotates to it."""
        return Region(buffer, start, stop, offset=group.index, stride=self.rotations)

    def project(self, number: int, sums: Region, start: int, stop: int) -> Op:
        """The op that makes rows [start, stop) of h_t from the sums of W_hr (o * tanh(c)), tile `number`."""
        target = Region(self.buffers.h, start, stop, offset=self.context.streams, stride=1)
        identity, hold = FunctionSpec("identity"), self._hold(self._old_h(target))
        return self._activate(f"project[{number}]", identity, sums, target, gate=False, hold=hold)

    def _hold(self, old: Region) -> Hold | None:
        """The write enable that lets sequences which are not there at this time step keep `old`."""
        valid = self.context.valid
        return None if valid is None else Hold(self.context.at_time(valid, self.spec.reverse, 0), old)

    def _old_h(self, new: Region) -> Region:
        """The region of h_{t-1} for the hidden units whose h_t is `new`."""
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
            unit=self._activation_unit(None if block is None else block.gate),
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
        """The bias of rows of a group, if the activation unit adds it; else None."""
        bias = self.buffers.bias if self._activation.adds_bias else None
        return None if bias is None else Region(bias, group.bias_start + start, group.bias_start + stop)

    def _new_h(self, segment: Segment) -> Region:
        """The region of h_t for a segment's hidden units."""
        stop = segment.first_unit + segment.units
        return Region(self.buffers.h, segment.first_unit, stop, offset=self.context.streams, stride=1)
