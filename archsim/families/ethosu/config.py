"""Describes a machine of the family ethosu: every field, strictly validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from archsim.config.types import Constant, ConstantCycles, ConstantNumber, Count, Cycles
from archsim.families.cells.priced import PricedConfig
from archsim.families.machine_config import Multipliers
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.idealization import Idealization
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.workload.network import NetworkSpec

SRAM_BYTES = 256 << 10
"""Inferred: room for the vectors of the networks that run here; Arm gives the SRAM's size to the system."""


class EngineConfig(FunctionConfig):
    """The engine that executes every operator: dot products in micro-blocks, and one output unit behind them.

    Of `lanes`, `latency_cycles` no cycle follows: an operator takes what its rules say (docs/ethosu.md). Cycles are
    constants of the compiler's model, not choices of a design.
    """

    unit_outputs: Count = Field(description="outputs of a micro-block, which are worked on at once")
    unit_inputs: Count = Field(description="inputs that each of these outputs takes a cycle")
    input_block: Count = Field(description="inputs that are in the engine's memory at a time")
    output_block: Count = Field(description="outputs that are in the engine's memory at a time, at most")
    weight_cycles: Constant = Field(description="cycles that a micro-block takes at least for an input block's weights")
    pool_cycles: Constant = Field(
        description="cycles of a micro-block of 8-bit numbers that only pass; of 16-bit twice"
    )
    single_delay_cycles: ConstantCycles = Field(description="cycles more where a block is a single micro-block")
    add_cycles: ConstantNumber = Field(description="cycles of the output unit for each sum of an addition")
    multiply_cycles: ConstantNumber = Field(description="cycles of the output unit for each element-wise product")
    pass_cycles: ConstantNumber = Field(description="cycles of the output unit for each number that only passes")
    product_cycles: ConstantNumber = Field(description="cycles of the output unit for each sum of a dot product")
    command_share: Constant = Field(
        description="part of a block's cycles for which no other command can be prepared: 1/n"
    )


class SramConfig(UnitConfig):
    """The memory of everything but weights."""

    bytes_per_cycle: Count = Field(description="bytes read or written a cycle")
    burst_bytes: Constant = Field(description="bytes of a burst; what is not side by side takes a burst of its own")
    read_latency_cycles: Cycles = Field(description="cycles until a block's first byte is there")
    write_latency_cycles: Cycles = Field(description="cycles until a block's first byte is written")


class FlashConfig(UnitConfig):
    """The memory of weights and biases, which are read again in every time step."""

    bytes_per_cycle: Count = Field(description="bytes read a cycle")
    read_latency_cycles: Cycles = Field(description="cycles until the first byte is there")


class WeightStreamConfig(UnitConfig):
    """How weights lie in flash: in the order of their use, padded, with zeros coded apart where that pays."""

    weight_bits: Constant = Field(description="bits of a weight that the code cannot shorten")
    channel_bytes: Constant = Field(description="bytes of an output's bias and scale")
    align_bytes: Constant = Field(description="bytes that each part of a stream is padded to")
    header_bits: Constant = Field(description="bits in front of a stream's first slice")
    slice_bits: Constant = Field(description="bits in front of each further slice")
    slice_weights: Constant = Field(description="weights of a slice at most")
    end_bits: Constant = Field(description="bits behind the last slice")
    zero_ratio: Constant = Field(
        description="zeros have a code of their own if there are so many times as many as others"
    )


class EthosuConfig(PricedConfig):
    """The architecture file of the family ethosu: one section for the engine, each memory, and the weights' code."""

    family: Literal["ethosu"] = Field(description="kind of machine")
    engine: EngineConfig = Field(description="what executes operators")
    sram: SramConfig = Field(description="memory of vectors and states")
    flash: FlashConfig = Field(description="memory of weights and biases")
    weight_stream: WeightStreamConfig = Field(description="how weights lie in flash")

    @model_validator(mode="after")
    def _whole_micro_blocks(self) -> EthosuConfig:
        if self.engine.input_block % self.engine.unit_inputs:
            raise ValueError("engine.input_block: must be a multiple of engine.unit_inputs")
        return self

    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory: 256 KiB of SRAM (inferred), and flash at the price of the type of DRAM."""
        return {
            "sram": Sram(1, SRAM_BYTES, 8 * self.sram.bytes_per_cycle, False),
            "flash": OffChip(self.dram_type),
            "sequencer": Registers(0),
        }

    @property
    def multipliers(self) -> Multipliers:
        outputs, inputs = self.engine.unit_outputs, self.engine.unit_inputs
        # A micro-block is two positions wide, of which a vector has one: half of the multipliers stand still.
        size = f"2 positions x {outputs} outputs x {inputs} inputs"
        return Multipliers("engine", "engine", size, 2 * outputs * inputs)

    @property
    def function_unit(self) -> FunctionConfig:
        return self.engine

    @property
    def inputs_per_chunk(self) -> int:
        return self.engine.input_block

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        meaning = "cycles are a compiler's estimate, not those of a chip or its RTL"
        return (*super().idealizations, Idealization("family ethosu", meaning))

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        """Micro-blocks of all dot products of a step, an input block each."""
        engine = self.engine
        return sum(
            cell.kind.gates
            * ceil_div(cell.hidden_size, engine.unit_outputs)
            * sum(ceil_div(inputs, engine.input_block) for inputs in (cell.input_size, cell.output_size))
            * engine.weight_cycles
            for cell in spec.cells
        )
