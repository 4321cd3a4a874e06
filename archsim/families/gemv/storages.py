"""Says what the memories of a machine of the family gemv are built of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.config.deferred import Deferred
from archsim.families.gemv.state_banks import StateBanks
from archsim.formats import FloatFormat
from archsim.hardware.storage import OffChip, Registers, Sram, Storage

if TYPE_CHECKING:
    from archsim.families.gemv.config import GemvConfig
    from archsim.families.gemv.memories import InputBufferConfig, WeightSramConfig


def storages(config: GemvConfig) -> Mapping[str, Storage]:
    """The storage of every memory by its name in programs, in the order in which reports show them.

    A memory with `ports: 1R1W` is an SRAM with two ports, one with 1RW has one. The state buffer's banks, if it has one
    for each kind of data, are taken as equally large. The sequencer's bits (which sequence is there at a time step)
    come with its ops and have no store on the chip.
    """
    biases = {} if config.bias_buffer is None else {"bias_buffer": lambda: _bias_buffer(config)}
    deltas = {} if config.delta_encoder is None else {"delta_buffer": lambda: _delta_buffer(config)}
    return Deferred[Storage](
        {
            "dram": lambda: OffChip(config.dram_type),
            "weight_sram": lambda: _weight_sram(config.weight_sram),
            **biases,
            "input_buffer": lambda: _input_buffer(config.input_buffer),
            "state_buffer": lambda: _state_buffer(config),
            **deltas,
            "accumulators": lambda: _accumulators(config),
            "sequencer": lambda: Registers(0),
        }
    )


def _weight_sram(weights: WeightSramConfig) -> Storage:
    return Sram(weights.banks, weights.capacity_bytes, weights.port_bits, weights.ports == "1R1W")


def _input_buffer(inputs: InputBufferConfig) -> Storage:
    return Sram(1, inputs.capacity_bytes, inputs.port_bits, inputs.ports == "1R1W")


def _accumulators(config: GemvConfig) -> Storage:
    """One of several partial sums of floating-point numbers is as wide as what is accumulated."""
    accumulator = config.formats.format("accumulator")
    partial_sums = config.mac_array.partial_sums(isinstance(accumulator, FloatFormat))
    further_bits = (partial_sums - 1) * accumulator.bits
    return Registers(config.accumulators.entries * (config.formats.format("gate").bits + further_bits))


def _bias_buffer(config: GemvConfig) -> Storage:
    """A bank for each row of the array, with a word a bias; two ports, one for the array, one for whatever else."""
    assert config.bias_buffer is not None
    word_bits = config.formats.format("accumulator").bits
    return Sram(config.mac_array.rows, config.bias_buffer.capacity_bytes, word_bits, True)


def _delta_buffer(config: GemvConfig) -> Storage:
    """What was passed on last, and the deltas; two ports."""
    assert config.delta_encoder is not None
    return Sram(1, config.delta_encoder.capacity_bytes, config.delta_encoder.port_bits, True)


def _state_buffer(config: GemvConfig) -> Storage:
    state = config.state_buffer
    if state.banks == "one":
        return Sram(1, state.capacity_bytes, state.port_bits, state.ports == "1R1W")
    banks = StateBanks(config.activation.units, config.elementwise.units)
    return Sram(banks.kinds, state.capacity_bytes, state.port_bits, True, banks.copies)
