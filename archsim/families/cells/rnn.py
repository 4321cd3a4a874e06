"""Makes what follows the sums of an Elman RNN, or of a linear layer: its activation function, straight into h."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.families.cells.buffers import Storage
from archsim.families.cells.cell import CellOps
from archsim.families.cells.tiling import Block, Group, Part
from archsim.program.ir import Op
from archsim.workload.network import CellSpec

HIDDEN = Block(0)
OUTPUT = Block(0, Part.INPUT)


class RnnOps(CellOps):
    """Makes the ops of an RNN cell."""

    blocks = (HIDDEN,)
    gate_sets = ((HIDDEN,),)

    @classmethod
    def _storage(cls, spec: CellSpec, interleaved: bool, groups: Sequence[Group], slots: int) -> Storage:
        return Storage(0, 0, 1)

    def _follow(self, group: Group) -> tuple[list[Op], list[Op], list[Op]]:
        (segment,), (function,) = group.segments, self.spec.functions
        sums = self.in_group(self.buffers.sums, group, 0, group.rows)
        target = self._new_h(segment)
        hold = self._hold(self._old_h(target))
        bias = self._late_bias(group, 0, group.rows)
        label = f"{function.name}_h[{group.index}]"
        return [self._activate(label, function, sums, target, hold=hold, block=segment.block, bias=bias)], [], []


class LinearOps(RnnOps):
    """Makes the ops of a linear layer: those of an RNN whose rows take W x alone."""

    blocks = (OUTPUT,)
    gate_sets = ((OUTPUT,),)
