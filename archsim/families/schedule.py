"""Defines a schedule: a named way from a network and a machine to a program, and what it does to the numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Generic, TypeVar

from archsim.families.machine_config import MachineConfig
from archsim.program.ir import Program
from archsim.workload.network import NetworkSpec

ConfigT = TypeVar("ConfigT", bound=MachineConfig)


class Schedule(ABC, Generic[ConfigT]):
    """A way of ordering a recurrent network's work on the machines of one family.

    A subclass, mostly a frozen dataclass, gives the attributes below and `build`. What a schedule does to the numbers
    is declared (`splits_sums`, `interleaves_gates`) and nowhere read from its name: the integer reference computes by
    it.
    """

    __slots__ = ()

    name: str
    """As it is given to --schedule: words joined by "_"."""
    summary: str
    """One line that says what it does."""
    family: str
    """The name of the family of machines that it is for."""
    splits_sums: bool
    """Whether W_ih x is rounded into the sums' format before W_hh h is added, so that the two are rounded apart."""
    interleaves_gates: bool
    """Whether a group of rows has rows of all gates, so that a GRU's rows that take one product are tiles apart."""

    @property
    def streams(self) -> bool:
        """Whether `build` makes the program of a stream of frames where `spec.streaming` asks for one.

        Its body is a frame: x_t is loaded when it is there, goes through all layers, and y_t is stored; nothing of a
        later frame is needed. What stands before it in a prologue and after it in an epilogue is done once.
        """
        return False

    def sends_deltas(self, spec: NetworkSpec) -> bool:
        """Whether the program of a network multiplies what has changed, and takes as long as its columns make it.

        A schedule that does not for a network with thresholds, or recorded activity, cannot run it.
        """
        return False

    def split_rows(self, spec: NetworkSpec, config: ConfigT) -> tuple[frozenset[int], ...] | None:
        """The gate rows, in torch's order, for which `splits_sums` is True though it is False: a set for each cell.

        None if it is the same for all rows.
        """
        return None

    def program_key(self, spec: NetworkSpec, config: ConfigT) -> Hashable:
        """A key that two schedules share only if they make the same program of a network, but for its name.

        It saves those who compare schedules from building such programs twice; a schedule need not know of others.
        """
        return self.name

    @abstractmethod
    def build(self, spec: NetworkSpec, config: ConfigT) -> Program:
        """The program of a network on a machine.

        A pure function of its arguments. `config` may be a stand-in that notes which fields are read
        (archsim.config.read_tracking): programs are shared by all machines that agree in those fields. So every
        figure is read here, before it returns, and a capacity is compared with `read_only_as`.

        Raises CapacityError if the model does not fit into the machine, ScheduleError if the machine cannot run it in
        this way, ArchError if it cannot compute what the network asks for.
        """
