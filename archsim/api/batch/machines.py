"""What figures need of machines, whatever the program: units, widths of ports, memories, prices, each observed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

from archsim.api.batch.columns import Picked
from archsim.api.batch.designs import Designs
from archsim.api.batch.observer import Observer
from archsim.errors import ArchError
from archsim.families.load import Arch
from archsim.families.machine_config import DramWidth, MachineConfig, Multipliers
from archsim.families.registry import build_units
from archsim.hardware.storage import Storage
from archsim.hardware.unit import Unit, Units
from archsim.metrics.energy import without_model
from archsim.technology import Prices
from archsim.technology.conditions import Counted
from archsim.workload import NetworkSpec

Found = TypeVar("Found")


class Machines:
    """Observers of machines, which keep what they have found out from one batch to the next."""

    def __init__(self) -> None:
        self._observers: dict[Hashable, Observer[Any]] = {}
        self._asked: dict[str, set[str]] = {}
        self.unit_names: Observer[tuple[str, ...]] = Observer(lambda config: tuple(build_units(config)))
        self.refusals: Observer[tuple[str, ...]] = Observer(_single_ported)
        self.dynamic: Observer[tuple[str, ...]] = Observer(_dynamic)
        self.unpriced: Observer[str] = Observer(_unpriced)
        self.prices: Observer[Prices | None] = Observer(_prices)
        self.dram_types: Observer[tuple[str, str] | None] = Observer(_technology)
        self.memory_names: Observer[tuple[str, ...]] = Observer(_memories)
        self.counted: Observer[Counted | None] = Observer(_counted)
        self.dram_width: Observer[DramWidth] = Observer(lambda config: config.dram_width)
        self.multipliers: Observer[Multipliers] = Observer(lambda config: config.multipliers)
        self.weight_bits_per_cycle: Observer[int | None] = Observer(lambda config: config.weight_bits_per_cycle)

    def asked(self, unit: str) -> set[str]:
        """The memories for the width of whose ports units of that name have asked so far; more are added to it."""
        return self._asked.setdefault(unit, set())

    def width(self, unit: str, memory: str) -> Observer[int | None]:
        """The width of a unit's ports into a memory."""
        key = "width", unit, memory
        if key not in self._observers:
            self._observers[key] = Observer(lambda config: _width(config, unit, memory))
        return self._observers[key]

    def storage(self, memory: str) -> Observer[Storage | None]:
        """What a memory is built of; None of a machine without it."""
        key = "storage", memory
        if key not in self._observers:
            self._observers[key] = Observer(lambda config: _storage(config, memory))
        return self._observers[key]

    def compute_cycles(self, spec: NetworkSpec) -> Observer[int]:
        """The least cycles of the multipliers for a time step of a network."""
        key = "compute", spec
        if key not in self._observers:
            self._observers[key] = Observer(lambda config: config.compute_cycles_per_step(spec))
        return self._observers[key]

    def identity(self, unit: str) -> Observer[int | None]:
        """The hash of a unit's identity, None of a machine without it: it reads all that the identity is made of."""
        key = "identity", unit
        if key not in self._observers:
            self._observers[key] = Observer(lambda config: _identity(config, unit))
        return self._observers[key]


