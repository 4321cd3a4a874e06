"""Makes what follows the sums of a GRU: gates, the candidate with its reset, and the hidden update.

Two forms. With the reset after the product (PyTorch; ONNX's linear_before_reset) the candidate keeps W_in x and W_hn h
in accumulators of their own and joins them once r is there. With the reset before it (ONNX's default, Cho et al. 2014),
r * h must be whole before the candidate's rows can be multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence

from archsim.families.cells.activation import GateRows
from archsim.families.cells.buffers import Storage
from archsim.families.cells.cell import CellOps, Layout
from archsim.families.cells.context import whole
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.tiling import Block, Group, Part, Segment, block_major
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec

RESET, UPDATE, CANDIDATE = (Block(gate) for gate in range(3))
CANDIDATE_X, CANDIDATE_H = Block(2, Part.INPUT), Block(2, Part.HIDDEN)


class GruOps(CellOps):
    """Makes the ops of a GRU cell."""

    # Rows with an input part first, rows with a hidden part last; r and z side by side so that one op activates them.
    blocks = (CANDIDATE_X, RESET, UPDATE, CANDIDATE_H)
    gate_sets = ((RESET,), (UPDATE,), (CANDIDATE_X, CANDIDATE_H))

    @classmethod
    def _layouts(cls, spec: CellSpec, interleave: bool, rows: int) -> list[Layout]:
        if spec.linear_before_reset:
            return super()._layouts(spec, interleave, rows)
        sets = ((RESET, UPDATE), (CANDIDATE,)) if interleave else ((RESET,), (UPDATE,), (CANDIDATE,))
        return block_major(sets, spec.hidden_size, rows)

    @classmethod
    def _storage(cls, spec: CellSpec, interleaved: bool, groups: Sequence[Group], slots: int) -> Storage:
        units = spec.hidden_size
        if not (interleaved and spec.linear_before_reset):
            return Storage(3 * units, units if spec.linear_before_reset else 0, 1)
        most = max(group.segments[0].units for group in groups)
        return Storage(3 * most, most, slots)

    @property
    def _keeps_all(self) -> bool:
        """Whether gates are kept for all hidden units: z waits for a candidate that comes groups later."""
        return not (self.rotating and self.spec.linear_before_reset)

    def _follow(self, group: Group) -> tuple[list[Op], list[Op], list[Op]]:
        ops: list[Op] = self._gates(group)
        late: list[Op] = []
        if group.has(CANDIDATE_H):
            ops.append(self._candidate_sum(group))
            scratch = self._kept(self.buffers.scratch, group, 0)
            late = [self._candidate(group, scratch), self._update(group)]
        elif group.has(CANDIDATE):
            segment = group.segment(CANDIDATE)
            sums = self.in_group(self.buffers.sums, group, segment.row, segment.stop)
            bias = self._late_bias(group, segment.row, segment.stop)
            ops += [self._candidate(group, sums, bias), self._update(group)]
        elif group.has(RESET) and not self.spec.linear_before_reset:
            ops.append(self._reset_hidden(group))
        return ops, late, []

    def recurrent(self, group: Group) -> Region:
        if group.has(CANDIDATE) and self.buffers.vector is not None:
            return whole(self.buffers.vector)
        return super().recurrent(group)

    def _gates(self, group: Group) -> list[Op]:
        """The activations of r and z: one op if they stand side by side in the sums and where they are kept."""
        segments = [segment for segment in group.segments if segment.block in (RESET, UPDATE)]
        one_unit = len({self._activation_unit(segment.block.gate) for segment in segments}) == 1
        if len(segments) == 2 and not self._keeps_all and one_unit:
            return [self._gate_op(group, segments)]
        return [self._gate_op(group, [segment]) for segment in segments]

    def _gate_op(self, group: Group, segments: list[Segment]) -> Op:
        function = self.spec.functions[0]
        first, stop = segments[0], segments[-1].stop
        target = self._gate(group, first.block)
        rows = tuple(GateRows("r" if s.block == RESET else "z", s.first_unit, s.units) for s in segments)
        return self._activate(
            f"{function.name}_{''.join(row.gate for row in rows)}[{group.index}]",
            function,
            self.in_group(self.buffers.sums, group, first.row, stop),
            Region(target.buffer, target.start, target.start + stop - first.row, target.offset, target.stride),
            rows=rows,
            block=first.block,
            bias=self._late_bias(group, first.row, stop),
        )

    def _candidate_sum(self, group: Group) -> Op:
        sums = self.buffers.sums
        x_part, h_part = group.segment(CANDIDATE_X), group.segment(CANDIDATE_H)
        return CandidateSum(
            unit=self._elementwise.state_unit,
            label=f"{self.context.prefix}reset[{group.index}]",
            reset_gate=self._gate(group, RESET),
            input_part=self.in_group(sums, group, x_part.row, x_part.stop),
            hidden_part=self.in_group(sums, group, h_part.row, h_part.stop),
            target=self._kept(self.buffers.scratch, group, 0),
        )

    def _reset_hidden(self, group: Group) -> Op:
        vector, segment = self.buffers.vector, group.segment(RESET)
        assert vector is not None
        first, stop = segment.first_unit, segment.first_unit + segment.units
        return ResetHidden(
            unit=self._elementwise.state_unit,
            label=f"{self.context.prefix}reset[{group.index}]",
            reset_gate=self._gate(group, RESET),
            hidden=Region(self.buffers.h, first, stop, offset=0, stride=1),
            target=Region(vector, first, stop),
        )

    def _candidate(self, group: Group, source: Region, bias: Region | None = None) -> Op:
        function, segment = self.spec.functions[1], group.segments[0]
        return self._activate(
            f"{function.name}_n[{group.index}]",
            function,
            source,
            self._gate(group, CANDIDATE),
            rows=(GateRows("n", segment.first_unit, segment.units),),
            block=segment.block,
            bias=bias,
        )

    def _update(self, group: Group) -> Op:
        target = self._new_h(group.segments[0])
        return GruUpdate(
            unit=self._elementwise.hidden_unit,
            label=f"{self.context.prefix}hidden[{group.index}]",
            update_gate=self._gate(group, UPDATE),
            candidate=self._gate(group, CANDIDATE),
            old=self._old_h(target),
            target=target,
            hold=self._hold(self._old_h(target)),
        )

    def _gate(self, group: Group, block: Block) -> Region:
        """The region where r, z or n of the group's hidden units is kept."""
        return self._kept(self.buffers.gates, group, block.gate)

    def _kept(self, buffer: Buffer | None, group: Group, place: int) -> Region:
        """The group's hidden units in block `place` of a buffer: rotating by group, or for all hidden units."""
        assert buffer is not None
        segment = group.segments[0]
        if self._keeps_all:
            first = place * self.spec.hidden_size + segment.first_unit
            return Region(buffer, first, first + segment.units)
        return self.in_group(buffer, group, place * segment.units, (place + 1) * segment.units)
