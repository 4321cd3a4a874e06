"""The buffers of one cell (a direction of a layer): what lies where, in how many slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import overload

from archsim.config.read_tracking import read_only_as
from archsim.errors import CapacityError
from archsim.families.cells.placement import MatrixPlacement, Placement
from archsim.families.cells.tiling import Group
from archsim.families.gemv.blocks import Blocks
from archsim.families.gemv.config import GemvConfig
from archsim.formats import Formats
from archsim.program.ir import Buffer, DataKind
from archsim.workload.network import CellKind, CellSpec

H_SLOTS = 2
"""h is double-buffered by time step: h_t is written while h_{t-1} is read."""

INPUT_SUMS = "input_sums"
"""The name, behind a cell's prefix, of the buffer that keeps W_ih x + bias until its step comes."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How activated gates and intermediate vectors are kept: entries of one slot, and slots."""

    gate_entries: int
    scratch_entries: int
    slots: int


@dataclass(frozen=True, slots=True)
class CellBuffers:
    """All buffers of a cell but its input stream. Widths: K for weight rows, B (batch lanes) for vectors.

    `parts` holds W_ih x and the bias of several time steps, for all groups, if they are made ahead of the sums.
    `scratch` holds tanh(c) (LSTM) or the candidate's pre-activation (GRU); `vector` a whole intermediate vector: o *
    tanh(c) before a projection, or r * h (GRU with the reset before the product). None where a cell has no such thing.
    Of the weight matrices the SRAM holds the rows that are pinned, and slots for the tiles that are streamed.
    """

    dram_w_ih: Buffer
    dram_w_hh: Buffer
    dram_bias: Buffer | None
    dram_peephole: Buffer | None
    dram_w_hr: Buffer | None
    dram_h_0: Buffer
    dram_c_0: Buffer | None
    dram_h_n: Buffer
    dram_c_n: Buffer | None
    w_ih: Buffer | None
    w_hh: Buffer | None
    bias: Buffer | None
    peephole: Buffer | None
    w_hr: Buffer | None
    slots_w_ih: Buffer | None
    slots_w_hh: Buffer | None
    slots_w_hr: Buffer | None
    x: Buffer | None
    h: Buffer
    c: Buffer | None
    sums: Buffer
    gates: Buffer | None
    scratch: Buffer | None
    vector: Buffer | None
    parts: Buffer | None

    def all(self) -> tuple[Buffer, ...]:
        """Every buffer, in the order above."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(buffer for buffer in found if buffer is not None)

    def in_blocks(self) -> tuple[tuple[Buffer, ...], Buffer, Buffer]:
        """Those of the state buffer, x, and the sums that are made ahead."""
        assert self.x is not None
        assert self.parts is not None
        return tuple(buffer for buffer in self.all() if buffer.memory == "state_buffer"), self.x, self.parts


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a cell has of what others use too.

    `rotations`: groups (and projection tiles) that pass the accumulators in a step; `sharers`: cells that share the
    accumulators at a time.
    """

    rotations: int
    sharers: int


