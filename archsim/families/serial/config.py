"""Describes a machine of the family serial: every field, strictly validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from archsim.config.types import CyclesFromOne
from archsim.families.cells.priced import PricedConfig
from archsim.families.machine_config import Multipliers
from archsim.families.serial.hard_cut import HARD_CUT
from archsim.formats import Fixed
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.functions.method_registry import AnyMethod
from archsim.hardware.storage import Registers, Sram, Storage
from archsim.hardware.unit import UnitConfig
from archsim.workload.network import NetworkSpec

BLOCK_RAM_BYTES = 4096
"""The bytes of a block RAM of 36 Kb, without parity (7 Series FPGAs Memory Resources, UG473)."""

GATES = 4
"""Multipliers: one for each gate of an LSTM."""


class DotProductConfig(UnitConfig):
    """Four multipliers and accumulators, one a gate, which share an operand."""

    operand_cycles: CyclesFromOne = Field(description="cycles for each operand of [x, h]: its fetch and its products")


class SerialElementwiseConfig(FunctionConfig):
    """The machine behind the sums, which works on one hidden unit at a time."""

    method: AnyMethod = Field(default=HARD_CUT, description="how sigmoid and tanh are evaluated; hard_cut if left out")
    gate_cycles: CyclesFromOne = Field(
        description="cycles for the gates' functions and products, through one sigmoid unit"
    )
    cell_cycles: CyclesFromOne = Field(description="cycles for f * c + i * g")
    tanh_cycles: CyclesFromOne = Field(description="cycles for tanh(c)")
    hidden_cycles: CyclesFromOne = Field(description="cycles for o * tanh(c)")
    copy_cycles: CyclesFromOne = Field(
        description="cycles to copy a unit's h and c from the temporary RAMs, after the last"
    )

    @field_validator("method", mode="before")
    @classmethod
    def _own_method(cls, value: object) -> object:
        """The family's own method by its name, as saved files have it; other families do not know it."""
        return HARD_CUT if value == HARD_CUT.name else value

    @property
    def unit_cycles(self) -> int:
        """The cycles for a hidden unit, from its sums to its h."""
        return self.gate_cycles + self.cell_cycles + self.tanh_cycles + self.hidden_cycles


class ControllerConfig(UnitConfig):
    """The state machine that starts a time step and ends it."""

    start_cycles: CyclesFromOne = Field(
        description="cycles from the end of a step until the next one's first operand is due"
    )
    finish_cycles: CyclesFromOne = Field(description="cycles from the last copy until the step is reported as done")


class SerialConfig(PricedConfig):
    """The architecture file of the family serial: one section for each unit."""

    family: Literal["serial"] = Field(description="kind of machine")
    dot_product: DotProductConfig = Field(description="sums of a hidden unit's four gates")
    elementwise: SerialElementwiseConfig = Field(description="what follows a hidden unit's sums")
    controller: ControllerConfig = Field(description="start and end of a time step")

    @model_validator(mode="after")
    def _one_width(self) -> SerialConfig:
        data, accumulator = self.formats.format("weight"), self.formats.format("accumulator")
        kinds = ("input", "hidden", "gate", "activation", "cell")
        if not isinstance(data, Fixed) or any(self.formats.format(kind) != data for kind in kinds):
            raise ValueError("formats: this machine has one width for all data: give all of them the same q format")
        double = isinstance(accumulator, Fixed) and (accumulator.bits, accumulator.fraction_bits)
        if double != (2 * data.bits, 2 * data.fraction_bits):
            integer, fraction = 2 * data.integer_bits, 2 * data.fraction_bits
            raise ValueError(f"formats.accumulator: sums have twice the bits of {data}, q{integer}.{fraction}")
        return self

    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory: a block RAM each (inferred); the host's side is not priced."""
        data, double = self.data.bits, 2 * self.data.bits
        block = Sram(1, BLOCK_RAM_BYTES, data, True)
        return {
            "rom": Sram(GATES, GATES * BLOCK_RAM_BYTES, data, False),
            "input_buffer": block,
            "state_rams": block,
            "temporary_rams": block,
            "sum_registers": Registers(GATES * double),
            "host": Registers(0),
        }

    @property
    def data(self) -> Fixed:
        """The format of all data."""
        found = self.formats.format("weight")
        assert isinstance(found, Fixed)
        return found

    @property
    def multipliers(self) -> Multipliers:
        return Multipliers("dot_product", "gate multipliers", "one a gate, which share an operand", GATES)

    @property
    def function_unit(self) -> FunctionConfig:
        return self.elementwise

    @property
    def inputs_per_chunk(self) -> int:
        return 1

    @property
    def late_bias(self) -> bool:
        return True

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        """An operand after the other, a hidden unit after the other."""
        cells = ((cell.hidden_size, cell.input_size + cell.output_size) for cell in spec.cells)
        return sum(hidden * inputs for hidden, inputs in cells) * self.dot_product.operand_cycles
