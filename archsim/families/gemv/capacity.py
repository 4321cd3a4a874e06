"""Checks whether everything fits: every memory's demand against what it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import le

from archsim.config.read_tracking import read_only_as
from archsim.errors import CapacityError
from archsim.families.cells.context import slots_of
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.config import ChunkEncoderConfig
from archsim.families.gemv.matrices.weight_buffers import INPUT_SUMS
from archsim.families.gemv.memories import BiasBufferConfig, WeightSramConfig
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.hardware.memories import BufferConfig
from archsim.program.ir import Buffer, Phase
from archsim.program.rooms import needed_bytes
from archsim.workload.network import CellKind, CellSpec

_KNOBS = {
    "bias_buffer": ("more bias_buffer.capacity_bytes", "a smaller model"),
    "weight_sram": ("more weight_sram.capacity_bytes", "a narrower weight format", "a smaller model"),
    "input_buffer": (
        "more input_buffer.capacity_bytes",
        "fewer input_buffer.prefetch_steps",
        "a smaller batch or input_size",
    ),
    "state_buffer": ("more state_buffer.capacity_bytes", "a smaller batch or hidden_size"),
    "delta_buffer": ("more delta_encoder.capacity_bytes", "a smaller model"),
}
_HOISTED = {
    "input_buffer": (
        "more input_buffer.capacity_bytes",
        "fewer state_buffer.hoist_steps",
        "a smaller batch or input_size",
    ),
    "state_buffer": (
        "more state_buffer.capacity_bytes",
        "fewer state_buffer.hoist_steps",
        "a smaller batch or hidden_size",
    ),
}
"""Where W_ih x is made for several steps at once."""


def check_capacity(
    buffers: Sequence[Buffer], phases: Sequence[Phase], arch: GemvConfig, streamed_sibling: str = ""
) -> None:
    """Raise CapacityError for the first memory that cannot hold its buffers, of layers in turn those of the largest.

    `streamed_sibling`: the schedule that differs in that it streams weights, if there is one.
    """
    check_dram(buffers, arch)
    for memory, section in _sections(arch).items():
        held = [buffer for buffer in buffers if buffer.memory == memory]
        need = needed_bytes(held, phases)
        if not read_only_as(section, "capacity_bytes", partial(le, need)):
            capacity = section.capacity_bytes
            parts = " + ".join(f"{buffer.name} {buffer.size_bytes:,}{_times(buffer)}" for buffer in held)
            if need < sum(buffer.size_bytes for buffer in held):
                parts += "; buffers of layers that run one after the other in the same place"
            streamed = (f"--schedule {streamed_sibling}",) if streamed_sibling and memory == "weight_sram" else ()
            hoisted = any(buffer.name.endswith(INPUT_SUMS) for buffer in buffers)
            knobs = (_HOISTED if hoisted else _KNOBS).get(memory, _KNOBS[memory])
            raise CapacityError(memory, need, capacity, "bytes", parts, knobs + streamed)


def weights_fit(buffers: Sequence[Buffer], phases: Sequence[Phase], arch: GemvConfig) -> bool:
    """Whether the memories of weights and biases hold theirs."""
    sections = _sections(arch)
    return all(
        read_only_as(
            sections[memory],
            "capacity_bytes",
            partial(le, needed_bytes([buffer for buffer in buffers if buffer.memory == memory], phases)),
        )
        for memory in ("weight_sram", "bias_buffer")
        if memory in sections
    )


def check_staying_sums(sums: Sequence[Buffer], least: int, arch: GemvConfig) -> None:
    """Raise CapacityError if the accumulators cannot hold a sum for each row of the cells that run side by side.

    `least`: the sums that no group's padding is added to; only if those fit, groups of fewer rows may help.
    """
    need = sum(slots_of(buffer) * buffer.entries * buffer.width for buffer in sums)
    if not read_only_as(arch.accumulators, "entries", partial(le, need)):
        rows = " + ".join(f"{slots_of(buffer):,} groups of {buffer.entries * buffer.width:,} rows" for buffer in sums)
        narrower = ("fewer mac_array.rows (down to 4)",) if least <= arch.accumulators.entries else ()
        knobs = ("more accumulators.entries", *narrower, "a smaller batch or model")
        what = f"the sums of a delta network stay: {rows}"
        raise CapacityError("accumulators", need, arch.accumulators.entries, "entries", what, knobs)


def staying_sums(cells: Sequence[CellSpec], sequences: int) -> int:
    """How many sums of cells that run side by side stay: one a row, of a GRU's candidate two, for each sequence."""
    candidates = sum(cell.hidden_size for cell in cells if cell.kind is CellKind.GRU)
    return (sum(cell.rows for cell in cells) + candidates) * sequences


def check_dram(buffers: Sequence[Buffer], arch: GemvConfig) -> None:
    """Raise CapacityError if the device cannot hold the program's tensors; DRAM of kind `simple` has no size."""
    if isinstance(arch.dram, DdrConfig):
        layout, capacity = arch.dram.layout(tuple(buffers)), arch.dram.capacity_bytes
        if layout.end_bytes > capacity:
            what = f"{len(layout.places)} tensors, each from a row of its own on"
            raise CapacityError(
                "dram", layout.end_bytes, capacity, "bytes", what, ("more dram.channels", "a larger dram.device")
            )


def _sections(
    arch: GemvConfig,
) -> Mapping[str, WeightSramConfig | BiasBufferConfig | BufferConfig | ChunkEncoderConfig]:
    biases = {} if arch.bias_buffer is None else {"bias_buffer": arch.bias_buffer}
    return {
        "weight_sram": arch.weight_sram,
        **biases,
        "input_buffer": arch.input_buffer,
        "state_buffer": arch.state_buffer,
        **({} if arch.delta_encoder is None else {"delta_buffer": arch.delta_encoder}),
    }


def _times(buffer: Buffer) -> str:
    return f" in {buffer.slots} slots" if buffer.slots != 1 else ""
