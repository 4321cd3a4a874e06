"""The units of a machine with one MAC array, built from its description."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from archsim.config.deferred import Deferred
from archsim.families.cells.activation import Activation
from archsim.families.cells.elementwise import Elementwise
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.encoder import ChunkEncoder
from archsim.families.gemv.further_units import build_further
from archsim.hardware.dram.ddr_unit import DdrConfig, DdrDram
from archsim.hardware.dram.simple import SimpleDram
from archsim.hardware.port_streams import Ports
from archsim.hardware.unit import Unit

GEMV_KINDS: tuple[type[Unit[Any]], ...] = (SimpleDram, DdrDram, MacArray, Activation, Elementwise, ChunkEncoder)
"""Every kind of unit of the family; further ones come from other packages."""


def gemv_units(config: GemvConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family gemv, in the order of reports: those of other packages last."""
    widths = Deferred[int | None](
        {
            "dram": _no_limit,
            "weight_sram": lambda: config.weight_sram.bits_per_cycle,
            "bias_buffer": _no_limit,
            "input_buffer": lambda: config.input_buffer.port_bits,
            "state_buffer": lambda: config.state_buffer.port_bits,
            "delta_buffer": lambda: _delta_port(config),
            "accumulators": _no_limit,
            "sequencer": _no_limit,
        }
    )
    ports = Ports(widths, ("state_buffer",) if config.state_buffer.banks == "by_kind" else ())
    return (
        _dram(config, ports),
        MacArray(config.mac_array, ports, config.formats, config.weight_sram.read_latency_cycles, config.skips_chunks),
        *[Activation(config.activation, ports, config.formats)] * config.activation.units,
        *[Elementwise(config.elementwise, ports, config.formats)] * config.elementwise.units,
        *([] if config.delta_encoder is None else [ChunkEncoder(config.delta_encoder, ports, config.formats)]),
        *build_further(config.further_units, ports, config.formats),
    )


def _delta_port(config: GemvConfig) -> int | None:
    return None if config.delta_encoder is None else config.delta_encoder.port_bits


def _no_limit() -> None:
    return None


def _dram(config: GemvConfig, ports: Ports) -> Unit[Any]:
    if isinstance(config.dram, DdrConfig):
        return DdrDram(config.dram, ports, config.formats, Fraction(repr(config.clock_mhz)))
    return SimpleDram(config.dram, ports, config.formats)
