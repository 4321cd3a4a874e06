"""Describes a machine of the family systolic: every field, strictly validated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from archsim.config.types import Count
from archsim.families.cells.activation import ActivationConfig
from archsim.families.cells.elementwise import ElementwiseConfig
from archsim.families.machine_config import MachineConfig, Multipliers
from archsim.families.systolic.drain import DrainConfig
from archsim.families.systolic.systolic_array import SystolicArray, SystolicArrayConfig
from archsim.formats import NumberFormat
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.memories import BufferConfig
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.workload.network import CellSpec, NetworkSpec


class WeightFifoConfig(UnitConfig):
    """The FIFO between the DRAM of the weights and the array."""

    tiles: Count = Field(description="tiles of weights that the FIFO holds")


class UnifiedBufferConfig(BufferConfig):
    """The buffer of everything but weights: x, h, c, gates, biases."""

    prefetch_steps: Annotated[Count, Field(le=64)] = Field(description="time steps that x is loaded ahead of its use")


class SystolicConfig(MachineConfig):
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

    @property
    def multipliers(self) -> Multipliers:
        rows, columns = self.systolic_array.rows, self.systolic_array.columns
        bits = self.systolic_array.multiplier_bits
        size = f"{rows} rows x {columns} columns of {bits} x {bits} bits"
        return Multipliers(SystolicArray.name, "systolic array", size, rows * columns)

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
