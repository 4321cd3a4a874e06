"""Builds the units of an architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from archsim.arch.config import ArchConfig
from archsim.components.activation import Activation
from archsim.components.base import Ports, Unit
from archsim.components.ddr import DdrConfig, DdrDram
from archsim.components.dram_simple import SimpleDram
from archsim.components.elementwise import Elementwise
from archsim.components.mac_array import MacArray
from archsim.components.numerics import Kernel, Numerics
from archsim.errors import SimulatorBug
from archsim.formats.number import Array
from archsim.program.ir import Op

Units = Mapping[str, Unit[Any]]


def gemv_units(config: ArchConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family gemv, in the order in which reports show them."""
    ports = {
        "dram": None,
        "weight_sram": config.weight_sram.bits_per_cycle,
        "input_buffer": config.input_buffer.port_bits,
        "state_buffer": config.state_buffer.port_bits,
        "accumulators": None,
        "sequencer": None,
    }
    return (
        _dram(config, ports),
        MacArray(config.mac_array, ports, config.formats, config.weight_sram.read_latency_cycles),
        *[Activation(config.activation, ports, config.formats)] * config.activation.units,
        *[Elementwise(config.elementwise, ports, config.formats)] * config.elementwise.units,
    )


def _dram(config: ArchConfig, ports: Ports) -> Unit[Any]:
    if isinstance(config.dram, DdrConfig):
        return DdrDram(config.dram, ports, config.formats, Fraction(repr(config.clock_mhz)))
    return SimpleDram(config.dram, ports, config.formats)


class Datapath:
    """The arithmetic of all units together: what the interpreter and the machine execute ops with."""

    def __init__(self, units: Units, numerics: Numerics | None = None) -> None:
        self.numerics = Numerics() if numerics is None else numerics
        self._units = units
        self._kernels: dict[int, tuple[Op, Kernel]] = {}

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        """As Kernel.effect, of the op on its own unit."""
        return self._kernel(op).effect(operands)

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        """As Kernel.retire, of the op on its own unit."""
        retire = self._kernel(op).retire
        if retire is None:
            raise SimulatorBug(f"{op.unit} does not update in place, but '{op.label}' asks for it")
        return retire(old, result)

    def _kernel(self, op: Op) -> Kernel:
        # By identity: hashing an op's fields would take longer than its arithmetic. The op is kept, and so its id.
        known = self._kernels.get(id(op))
        if known is None:
            known = self._kernels[id(op)] = (op, self._units[op.unit].kernel(op, self.numerics))
        return known[1]
