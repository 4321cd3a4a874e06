"""The architecture file of a machine of the family gemv: every field, strictly validated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from archsim.config.presets import MAX_PATH_CHARACTERS, is_name
from archsim.config.types import Text
from archsim.families.cells.activation import ActivationConfig
from archsim.families.cells.elementwise import ElementwiseConfig
from archsim.families.gemv.array.mac_config import MacArrayConfig
from archsim.families.gemv.array.mac_cost import ArrayOperators
from archsim.families.gemv.bounds import GEMV_BOUNDS, LeastWork, least_energy_uj, least_load_cycles
from archsim.families.gemv.deltas.config import ChunkEncoderConfig
from archsim.families.gemv.further_units import (
    SECTION,
    UnitSections,
    check_definitions,
    sections_of,
)
from archsim.families.gemv.memories import (
    AccumulatorsConfig,
    BiasBufferConfig,
    InputBufferConfig,
    StateBufferConfig,
    WeightSramConfig,
)
from archsim.families.gemv.storages import storages
from archsim.families.machine_config import Costing, DramWidth, MachineConfig, Multipliers
from archsim.formats import BlockFloat, Fixed
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.idealization import Idealization
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.hardware.unit_definition import UnitDefinition, installed_units
from archsim.program.ir import DataKind
from archsim.program.sparsity import DENSE, Sparsity
from archsim.technology import Prices
from archsim.technology.conditions import BESIDE, EnergyModel
from archsim.workload.network import CellKind, CellSpec, NetworkSpec

DramConfig = Annotated[SimpleDramConfig | DdrConfig, Field(discriminator="kind")]

Reference = Annotated[str, Field(strict=True, min_length=1, max_length=MAX_PATH_CHARACTERS)]
"""A preset's name or a path."""


