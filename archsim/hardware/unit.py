"""Defines a unit: a config, ops of its own, `cycles(op)` and its arithmetic, `kernel(op)`.

A unit whose service times depend on what it did before (DRAM with open rows) has a *session* besides: its state during
one run, which the machine asks when an op starts. For such a unit `cycles(op)` is a lower bound.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Self, TypeVar

from archsim.config.types import StrictModel
from archsim.errors import SimulatorBug
from archsim.formats import Formats
from archsim.hardware.constants import NoConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.hardware.port_streams import (
    Bank,
    NotedPorts,
    Ports,
    Stream,
    Widths,
    even,
    fetch_tails,
    held_cycles,
    most_words,
    spread,
)
from archsim.program.ir import Buffer, Op, Region
from archsim.program.joined import Joining


class UnitConfig(StrictModel):
    """Base of all configs: frozen and strict, each field with its unit, range and meaning."""


ConfigT = TypeVar("ConfigT", bound=UnitConfig)


@dataclass(frozen=True, slots=True)
class Service:
    """How long an op takes on its unit, in cycles of the core clock.

    `compute_cycles` is what the datapath needs (initiation interval x items), `port_cycles` what the busiest memory
    port needs, with what early steps wait for their words; the op holds its unit for the longer of the two and is
    visible `depth_cycles` after that.
    `first_cycles`: of an op that writes a FIFO, cycles of its occupancy until its first word is through; from then on
    there is at least one a cycle. `write_cycles`: those in which its results pass the unit's write ports, the last ones
    before they are visible; no other op's results pass them in the same cycles.
    """

    compute_cycles: int
    port_cycles: int
    depth_cycles: int
    first_cycles: int = 1
    write_cycles: int = 0

    @property
    def occupancy_cycles(self) -> int:
        """Cycles for which the op holds its unit."""
        return max(self.compute_cycles, self.port_cycles)

    @property
    def latency_cycles(self) -> int:
        """Cycles from start until the results are visible."""
        return self.occupancy_cycles + self.depth_cycles

    @property
    def first_word_cycles(self) -> int:
        """Cycles from start until the first word is visible behind the FIFO that the op writes."""
        return self.first_cycles + self.depth_cycles


@dataclass(frozen=True, slots=True)
class PortUse:
    """The cycles for which an op reads and writes through the single port of a memory.

    `read_tails`: for each of its words that is read, in order, the cycles from that one to the end of the op which
    nothing shortens; () if the last word alone counts, and nothing follows it.
    """

    memory: str
    read_cycles: int
    write_cycles: int
    read_tails: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """How much an op gives its datapath to do: `items` of `unit_name`, and what a cycle could do at best.

    Of an op whose work differs from step to step `items` is the mean.
    """

    items: int | Fraction
    items_per_cycle: Fraction


class Session(ABC):
    """The state that a unit keeps during one run; made when the run begins."""

    @abstractmethod
    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """The service time of an op that starts now; asked once for each op, in the order in which they start.

        `queued_cycle`: when the op was issued into the unit's queue; `start_cycle`: when it starts, not before that.
        """

    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """The counts of what the unit has done so far, by name."""


class Unit(ABC, Generic[ConfigT]):
    """An in-order unit. `cycles` and the effect of a `kernel` are pure functions of an op (and its operands)."""

    name: ClassVar[str]
    """The unit's name in programs, traces and reports; also its section in the architecture file."""
    kind: ClassVar[str] = ""
    """Which of the kinds of this unit it is, as the architecture file names it; "" where there is only one."""
    summary: ClassVar[str]
    """One line for `archsim list`."""
    item_name: ClassVar[str]
    """What its datapath counts, e.g. "MAC"."""

    def __init__(self, config: ConfigT, ports: Widths, formats: Formats) -> None:
        """`ports`: the width of each memory's ports in bits a cycle (None: no limit)."""
        self.config = config
        self.ports: Ports = ports if isinstance(ports, Ports) else Ports(ports)
        self.formats = formats

    @property
    def identity(self) -> tuple[Hashable, ...]:
        """A key of all that the unit's answers about ops follow from besides the widths of ports that it asks for.

        Units of equal identity, with ports of equal widths where they ask for them, say the same.
        """
        return type(self), self.config, self.formats, self.ports.banked

    def with_noted_ports(self) -> tuple[Self, NotedPorts]:
        """A copy of the unit with ports that note which of them it asks for, and these ports."""
        unit = object.__new__(type(self))
        unit.__dict__.update(self.__dict__)
        ports = unit.ports = NotedPorts(self.ports)
        return unit, ports

    @abstractmethod
    def compute_cycles(self, op: Op) -> int:
        """The cycles that the datapath needs for the op, at least 1."""

    @abstractmethod
    def depth_cycles(self, op: Op) -> int:
        """The pipeline depth: cycles from the end of the occupancy until the results are visible."""

    def first_cycles(self, op: Op) -> int:
        """The cycles of the op's occupancy until its first word is through; only of ops that write a FIFO."""
        return 1

    @abstractmethod
    def work(self, op: Op) -> Work:
        """The op's useful items, and how many the datapath can take in a cycle."""

    @abstractmethod
    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The op's arithmetic, on numbers as they are stored."""

    def joining(self, op: Op, numerics: Numerics) -> Joining | None:
        """How the op may be computed together with others of its shape, to the same bits; None if it may not."""
        return None

    def joined_kernel(self, ops: Sequence[Op], numerics: Numerics) -> Kernel:
        """The arithmetic of ops of one shape that have the same joining, as if they were one."""
        return self.kernel(ops[0], numerics)

    def moves(self, op: Op) -> bool:
        """Whether the op only copies its operands, one after the other."""
        return False

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        """The integers that define the op's arithmetic, for models outside archsim; why, if there are none."""
        return NoConstants("not_exported", f"the unit {self.name} does not say its integers")

    def tally(self, op: Op) -> Tally:
        """The operators that the op switches, each as often as it does; what it moves in memories is not among them.

        Only of units of a family with a model of energy, as `inventory`.
        """
        raise SimulatorBug(f"{self.name} does not say what '{op.label}' switches")

    def inventory(self) -> Tally:
        """All operators that the unit is built of."""
        raise SimulatorBug(f"{self.name} does not say what it is built of")

    @property
    def has_energy_model(self) -> bool:
        """Whether the unit says what its ops switch and what it is built of."""
        return type(self).tally is not Unit.tally and type(self).inventory is not Unit.inventory

    def moved_bits(self, region: Region) -> int:
        """The bits that a memory moves for an operand: more than it has where they come in whole bursts."""
        return region.bits

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """The operands that come through the unit's read ports; one with a port of its own is left out."""
        return op.reads

    def values_per_step(self, op: Op, region: Region) -> int | None:
        """How many values of an operand or result the datapath takes or makes in each of the op's compute cycles.

        None: they are spread evenly over all of them.
        """
        return None

    def bank(self, region: Region) -> Bank:
        """The bank of its memory that an operand lies in: that of its kind of data, where the memory has such banks."""
        memory = region.buffer.memory
        return (memory, region.buffer.bank) if memory in self.ports.banked else (memory,)

    def parts(self, op: Op, region: Region) -> tuple[Region, ...]:
        """What of an operand or result lies in different banks; mostly it lies in one."""
        return (region,)

    def read_streams(self, op: Op) -> tuple[Stream, ...]:
        """The operands on the read ports, each with the steps that take its values; by default evenly."""
        return tuple(self.stream(op, region) for region in self.read_ports(op))

    def write_streams(self, op: Op) -> tuple[Stream, ...]:
        """The results on the write ports, each with the steps that make its values; by default evenly."""
        return tuple(self.stream(op, region) for region in op.writes)

    def stream(self, op: Op, region: Region) -> Stream:
        """The values of an operand or result on a port: by default `values_per_step` of them a step."""
        per_step = self.values_per_step(op, region)
        runs = spread(region.values, self.compute_cycles(op)) if per_step is None else even(region.values, per_step)
        return Stream(self.bank(region), region.bits, runs)

    def port_cycles(self, op: Op) -> int:
        """The cycles for which ports hold the op: the words of the busiest one, and what steps wait for theirs."""
        return held_cycles(self.read_streams(op), self.write_streams(op), self.ports, self.compute_cycles(op))

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which the op's results pass the busiest write port of the unit's own.

        `shared`: the memories whose one port all units share; what passes these has its cycles booked one by one.
        """
        own = [stream for stream in self.write_streams(op) if stream.memory not in shared]
        return most_words(own, self.ports)

    def port_uses(self, op: Op, memories: Collection[str]) -> tuple[PortUse, ...]:
        """The cycles that the op needs of each memory which has a single port for all units."""
        found = (self._port_use(op, memory) for memory in sorted(memories))
        return tuple(use for use in found if use.read_cycles or use.write_cycles)

    def _port_use(self, op: Op, memory: str) -> PortUse:
        width = self.ports.get(memory)
        if width is None:
            return PortUse(memory, 0, 0)
        reads = [stream for stream in self.read_streams(op) if stream.memory == memory and stream.bits]
        writes = [stream for stream in self.write_streams(op) if stream.memory == memory]
        tails = fetch_tails(reads, width, self.compute_cycles(op)) if reads else ()
        return PortUse(memory, len(tails), most_words(writes, self.ports), tails)

    @property
    def recorded(self) -> bool:
        """Whether all service times are known before a run: they are the same whenever an op starts.

        Those of a unit that is not static differ from repetition to repetition, by recorded data, and its session has
        them all the same.
        """
        return self.static

    @property
    def static(self) -> bool:
        """Whether `cycles(op)` is each op's service time; if not, it is a lower bound, and a session has the times."""
        return True

    def session(self, buffers: Sequence[Buffer]) -> Session:
        """The unit's state at the beginning of a run of a program with those buffers; only if it is not static."""
        raise SimulatorBug(f"{self.name} is static: its service times have no history of {len(buffers)} buffers")

    def cycles(self, op: Op) -> Service:
        """The op's service time; a lower bound of each of its parts if the unit is not static."""
        return Service(
            compute_cycles=self.compute_cycles(op),
            port_cycles=self.port_cycles(op),
            depth_cycles=self.depth_cycles(op),
            first_cycles=self.first_cycles(op),
            write_cycles=self.write_cycles(op),
        )

    def refuse(self, op: Op) -> SimulatorBug:
        """The error for an op that this unit does not know: it must never cost 0 cycles."""
        return SimulatorBug(f"{self.name} got an op it does not know: {type(op).__name__} '{op.label}'")


Units = Mapping[str, Unit[Any]]
"""The units of a machine by their names, in the order in which reports show them."""

MAX_UNITS = 16
"""Most units of one kind."""


def unit_name(kind: str, number: int) -> str:
    """The name of the unit with that number (from 0) of a kind of which there are several."""
    return f"{kind}_{number}" if number else kind


def by_name(units: Sequence[Unit[Any]]) -> Units:
    """The units by their names: of several of a kind the first has the kind's name, the others a number, from 1 on."""
    built: dict[str, Unit[Any]] = {}
    for unit in units:
        number = sum(unit.name == other.name for other in built.values())
        built[unit_name(unit.name, number)] = unit
    return MappingProxyType(built)


def ceil_div(amount: int, per: int) -> int:
    """The quotient ceil(amount / per) in integers."""
    return -(-amount // per)
