"""Gives a machine's description what its prices follow from: technology, type of DRAM, and what is counted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from archsim.config.presets import MAX_PATH_CHARACTERS, is_name
from archsim.config.types import Text
from archsim.families.machine_config import Costing, MachineConfig
from archsim.hardware.storage import Storage
from archsim.technology.conditions import EnergyModel

Reference = Annotated[str, Field(strict=True, min_length=1, max_length=MAX_PATH_CHARACTERS)]
"""A preset's name or a path."""


class PricedConfig(MachineConfig):
    """The base of descriptions of machines that are priced by their units and memories."""

    technology: Reference = Field(
        default="node_45nm", description="energies and areas: a preset's name or the path of a .yaml file"
    )
    dram_type: Text = Field(default="lpddr4", description="type of DRAM, one of the technology's")
    energy_model: EnergyModel = Field(
        default=EnergyModel(), description="conditions of energy and leakage, and what is counted"
    )

    @abstractmethod
    def storages(self) -> Mapping[str, Storage]:
        """The storage of every memory by its name in programs."""

    @property
    def costing(self) -> Costing:
        model = self.energy_model
        return Costing(self.technology, self.dram_type, self.storages(), model.conditions, model.counted)

    def with_files_from(self, folder: Path, set_here: Collection[str]) -> Self:
        """The technology's file beside the architecture's, if it is none of the presets."""
        if is_name(self.technology) or "technology" in set_here:
            return self
        return self.model_copy(update={"technology": str(folder / self.technology)})
