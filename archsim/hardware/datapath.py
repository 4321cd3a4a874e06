"""Gives each op its arithmetic, on the unit that executes it."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.errors import SimulatorBug
from archsim.formats.number import Array
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.unit import Units
from archsim.program.ir import Op
from archsim.program.joined import Joining


class Datapath:
    """The arithmetic of all units together: what the interpreter and the machine execute ops with."""

    def __init__(self, units: Units, numerics: Numerics | None = None) -> None:
        self.numerics = Numerics() if numerics is None else numerics
        self._units = units
        self._kernels: dict[int, tuple[Op, Kernel]] = {}

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        """Compute the op's results on its own unit, as Kernel.effect does."""
        return self._kernel(op).effect(operands)

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        """Complete an update on the op's own unit, as Kernel.retire does."""
        retire = self._kernel(op).retire
        if retire is None:
            raise SimulatorBug(f"{op.unit} does not update in place, but '{op.label}' asks for it")
        return retire(old, result)

    def joining(self, op: Op) -> Joining | None:
        """How the op may be joined with others on its own unit."""
        return self._units[op.unit].joining(op, self.numerics)

    def joined(self, ops: Sequence[Op]) -> Kernel:
        """The arithmetic of ops of one shape on their unit, as if they were one."""
        return self._units[ops[0].unit].joined_kernel(ops, self.numerics)

    def moves(self, op: Op) -> bool:
        """Whether the op only copies its operands."""
        return self._units[op.unit].moves(op)

    def _kernel(self, op: Op) -> Kernel:
        # By identity: hashing an op's fields would take longer than its arithmetic. The op is kept, and so its id.
        known = self._kernels.get(id(op))
        if known is None:
            known = self._kernels[id(op)] = (op, self._units[op.unit].kernel(op, self.numerics))
        return known[1]
