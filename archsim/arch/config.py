"""The architecture file: every field of a machine, strictly validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, model_validator

from archsim.components.activation import ActivationConfig
from archsim.components.activation_methods import make_method
from archsim.components.dram import DramConfig
from archsim.components.elementwise import ElementwiseConfig
from archsim.components.mac_array import MacArrayConfig
from archsim.components.memories import AccumulatorsConfig, BufferConfig, InputBufferConfig, WeightSramConfig
from archsim.components.sequencer import SequencerConfig
from archsim.config import Override, StrictModel, load_document, validate
from archsim.config.presets import PresetKind, find_file
from archsim.config.types import PositiveNumber, Text
from archsim.errors import ArchError
from archsim.formats import Formats


class ArchConfig(StrictModel):
    """A machine: one section for each unit and memory."""

    summary: Text = Field(description="one line that says what this machine is")
    clock_mhz: PositiveNumber = Field(description="core clock in MHz; all cycles are cycles of it")
    formats: Formats = Field(description="number formats, one for all or one for each kind of data")
    dram: DramConfig = Field(description="off-chip memory")
    weight_sram: WeightSramConfig = Field(description="SRAM of weights and bias")
    input_buffer: InputBufferConfig = Field(description="buffer of the input x, one slot for each time step in it")
    state_buffer: BufferConfig = Field(description="buffer of h, c and the gates")
    mac_array: MacArrayConfig = Field(description="multipliers and adder trees")
    accumulators: AccumulatorsConfig = Field(description="partial sums behind the MAC array")
    activation: ActivationConfig = Field(description="sigmoid and tanh")
    elementwise: ElementwiseConfig = Field(description="cell and hidden update")
    sequencer: SequencerConfig = Field(description="issue of ops to the units")

    @model_validator(mode="after")
    def _activation_has_an_address(self) -> ArchConfig:
        try:
            make_method(self.activation, self.formats)
        except ValueError as error:
            raise ValueError(f"activation: {error}") from None
        return self


@dataclass(frozen=True, slots=True)
class Arch:
    """An architecture with the name under which its results are kept, and the changes made to its file with --set."""

    name: str
    config: ArchConfig
    overrides: tuple[str, ...] = ()


def load_arch(reference: str, overrides: Sequence[Override] = ()) -> Arch:
    """The architecture of a preset's name or a file's path, with `--set` overrides applied.

    Raises ArchError with all faults at once.
    """
    path = find_file(PresetKind.ARCH, reference, ArchError)
    config = validate(ArchConfig, load_document(path, ArchError), overrides, ArchError)
    return Arch(path.stem, config, tuple(f"{override.path}={override.value}" for override in overrides))
