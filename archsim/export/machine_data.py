"""The machine as data: its units, sequencer and memories, and how long each op takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from archsim.engines.events import MachineSpec
from archsim.families.machine_config import MachineConfig
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.hardware.unit import Service, Units
from archsim.program.ir import Program


@dataclass(frozen=True, slots=True)
class SequencerData:
    """The sequencer, in cycles and places."""

    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int

    @classmethod
    def from_spec(cls, spec: MachineSpec) -> SequencerData:
        """What a machine says of its sequencer."""
        return cls(
            issue_cycles=spec.issue_cycles,
            queue_depth=spec.queue_depth,
            token_latency_cycles=spec.token_latency_cycles,
        )


@dataclass(frozen=True, slots=True)
class ServiceData:
    """How long an op takes on its unit, in cycles; a lower bound on a unit whose `static` is false."""

    compute_cycles: int
    port_cycles: int
    occupancy_cycles: int
    depth_cycles: int
    first_word_cycles: int
    write_cycles: int

    @classmethod
    def from_service(cls, service: Service) -> ServiceData:
        """What a unit says of an op."""
        return cls(
            compute_cycles=service.compute_cycles,
            port_cycles=service.port_cycles,
            occupancy_cycles=service.occupancy_cycles,
            depth_cycles=service.depth_cycles,
            first_word_cycles=service.first_word_cycles,
            write_cycles=service.write_cycles,
        )


@dataclass(frozen=True, slots=True)
class UnitData:
    """A unit; units stand in the order in which single ports are granted."""

    name: str
    type: str
    static: bool


@dataclass(frozen=True, slots=True)
class PortData:
    """A port of a unit into a memory, in one direction, that the program uses; its width is None without a limit
    of this kind."""

    unit: str
    direction: Literal["read", "write"]
    bits_per_cycle: int | None


@dataclass(frozen=True, slots=True)
class CopiesData:
    """How many banks of an SRAM hold the same data, one for each unit that reads it; a write goes to all."""

    bank: str
    banks: int


@dataclass(frozen=True, slots=True)
class MemoryData:
    """A memory: what it is built of as far as the family says so, and the ports of the units into it."""

    name: str
    storage: Literal["sram", "registers", "off_chip"] | None
    capacity_bits: int | None
    used_bits: int | None
    banks: int | None
    bank_port_bits: int | None
    copies: tuple[CopiesData, ...]
    single_port: bool
    ports: tuple[PortData, ...]


@dataclass(frozen=True, slots=True)
class MachineData:
    """The machine."""

    family: str
    clock_mhz: float
    sequencer: SequencerData
    units: tuple[UnitData, ...]
    memories: tuple[MemoryData, ...]
    idealizations: tuple[str, ...]


def machine_data(
    config: MachineConfig, units: Units, spec: MachineSpec, program: Program, used_bits: Mapping[str, int | None]
) -> MachineData:
    """The data of a machine; `used_bits`: for each memory that has buffers how much of it they take."""
    found = tuple(UnitData(name, type(unit).__name__, unit.static) for name, unit in units.items())
    memories = tuple(_memories(config, units, used_bits, _used_ports(program, units)))
    named = tuple(map(str, config.idealizations))
    return MachineData(config.family, config.clock_mhz, SequencerData.from_spec(spec), found, memories, named)


def _used_ports(program: Program, units: Units) -> Mapping[str, tuple[PortData, ...]]:
    """For each memory the ports that ops of the program use, in the order of the units, read before write."""
    used: set[tuple[str, str, str]] = set()
    for phase in program.phases:
        for op in phase.ops:
            used.update((region.buffer.memory, op.unit, "read") for region in units[op.unit].read_ports(op))
            used.update((region.buffer.memory, op.unit, "write") for region in op.writes)
    directions: tuple[Literal["read", "write"], ...] = ("read", "write")
    return {
        memory: tuple(
            PortData(name, direction, unit.ports.get(memory))
            for name, unit in units.items()
            for direction in directions
            if (memory, name, direction) in used
        )
        for memory in {memory for memory, _, _ in used}
    }


def _memories(
    config: MachineConfig,
    units: Units,
    used_bits: Mapping[str, int | None],
    used_ports: Mapping[str, tuple[PortData, ...]],
) -> Iterator[MemoryData]:
    costing = config.costing
    built = {} if costing is None else costing.memories
    names: Iterable[str] = (*built, *used_bits, *(memory for unit in units.values() for memory in unit.ports))
    for name in dict.fromkeys(names):
        ports = used_ports.get(name, ())
        used, single = used_bits.get(name, 0), name in config.single_ported
        match built.get(name):
            case Sram() as sram:
                size = 8 * sram.capacity_bytes
                copies = tuple(CopiesData(bank, banks) for bank, banks in sram.copies)
                yield MemoryData(name, "sram", size, used, sram.banks, sram.port_bits, copies, single, ports)
            case Registers() as registers if registers.bits:  # none: what lies outside, or is not counted
                yield MemoryData(name, "registers", registers.bits, used, None, None, (), single, ports)
            case OffChip():
                yield MemoryData(name, "off_chip", None, used, None, None, (), single, ports)
            case _:
                yield MemoryData(name, None, None, used, None, None, (), single, ports)
