"""Does everything fit? Every memory's demand against what it has."""

from __future__ import annotations

from archsim.arch import ArchConfig
from archsim.errors import CapacityError
from archsim.program.ir import Buffer

_KNOBS = {
    "weight_sram": ("more weight_sram.capacity_bytes", "a narrower weight format", "a smaller model"),
    "input_buffer": (
        "more input_buffer.capacity_bytes",
        "fewer input_buffer.prefetch_steps",
        "a smaller batch or input_size",
    ),
    "state_buffer": ("more state_buffer.capacity_bytes", "a smaller batch or hidden_size"),
}


def check_capacity(buffers: tuple[Buffer, ...], arch: ArchConfig, resident: str | None = None) -> None:
    """Raise CapacityError for the first on-chip memory that cannot hold its buffers.

    `resident`: the name of the schedule, if it keeps all weights in the weight SRAM.
    """
    have = {
        "weight_sram": arch.weight_sram.capacity_bytes,
        "input_buffer": arch.input_buffer.capacity_bytes,
        "state_buffer": arch.state_buffer.capacity_bytes,
    }
    for memory, capacity in have.items():
        held = [buffer for buffer in buffers if buffer.memory == memory]
        need = sum(buffer.size_bytes for buffer in held)
        if need > capacity:
            parts = " + ".join(f"{buffer.name} {buffer.size_bytes:,}{_times(buffer)}" for buffer in held)
            streamed = (f"--schedule {_streamed(resident)}",) if resident and memory == "weight_sram" else ()
            raise CapacityError(memory, need, capacity, "bytes", parts, _KNOBS[memory] + streamed)


def _times(buffer: Buffer) -> str:
    return f" in {buffer.slots} slots" if buffer.slots != 1 else ""


def _streamed(resident: str) -> str:
    """The schedule that differs from a resident one in that it streams."""
    name = resident.removesuffix("_wavefront")
    return f"{name}_streamed{resident[len(name) :]}"