class MachineColumns:
    """The machines of some designs: what `Machines` finds out of each."""

    def __init__(self, designs: Designs, machines: Machines) -> None:
        self.designs = designs
        self._machines = machines
        self._units: dict[int, Units] = {}
        self._columns: dict[Hashable, Picked[Any]] = {}

    def units(self, design: int) -> Units:
        """The units of a design's machine."""
        found = self._units.get(design)
        if found is None:
            found = self._units[design] = build_units(self.designs.config(design))
        return found

    def unit(self, design: int, name: str) -> Unit[Any]:
        """One of them."""
        return self.units(design)[name]

    def of(self, observer: Observer[Found]) -> Picked[Found]:
        """What an observer finds out of each design."""
        found = self._columns.get(observer)
        if found is None:
            found = self._columns[observer] = observer.column(self.designs)
        return found

    @property
    def unit_names(self) -> Picked[tuple[str, ...]]:
        """The names of the machine's units."""
        return self.of(self._machines.unit_names)

    @property
    def single_ported(self) -> Picked[tuple[str, ...]]:
        """The memories whose one port all units share."""
        return self.of(self._machines.refusals)

    @property
    def dynamic(self) -> Picked[tuple[str, ...]]:
        """The units whose service times depend on what was before."""
        return self.of(self._machines.dynamic)

    @property
    def unpriced(self) -> Picked[str]:
        """Why there are no prices though the family has a model of energy; "" if there are, or it has none."""
        return self.of(self._machines.unpriced)

    @property
    def prices(self) -> Picked[Prices | None]:
        """The prices of the machine's technology; None where there is no model of energy, or no such technology."""
        return self.of(self._machines.prices)

    @property
    def technology(self) -> Picked[tuple[str, str] | None]:
        """The names of the technology and of the type of DRAM."""
        return self.of(self._machines.dram_types)

    @property
    def counted(self) -> Picked[Counted | None]:
        """What is counted of the machine's surroundings."""
        return self.of(self._machines.counted)

    @property
    def dram_width(self) -> Picked[DramWidth]:
        """How much DRAM there is."""
        return self.of(self._machines.dram_width)

    @property
    def memory_names(self) -> Picked[tuple[str, ...]]:
        """The memories that have a price; () without a model of energy."""
        return self.of(self._machines.memory_names)

    @property
    def multipliers(self) -> Picked[Multipliers]:
        """The multipliers."""
        return self.of(self._machines.multipliers)

    @property
    def weight_bits_per_cycle(self) -> Picked[int | None]:
        """The bits of weights that the multipliers read in a cycle."""
        return self.of(self._machines.weight_bits_per_cycle)

    def asked(self, unit: str) -> set[str]:
        """The memories for the width of whose ports units of that name have asked so far; more are added to it."""
        return self._machines.asked(unit)

    def identity(self, unit: str) -> Picked[int | None]:
        """The classes of designs that have the same unit of that name but for its ports."""
        return self.of(self._machines.identity(unit))

    def width(self, unit: str, memory: str) -> Picked[int | None]:
        """The width of a unit's ports into a memory."""
        return self.of(self._machines.width(unit, memory))

    def storage(self, memory: str) -> Picked[Storage | None]:
        """What a memory is built of; None of a machine without it."""
        return self.of(self._machines.storage(memory))

    def compute_cycles(self, spec: NetworkSpec) -> Picked[int]:
        """The least cycles of the multipliers for a time step of a network."""
        return self.of(self._machines.compute_cycles(spec))


def _width(config: MachineConfig, name: str, memory: str) -> int | None:
    unit = build_units(config).get(name)
    return None if unit is None else unit.ports.get(memory)


def _identity(config: MachineConfig, name: str) -> int | None:
    unit = build_units(config).get(name)
    return None if unit is None else hash(unit.identity)


def _storage(config: MachineConfig, memory: str) -> Storage | None:
    return None if config.costing is None else config.costing.memories.get(memory)


def _single_ported(config: MachineConfig) -> tuple[str, ...]:
    return tuple(sorted(config.single_ported))


def _dynamic(config: MachineConfig) -> tuple[str, ...]:
    return tuple(sorted({unit.name for unit in build_units(config).values() if not unit.static}))


def _unpriced(config: MachineConfig) -> str:
    return "" if _technology(config) is None or _prices(config) is not None else "the technology has no prices for it"


def _prices(config: MachineConfig) -> Prices | None:
    if config.costing is None or without_model(build_units(config)):
        return None
    try:
        return Arch("", config).prices
    except ArchError:
        return None  # the scalar path says what is wrong


def _technology(config: MachineConfig) -> tuple[str, str] | None:
    costing = config.costing
    if costing is None or without_model(build_units(config)):
        return None
    return costing.technology, costing.dram_type


def _counted(config: MachineConfig) -> Counted | None:
    return None if config.costing is None else config.costing.counted


def _memories(config: MachineConfig) -> tuple[str, ...]:
    return () if config.costing is None else tuple(config.costing.memories)
