"""Says what a cell is given, by its machine and by the network around it; addresses tensors with a time axis."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.families.cells.activation import ActivationConfig
from archsim.families.cells.elementwise import ElementwiseConfig
from archsim.formats import Formats
from archsim.program.ir import Buffer, Region


@dataclass(frozen=True, slots=True)
class CellMemories:
    """The names of the memories that hold each kind of a cell's buffers.

    `outside`: states, biases and peephole weights before and after the run; while it runs `weights` holds the matrices,
    `biases` biases and peephole weights; `inputs`: x; `state`: h, c, gates and what lies between; `sums`: sums that
    gates are made of.
    """

    outside: str
    weights: str
    biases: str
    inputs: str
    state: str
    sums: str


@dataclass(frozen=True, slots=True)
class CellMachine:
    """What a cell needs to know of its machine, whatever the family.

    `group_rows`: most rows of a group that a unit multiplies at a time; `gate_slots`: groups whose gates are kept at
    once where gates are interleaved, or None for as many as the order of the ops needs.
    """

    formats: Formats
    activation: ActivationConfig
    elementwise: ElementwiseConfig
    group_rows: int
    gate_slots: int | None


@dataclass(frozen=True, slots=True)
class CellContext:
    """What a cell is given by the network around it.

    `prefix` begins the names of its ops and buffers. `source` is the tensor outside of its input; None if `source_h`,
    the h of the cell before it, is its input at once (wavefront). `target` is the tensor outside of its output, from
    entry `target_start` on; None if only the next cell reads it. `valid` says which sequences are there at each time
    step; None if all always are. `sharers`: cells that share the accumulators at a time. `x_is_early`: whether the
    input of a step can be there before the h of the step before. `streams`: how many take turns, one a step, each with
    states of its own.
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
    x_is_early: bool = True
    streams: int = 1

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
        """The region of a tensor with a time axis at a cell's step r + ahead (or, fixed, at step `ahead`)."""
        offset = self.steps - 1 - ahead if reverse else ahead
        stride = 0 if fixed else (-1 if reverse else 1)
        return Region(buffer, start, buffer.entries if stop is None else stop, offset, stride)


def whole(buffer: Buffer, offset: int = 0, stride: int = 0) -> Region:
    """The region of all entries of a slot."""
    return Region(buffer, 0, buffer.entries, offset, stride)


def slots_of(buffer: Buffer) -> int:
    """The number of slots of a buffer that has a fixed number of them."""
    assert buffer.slots is not None
    return buffer.slots
