"""What a cell is given by the network around it, and how it addresses tensors with a time axis."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.families.gemv.blocks import Blocks
from archsim.program.ir import Buffer, Region


@dataclass(frozen=True, slots=True)
class CellContext:
    """What a cell is given by the network around it.

    `prefix` begins the names of its ops and buffers. `source` is the DRAM tensor of its input; None if `source_h`, the
    h of the cell before it, is its input at once (wavefront). `target` is the DRAM tensor of its output, from entry
    `target_start` on; None if only the next cell reads it. `valid` says which sequences are there at each time step;
    None if all always are. `sharers`: cells that share the accumulators at a time. `blocks`: if W_ih x is made for
    several steps at once.
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
    blocks: Blocks | None = None

    def at_time(
        self,
        buffer: Buffer,
        reverse: bool,
        ahead: int,
        start: int = 0,
        stop: int | None = None,
        *,
        fixed: bool = False,
    ) -> Region:
        """A tensor with a time axis at a cell's step r + ahead (or, fixed, at its step `ahead`)."""
        offset = self.steps - 1 - ahead if reverse else ahead
        stride = 0 if fixed else (-1 if reverse else 1)
        return Region(buffer, start, buffer.entries if stop is None else stop, offset, stride)


def whole(buffer: Buffer, offset: int = 0, stride: int = 0) -> Region:
    """All entries of a slot."""
    return Region(buffer, 0, buffer.entries, offset, stride)


def slots_of(buffer: Buffer) -> int:
    """How many slots a buffer with a fixed number of them has."""
    assert buffer.slots is not None
    return buffer.slots
