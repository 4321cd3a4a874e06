"""The buffers of one cell (a direction of a layer): what lies where, in how many slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from archsim.arch import ArchConfig
from archsim.errors import CapacityError
from archsim.program.ir import Buffer, DataKind
from archsim.schedules.tiling import Group
from archsim.workload.network import CellKind, CellSpec

H_SLOTS = 2
"""h is double-buffered by time step: h_t is written while h_{t-1} is read."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How activated gates and intermediate vectors are kept: entries of one slot, and slots."""

    gate_entries: int
    scratch_entries: int
    slots: int


@dataclass(frozen=True, slots=True)
class CellBuffers:
    """All buffers of a cell but its input stream. Widths: K for weight rows, B (batch lanes) for vectors.

    `scratch` holds tanh(c) (LSTM) or the candidate's pre-activation (GRU); `vector` a whole intermediate vector: o *
    tanh(c) before a projection, or r * h (GRU with the reset before the product). None where a cell has no such thing.
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
    w_ih: Buffer
    w_hh: Buffer
    bias: Buffer | None
    peephole: Buffer | None
    w_hr: Buffer | None
    x: Buffer | None
    h: Buffer
    c: Buffer | None
    sums: Buffer
    gates: Buffer | None
    scratch: Buffer | None
    vector: Buffer | None

    def all(self) -> tuple[Buffer, ...]:
        """Every buffer, in the order above."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(buffer for buffer in found if buffer is not None)


def make_buffers(
    spec: CellSpec,
    arch: ArchConfig,
    batch: int,
    prefix: str,
    groups: Sequence[Group],
    rotations: int,
    storage: Storage,
    sharers: int,
    own_input: bool,
) -> CellBuffers:
    """The buffers of a cell whose names begin with `prefix`.

    `rotations`: slots of accumulators used in a step; `sharers`: cells that share the accumulators at a time;
    `own_input`: x comes from DRAM through the input buffer (else it is another cell's h). CapacityError if the
    accumulators cannot hold one group.
    """
    formats = arch.formats
    weight, accumulator = formats.format("weight"), formats.format("accumulator")
    inputs, hidden = formats.format("input"), formats.format("hidden")
    cell, activation = formats.format("cell"), formats.format("activation")
    rows, units, outputs = spec.rows, spec.hidden_size, spec.output_size
    group_rows = max(group.rows for group in groups)
    bias_rows = sum(group.rows for group in groups)
    lstm = spec.kind is CellKind.LSTM

    def dram(name: str, kind: DataKind, entries: int, width: int, like: Buffer, *, given: bool = True) -> Buffer:
        return Buffer(f"{prefix}dram.{name}", "dram", kind, entries, width, like.number_format, is_input=given)

    w_ih = Buffer(f"{prefix}W_ih", "weight_sram", DataKind.W_IH, rows, spec.input_size, weight)
    w_hh = Buffer(f"{prefix}W_hh", "weight_sram", DataKind.W_HH, rows, outputs, weight)
    bias = Buffer(f"{prefix}bias", "weight_sram", DataKind.BIAS, bias_rows, 1, accumulator)
    peephole = Buffer(f"{prefix}peephole", "weight_sram", DataKind.PEEPHOLE, 3 * units, 1, accumulator)
    w_hr = Buffer(f"{prefix}W_hr", "weight_sram", DataKind.W_HR, outputs, units, weight)
    h = Buffer(f"{prefix}h", "state_buffer", DataKind.H, outputs, batch, hidden, H_SLOTS)
    c = Buffer(f"{prefix}c", "state_buffer", DataKind.C, units, batch, cell)
    x_slots = arch.input_buffer.prefetch_steps + 1
    vector_needed = bool(spec.proj_size) or (spec.kind is CellKind.GRU and not spec.linear_before_reset)
    sum_slots = _accumulator_slots(arch, group_rows * batch, rotations, sharers)
    gates = Buffer(
        f"{prefix}gates", "state_buffer", DataKind.GATE, storage.gate_entries, batch, activation, storage.slots
    )
    scratch_name = "tanh_c" if lstm else "candidate"
    scratch = Buffer(
        f"{prefix}{scratch_name}",
        "state_buffer",
        DataKind.GATE,
        storage.scratch_entries,
        batch,
        activation,
        storage.slots,
    )
    return CellBuffers(
        dram_w_ih=dram("W_ih", DataKind.W_IH, rows, spec.input_size, w_ih),
        dram_w_hh=dram("W_hh", DataKind.W_HH, rows, outputs, w_hh),
        dram_bias=dram("bias", DataKind.BIAS, bias_rows, 1, bias) if spec.bias else None,
        dram_peephole=dram("peephole", DataKind.PEEPHOLE, 3 * units, 1, peephole) if spec.peepholes else None,
        dram_w_hr=dram("W_hr", DataKind.W_HR, outputs, units, w_hr) if spec.proj_size else None,
        dram_h_0=dram("h_0", DataKind.H, outputs, batch, h),
        dram_c_0=dram("c_0", DataKind.C, units, batch, c) if lstm else None,
        dram_h_n=dram("h_n", DataKind.H, outputs, batch, h, given=False),
        dram_c_n=dram("c_n", DataKind.C, units, batch, c, given=False) if lstm else None,
        w_ih=w_ih,
        w_hh=w_hh,
        bias=bias if spec.bias else None,
        peephole=peephole if spec.peepholes else None,
        w_hr=w_hr if spec.proj_size else None,
        x=Buffer(f"{prefix}x", "input_buffer", DataKind.X, spec.input_size, batch, inputs, x_slots)
        if own_input
        else None,
        h=h,
        c=c if lstm else None,
        sums=Buffer(f"{prefix}sums", "accumulators", DataKind.PARTIAL_SUM, group_rows, batch, accumulator, sum_slots),
        gates=gates if storage.gate_entries else None,
        scratch=scratch if storage.scratch_entries else None,
        vector=Buffer(f"{prefix}vector", "state_buffer", DataKind.H, units, batch, hidden) if vector_needed else None,
    )


def _accumulator_slots(arch: ArchConfig, group_entries: int, rotations: int, sharers: int) -> int:
    """Groups that the accumulators can hold at once; more than two steps' worth is of no use."""
    have = arch.accumulators.entries
    if have < group_entries * sharers:
        what = "rows of one group x batch" + (f" x {sharers} cells at a time" if sharers > 1 else "")
        raise CapacityError(
            "accumulators",
            group_entries * sharers,
            have,
            "entries",
            what,
            ("more accumulators.entries", "a smaller batch", "fewer mac_array.rows (down to 4)"),
        )
    return min(have // (group_entries * sharers), 2 * rotations)
