"""The buffers of an LSTM program: what lies where, in how many slots."""

from __future__ import annotations

from dataclasses import dataclass, fields

from archsim.arch import ArchConfig
from archsim.errors import CapacityError
from archsim.program.ir import Buffer, DataKind
from archsim.workload import LstmSpec

H_SLOTS = 2
"""h is double-buffered by time step: h_t is written while h_{t-1} is read."""


@dataclass(frozen=True, slots=True)
class LstmBuffers:
    """All buffers of a one-layer LSTM. Widths: I or H for weight rows, B (batch lanes) for vectors."""

    dram_w_ih: Buffer
    dram_w_hh: Buffer
    dram_bias: Buffer
    dram_x: Buffer
    dram_h_0: Buffer
    dram_c_0: Buffer
    dram_output: Buffer
    dram_h_n: Buffer
    dram_c_n: Buffer
    w_ih: Buffer
    w_hh: Buffer
    bias: Buffer
    x: Buffer
    h: Buffer
    c: Buffer
    sums: Buffer
    gates: Buffer
    tanh_c: Buffer

    def all(self) -> tuple[Buffer, ...]:
        """Every buffer, in the order above."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class GateStorage:
    """How the activated gates are kept: entries of one slot, and slots, of the gates and of tanh(c)."""

    gate_entries: int
    tanh_entries: int
    slots: int


def make_buffers(spec: LstmSpec, arch: ArchConfig, group_rows: int, groups: int, gates: GateStorage) -> LstmBuffers:
    """The buffers for groups of at most `group_rows` rows; CapacityError if the accumulators cannot hold one."""
    weight, bias = arch.formats.format("weight"), arch.formats.format("accumulator")
    inputs, hidden = arch.formats.format("input"), arch.formats.format("hidden")
    cell, activation = arch.formats.format("cell"), arch.formats.format("activation")
    x_slots = arch.input_buffer.prefetch_steps + 1
    rows, units, batch = 4 * spec.hidden_size, spec.hidden_size, spec.batch
    return LstmBuffers(
        dram_w_ih=Buffer("dram.W_ih", "dram", DataKind.W_IH, rows, spec.input_size, weight, is_input=True),
        dram_w_hh=Buffer("dram.W_hh", "dram", DataKind.W_HH, rows, units, weight, is_input=True),
        dram_bias=Buffer("dram.bias", "dram", DataKind.BIAS, rows, 1, bias, is_input=True),
        dram_x=Buffer("dram.x", "dram", DataKind.X, spec.input_size, batch, inputs, slots=None, is_input=True),
        dram_h_0=Buffer("dram.h_0", "dram", DataKind.H, units, batch, hidden, is_input=True),
        dram_c_0=Buffer("dram.c_0", "dram", DataKind.C, units, batch, cell, is_input=True),
        dram_output=Buffer("dram.output", "dram", DataKind.OUTPUT, units, batch, hidden, slots=None),
        dram_h_n=Buffer("dram.h_n", "dram", DataKind.H, units, batch, hidden),
        dram_c_n=Buffer("dram.c_n", "dram", DataKind.C, units, batch, cell),
        w_ih=Buffer("W_ih", "weight_sram", DataKind.W_IH, rows, spec.input_size, weight),
        w_hh=Buffer("W_hh", "weight_sram", DataKind.W_HH, rows, units, weight),
        bias=Buffer("bias", "weight_sram", DataKind.BIAS, rows, 1, bias),
        x=Buffer("x", "input_buffer", DataKind.X, spec.input_size, batch, inputs, x_slots),
        h=Buffer("h", "state_buffer", DataKind.H, units, batch, hidden, H_SLOTS),
        c=Buffer("c", "state_buffer", DataKind.C, units, batch, cell),
        sums=Buffer(
            "sums",
            "accumulators",
            DataKind.PARTIAL_SUM,
            group_rows,
            batch,
            arch.formats.format("accumulator"),
            _accumulator_slots(arch, group_rows * batch, groups),
        ),
        gates=Buffer("gates", "state_buffer", DataKind.GATE, gates.gate_entries, batch, activation, gates.slots),
        tanh_c=Buffer("tanh_c", "state_buffer", DataKind.GATE, gates.tanh_entries, batch, activation, gates.slots),
    )


def _accumulator_slots(arch: ArchConfig, group_entries: int, groups: int) -> int:
    """Groups that the accumulators can hold at once; more than two steps' worth is of no use."""
    have = arch.accumulators.entries
    if have < group_entries:
        raise CapacityError(
            "accumulators",
            group_entries,
            have,
            "entries",
            "rows of one group x batch",
            ("more accumulators.entries", "a smaller batch", "fewer mac_array.rows (down to 4)"),
        )
    return min(have // group_entries, 2 * groups)
