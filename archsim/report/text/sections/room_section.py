"""Writes what the program's buffers take of each memory on the chip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.hardware.storage import Sram
from archsim.program.rooms import needed_bytes
from archsim.report.text.figures_as_text import binary_bytes, percent
from archsim.report.text.layout import heading, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def room(simulation: Simulation) -> list[RenderableType]:
    """The section on memories: a line for each, and one for each of its buffers."""
    costing, program = simulation.arch.config.costing, simulation.program
    slots = {buffer.name: buffer.slots for buffer in program.buffers}
    rows: list[tuple[str, ...]] = []
    strong: list[int] = []
    for memory, buffers in simulation.stats.stored_bytes.items():
        storage = None if costing is None else costing.memories.get(memory)
        total = needed_bytes([buffer for buffer in program.buffers if buffer.name in buffers], program.phases)
        share = percent(total / storage.capacity_bytes) if isinstance(storage, Sram) else ""
        strong.append(len(rows))
        rows.append((memory, "all", "", f"{total:,}", binary_bytes(total), share))
        rows += [("", name, f"{slots[name]}", f"{size:,}", binary_bytes(size), "") for name, size in buffers.items()]
    headers = ("memory", "buffer", "slots", "bytes", "binary", "of capacity")
    return [
        heading("On-chip memory that the buffers take", "for the whole run"),
        table(("<", "<", ">", ">", ">", ">"), headers, rows, strong),
    ]
