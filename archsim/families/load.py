"""From an architecture file to the machine that it describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.config import Document
from archsim.config import Override
from archsim.config import load_document
from archsim.config import validate
from archsim.config.presets import PresetKind, find_file, is_name
from archsim.config.text import shown
from archsim.errors import ArchError, Fault, SimulatorBug
from archsim.families.gemv.config import GemvConfig
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import DEFAULT_FAMILY, FAMILIES
from archsim.technology import Prices, load_prices


@dataclass(frozen=True, slots=True)
class Arch:
    """An architecture with the name under which its results are kept, and the changes made to its file with --set."""

    name: str
    config: MachineConfig
    overrides: tuple[str, ...] = ()

    @property
    def prices(self) -> Prices:
        """Those of its technology; ArchError if there is none, or not with its DRAM."""
        costing = self.config.costing
        if costing is None:
            raise SimulatorBug(f"the family {self.config.family} has no model of energy")
        prices = load_prices(costing.technology)
        known = [dram.name for dram in prices.technology.dram]
        if costing.dram_type not in known:
            dram_type = shown(costing.dram_type)
            message = f"technology {costing.technology} has no DRAM of type {dram_type}; it has {', '.join(known)}"
            raise ArchError((Fault(self.name, "dram_type", message),))
        return prices


def load_arch(reference: str, overrides: Sequence[Override] = ()) -> Arch:
    """The architecture of a preset's name or a file's path, with `--set` overrides applied.

    The path of a technology is relative to the file that names it, or, with --set, to the current folder. Raises
    ArchError with all faults at once, then with those of the technology.
    """
    path = find_file(PresetKind.ARCH, reference, ArchError)
    document = load_document(path, ArchError)
    config = validate(_model(document), document, overrides, ArchError)
    if isinstance(config, GemvConfig) and not is_name(config.technology):
        here = any(override.path == "technology" for override in overrides)
        technology = config.technology if here else str(path.parent / config.technology)
        config = config.model_copy(update={"technology": technology})
    arch = Arch(path.stem, config, tuple(f"{override.path}={override.value}" for override in overrides))
    if config.costing is not None:
        _ = arch.prices
    return arch


def _model(document: Document) -> type[MachineConfig]:
    """The model of the family that the file names; ArchError if there is none of that name."""
    family = document.data.get("family", DEFAULT_FAMILY)
    if not isinstance(family, str) or family not in FAMILIES:
        where = f"{document.source}:{document.lines[('family',)]}"
        names = ", ".join(repr(name) for name in FAMILIES)
        raise ArchError((Fault(where, "family", f"expected one of {names} (kind of machine), got {family!r}"),))
    return FAMILIES[family].config
