"""Describes a machine of the family systolic: every field, strictly validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from archsim.config.types import Count
from archsim.families.cells.activation import ActivationConfig
from archsim.families.cells.elementwise import ElementwiseConfig
from archsim.families.cells.priced import PricedConfig
from archsim.families.machine_config import DramWidth, Multipliers
from archsim.families.systolic.drain import DrainConfig
from archsim.families.systolic.systolic_array import SystolicArray, SystolicArrayConfig
from archsim.formats import NumberFormat
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.idealization import Idealization
from archsim.hardware.memories import BufferConfig
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.workload.network import CellSpec, NetworkSpec


class WeightFifoConfig(UnitConfig):
    """The FIFO between the DRAM of the weights and the array."""

    tiles: Count = Field(description="tiles of weights that the FIFO holds")


class UnifiedBufferConfig(BufferConfig):
    """The buffer of everything but weights: x, h, c, gates, biases."""

    prefetch_steps: Annotated[Count, Field(le=64)] = Field(description="time steps that x is loaded ahead of its use")


class SystolicConfig(PricedConfig):
    """The architecture file of the family systolic: one section for each unit and memory."""

    family: Literal["systolic"] = Field(description="kind of machine")
    dram: SimpleDramConfig = Field(description="DRAM of the weights, which are read every time step")
    host: SimpleDramConfig = Field(description="link to the host: x, states and biases in, outputs out")
    weight_fifo: WeightFifoConfig = Field(description="tiles of weights on their way from DRAM to the array")
    systolic_array: SystolicArrayConfig = Field(description="multipliers that hold a tile of weights")
    accumulators: DrainConfig = Field(description="sums behind the array")
    unified_buffer: UnifiedBufferConfig = Field(description="buffer of x, h, c, the gates and biases")
    activation: ActivationConfig = Field(description="sigmoid and tanh")
    elementwise: ElementwiseConfig = Field(description="cell and hidden update")

    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory; the host's side of its link is not priced."""
        array, formats = self.systolic_array, self.formats
        tile_bits = array.rows * array.columns * formats.format("weight").bits
        sums_bytes = self.accumulators.vectors * array.columns * formats.format("accumulator").bits // 8
        unified = self.unified_buffer
        return {
            "dram": OffChip(self.dram_type),
            "host": Registers(0),
            "weight_fifo": Sram(
                1, self.weight_fifo.tiles * tile_bits // 8, array.columns * array.multiplier_bits, True
            ),
            "array_weights": Registers(2 * tile_bits),
            "accumulators": Sram(1, sums_bytes, array.columns * formats.format("accumulator").bits, True),
            "unified_buffer": Sram(1, unified.capacity_bytes, unified.port_bits, unified.ports == "1R1W"),
            "sequencer": Registers(0),
        }

    @property
    def dram_width(self) -> DramWidth:
        return DramWidth(gb_per_s=self.dram.bandwidth_bytes_per_cycle * self.clock_mhz / 1000)

    @property
    def multipliers(self) -> Multipliers:
        rows, columns = self.systolic_array.rows, self.systolic_array.columns
        bits = self.systolic_array.multiplier_bits
        size = f"{rows} rows x {columns} columns of {bits} x {bits} bits"
        return Multipliers(SystolicArray.name, "systolic array", size, rows * columns)

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        """What no chip has: also links without a pause."""
        links = self.dram.idealizations("dram") + self.host.idealizations("host")
        return super().idealizations + links

    @property
    def function_unit(self) -> ActivationConfig:
        return self.activation

    @property
    def inputs_per_chunk(self) -> int:
        return self.systolic_array.rows

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        first, further = self.formats.format("input"), self.formats.format("hidden")
        layers = enumerate(spec.layers)
        return spec.batch * sum(self._passes(c, further if n else first) for n, layer in layers for c in layer)

    def _passes(self, cell: CellSpec, x: NumberFormat) -> int:
        """The least cycles of the array for a step of one sequence: each matrix in as few tiles as can be."""
        array, hidden = self.systolic_array, self.formats.format("hidden")
        bits = self.formats.format("weight").bits
        blocks = ceil_div(cell.rows, array.columns)
        gates = blocks * ceil_div(cell.input_size, array.rows) * array.passes(bits, x.bits)
        gates += blocks * ceil_div(cell.output_size, array.rows) * array.passes(bits, hidden.bits)
        projection = ceil_div(cell.proj_size, array.columns) * ceil_div(cell.hidden_size, array.rows)
        return gates + projection * array.passes(bits, hidden.bits)
