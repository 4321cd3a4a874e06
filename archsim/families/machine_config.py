"""Defines what every machine's description has, whatever its family: shared fields, and answers for other layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from archsim.config import StrictModel
from archsim.config.types import PositiveNumber, Text
from archsim.families.threshold_notes import threshold_notes
from archsim.formats import Formats
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.functions.method_registry import EXACT, make_method
from archsim.hardware.idealization import Idealization
from archsim.hardware.sequencer_config import SequencerConfig
from archsim.hardware.storage import Storage
from archsim.hardware.unit_definition import UnitDefinition
from archsim.program.sparsity import DENSE, Sparsity
from archsim.technology import Prices
from archsim.technology.conditions import ALL_COUNTED, USUAL, Conditions, Counted
from archsim.workload.network import NetworkSpec


@dataclass(frozen=True, slots=True)
class Multipliers:
    """The multipliers of a machine.

    `unit`: the unit that they are in, whose cycle stack is the machine's; `title`: what reports call it; `size`: how
    large it is, in words, as "64 rows x 64 columns"; `macs_per_cycle`: the most that it can do in a cycle.
    """

    unit: str
    title: str
    size: str
    macs_per_cycle: int


@dataclass(frozen=True, slots=True)
class Costing:
    """What energy and area follow from besides the units: technology, type of DRAM, memories.

    `technology`: a preset's name or the path of a file; `dram_type`: one of its types of DRAM; `memories`: every memory
    by its name in programs, with what it is built of. `conditions`: those under which prices hold; `counted`: what is
    counted of the surroundings.
    """

    technology: str
    dram_type: str
    memories: Mapping[str, Storage]
    conditions: Conditions = USUAL
    counted: Counted = ALL_COUNTED


@dataclass(frozen=True, slots=True)
class DramWidth:
    """How much DRAM there is: its channels, or, where these are 0, its bandwidth in GB/s."""

    channels: int = 0
    gb_per_s: float = 0.0


NO_DRAM = DramWidth()


class MachineConfig(StrictModel, ABC):
    """The base of every machine's description; a family adds a section for each unit and memory."""

    family: str = Field(description="kind of machine; it decides which sections there are, and which schedules")
    summary: Text = Field(description="one line that says what this machine is")
    clock_mhz: PositiveNumber = Field(description="core clock in MHz; all cycles are cycles of it")
    formats: Formats = Field(description="number formats, one for all or one for each kind of data")
    sequencer: SequencerConfig = Field(description="issue of ops to the units")

    @model_validator(mode="after")
    def _functions_have_an_address(self) -> Self:
        try:
            make_method(self.function_unit, self.formats)
        except ValueError as error:
            raise ValueError(f"{self._section_of(self.function_unit)}: {error}") from None
        return self

    @classmethod
    def model_for(cls, sections: Collection[str], units: Sequence[UnitDefinition[Any]] = ()) -> type[MachineConfig]:
        """The model of an architecture file that has these sections.

        A family whose machines may have units of other packages knows more of it; `units`: those that the caller has,
        besides those of installed packages.
        """
        return cls

    def with_files_from(self, folder: Path, set_here: Collection[str]) -> Self:
        """A copy of the machine with usable paths of other files, which its file names relative to `folder`.

        `set_here`: the fields that --set gave, whose paths are relative to the current folder.
        """
        return self

    @property
    @abstractmethod
    def multipliers(self) -> Multipliers:
        """The multipliers of the machine."""

    @property
    @abstractmethod
    def function_unit(self) -> FunctionConfig:
        """The unit and method that evaluate activation functions."""

    @property
    @abstractmethod
    def inputs_per_chunk(self) -> int:
        """How many inputs of a row have their products summed before they go into its accumulator."""

    @property
    def x_inputs_per_chunk(self) -> int | None:
        """How many inputs a chunk of W_ih has where x has multipliers of its own; else None.

        There x and h go through multipliers and accumulators of their own.
        """
        return None

    @property
    def weight_sparsity(self) -> Sparsity:
        """Which weights of every row the machine keeps; what a network has beyond them is pruned."""
        return DENSE

    @property
    def skips_chunks(self) -> bool:
        """Whether a delta network's columns are multiplied, and its sums rounded, by the chunk, and not one by one."""
        return False

    @property
    def missing_for_deltas(self) -> str:
        """What must be set before the machine can skip anything of a delta network; "" if it can, or never will."""
        return ""

    def notes(self, spec: NetworkSpec) -> tuple[str, ...]:
        """What a reader of a network's figures on this machine must know; a family adds what holds of its own."""
        return threshold_notes(spec.delta, self.formats)

    def weight_bits(self, rows: int, inputs: int) -> int:
        """The least bits of a weight matrix, with the indexes of its weights."""
        stored = rows * self.weight_sparsity.stored(inputs)
        return self.formats.format("weight").vector_bits(stored) + stored * self.weight_sparsity.index_bits

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        """What the description grants that no chip has; a family adds what its own sections grant."""
        method = self.function_unit.method
        setting = f"{self._section_of(self.function_unit)}.method {method}"
        exact = Idealization(setting, "results of the C library, which no circuit gives", "D9")
        return self.sequencer.idealizations + ((exact,) if method is EXACT else ())

    def _section_of(self, section: object) -> str:
        """The name of a section of this description."""
        return next(name for name in type(self).model_fields if getattr(self, name) is section)

    @property
    def late_bias(self) -> bool:
        """Whether the bias is added in front of the activation function, not where the accumulators begin."""
        return False

    @property
    def resets_before_product(self) -> bool:
        """Whether a GRU of which only sizes are known resets h before the product here, as the machine's programs do.

        Elsewhere it is torch's, which resets after it.
        """
        return False

    @property
    def costing(self) -> Costing | None:
        """What the machine's energy and area follow from; None where a family has no model of them."""
        return None

    @property
    def dram_width(self) -> DramWidth:
        """How much DRAM there is, which takes power all the time; nothing where nothing is said of it."""
        return NO_DRAM

    @abstractmethod
    def compute_cycles_per_step(self, spec: NetworkSpec) -> int:
        """The least cycles of the multipliers for a time step of all layers and sequences."""

    def least_load_cycles(self, spec: NetworkSpec) -> int:
        """The least cycles that loading the weights takes in a run; 0 if nothing is known of it."""
        return 0

    def least_energy_uj(self, spec: NetworkSpec, prices: Prices) -> float:
        """The least energy in uJ, without leakage, of any run of the network; 0 if unknown.

        Only asked of machines with a `costing`. Used to leave out designs that cannot be on a front (docs/explore.md).
        """
        return 0.0

    @property
    def weight_bits_per_cycle(self) -> int | None:
        """The bits of weights that the multipliers can read in a cycle; None without a limit.

        Without one they never wait for their ports.
        """
        return None

    @property
    def single_ported(self) -> tuple[str, ...]:
        """The memories that have one port for all reads and writes of all units."""
        return ()