def make_buffers(
    spec: CellSpec,
    arch: GemvConfig,
    batch: int,
    prefix: str,
    groups: Sequence[Group],
    storage: Storage,
    sharing: Sharing,
    source: Buffer | None,
    placement: Placement,
    blocks: Blocks | None,
) -> CellBuffers:
    """The buffers of a cell, named behind `prefix`; CapacityError if the accumulators cannot hold one group.

    `source` is the DRAM tensor of its input; None if that is another cell's h. `blocks`: if W_ih x is made for several
    steps at once.
    """
    units, outputs, lstm = spec.hidden_size, spec.output_size, spec.kind is CellKind.LSTM
    # A slot of the accumulators holds a group, or a tile of the projection.
    slot_rows = max(min(spec.proj_size, arch.mac_array.rows), *(group.rows for group in groups))
    needs_vector = bool(spec.proj_size) or (spec.kind is CellKind.GRU and not spec.linear_before_reset)
    make = _Maker(prefix, batch, arch.formats)
    w_ih = make.weights("W_ih", DataKind.W_IH, spec.rows, spec.input_size, "weight")
    w_hh = make.weights("W_hh", DataKind.W_HH, spec.rows, outputs, "weight")
    bias = make.weights("bias", DataKind.BIAS, sum(group.rows for group in groups), 1, "accumulator", spec.bias)
    peephole = make.weights("peephole", DataKind.PEEPHOLE, 3 * units, 1, "cell", spec.peepholes)
    w_hr = make.weights("W_hr", DataKind.W_HR, spec.proj_size, units, "weight", bool(spec.proj_size))
    h = make.state("h", DataKind.H, outputs, "hidden", H_SLOTS)
    c = make.state("c", DataKind.C, units, "cell", 1, lstm)
    # An LSTM's tanh(c) is an activation, a GRU's candidate still has its activation before it.
    scratch, scratch_format = ("tanh_c", "activation") if lstm else ("candidate", "gate")
    slots, sum_slots = storage.slots, _accumulator_slots(arch, slot_rows * batch, sharing)
    x_slots = arch.input_buffer.prefetch_steps + 1 if blocks is None else blocks.x_slots
    sums = make.sums(slot_rows, sum_slots)
    return CellBuffers(
        dram_w_ih=make.in_dram(w_ih, "W_ih"),
        dram_w_hh=make.in_dram(w_hh, "W_hh"),
        dram_bias=make.in_dram(bias, "bias") if bias else None,
        dram_peephole=make.in_dram(peephole, "peephole") if peephole else None,
        dram_w_hr=make.in_dram(w_hr, "W_hr") if w_hr else None,
        dram_h_0=make.in_dram(h, "h_0"),
        dram_c_0=make.in_dram(c, "c_0") if c else None,
        dram_h_n=make.in_dram(h, "h_n", given=False),
        dram_c_n=make.in_dram(c, "c_n", given=False) if c else None,
        w_ih=_pinned(w_ih, placement.w_ih),
        w_hh=_pinned(w_hh, placement.w_hh),
        bias=bias,
        peephole=peephole,
        w_hr=_pinned(w_hr, placement.w_hr) if w_hr else None,
        slots_w_ih=_slots(w_ih, prefix, "W_ih", placement.w_ih, placement.slots),
        slots_w_hh=_slots(w_hh, prefix, "W_hh", placement.w_hh, placement.slots),
        slots_w_hr=_slots(w_hr, prefix, "W_hr", placement.w_hr, placement.slots) if w_hr else None,
        x=make.inputs(source, x_slots) if source is not None else None,
        h=h,
        c=c,
        sums=sums,
        gates=make.state("gates", DataKind.GATE, storage.gate_entries, "activation", slots, bool(storage.gate_entries)),
        scratch=make.state(
            scratch, DataKind.GATE, storage.scratch_entries, scratch_format, slots, bool(storage.scratch_entries)
        ),
        vector=make.state("vector", DataKind.H, units, "hidden", 1, needs_vector),
        parts=None if blocks is None else make.parts(sums, sum(group.rows for group in groups), blocks.part_slots),
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one cell's buffers, or None where the cell has no such thing; formats by their kind in the architecture."""

    prefix: str
    batch: int
    formats: Formats

    @overload
    def weights(self, name: str, kind: DataKind, rows: int, width: int, held: str) -> Buffer: ...
    @overload
    def weights(self, name: str, kind: DataKind, rows: int, width: int, held: str, needed: bool) -> Buffer | None: ...
    def weights(
        self, name: str, kind: DataKind, rows: int, width: int, held: str, needed: bool = True
    ) -> Buffer | None:
        """A matrix or vector as it is if all of it is in the weight SRAM."""
        label, number_format = f"{self.prefix}{name}", self.formats.format(held)
        if not needed:
            return None
        return Buffer(label, "weight_sram", kind, rows, width, number_format, format_kind=held, matrix=held == "weight")

    @overload
    def state(self, name: str, kind: DataKind, entries: int, held: str, slots: int) -> Buffer: ...
    @overload
    def state(self, name: str, kind: DataKind, entries: int, held: str, slots: int, needed: bool) -> Buffer | None: ...
    def state(
        self, name: str, kind: DataKind, entries: int, held: str, slots: int, needed: bool = True
    ) -> Buffer | None:
        """In the state buffer, a batch wide."""
        label, number_format = f"{self.prefix}{name}", self.formats.format(held)
        if not needed:
            return None
        return Buffer(label, "state_buffer", kind, entries, self.batch, number_format, slots, format_kind=held)

    def inputs(self, source: Buffer, slots: int) -> Buffer:
        """Time steps of x in the input buffer, stored as they come: a further layer's x is the h of the one before."""
        label = f"{self.prefix}x"
        return replace(
            source, name=label, memory="input_buffer", kind=DataKind.X, slots=slots, length=None, is_input=False
        )

    def sums(self, rows: int, slots: int) -> Buffer:
        """What tiles leave behind the array."""
        label, number_format = f"{self.prefix}sums", self.formats.format("gate")
        return Buffer(
            label, "accumulators", DataKind.PARTIAL_SUM, rows, self.batch, number_format, slots, format_kind="gate"
        )

    def parts(self, sums: Buffer, rows: int, slots: int) -> Buffer:
        """Sums that wait in the state buffer, in the format that they have behind the array."""
        return replace(sums, name=f"{self.prefix}{INPUT_SUMS}", memory="state_buffer", entries=rows, slots=slots)

    def in_dram(self, like: Buffer, name: str, *, given: bool = True) -> Buffer:
        """The same numbers in DRAM; `given` by the workload, or written by the run."""
        label = f"{self.prefix}dram.{name}"
        return replace(like, name=label, memory="dram", slots=1, is_input=given)


def _pinned(matrix: Buffer, placement: MatrixPlacement) -> Buffer | None:
    """The rows of a matrix that stay in the weight SRAM."""
    rows = placement.pinned_rows
    return replace(matrix, entries=rows) if rows else None


def _slots(matrix: Buffer, prefix: str, name: str, placement: MatrixPlacement, slots: int) -> Buffer | None:
    """Slots of a tile each, through which the rest is streamed."""
    rows = placement.slot_rows
    return replace(matrix, name=f"{prefix}stream.{name}", entries=rows, slots=slots) if rows else None


def _accumulator_slots(arch: GemvConfig, group_entries: int, sharing: Sharing) -> int:
    """Groups that the accumulators can hold at once; more than two steps' worth is of no use."""
    sharers, most = sharing.sharers, 2 * sharing.rotations
    slots: int = read_only_as(arch.accumulators, "entries", lambda have: min(have // (group_entries * sharers), most))
    if not slots:
        what = "rows of one group x batch" + (f" x {sharers} cells at a time" if sharers > 1 else "")
        raise CapacityError(
            "accumulators",
            group_entries * sharers,
            arch.accumulators.entries,
            "entries",
            what,
            ("more accumulators.entries", "a smaller batch", "fewer mac_array.rows (down to 4)"),
        )
    return slots
