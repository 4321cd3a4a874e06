"""A cell's loads from DRAM and stores to it, but for streamed weights (streaming.py).

The prologue loads what stays: pinned weights, biases, states, the first x. The body loads x ahead and stores h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.families.cells.buffers import H_SLOTS, CellBuffers
from archsim.families.cells.context import CellContext, slots_of, whole
from archsim.families.cells.matrix import Matrices
from archsim.families.cells.tiling import Group, Part, Segment
from archsim.hardware.dram.transfers import Dram, Transfer
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec


@dataclass(frozen=True, slots=True)
class CellTransfers:
    """Makes the transfers of one cell."""

    spec: CellSpec
    context: CellContext
    groups: Sequence[Group]
    buffers: CellBuffers
    matrices: Matrices

    def load_input_ahead(self) -> list[Op]:
        """x of the step `prefetch_steps` ahead from DRAM, while x_t is in use; nothing where x is another cell's h."""
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        ahead = slots_of(x) - 1
        label = f"load x[t+{ahead}]" if not self.spec.reverse else f"load x[t-{ahead}]"
        return [self._transfer(label, self._at_time(source, ahead), whole(x, ahead, 1), skip_last=ahead)]

    def load_input(self) -> list[Op]:
        """x_t from DRAM."""
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        return [self._transfer("load x", self._at_time(source, 0), whole(x, 0, 1))]

    def store_output(self) -> list[Op]:
        """h_t to DRAM."""
        target = self.context.target
        if target is None:
            return []
        first = self.context.target_start
        region = self.context.at_time(target, self.spec.reverse, 0, first, first + self.spec.output_size)
        return [self._transfer("store h", whole(self.buffers.h, 1, 1), region)]

    def load_weights(self) -> list[Op]:
        """What stays of the weights, and the biases, into the weight SRAM, group by group."""
        b = self.buffers
        pinned = {
            matrix.name: {group: (pieces, target) for group, pieces, target in matrix.pinned_loads()}
            for matrix in (self.matrices.w_ih, self.matrices.w_hh)
        }
        ops: list[Op] = []
        for group in self.groups:
            for name, loads in pinned.items():
                if group.index in loads:
                    ops.append(self._load(f"load {name}[{group.index}]", *loads[group.index]))
            if b.bias is not None and b.dram_bias is not None:
                packed = Region(b.bias, group.bias_start, group.bias_start + group.rows)
                rows = tuple(self._bias_rows(b.dram_bias, segment) for segment in group.segments)
                ops.append(self._load(f"load bias[{group.index}]", rows, packed))
        if b.dram_peephole is not None and b.peephole is not None:
            ops.append(self._transfer("load peephole", whole(b.dram_peephole), whole(b.peephole)))
        ops += [self._load("load W_hr", pieces, target) for _, pieces, target in self.matrices.w_hr.pinned_loads()]
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
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        count = min(slots_of(x) - 1, self.context.steps)
        return [
            self._transfer(f"load x_{step}", self._at_time(source, step, fixed=True), whole(x, step))
            for step in range(count)
        ]

    def store_state(self) -> list[Op]:
        """h_n and, if there is one, c_n to DRAM."""
        b = self.buffers
        ops = [self._transfer("store h_n", whole(b.h, self.context.steps % H_SLOTS), whole(b.dram_h_n))]
        if b.dram_c_n is not None and b.c is not None:
            ops.append(self._transfer("store c_n", whole(b.c), whole(b.dram_c_n)))
        return ops

    def _at_time(self, buffer: Buffer, ahead: int, *, fixed: bool = False) -> Region:
        return self.context.at_time(buffer, self.spec.reverse, ahead, fixed=fixed)

    def _bias_rows(self, source: Buffer, segment: Segment) -> Region:
        """DRAM holds a bias for each gate; a candidate whose parts are kept apart has a second one behind them."""
        block = self.spec.kind.gates if segment.block.part is Part.HIDDEN else segment.block.gate
        first = block * self.spec.hidden_size + segment.first_unit
        return Region(source, first, first + segment.units)

    def _load(self, label: str, sources: tuple[Region, ...], target: Region) -> Op:
        return Transfer(unit=Dram.name, label=f"{self.context.prefix}{label}", sources=sources, target=target)

    def _transfer(self, label: str, source: Region, target: Region, skip_last: int = 0) -> Op:
        return Transfer(
            unit=Dram.name,
            label=f"{self.context.prefix}{label}",
            sources=(source,),
            target=target,
            skip_last=skip_last,
        )
