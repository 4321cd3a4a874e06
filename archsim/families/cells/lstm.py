"""Makes what follows the sums of an LSTM: gates, cell and hidden update, with peepholes and projection."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.families.cells.activation import GateRows
from archsim.families.cells.buffers import Storage
from archsim.families.cells.cell import CellOps
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.normalize import Normalize, raw_sums
from archsim.families.cells.tiling import Block, Group, Segment
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec, FunctionSpec

INPUT, FORGET, CANDIDATE, OUTPUT = (Block(gate) for gate in range(4))
_NAMES = "ifgo"
"""The gates' names, by their numbers."""


class LstmOps(CellOps):
    """Makes the ops of an LSTM cell."""

    # The three sigmoid gates stand side by side so that one op activates them.
    blocks = (INPUT, FORGET, OUTPUT, CANDIDATE)
    gate_sets = ((INPUT,), (FORGET,), (CANDIDATE,), (OUTPUT,))

    @classmethod
    def _storage(cls, spec: CellSpec, interleaved: bool, groups: Sequence[Group], slots: int) -> Storage:
        if interleaved:
            rows = max(group.rows for group in groups)
            return Storage(rows, rows // len(cls.blocks), slots)
        return Storage(4 * spec.hidden_size, spec.hidden_size, 1)

    def _follow(self, group: Group) -> tuple[list[Op], list[Op], list[Op]]:
        ops: list[Op] = []
        late: list[Op] = []
        last: list[Op] = []
        if self.spec.peepholes:
            ops += self._peephole(group, (INPUT, FORGET))
        ops += self._normalized(group, after_cell=False)
        ops += self._activations(group, after_cell=False)
        if group.has(CANDIDATE):
            ops.append(self._cell(group))
            late.append(self._tanh_cell(group))
        if group.has(OUTPUT):
            after = late if group.has(CANDIDATE) else last
            if self.spec.peepholes:
                ops += self._peephole(group, (OUTPUT,))
                ops += self._normalized(group, after_cell=True)
                ops += self._activations(group, after_cell=True)
            after.append(self._hidden(group))
        return ops, late, last

    def _activations(self, group: Group, *, after_cell: bool) -> list[Op]:
        """The activations of a group: one op for each run of segments that share function and unit.

        An o that sees the new c comes later.
        """
        segments = [s for s in group.segments if (s.block == OUTPUT and self.spec.peepholes) is after_cell]
        ops: list[Op] = []
        for function, side_by_side in self._side_by_side(segments):
            first, final = side_by_side[0], side_by_side[-1]
            names = "".join(_NAMES[segment.block.gate] for segment in side_by_side)
            target = self._gate(group, first.block)
            ops.append(
                self._activate(
                    f"{function.name}_{names}[{group.index}]",
                    function,
                    self.in_group(self.buffers.sums, group, first.row, final.stop),
                    Region(
                        target.buffer, target.start, target.start + final.stop - first.row, target.offset, target.stride
                    ),
                    rows=tuple(GateRows(_NAMES[s.block.gate], s.first_unit, s.units) for s in side_by_side),
                    block=first.block,
                    bias=self._late_bias(group, first.row, final.stop),
                )
            )
        return ops

    def sums_encoding(self, group: Group) -> str:
        """The name of the encoding of the sums of the group's one gate, where gates are normalized; else ""."""
        if not self.spec.layer_norm:
            return ""
        (segment,) = group.segments
        return f"{self.context.prefix}{raw_sums(segment.block.gate)}"

    def _normalized(self, group: Group, *, after_cell: bool) -> list[Op]:
        """The op that normalizes the group's gate, and adds its bias, if the cell does that."""
        weights, bias = self.buffers.layer_norm, self.buffers.bias
        segments = [s for s in group.segments if (s.block == OUTPUT and self.spec.peepholes) is after_cell]
        if weights is None:
            return []
        return [
            Normalize(
                unit=self._elementwise.state_unit,
                label=f"{self.context.prefix}norm_{_NAMES[segment.block.gate]}[{group.index}]",
                weights=_rows(weights, segment.block.gate * self.spec.hidden_size, segment.units),
                bias=None if bias is None else _rows(bias, group.bias_start + segment.row, segment.units),
                sums=self.summed(group, segment.row, segment.stop),
                target=self.in_group(self.buffers.sums, group, segment.row, segment.stop),
            )
            for segment in segments
        ]

    def _side_by_side(self, segments: Sequence[Segment]) -> list[tuple[FunctionSpec, list[Segment]]]:
        """The runs of neighbours that share function and unit; `segments` are in the order of their rows."""
        runs: list[tuple[FunctionSpec, list[Segment]]] = []
        unit = None
        for segment in segments:
            function, before = self._function(segment), unit
            unit = self._activation_unit(segment.block.gate)
            if runs and runs[-1][0] == function and before == unit and runs[-1][1][-1].stop == segment.row:
                runs[-1][1].append(segment)
            else:
                runs.append((function, [segment]))
        return runs

    def _function(self, segment: Segment) -> FunctionSpec:
        return self.spec.functions[1 if segment.block == CANDIDATE else 0]

    def _peephole(self, group: Group, gates: tuple[Block, ...]) -> list[Op]:
        """The op that adds p * c onto the sums of those gates that the group holds."""
        weights = self.buffers.peephole
        assert weights is not None
        ops: list[Op] = []
        for place, block in enumerate((INPUT, FORGET, OUTPUT)):
            if block in gates and group.has(block):
                segment = group.segment(block)
                first = place * self.spec.hidden_size + segment.first_unit
                ops.append(
                    Peephole(
                        unit=self._elementwise.state_unit,
                        label=f"{self.context.prefix}peephole_{_NAMES[block.gate]}[{group.index}]",
                        weights=Region(weights, first, first + segment.units),
                        cell=self._cell_units(group, block),
                        target=self.summed(group, segment.row, segment.stop),
                    )
                )
        return ops

    def _cell(self, group: Group) -> Op:
        cell = self._cell_units(group, CANDIDATE)
        return CellUpdate(
            unit=self._elementwise.state_unit,
            label=f"{self.context.prefix}cell[{group.index}]",
            input_gate=self._gate(group, INPUT),
            forget_gate=None if self.spec.input_forget else self._gate(group, FORGET),
            candidate=self._gate(group, CANDIDATE),
            target=cell,
            hold=self._hold(cell),
        )

    def _tanh_cell(self, group: Group) -> Op:
        function = self.spec.functions[2]
        return self._activate(
            f"{function.name}_c[{group.index}]",
            function,
            self._cell_units(group, CANDIDATE),
            self._tanh(group, CANDIDATE),
            gate=False,
        )

    def _hidden(self, group: Group) -> Op:
        segment = group.segment(OUTPUT)
        if not self.spec.proj_size:
            target = self._new_h(segment)
            hold = self._hold(self._old_h(target))
        else:  # the projection holds h
            assert self.buffers.vector is not None
            target = Region(self.buffers.vector, segment.first_unit, segment.first_unit + segment.units)
            hold = None
        return HiddenUpdate(
            unit=self._elementwise.hidden_unit,
            label=f"{self.context.prefix}hidden[{group.index}]",
            output_gate=self._gate(group, OUTPUT),
            tanh_cell=self._tanh(group, OUTPUT),
            target=target,
            hold=hold,
        )

    def _gate(self, group: Group, block: Block) -> Region:
        """The region where the activated gate of the group's hidden units lies."""
        gates = self.buffers.gates
        assert gates is not None
        if self.rotating:
            segment = group.segment(block)
            return self.in_group(gates, group, segment.row, segment.stop)
        segment = group.segments[0]
        first = block.gate * self.spec.hidden_size + segment.first_unit
        return Region(gates, first, first + segment.units)

    def _tanh(self, group: Group, block: Block) -> Region:
        scratch, segment = self.buffers.scratch, group.segment(block)
        assert scratch is not None
        if self.rotating:
            return self.in_group(scratch, group, 0, segment.units)
        return Region(scratch, segment.first_unit, segment.first_unit + segment.units)

    def _cell_units(self, group: Group, block: Block) -> Region:
        cell, segment = self.buffers.c, group.segment(block)
        assert cell is not None
        stride = 1 if self.context.streams > 1 else 0
        return Region(cell, segment.first_unit, segment.first_unit + segment.units, stride=stride)


def _rows(buffer: Buffer, first: int, count: int) -> Region:
    return Region(buffer, first, first + count)
