"""What a schedule is: a name, and a way from a network and a machine to a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.arch import ArchConfig
from archsim.program.ir import Program
from archsim.schedules.network import Compute
from archsim.workload.network import NetworkSpec

Layers = Callable[[str, NetworkSpec, ArchConfig, str, Compute], Program]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A way of ordering the work.

    `order`: how gates stand in tiles ("interleaved" or "gate_major"); `compute`: the ops of one cell's time step in
    program order; `layers`: how the layers follow each other.
    """

    name: str
    summary: str
    order: str
    compute: Compute
    layers: Layers

    def build(self, spec: NetworkSpec, arch: ArchConfig) -> Program:
        """The program; CapacityError if the model does not fit into the machine."""
        return self.layers(self.name, spec, arch, self.order, self.compute)
