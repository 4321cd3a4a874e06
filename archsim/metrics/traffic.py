"""Counts the bytes that each memory moves, by phase, direction and kind of data.

Counted from the ops that the program executes: an op reads each of its operands once and writes each of its results
once. Bursts that DRAM moves beyond the data itself are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archsim.hardware.unit import Units
from archsim.program.ir import Buffer, Op, Phase, PhaseKind, Program, Region
from archsim.program.outline import ProgramOutline

Traffic = Mapping[str, Mapping[str, Mapping[str, int]]]
"""memory -> "read" or "write" -> kind of data -> bytes."""

DIRECTIONS = ("read", "write")
DRAM = "dram"


def compute_traffic(program: Program) -> Traffic:
    """The traffic of a whole run."""
    return _traffic(program, program.phases)


def traffic_by_phase(program: Program) -> Mapping[str, Traffic]:
    """The traffic of each kind of phase that the program has; bytes are rounded up for each."""
    kinds = dict.fromkeys(phase.kind for phase in program.phases)
    return {kind.value: _traffic(program, program.of_kind(kind)) for kind in kinds}


def body_traffic(program: Program) -> Traffic:
    """The traffic of the time steps."""
    return _traffic(program, program.of_kind(PhaseKind.BODY))


def stored_bytes(program: Program) -> Mapping[str, Mapping[str, int]]:
    """The bytes that each buffer takes for the whole run, memory -> buffer -> bytes; memories on the chip alone."""
    found: dict[str, dict[str, int]] = {}
    for buffer in sorted(program.buffers, key=lambda buffer: buffer.memory):
        if buffer.memory != DRAM and buffer.slots is not None:
            found.setdefault(buffer.memory, {})[buffer.name] = buffer.size_bytes
    return found


def compulsory_traffic(program: Program) -> Mapping[str, Mapping[str, int]]:
    """The bytes that must pass DRAM on any machine: what is given read once, what is asked for written once.

    Given are weights, biases, the initial states and x; asked for are the last layer's output and the final states.
    """
    found: dict[str, dict[str, int]] = {direction: {} for direction in DIRECTIONS}
    for buffer in program.buffers:
        if buffer.memory == DRAM and (buffer.is_input or _is_result(buffer)):
            kinds = found["read" if buffer.is_input else "write"]
            versions = (buffer.length or 0) if buffer.slots is None else buffer.slots
            kinds[buffer.kind.value] = kinds.get(buffer.kind.value, 0) + versions * buffer.bits_of(buffer.entries)
    return {direction: _bytes(kinds) for direction, kinds in found.items()}


def dram_burst_traffic(program: Program | ProgramOutline, units: Units) -> Mapping[str, int]:
    """The bytes that DRAM moves in each direction, whole bursts."""
    moved = dict.fromkeys(DIRECTIONS, 0)
    for phase in program.phases:
        for op, times in phase.distinct:
            for direction, regions in (("read", op.reads + op.updates), ("write", op.writes)):
                of_dram = [region for region in regions if region.buffer.memory == DRAM]
                unit = units[op.unit]
                moved[direction] += sum(int(times * unit.moved_bits(part) * op.moved_share(part)) for part in of_dram)
    return {direction: bits // 8 for direction, bits in moved.items()}


def dram_ratio(traffic: Traffic, least: Mapping[str, Mapping[str, int]]) -> float | None:
    """The ratio of DRAM's bytes to the least; None without DRAM."""
    compulsory = sum(sum(kinds.values()) for kinds in least.values())
    return total_bytes(traffic, DRAM) / compulsory if compulsory else None


def total_bytes(traffic: Traffic, memory: str) -> int:
    """All bytes that a memory reads and writes."""
    return sum(sum(kinds.values()) for kinds in traffic[memory].values())


def _traffic(program: Program, phases: Iterable[Phase]) -> Traffic:
    bits: dict[str, dict[str, dict[str, int]]] = {
        memory: {direction: {} for direction in DIRECTIONS}
        for memory in sorted({buffer.memory for buffer in program.buffers})
    }

    def count(op: Op, region: Region, direction: str, times: int) -> None:
        kinds = bits[region.buffer.memory][direction]
        kind = region.buffer.kind.value
        kinds[kind] = kinds.get(kind, 0) + int(region.bits * times * op.moved_share(region))

    for phase in phases:
        for op, times in phase.distinct:
            for region in op.reads + op.updates:
                count(op, region, "read", times)
            for region in op.writes:
                count(op, region, "write", times)
    return {
        memory: {direction: _bytes(kinds) for direction, kinds in directions.items()}
        for memory, directions in bits.items()
    }


def _bytes(bits: Mapping[str, int]) -> dict[str, int]:
    return {kind: -(-amount // 8) for kind, amount in sorted(bits.items()) if amount}


def _is_result(buffer: Buffer) -> bool:
    """Whether a tensor in DRAM is a result of the run, by the names that archsim.lowering.tensors reads."""
    return buffer.name == "dram.output" or buffer.name.endswith(("dram.h_n", "dram.c_n"))
