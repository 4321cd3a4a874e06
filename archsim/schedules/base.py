"""What a schedule is: a name, and a way from sizes and a machine to a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archsim.arch import ArchConfig
from archsim.program.ir import Op, Program
from archsim.schedules.lstm import LstmOps, make_ops, make_program
from archsim.workload import LstmSpec


@dataclass(frozen=True, slots=True)
class Schedule:
    """A way of ordering the work: `body` puts the ops of one time step in program order."""

    name: str
    summary: str
    order: str
    body: Callable[[LstmOps], Sequence[Op]]

    def build(self, spec: LstmSpec, arch: ArchConfig) -> Program:
        """The program; CapacityError if the model does not fit into the machine."""
        ops = make_ops(spec, arch, self.order)
        return make_program(self.name, ops, self.body(ops))
