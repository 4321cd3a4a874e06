"""What a schedule is: a name, and a way from a network and a machine to a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.arch import ArchConfig
from archsim.program.ir import Program
from archsim.schedules.network import Way
from archsim.workload.network import NetworkSpec

Layers = Callable[[Way, NetworkSpec, ArchConfig], Program]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A way of ordering the work, with a line about it. `layers`: how the layers follow each other."""

    way: Way
    summary: str
    layers: Layers

    @property
    def name(self) -> str:
        """The way's name."""
        return self.way.name

    def build(self, spec: NetworkSpec, arch: ArchConfig) -> Program:
        """The program; CapacityError if the model does not fit into the machine."""
        return self.layers(self.way, spec, arch)
