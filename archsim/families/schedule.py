"""What a schedule is: a name, and a way from a network and a machine to a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.order import WorkOrder
from archsim.program.ir import Program
from archsim.workload.network import NetworkSpec

Layers = Callable[[WorkOrder, NetworkSpec, GemvConfig], Program]


class AnySchedule(Protocol):
    """What the schedules of every family are to the layers above."""

    @property
    def name(self) -> str:
        """As it is given to --schedule."""

    @property
    def summary(self) -> str:
        """One line that says what it does."""

    @property
    def splits_sums(self) -> bool:
        """Whether W_ih x goes into the sums' format before W_hh h is added, so that the two are rounded apart."""

    @property
    def interleaves_gates(self) -> bool:
        """Whether a tile has rows of all gates, so that those that take one product only are tiles of their own."""

    def build(self, spec: NetworkSpec, arch: Any) -> Program:  # noqa: ANN401 - the family's own model
        """The program; `arch` is a machine of the family that the schedule is for.

        CapacityError if the model does not fit into the machine, ScheduleError if the machine cannot run it.
        """


@dataclass(frozen=True, slots=True)
class Schedule:
    """A way of ordering the work on a machine of the family gemv, with a line about it.

    `layers`: how the layers follow each other.
    """

    way: WorkOrder
    summary: str
    layers: Layers

    @property
    def name(self) -> str:
        """The way's name."""
        return self.way.name

    @property
    def splits_sums(self) -> bool:
        """As AnySchedule has it."""
        return self.name.startswith(("split", "hoisted"))

    @property
    def interleaves_gates(self) -> bool:
        """As AnySchedule has it."""
        return self.way.order == "interleaved"

    def build(self, spec: NetworkSpec, arch: GemvConfig) -> Program:
        """The program; CapacityError if the model does not fit into the machine."""
        return self.layers(self.way, spec, arch)
