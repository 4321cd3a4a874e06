"""Times tiles of a delta network: what a step takes follows from the chunks in which something has changed.

A chunk holds the array for a cycle a sequence, or for as many as its weights, or its deltas of all sequences, have
words on their port; a tile without any chunk for a cycle a sequence, in which its sums are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.errors import SimulatorBug
from archsim.families.gemv.deltas.chunks import StepChunks
from archsim.families.gemv.deltas.ops import DeltaTile
from archsim.hardware.port_streams import Widths
from archsim.hardware.unit import Service, Session, Unit, ceil_div
from archsim.program.ir import Op


class ChunkSession(Session):
    """The times of an array that skips chunks, and how many it has multiplied and skipped."""

    def __init__(self, unit: Unit[Any]) -> None:
        self._unit = unit
        self._known: dict[int, tuple[Op, Service]] = {}
        self._multiplied = self._skipped = 0

    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """The times of an op in a repetition; those of a tile of all columns never change."""
        if id(op) not in self._known:
            self._known[id(op)] = op, self._unit.cycles(op)
        known = self._known[id(op)][1]
        if not isinstance(op, DeltaTile):
            return known
        if op.activity is None:
            raise SimulatorBug(f"'{op.label}' is timed, and it is not known which columns it multiplies")
        chunks = op.chunks[op.step(repetition)]
        self._multiplied += chunks.count
        self._skipped += ceil_div(op.inputs, op.per_chunk) - chunks.count
        compute, port = tile_cycles(op, chunks, self._unit.ports)
        return Service(compute, port, known.depth_cycles, known.first_cycles, known.write_cycles)

    def counts(self) -> Mapping[str, int]:
        return {"chunks": self._multiplied, "skipped_chunks": self._skipped}


def tile_cycles(tile: DeltaTile, chunks: StepChunks, ports: Widths) -> tuple[int, int]:
    """The (compute, port) cycles of a tile that multiplies so many chunks."""
    whole = chunks.whole * _chunk_cycles(tile, tile.per_chunk, ports)
    rest = _chunk_cycles(tile, chunks.rest, ports) if chunks.rest else 0
    return max(1, chunks.count) * tile.batch, whole + rest


def least_service(tile: DeltaTile, ports: Widths) -> Service:
    """The cycles of the step that takes fewest; of one without any chunk, where the steps are not known."""
    found = [tile_cycles(tile, chunks, ports) for chunks in set(tile.chunks)] or [(tile.batch, 0)]
    return Service(min(compute for compute, _ in found), min(port for _, port in found), 0)


def _chunk_cycles(tile: DeltaTile, inputs: int, ports: Widths) -> int:
    """The cycles for which a chunk of so many inputs holds the array."""
    (weights,), (deltas,) = tile.weights, tile.vectors
    row_bits = weights.buffer.sparsity.row_bits(inputs, weights.buffer.number_format)
    operands = (
        (weights.entries * row_bits, ports.get(weights.buffer.memory)),
        (inputs * tile.batch * deltas.buffer.number_format.bits, ports.get(deltas.buffer.memory)),
    )
    return max(tile.batch, *(1 if width is None else ceil_div(bits, width) for bits, width in operands))