class GemvConfig(MachineConfig):
    """A machine of the family gemv: one section for each unit and memory."""

    family: Literal["gemv"] = Field(default="gemv", description="kind of machine")
    technology: Reference = Field(
        default="node_45nm", description="energies and areas: a preset's name or the path of a .yaml file"
    )
    dram_type: Text = Field(default="lpddr4", description="type of DRAM, one of the technology's")
    energy_model: EnergyModel = Field(
        default=EnergyModel(), description="conditions of energy and leakage, and what is counted"
    )
    dram: DramConfig = Field(description="off-chip memory")
    weight_sram: WeightSramConfig = Field(description="SRAM of weights and bias")
    bias_buffer: BiasBufferConfig | None = Field(
        default=None, description="memory of biases and peephole weights; left out: they lie in the weight SRAM"
    )
    input_buffer: InputBufferConfig = Field(description="buffer of the input x, one slot for each time step in it")
    state_buffer: StateBufferConfig = Field(description="buffer of h, c and the gates")
    mac_array: MacArrayConfig = Field(description="multipliers and adder trees")
    accumulators: AccumulatorsConfig = Field(description="partial sums behind the MAC array")
    delta_encoder: ChunkEncoderConfig | None = Field(
        default=None,
        description="encoder of delta networks: the MAC array skips chunks in which nothing has changed; left out: it "
        "takes no delta networks",
    )
    activation: ActivationConfig = Field(description="sigmoid and tanh")
    elementwise: ElementwiseConfig = Field(description="cell and hidden update")

    @model_validator(mode="after")
    def _ports_of_banks(self) -> GemvConfig:
        if self.state_buffer.banks == "by_kind" and self.state_buffer.ports == "1RW":
            raise ValueError("state_buffer.banks: by_kind needs ports: 1R1W; with 1RW there is one port for all data")
        return self

    @model_validator(mode="after")
    def _weights_have_their_own_exponents(self) -> GemvConfig:
        weight = self.formats.format("weight")
        if self.mac_array.sparsity is not None and isinstance(weight, BlockFloat):
            raise ValueError(
                f"mac_array.sparsity: weights of {weight} share exponents with neighbours that may not be kept; "
                "formats.weight must be another one"
            )
        return self

    @model_validator(mode="after")
    def _skips_by_itself(self) -> GemvConfig:
        if self.delta_encoder is not None and self.single_ported:
            raise ValueError(f"delta_encoder needs ports: 1R1W; {self.single_ported[0]} has 1RW")
        return self

    @model_validator(mode="after")
    def _energy_of_the_device(self) -> GemvConfig:
        device = self.dram.device.dram_type if isinstance(self.dram, DdrConfig) else None
        if device not in (None, self.dram_type):
            raise ValueError(
                f"dram_type is {self.dram_type}, but dram.device is of type {device}: set dram_type={device}"
            )
        return self

    @model_validator(mode="after")
    def _reordering_has_ports_of_its_own(self) -> GemvConfig:
        if isinstance(self.dram, DdrConfig) and self.dram.reorders and self.single_ported:
            raise ValueError(f"dram.controller fr_fcfs needs ports: 1R1W; {self.single_ported[0]} has 1RW")
        return self

    @classmethod
    def model_for(cls, sections: Collection[str], units: Sequence[UnitDefinition[Any]] = ()) -> type[GemvConfig]:
        """This model; of a file with the section `units` one that has it, with a section for each unit that is offered.

        Raises ExtensionError if what packages offer cannot be used together.
        """
        if SECTION not in sections:
            return cls
        reserved = {*GemvConfig.model_fields, *GEMV_BOUNDS, *BESIDE}
        given = {unit.name for unit in units}
        installed = (unit for unit in installed_units() if unit.name not in given)
        return _model_with(check_definitions((*installed, *units), reserved))

    @property
    def further_units(self) -> tuple[tuple[UnitDefinition[Any], UnitConfig], ...]:
        """The units of other packages that the machine has, with their sections."""
        return ()

    @property
    def multipliers(self) -> Multipliers:
        rows, columns, kept = self.mac_array.rows, self.mac_array.columns, self.weight_sparsity
        size = f"{rows} rows x {columns} columns"
        size += "" if kept is DENSE else f", {kept.kept} of {kept.of} weights kept"
        return Multipliers("mac_array", "MAC array", size, rows * kept.chunk_inputs(columns))

    @property
    def weight_sparsity(self) -> Sparsity:
        return self.mac_array.kept

    @property
    def single_ported(self) -> tuple[str, ...]:
        """The memories whose one port all units share."""
        memories = {
            "weight_sram": self.weight_sram.ports,
            "input_buffer": self.input_buffer.ports,
            "state_buffer": self.state_buffer.ports,
        }
        return tuple(name for name, ports in memories.items() if ports == "1RW")

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        """What no chip has: also results without a pipeline stage, and ports that the area does not pay for."""
        latencies = {
            "weight_sram.read_latency_cycles": self.weight_sram.read_latency_cycles,
            "mac_array.multiplier_latency_cycles": self.mac_array.multiplier_latency_cycles,
            "activation.latency_cycles": self.activation.latency_cycles,
            "elementwise.cell_latency_cycles": self.elementwise.cell_latency_cycles,
            "elementwise.hidden_latency_cycles": self.elementwise.hidden_latency_cycles,
        }
        zero = tuple(
            Idealization(f"{name} 0", "no register behind it") for name, cycles in latencies.items() if cycles == 0
        )
        dram = self.dram.idealizations("dram") if isinstance(self.dram, SimpleDramConfig) else ()
        return super().idealizations + zero + dram + self._unpaid_ports

    @property
    def _unpaid_ports(self) -> tuple[Idealization, ...]:
        """The ports and buffers that the rules grant and the area does not have."""
        found: list[Idealization] = []
        state, formats, array = self.state_buffer, self.formats, self.mac_array
        if state.ports == "1R1W" and state.banks == "one":
            found.append(Idealization("state_buffer.banks one", "ports for each unit; the area has one pair", "D3"))
        if self.bias_buffer is None:
            found.append(Idealization("bias_buffer left out", "a port for biases into the weight SRAM", "D10"))
        stored_bits = formats.format("weight").bits + self.weight_sparsity.index_bits
        weights = array.rows * array.columns * stored_bits
        inputs = array.inputs_of(DataKind.W_IH) * formats.format("input").bits
        hidden = array.inputs_of(DataKind.W_HH) * formats.format("hidden").bits
        chunks = {
            "weight_sram": (self.weight_sram.bits_per_cycle, weights),
            "input_buffer": (self.input_buffer.port_bits, inputs),
            "state_buffer": (state.port_bits, hidden),
        }
        for memory, (width, chunk) in chunks.items():
            if width < chunk:
                what = f"narrower than a chunk of {chunk:,} bits: what waits in front of the array has no area"
                found.append(Idealization(f"{memory} {width:,} bits a cycle", what, "D4"))
        return tuple(found)

    @property
    def costing(self) -> Costing:
        model = self.energy_model
        return Costing(self.technology, self.dram_type, storages(self), model.conditions, model.counted)

    @property
    def dram_width(self) -> DramWidth:
        if isinstance(self.dram, DdrConfig):
            return DramWidth(channels=self.dram.channels)
        return DramWidth(gb_per_s=self.dram.bandwidth_bytes_per_cycle * self.clock_mhz / 1000)

    def with_files_from(self, folder: Path, set_here: Collection[str]) -> GemvConfig:
        """The technology's file beside the architecture's, if it is none of the presets."""
        if is_name(self.technology) or "technology" in set_here:
            return self
        return self.model_copy(update={"technology": str(folder / self.technology)})

    def least_load_cycles(self, spec: NetworkSpec) -> int:
        """All weights through DRAM's interface once; of kind ddr, whose rows and refresh cost more, nothing is said."""
        return least_load_cycles(self.dram, LeastWork.of(self, spec))

    def least_energy_uj(self, spec: NetworkSpec, prices: Prices) -> float:
        """A multiplication a weight kept, one loading of all, and one reading of W_hh a step from the weight SRAM."""
        multiplier = ArrayOperators(self.mac_array, self.formats).multiplier
        return least_energy_uj(self.costing, LeastWork.of(self, spec), multiplier, spec.steps, prices)

    @property
    def skips_chunks(self) -> bool:
        return self.delta_encoder is not None

    @property
    def missing_for_deltas(self) -> str:
        """The section of the encoder, in a size that goes with the array, and q formats for what it compares."""
        if self.delta_encoder is not None:
            return ""
        lanes, hidden = self.mac_array.columns, self.formats.format("hidden")
        bits = hidden.bits if isinstance(hidden, Fixed) else 16
        section = f"{{lanes: {lanes}, latency_cycles: 2, capacity_bytes: 4KiB, port_bits: {lanes * (bits + 1)}}}"
        formats = "" if isinstance(hidden, Fixed) else " --set formats=q4.12"
        return f'--set "delta_encoder={section}"{formats}'

    @property
    def function_unit(self) -> ActivationConfig:
        return self.activation

    @property
    def late_bias(self) -> bool:
        return self.activation.adds_bias

    @property
    def inputs_per_chunk(self) -> int:
        return self.mac_array.inputs_of(DataKind.W_HH)

    @property
    def x_inputs_per_chunk(self) -> int | None:
        return None if self.mac_array.apart is None else self.mac_array.inputs_of(DataKind.W_IH)

    @property
    def weight_bits_per_cycle(self) -> int | None:
        return self.weight_sram.bits_per_cycle

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        if spec.skips:  # there may be a step without any change
            return 0
        return sum(self._array_cycles(cell) for cell in spec.cells) * spec.batch

    def _array_cycles(self, cell: CellSpec) -> int:
        """Cycles that the MAC array needs at least for a time step of one sequence."""
        rows, columns = self.mac_array.rows, self.mac_array.columns
        inputs = [(DataKind.W_IH, cell.input_size)]
        inputs += [(DataKind.W_HH, cell.output_size)] if cell.kind.recurrent else []
        gates = ceil_div(cell.rows, rows) * self.mac_array.chunks(inputs, self.formats.one_accumulation)
        if cell.kind is CellKind.GRU and cell.linear_before_reset:
            # The candidate's two parts are kept apart: their rows are multiplied by x alone and by h alone.
            stored = self.weight_sparsity.stored
            apart = ceil_div(cell.rows * (stored(cell.input_size) + stored(cell.output_size)), rows * columns)
            gates = min(gates, apart)
        projection = self.mac_array.chunks([(DataKind.W_HR, cell.hidden_size)], one_accumulation=True)
        return gates + ceil_div(cell.proj_size, rows) * projection


class GemvConfigWithUnits(GemvConfig):
    """A machine whose file has the section `units`, with units of other packages."""

    units: UnitSections = Field(description="units of other packages, each with its own section")

    @property
    def further_units(self) -> tuple[tuple[UnitDefinition[Any], UnitConfig], ...]:
        return self.units.given()


@cache
def _model_with(definitions: tuple[UnitDefinition[Any], ...]) -> type[GemvConfig]:
    """The model of a file with the section `units`, where these units are offered."""
    section = sections_of(definitions)
    field = Field(default=section(), description=str(GemvConfigWithUnits.model_fields[SECTION].description))
    return create_model("GemvConfig", __base__=GemvConfigWithUnits, units=(section, field))
