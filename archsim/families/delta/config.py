"""Describes a machine of the family delta: a section for each unit, with the cycles of the rules in docs/delta.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from archsim.config.types import Count, Cycles, CyclesFromOne
from archsim.families.cells.priced import PricedConfig
from archsim.families.delta.layer_times import LayerRules, busy_cycles
from archsim.families.machine_config import DramWidth, Multipliers
from archsim.formats import KINDS, Fixed
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.idealization import Idealization
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.hardware.unit import UnitConfig
from archsim.workload.network import CellSpec, NetworkSpec

BLOCK_RAM_BYTES = 4096
"""Of a block RAM of 36 Kb, without parity (7 Series FPGAs Memory Resources, UG473)."""


class DeltaEncoderConfig(UnitConfig):
    """The encoder: compares a column a cycle with what was sent of it last."""

    latency_cycles: Cycles = Field(description="cycles from the begin of a layer until its column 0 leaves")
    part_gap_cycles: Cycles = Field(description="cycles between the last column of x and the first of h")


class IndexFifoConfig(UnitConfig):
    """The FIFO of columns that are not zero, behind the encoder."""

    entries: Count = Field(description="columns and marks that it holds, besides the one at its output")
    latency_cycles: CyclesFromOne = Field(
        description="cycles from the one in which an entry enters to that at the output"
    )


class WeightStreamConfig(UnitConfig):
    """The fetch of columns of weights, one weight for each PE a cycle."""

    latency_cycles: Cycles = Field(description="cycles from an entry at the FIFO's output to its column's first beat")


class PeArrayConfig(UnitConfig):
    """The multiply-accumulators, side by side."""

    pes: Count = Field(description="weights, and products, a cycle; I and H are multiples of it")
    mark_cycles: CyclesFromOne = Field(description="cycles that the mark of the end of a part takes")
    latency_cycles: CyclesFromOne = Field(
        description="cycles from the last beat, or mark, to the begin of the activation"
    )


class DeltaActivationConfig(FunctionConfig):
    """The activation: gates and h of a group of hidden units at a time, as many as there are PEs."""

    group_cycles: CyclesFromOne = Field(description="cycles from one group of hidden units to the next")
    pipeline_groups: Cycles = Field(description="groups' cycles from the begin until the first one begins to come out")
    feedback_cycles: Cycles = Field(description="cycles from the last word of h until the next layer begins")


class DeltaConfig(PricedConfig):
    """The architecture file of the family delta."""

    family: Literal["delta"] = Field(description="kind of machine")
    delta_encoder: DeltaEncoderConfig = Field(description="finds the columns that have changed")
    index_fifo: IndexFifoConfig = Field(description="FIFO of these columns")
    weight_stream: WeightStreamConfig = Field(description="their weights, from memory outside")
    pe_array: PeArrayConfig = Field(description="multiply-accumulators")
    activation: DeltaActivationConfig = Field(description="sigmoid, tanh and the new h")

    @model_validator(mode="after")
    def _numbers_are_fixed_point(self) -> DeltaConfig:
        wrong = [kind for kind in KINDS if not isinstance(self.formats.format(kind), Fixed)]
        if wrong:
            raise ValueError(
                f"formats: a delta machine computes in q formats alone; {', '.join(wrong)} has another one"
            )
        if self.formats.format("input") != self.formats.format("hidden"):
            raise ValueError("formats: input and hidden pass the same encoder and multipliers, and have one format")
        return self

    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory: block RAM of 4 KiB each for state, sums and what was sent (inferred)."""
        formats, pes = self.formats, self.pe_array.pes
        data, sums = formats.format("hidden").bits, formats.format("accumulator").bits
        return {
            "dram": OffChip(self.dram_type),
            "state": Sram(pes, BLOCK_RAM_BYTES * pes, data, True),
            "sent": Sram(1, BLOCK_RAM_BYTES, data, True),
            "index_fifo": Registers(self.index_fifo.entries * 2 * data),
            "sums": Sram(pes, BLOCK_RAM_BYTES * pes, sums, True),
            "sequencer": Registers(0),
        }

    @property
    def dram_width(self) -> DramWidth:
        """The width of DRAM that brings a weight to each PE in a cycle."""
        bits = self.pe_array.pes * self.formats.format("weight").bits
        return DramWidth(gb_per_s=bits / 8 * self.clock_mhz / 1000)

    @property
    def multipliers(self) -> Multipliers:
        return Multipliers("pe_array", "PE array", f"{self.pe_array.pes} PEs", self.pe_array.pes)

    @property
    def function_unit(self) -> DeltaActivationConfig:
        return self.activation

    @property
    def inputs_per_chunk(self) -> int:
        """A column at a time: one input of each row."""
        return 1

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        """What no chip has: the functions, if their method is none. There is no sequencer that could grant anything."""
        issued = self.sequencer.idealizations
        return tuple(found for found in super().idealizations if found not in issued)

    def rules(self, cell: CellSpec) -> LayerRules:
        """What the times of a layer follow from; H is a multiple of the PEs."""
        return LayerRules(
            inputs=cell.input_size,
            hidden=cell.hidden_size,
            burst_beats=cell.rows // self.pe_array.pes,
            encoder_cycles=self.delta_encoder.latency_cycles,
            part_gap_cycles=self.delta_encoder.part_gap_cycles,
            fifo_entries=self.index_fifo.entries,
            fifo_cycles=self.index_fifo.latency_cycles,
            fetch_cycles=self.weight_stream.latency_cycles,
            mark_cycles=self.pe_array.mark_cycles,
        )

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        """The beats and marks of a step, on average; 0 if it is not known which columns are multiplied."""
        if spec.activity is None:
            return 0
        of_layers = zip(spec.cells, spec.activity, strict=True)
        total = sum(busy_cycles(step, self.rules(cell)) for cell, layer in of_layers for step in layer.steps)
        return total // spec.steps
