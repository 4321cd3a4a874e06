"""What a shell offers behind Tab: names of machines, workloads, schedules and kinds."""

from __future__ import annotations

from archsim.config.presets import PresetKind, preset_names


def complete_arch(incomplete: str) -> list[str]:
    """Presets of machines; the shell itself has the files."""
    return _beginning(preset_names(PresetKind.ARCH), incomplete)


def complete_workload(incomplete: str) -> list[str]:
    """Presets of workloads."""
    return _beginning(preset_names(PresetKind.WORKLOAD), incomplete)


def complete_space(incomplete: str) -> list[str]:
    """Presets of design spaces."""
    return _beginning(preset_names(PresetKind.SPACE), incomplete)


def complete_schedule(incomplete: str) -> list[str]:
    """Schedules of archsim's own families, and the best ones; other packages are not imported for it."""
    from archsim.families.registry import FAMILIES

    own = [schedule.name for family in FAMILIES.values() for schedule in family.schedules]
    return _beginning(["best", "best-step", "best-energy", *own], incomplete)


def complete_kind(incomplete: str) -> list[str]:
    """What `archsim list` may be asked for."""
    from archsim.config.listed import Listed

    return _beginning(list(Listed), incomplete)


def _beginning(names: list[str] | tuple[str, ...], incomplete: str) -> list[str]:
    return [str(name) for name in names if name.startswith(incomplete)]
