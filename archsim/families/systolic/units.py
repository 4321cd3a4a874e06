"""Builds the units of a machine with a systolic array from its description."""

from __future__ import annotations

from typing import Any

from archsim.families.cells.activation import Activation
from archsim.families.cells.elementwise import Elementwise
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.drain import SystolicAccumulators
from archsim.families.systolic.host_link import HostLink
from archsim.families.systolic.systolic_array import SystolicArray, WeightShifter
from archsim.hardware.dram.simple import SimpleDram
from archsim.hardware.unit import Unit

SYSTOLIC_KINDS: tuple[type[Unit[Any]], ...] = (
    SimpleDram,
    HostLink,
    WeightShifter,
    SystolicArray,
    SystolicAccumulators,
    Activation,
    Elementwise,
)
"""Every kind of unit of the family."""


def systolic_units(config: SystolicConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family systolic, in the order in which reports show them."""
    ports = {
        "dram": None,
        "host": None,
        "weight_fifo": None,
        "array_weights": None,
        "accumulators": None,
        "unified_buffer": config.unified_buffer.port_bits,
        "sequencer": None,
    }
    formats, array = config.formats, config.systolic_array
    return (
        SimpleDram(config.dram, ports, formats),
        HostLink(config.host, ports, formats),
        WeightShifter(array, ports, formats),
        SystolicArray(array, ports, formats),
        SystolicAccumulators(config.accumulators, ports, formats, array.columns),
        *[Activation(config.activation, ports, formats)] * config.activation.units,
        *[Elementwise(config.elementwise, ports, formats)] * config.elementwise.units,
    )
