"""Builds the units of an architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from archsim.arch.config import ArchConfig
from archsim.components.activation import Activation
from archsim.components.base import Unit
from archsim.components.dram import Dram
from archsim.components.elementwise import Elementwise
from archsim.components.mac_array import MacArray
from archsim.formats.number import Array
from archsim.program.ir import Op

Units = Mapping[str, Unit[Any]]


UNIT_KINDS: tuple[type[Unit[Any]], ...] = (Dram, MacArray, Activation, Elementwise)
"""Every kind of unit that executes ops."""


def build_units(config: ArchConfig) -> Units:
    """Every unit that executes ops, by its name, in the order in which reports show them."""
    ports = {
        "dram": None,
        "weight_sram": config.weight_sram.bits_per_cycle,
        "input_buffer": config.input_buffer.port_bits,
        "state_buffer": config.state_buffer.port_bits,
        "accumulators": None,
        "sequencer": None,
    }
    units: tuple[Unit[Any], ...] = (
        Dram(config.dram, ports, config.formats),
        MacArray(config.mac_array, ports, config.formats, config.weight_sram.read_latency_cycles),
        Activation(config.activation, ports, config.formats),
        Elementwise(config.elementwise, ports, config.formats),
    )
    return MappingProxyType({unit.name: unit for unit in units})


class Datapath:
    """The arithmetic of all units together: what the interpreter and the machine execute ops with."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        """As Unit.effect, on the op's own unit."""
        return self._units[op.unit].effect(op, operands)

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        """As Unit.retire, on the op's own unit."""
        return self._units[op.unit].retire(op, old, result)
