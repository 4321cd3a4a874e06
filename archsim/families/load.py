"""Loads the machine that an architecture file describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.config import Document, Override, Overrides, as_overrides, load_document, validate
from archsim.config.file_kind import kind_of_keys
from archsim.config.presets import PresetKind, find_file
from archsim.config.text import one_line, shown
from archsim.errors import ArchError, Fault, SimulatorBug, WorkloadError
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import DEFAULT_FAMILY, all_families, find_family
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.method_registry import check_methods
from archsim.hardware.unit_definition import UnitDefinition
from archsim.technology import Prices, load_prices
from archsim.workload import Workload, load_workload
from archsim.workload.load import is_inline
from archsim.workload.network import CellKind


@dataclass(frozen=True, slots=True, repr=False)
class Arch:
    """An architecture with the name under which its results are kept, and the changes made to its file with --set."""

    name: str
    config: MachineConfig
    overrides: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: what it is called, what its file says of it, and what was changed."""
        changed = f", with {', '.join(self.overrides)}" if self.overrides else ""
        return f"<architecture {self.name}: {self.config.summary}{changed}>"

    @property
    def prices(self) -> Prices:
        """The prices of the machine's technology; ArchError if there is none, or it lacks its DRAM."""
        costing = self.config.costing
        if costing is None:
            raise SimulatorBug(f"the family {self.config.family} has no model of energy")
        prices = load_prices(costing.technology, costing.conditions)
        known = [dram.name for dram in prices.technology.dram]
        if costing.dram_type not in known:
            dram_type = shown(costing.dram_type)
            message = f"technology {costing.technology} has no DRAM of type {dram_type}; it has {', '.join(known)}"
            raise ArchError((Fault(self.name, "dram_type", message),))
        return prices


def load_arch(
    reference: str,
    overrides: Overrides = (),
    units: Sequence[UnitDefinition[Any]] = (),
    methods: Sequence[MethodDefinition] = (),
) -> Arch:
    """Load the architecture of a preset's name or a file's path, with overrides applied, as "mac_array.rows=32".

    `units`: units of your own that its section `units` may ask for, besides those that installed packages offer;
    `methods`: activation methods of your own that it, or an override, may name.

    The path of a technology is relative to the file that names it, or, with --set, to the current folder. Raises
    ArchError with all faults at once, then with those of the technology; ExtensionError for an unusable unit or method.
    """
    overrides = as_overrides(overrides, ArchError)
    path = find_file(PresetKind.ARCH, reference, ArchError)
    document = load_document(path, ArchError)
    config = validate(_model(document, overrides, units), document, overrides, ArchError, check_methods(methods))
    set_here = {override.path for override in overrides}
    config = config.with_files_from(path.parent, set_here)
    arch = Arch(one_line(path.stem), config, tuple(f"{override.path}={override.value}" for override in overrides))
    if config.costing is not None:
        _ = arch.prices
    return arch


def load_workload_for(arch: Arch, reference: str, overrides: Overrides = (), activity: Path | None = None) -> Workload:
    """Load the workload of a preset's name, a path or an inline form, as it is meant for a machine.

    `overrides` and `activity` as load_workload has them.

    A GRU written inline is a kind and sizes: where r is applied is not said. It has the form that the machine's own
    programs compute, and what the machine decides stands among the workload's overrides. WorkloadError has all faults.
    """
    overrides = as_overrides(overrides, WorkloadError)
    workload = load_workload(reference, overrides, activity)
    layer, open_form = workload.config, "linear_before_reset"
    said = any(override.path == open_form for override in overrides)
    if said or not is_inline(reference) or layer.kind is not CellKind.GRU or not arch.config.resets_before_product:
        return workload
    return load_workload(reference, (*overrides, Override(open_form, "false")), activity)


def arch_model(reference: str, overrides: Sequence[Override] = ()) -> type[MachineConfig]:
    """The model that the architecture of a preset's name or a file's path is validated with.

    Raises ArchError if there is no such file, or no such family.
    """
    return _model(load_document(find_file(PresetKind.ARCH, reference, ArchError), ArchError), overrides, ())


def _model(
    document: Document, overrides: Sequence[Override], units: Sequence[UnitDefinition[Any]]
) -> type[MachineConfig]:
    """The model of the family that the file names; ArchError if there is none of that name."""
    if kind_of_keys(document.data) is PresetKind.SPACE:
        message = f"is a design space, not an architecture; type: archsim explore {document.source}"
        raise ArchError((Fault(document.source, "", message),))
    name = document.data.get("family", DEFAULT_FAMILY)
    family = find_family(name) if isinstance(name, str) else None
    if family is None:
        where = f"{document.source}:{document.lines[('family',)]}"
        names = ", ".join(repr(known) for known in all_families())
        raise ArchError((Fault(where, "family", f"expected one of {names} (kind of machine), got {name!r}"),))
    sections = {*document.data, *(override.path.split(".")[0] for override in overrides)}
    model: type[MachineConfig] = family.config.model_for(sections, units)
    return model
