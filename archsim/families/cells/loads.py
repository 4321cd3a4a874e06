"""Makes a cell's transfers from outside the chip and back, but for its weight matrices: x, states, h, biases.

The prologue loads what stays: biases, states, the first x. The body loads x ahead and stores h.
"""

from __future__ import annotations

from dataclasses import dataclass

from archsim.families.cells.buffers import CellBuffers
from archsim.families.cells.context import CellContext, slots_of, whole
from archsim.families.cells.tiling import Group, Part, Segment
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import CellSpec


@dataclass(frozen=True, slots=True)
class CellTransfers:
    """Makes the transfers of one cell; `unit` executes them."""

    spec: CellSpec
    context: CellContext
    buffers: CellBuffers
    unit: str

    def load_input_ahead(self) -> list[Op]:
        """The load of x for the step `prefetch_steps` ahead; nothing where x is another cell's h."""
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        ahead = slots_of(x) - 1
        label = f"load x[t+{ahead}]" if not self.spec.reverse else f"load x[t-{ahead}]"
        return [self.transfer(label, (self._at_time(source, ahead),), whole(x, ahead, 1), skip_last=ahead)]

    def load_input(self) -> list[Op]:
        """The load of x_t."""
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        return [self.transfer("load x", (self._at_time(source, 0),), whole(x, 0, 1))]

    def load_first_inputs(self) -> list[Op]:
        """The loads of x for the steps before load_input_ahead takes over."""
        source, x = self.context.source, self.buffers.x
        if source is None or x is None:
            return []
        count = min(slots_of(x) - 1, self.context.steps)
        return [
            self.transfer(f"load x_{step}", (self._at_time(source, step, fixed=True),), whole(x, step))
            for step in range(count)
        ]

    def store_output(self) -> list[Op]:
        """The store of h_t, if a tensor outside takes it."""
        target = self.context.target
        if target is None:
            return []
        first = self.context.target_start
        region = self.context.at_time(target, self.spec.reverse, 0, first, first + self.spec.output_size)
        return [self.transfer("store h", (whole(self.buffers.h, self.context.streams, 1),), region)]

    def load_bias(self, group: Group) -> list[Op]:
        """The load of a group's biases, in the order of its rows."""
        b = self.buffers
        if b.bias is None or b.dram_bias is None:
            return []
        packed = Region(b.bias, group.bias_start, group.bias_start + group.rows)
        rows = tuple(self._bias_rows(b.dram_bias, segment) for segment in group.segments)
        return [self.transfer(f"load bias[{group.index}]", rows, packed)]

    def load_peephole(self) -> list[Op]:
        """The load of the peephole weights, if there are any."""
        b = self.buffers
        if b.dram_peephole is None or b.peephole is None:
            return []
        return [self.transfer("load peephole", (whole(b.dram_peephole),), whole(b.peephole))]

    def load_layer_norm(self) -> list[Op]:
        """The load of the normalization's weights, if there are any."""
        b = self.buffers
        if b.dram_layer_norm is None or b.layer_norm is None:
            return []
        return [self.transfer("load layer_norm", (whole(b.dram_layer_norm),), whole(b.layer_norm))]

    def load_state(self) -> list[Op]:
        """The loads of h_0 and, if there is one, c_0: for each stream."""
        b, ops = self.buffers, list[Op]()
        for stream in range(self.context.streams):
            number = self._stream(stream)
            ops.append(self.transfer(f"load h_0{number}", (whole(b.dram_h_0),), whole(b.h, stream)))
            if b.dram_c_0 is not None and b.c is not None:
                ops.append(self.transfer(f"load c_0{number}", (whole(b.dram_c_0),), whole(b.c, stream)))
        return ops

    def store_state(self) -> list[Op]:
        """The stores of h_n and, if there is one, c_n: for each stream."""
        b, ops = self.buffers, list[Op]()
        steps, streams = self.context.steps, self.context.streams
        for stream in range(streams):
            # Where the stream's next step, which does not come, would read it.
            h = stream + streams * max(0, ceil_div(steps - stream, streams))
            number = self._stream(stream)
            ops.append(self.transfer(f"store h_n{number}", (whole(b.h, h % slots_of(b.h)),), whole(b.dram_h_n, stream)))
            if b.dram_c_n is not None and b.c is not None:
                ops.append(self.transfer(f"store c_n{number}", (whole(b.c, stream),), whole(b.dram_c_n, stream)))
        return ops

    def _stream(self, number: int) -> str:
        return f"[{number}]" if self.context.streams > 1 else ""

    def transfer(self, label: str, sources: tuple[Region, ...], target: Region, skip_last: int = 0) -> Op:
        """An op that moves the sources, one after the other, to the target."""
        label = f"{self.context.prefix}{label}"
        return Transfer(unit=self.unit, label=label, sources=sources, target=target, skip_last=skip_last)

    def _at_time(self, buffer: Buffer, ahead: int, *, fixed: bool = False) -> Region:
        return self.context.at_time(buffer, self.spec.reverse, ahead, fixed=fixed)

    def _bias_rows(self, source: Buffer, segment: Segment) -> Region:
        """The rows of a group's biases in the tensor outside.

        It has a bias for each gate; a candidate whose parts are kept apart has a second one behind them.
        """
        block = self.spec.kind.gates if segment.block.part is Part.HIDDEN else segment.block.gate
        first = block * self.spec.hidden_size + segment.first_unit
        return Region(source, first, first + segment.units)
