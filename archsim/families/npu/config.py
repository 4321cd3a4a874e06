"""Describes a machine of the family npu: chains of vector units behind a matrix-vector unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from archsim.config.types import Count
from archsim.families.cells.priced import PricedConfig
from archsim.families.machine_config import Multipliers
from archsim.families.npu.chain_words import Words
from archsim.families.npu.evrf import EvrfConfig
from archsim.families.npu.loader import LoaderConfig
from archsim.families.npu.mfu import MfuConfig
from archsim.families.npu.mvu import MvuConfig
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.storage import Registers, Sram, Storage
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.workload.network import NetworkSpec

MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY = "mfu0_add", "mfu0_mul", "mfu1_add", "mfu1_mul"
"""The register files of the multi-function units, by the stage that reads them."""


FIFOS = 6
"""Between the units of a chain, and behind the loader."""


class FifoConfig(UnitConfig):
    """The FIFOs between the units of a chain."""

    depth_words: Count = Field(description="words in each of them")


class NpuConfig(PricedConfig):
    """The architecture file of the family npu: a section for each kind of unit, and the FIFOs between them."""

    family: Literal["npu"] = Field(description="kind of machine")
    mvu: MvuConfig = Field(description="matrix-vector unit, with the weights in its register files")
    evrf: EvrfConfig = Field(description="external vector register file")
    mfu: MfuConfig = Field(description="each of the two multi-function units")
    loader: LoaderConfig = Field(description="write-back, and loading of input vectors")
    fifos: FifoConfig = Field(description="FIFOs between the units")

    @model_validator(mode="after")
    def _numbers_go_through(self) -> NpuConfig:
        if not self.formats.exact and not self.formats.floating:
            raise ValueError(
                "formats: the words of this machine's chains are integers or floating-point numbers, not both; give "
                "every kind of data a q or int format, or every kind a floating-point one"
            )
        return self

    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory: register files of SRAM, the host's side without a price."""
        mvu, mfu, formats = self.mvu, self.mfu, self.formats
        weight_bits = mvu.lanes * formats.format("weight").bits
        vector_bits = mvu.lanes * formats.format("hidden").bits
        value = formats.format("accumulator").bits
        word_bits = mfu.lanes * value
        engines, tiles = mvu.tiles * mvu.dpes, mvu.cores * mvu.tiles
        registers = Sram(mvu.cores, mvu.cores * mfu.depth_words * word_bits // 8, word_bits, True)
        passed = (FIFOS * self.fifos.depth_words * word_bits) * mvu.cores
        return {
            "host": Registers(0),
            "fifo": Registers(passed),
            "mvu_mrf": Sram(engines, engines * mvu.matrix_depth_words * weight_bits // 8, weight_bits, True),
            "mvu_bias": registers,
            "mvu_vrf": Sram(tiles, tiles * mvu.vector_depth_words * vector_bits // 8, vector_bits, True),
            MFU0_ADD: registers,
            MFU0_MULTIPLY: registers,
            MFU1_ADD: registers,
            MFU1_MULTIPLY: registers,
            "evrf": Sram(mvu.cores, mvu.cores * self.evrf.depth_words * word_bits // 8, word_bits, True),
        }

    @property
    def words(self) -> Words:
        """The words of the vector units."""
        return Words(self.mfu.lanes, self.mvu.cores)

    @property
    def least_words(self) -> int:
        """The words of the shortest vector behind the matrix-vector unit: a chunk's row blocks, with padding."""
        return ceil_div(self.mvu.chunk_rows * self.mvu.dpes, self.mfu.lanes)

    def dropped_words(self, hidden_size: int) -> int:
        """The words of a vector for which the tiles have no place: padding of a short one, for each sequence."""
        return max(0, self.least_words - self.mvu.tiles * ceil_div(hidden_size, self.mvu.columns))

    def notes(self, spec: NetworkSpec) -> tuple[str, ...]:
        """What holds of every machine, and of short vectors that nothing published holds them."""
        short = sorted({cell.hidden_size for cell in spec.cells if self.dropped_words(cell.hidden_size)})
        if not short:
            return super().notes(spec)
        sizes = ", ".join(f"{size:,}" for size in short)
        held = (
            f"cycles with {sizes} hidden units are held to nothing published: here units wait for all that they read; "
            "as the authors' model reads, they take up to a quarter less (docs/npu.md, Up to 280 hidden units)"
        )
        return (*super().notes(spec), held)

    @property
    def resets_before_product(self) -> bool:
        return True

    @property
    def multipliers(self) -> Multipliers:
        mvu = self.mvu
        size = (
            f"{mvu.cores} cores x {mvu.tiles} tiles x {mvu.dpes} engines x {mvu.dot_units} dot units x "
            f"{mvu.lanes} lanes"
        )
        return Multipliers("mvu", "matrix-vector unit", size, mvu.macs_per_cycle)

    @property
    def function_unit(self) -> FunctionConfig:
        return self.mfu

    @property
    def inputs_per_chunk(self) -> int:
        return self.mvu.columns

    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        """The least cycles for a step: a micro-op for each row block and column block.

        The whole batch passes at once.
        """
        return sum(
            cell.kind.gates
            * ceil_div(cell.hidden_size, self.mvu.dpes)
            * sum(ceil_div(size, self.mvu.columns) for size in (cell.input_size, cell.output_size))
            for cell in spec.cells
        )
