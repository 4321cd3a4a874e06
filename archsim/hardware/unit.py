"""Defines a unit: a config, ops of its own, `cycles(op)` and its arithmetic, `kernel(op)`.

A unit whose service times depend on what it did before (DRAM with open rows) has a *session* besides: its state during
one run, which the machine asks when an op starts. For such a unit `cycles(op)` is a lower bound.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Generic, TypeVar

from archsim.config.types import StrictModel
from archsim.errors import SimulatorBug
from archsim.formats import Formats
from archsim.hardware.constants import NoConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.program.ir import Buffer, Op, Region

Ports = Mapping[str, int | None]
"""Memory name -> bits a cycle through the unit's read port and, apart from it, its write port (None: no limit)."""


class UnitConfig(StrictModel):
    """Base of all configs: frozen and strict, each field with its unit, range and meaning."""


ConfigT = TypeVar("ConfigT", bound=UnitConfig)


@dataclass(frozen=True, slots=True)
class Service:
    """How long an op takes on its unit, in cycles of the core clock.

    `compute_cycles` is what the datapath needs (initiation interval x items), `port_cycles` what the narrowest
    memory port needs; the op holds its unit for the longer of the two and is visible `depth_cycles` after that.
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
    """The cycles for which an op reads and writes through the single port of a memory."""

    memory: str
    read_cycles: int
    write_cycles: int


@dataclass(frozen=True, slots=True)
class Work:
    """How much an op gives its datapath to do: `items` of `unit_name`, and what a cycle could do at best."""

    items: int
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

    def __init__(self, config: ConfigT, ports: Ports, formats: Formats) -> None:
        self.config = config
        self.ports = ports
        self.formats = formats

    @property
    def identity(self) -> tuple[Hashable, ...]:
        """A key of all that the unit's answers about ops follow from: units of equal identity say the same."""
        return type(self), self.config, self.formats, tuple(self.ports.items())

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

    def port_cycles(self, op: Op) -> int:
        """The cycles that the narrowest port needs: a memory's bits in one direction over the port's width."""
        return max(
            [0, *self._cycles_by_memory(self.read_ports(op)).values(), *self._cycles_by_memory(op.writes).values()]
        )

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which the op's results pass the narrowest write port of the unit's own.

        `shared`: the memories whose one port all units share; what passes these has its cycles booked one by one.
        """
        cycles = self._cycles_by_memory(op.writes)
        return max((found for memory, found in cycles.items() if memory not in shared), default=0)

    def port_uses(self, op: Op, memories: Collection[str]) -> tuple[PortUse, ...]:
        """The cycles that the op needs of each memory which has a single port for all units."""
        reads, writes = self._cycles_by_memory(self.read_ports(op)), self._cycles_by_memory(op.writes)
        uses = (PortUse(memory, reads.get(memory, 0), writes.get(memory, 0)) for memory in sorted(memories))
        return tuple(use for use in uses if use.read_cycles or use.write_cycles)

    def _cycles_by_memory(self, regions: Sequence[Region]) -> dict[str, int]:
        bits: dict[str, int] = {}
        for region in regions:
            bits[region.buffer.memory] = bits.get(region.buffer.memory, 0) + region.bits
        widths = {memory: self.ports[memory] for memory in bits}
        return {memory: -(-bits[memory] // width) for memory, width in widths.items() if width is not None}

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


def ceil_div(amount: int, per: int) -> int:
    """The quotient ceil(amount / per) in integers."""
    return -(-amount // per)
