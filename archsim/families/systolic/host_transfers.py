"""What a cell of a systolic machine exchanges with the host: biases, states, x and h."""

from __future__ import annotations

from archsim.families.cells.buffers import H_SLOTS
from archsim.families.cells.context import whole
from archsim.families.cells.tiling import Part
from archsim.families.systolic.cell import SystolicOps
from archsim.families.systolic.host_link import HostLink
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import Buffer, Op, Region


class HostTransfers:
    """Makes the transfers of one cell."""

    def __init__(self, cell: SystolicOps) -> None:
        self._cell = cell
        self._buffers, self._around = cell.buffers, cell.context

    def load_constants(self) -> list[Op]:
        """Biases, group by group, and peephole weights."""
        b, ops = self._buffers, list[Op]()
        units, gates = self._cell.spec.hidden_size, self._cell.spec.kind.gates
        if b.bias is not None and b.dram_bias is not None:
            for group in self._cell.groups:
                pieces = []
                for segment in group.segments:
                    block = gates if segment.block.part is Part.HIDDEN else segment.block.gate
                    first = block * units + segment.first_unit
                    pieces.append(Region(b.dram_bias, first, first + segment.units))
                target = Region(b.bias, group.bias_start, group.bias_start + group.rows)
                ops.append(self._transfer(f"load bias[{group.index}]", tuple(pieces), target))
        if b.peephole is not None and b.dram_peephole is not None:
            ops.append(self._transfer("load peephole", (whole(b.dram_peephole),), whole(b.peephole)))
        return ops

    def load_state(self) -> list[Op]:
        """h_0 and, if there is one, c_0."""
        b = self._buffers
        ops = [self._transfer("load h_0", (whole(b.dram_h_0),), whole(b.h))]
        if b.dram_c_0 is not None and b.c is not None:
            ops.append(self._transfer("load c_0", (whole(b.dram_c_0),), whole(b.c)))
        return ops

    def load_first_inputs(self) -> list[Op]:
        """x of the steps before load_input_ahead takes over."""
        source, x = self._around.source, self._x
        assert source is not None
        return [
            self._transfer(f"load x_{step}", (self._at_time(source, step, fixed=True),), whole(x, step))
            for step in range(min(self._ahead, self._around.steps))
        ]

    def load_input_ahead(self) -> list[Op]:
        """x of the step `prefetch_steps` ahead, while x_t is in use."""
        source, x, ahead = self._around.source, self._x, self._ahead
        assert source is not None
        label = f"load x[t-{ahead}]" if self._cell.spec.reverse else f"load x[t+{ahead}]"
        return [self._transfer(label, (self._at_time(source, ahead),), whole(x, ahead, 1), skip_last=ahead)]

    def store_output(self) -> list[Op]:
        """h_t."""
        target, first = self._around.target, self._around.target_start
        assert target is not None
        region = self._at_time(target, 0, first, first + self._cell.spec.output_size)
        return [self._transfer("store h", (whole(self._buffers.h, 1, 1),), region)]

    def store_state(self) -> list[Op]:
        """h_n and, if there is one, c_n."""
        b = self._buffers
        ops = [self._transfer("store h_n", (whole(b.h, self._around.steps % H_SLOTS),), whole(b.dram_h_n))]
        if b.dram_c_n is not None and b.c is not None:
            ops.append(self._transfer("store c_n", (whole(b.c),), whole(b.dram_c_n)))
        return ops

    @property
    def _x(self) -> Buffer:
        assert self._buffers.x is not None
        return self._buffers.x

    @property
    def _ahead(self) -> int:
        assert self._x.slots is not None
        return self._x.slots - 1

    def _at_time(
        self, buffer: Buffer, ahead: int, start: int = 0, stop: int | None = None, *, fixed: bool = False
    ) -> Region:
        """A tensor with a time axis at the cell's step r + ahead (or, fixed, at its step `ahead`)."""
        reverse = self._cell.spec.reverse
        offset = self._around.steps - 1 - ahead if reverse else ahead
        stride = 0 if fixed else (-1 if reverse else 1)
        return Region(buffer, start, buffer.entries if stop is None else stop, offset, stride)

    def _transfer(self, label: str, sources: tuple[Region, ...], target: Region, skip_last: int = 0) -> Op:
        label = f"{self._around.prefix}{label}"
        return Transfer(unit=HostLink.name, label=label, sources=sources, target=target, skip_last=skip_last)
