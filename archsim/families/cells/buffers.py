"""Makes the buffers of one cell (a direction of a layer): biases, states, gates and sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SCRATCH_BANK, VECTOR_BANK
from archsim.families.cells.context import CellMemories
from archsim.families.cells.tiling import Group
from archsim.formats import Formats
from archsim.program.ir import Buffer, DataKind
from archsim.workload.network import CellKind, CellSpec


def h_slots(streams: int) -> int:
    """The slots of h: one for each stream's last one, and one for that which is written while the last one is read."""
    return streams + 1


@dataclass(frozen=True, slots=True)
class Storage:
    """How activated gates and intermediate vectors are kept: entries of a slot, and number of slots."""

    gate_entries: int
    scratch_entries: int
    slots: int


@dataclass(frozen=True, slots=True)
class CellBuffers:
    """The buffers of a cell but its weight matrices. Widths: 1 for biases, peephole and normalization weights, else B.

    `scratch` holds tanh(c) (LSTM) or the candidate's pre-activation (GRU); `vector` a whole intermediate vector: o *
    tanh(c) before a projection, or r * h (GRU with the reset before the product). `x` is None where the input is
    another cell's h. None where a cell has no such thing.
    """

    dram_bias: Buffer | None
    dram_peephole: Buffer | None
    dram_layer_norm: Buffer | None
    dram_h_0: Buffer
    dram_c_0: Buffer | None
    dram_h_n: Buffer
    dram_c_n: Buffer | None
    bias: Buffer | None
    peephole: Buffer | None
    layer_norm: Buffer | None
    x: Buffer | None
    h: Buffer
    c: Buffer | None
    sums: Buffer
    gates: Buffer | None
    scratch: Buffer | None
    vector: Buffer | None


@dataclass(frozen=True, slots=True)
class Slots:
    """How many slots a machine has for a cell's inputs and sums.

    `x`: time steps of the input; `sums`: groups of `sum_rows` rows.
    """

    x: int
    sums: int
    sum_rows: int


def make_buffers(
    spec: CellSpec,
    maker: BufferMaker,
    groups: Sequence[Group],
    storage: Storage,
    slots: Slots,
    source: Buffer | None,
    streams: int = 1,
) -> CellBuffers:
    """Make the buffers of a cell; `source` is the tensor outside of its input, None if that is another cell's h."""
    units, outputs, lstm = spec.hidden_size, spec.output_size, spec.kind is CellKind.LSTM
    needs_vector = bool(spec.proj_size) or (spec.kind is CellKind.GRU and not spec.linear_before_reset)
    bias = maker.weights("bias", DataKind.BIAS, sum(group.rows for group in groups), 1, "accumulator", spec.bias)
    peephole = maker.weights("peephole", DataKind.PEEPHOLE, 3 * units, 1, "cell", spec.peepholes)
    norm = maker.weights("layer_norm", DataKind.LAYER_NORM, 4 * units, 1, "cell", spec.layer_norm)
    h = maker.state("h", H_BANK, DataKind.H, outputs, "hidden", h_slots(streams))
    c = maker.state("c", C_BANK, DataKind.C, units, "cell", streams, lstm)
    # An LSTM's tanh(c) is an activation, a GRU's candidate still has its activation before it.
    scratch, scratch_format = ("tanh_c", "activation") if lstm else ("candidate", "gate")
    gates, kept = storage.gate_entries, storage.scratch_entries
    return CellBuffers(
        dram_bias=maker.outside(bias, "bias") if bias else None,
        dram_peephole=maker.outside(peephole, "peephole") if peephole else None,
        dram_layer_norm=maker.outside(norm, "layer_norm") if norm else None,
        dram_h_0=maker.outside(h, "h_0"),
        dram_c_0=maker.outside(c, "c_0") if c else None,
        dram_h_n=maker.outside(h, "h_n", given=False, slots=streams),
        dram_c_n=maker.outside(c, "c_n", given=False, slots=streams) if c else None,
        bias=bias,
        peephole=peephole,
        layer_norm=norm,
        x=maker.inputs(source, slots.x) if source is not None else None,
        h=h,
        c=c,
        sums=maker.sums(slots.sum_rows, slots.sums),
        gates=maker.state("gates", GATE_BANKS, DataKind.GATE, gates, "activation", storage.slots, bool(gates)),
        scratch=maker.state(scratch, SCRATCH_BANK, DataKind.GATE, kept, scratch_format, storage.slots, bool(kept)),
        vector=maker.state("vector", VECTOR_BANK, DataKind.H, units, "hidden", 1, needs_vector),
    )


@dataclass(frozen=True, slots=True)
class BufferMaker:
    """Makes one cell's buffers, or None where the cell has no such thing.

    A buffer's format is that of its kind of data in the architecture.
    """

    prefix: str
    batch: int
    formats: Formats
    memories: CellMemories

    @overload
    def weights(self, name: str, kind: DataKind, rows: int, width: int, held: str) -> Buffer: ...
    @overload
    def weights(self, name: str, kind: DataKind, rows: int, width: int, held: str, needed: bool) -> Buffer | None: ...
    def weights(
        self, name: str, kind: DataKind, rows: int, width: int, held: str, needed: bool = True
    ) -> Buffer | None:
        """A buffer for a whole matrix (rows, width) or vector of weights on the chip."""
        label, number_format = f"{self.prefix}{name}", self.formats.format(held)
        if not needed:
            return None
        matrix = held == "weight"
        memory = self.memories.weights if matrix else self.memories.biases
        return Buffer(label, memory, kind, rows, width, number_format, format_kind=held, matrix=matrix)

    @overload
    def state(self, name: str, bank: str, kind: DataKind, entries: int, held: str, slots: int) -> Buffer: ...
    @overload
    def state(
        self, name: str, bank: str, kind: DataKind, entries: int, held: str, slots: int, needed: bool
    ) -> Buffer | None: ...
    def state(
        self, name: str, bank: str, kind: DataKind, entries: int, held: str, slots: int, needed: bool = True
    ) -> Buffer | None:
        """A buffer for a vector of the cell's state, a batch wide, in a bank of the state's memory."""
        label, number_format = f"{self.prefix}{name}", self.formats.format(held)
        if not needed:
            return None
        memory = self.memories.state
        return Buffer(label, memory, kind, entries, self.batch, number_format, slots, format_kind=held, bank=bank)

    def inputs(self, source: Buffer, slots: int) -> Buffer:
        """A buffer for time steps of x, stored as they come: a further layer's x is the h of the one before."""
        label, memory = f"{self.prefix}x", self.memories.inputs
        return replace(source, name=label, memory=memory, kind=DataKind.X, slots=slots, length=None, is_input=False)

    def sums(self, rows: int, slots: int) -> Buffer:
        """A buffer for the sums of a group's rows, in the format of the gates before their activation."""
        label, number_format = f"{self.prefix}sums", self.formats.format("gate")
        kind, memory = DataKind.PARTIAL_SUM, self.memories.sums
        return Buffer(label, memory, kind, rows, self.batch, number_format, slots, format_kind="gate")

    def outside(self, like: Buffer, name: str, *, given: bool = True, slots: int = 1) -> Buffer:
        """The buffer outside the chip for the same numbers; `given` by the workload, or written by the run."""
        label = f"{self.prefix}dram.{name}"
        return replace(like, name=label, memory=self.memories.outside, slots=slots, is_input=given, bank="")
