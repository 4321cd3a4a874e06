"""Bytes that each memory moves, by direction and kind of data.

Counted from the ops that the program executes: an op reads each of its operands once and writes each of its results
once. Bursts that DRAM moves beyond the data itself cost time, but are not counted here.
"""

from __future__ import annotations

from collections.abc import Mapping

from archsim.program.ir import Program, Region

Traffic = Mapping[str, Mapping[str, Mapping[str, int]]]
"""memory -> "read" or "write" -> kind of data -> bytes."""


def compute_traffic(program: Program) -> Traffic:
    """The traffic of a whole run."""
    bits: dict[str, dict[str, dict[str, int]]] = {
        memory: {"read": {}, "write": {}} for memory in sorted({buffer.memory for buffer in program.buffers})
    }

    def count(region: Region, direction: str, times: int) -> None:
        kinds = bits[region.buffer.memory][direction]
        kind = region.buffer.kind.value
        kinds[kind] = kinds.get(kind, 0) + region.bits * times

    for phase in program.phases:
        for op, times in phase.distinct:
            for region in op.reads + op.updates:
                count(region, "read", times)
            for region in op.writes:
                count(region, "write", times)
    return {
        memory: {
            direction: {kind: -(-amount // 8) for kind, amount in sorted(kinds.items()) if amount}
            for direction, kinds in directions.items()
        }
        for memory, directions in bits.items()
    }


def total_bytes(traffic: Traffic, memory: str) -> int:
    """All bytes that a memory reads and writes."""
    return sum(sum(kinds.values()) for kinds in traffic[memory].values())
