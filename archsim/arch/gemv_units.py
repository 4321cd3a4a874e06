"""The units of a machine with one MAC array, built from its description."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from archsim.arch.config import ArchConfig
from archsim.components.activation import Activation
from archsim.components.base import Ports, Unit
from archsim.components.ddr import DdrConfig, DdrDram
from archsim.components.dram_simple import SimpleDram
from archsim.components.elementwise import Elementwise
from archsim.components.mac_array import MacArray

GEMV_KINDS: tuple[type[Unit[Any]], ...] = (SimpleDram, DdrDram, MacArray, Activation, Elementwise)
"""Every kind of unit of the family."""


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
