"""Changes of a design: fields of its description with another value, another schedule, and what they bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archsim.api.outcome import Outcome
from archsim.config.types import Notch
from archsim.errors import CapacityError
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import UnitConfig

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the architecture with another value."""

    section: str
    field: str
    value: int | float
    is_size: bool = False
    """Whether the value is in bytes."""

    def __str__(self) -> str:
        return f"{self.section}.{self.field}={self._text}"

    @property
    def _text(self) -> str:
        value = int(self.value) if self.value == int(self.value) else self.value
        for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
            if self.is_size and value % unit == 0:
                return f"{int(value) // unit}{name}"
        return str(value)


@dataclass(frozen=True, slots=True)
class Change:
    """Another design: settings, and the name of another schedule ("" for the same one)."""

    settings: tuple[Setting, ...] = ()
    schedule: str = ""

    def __str__(self) -> str:
        """What a command line adds to make it."""
        parts = [f"--set {setting}" for setting in self.settings]
        return " ".join([*parts, f"--schedule {self.schedule}"] if self.schedule else parts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a change brings: the figures of the design with it."""

    change: Change
    outcome: Outcome


def with_setting(config: MachineConfig, setting: Setting) -> MachineConfig:
    """A machine with another value of one field; pydantic's ValidationError if it is not allowed."""
    section = getattr(config, setting.section)
    changed = type(section)(**{**dict(section), setting.field: setting.value})
    return type(config)(**{**dict(config), setting.section: changed})


def _sections(config: MachineConfig) -> Iterator[tuple[str, UnitConfig]]:
    """The sections of a machine, in the order of its description."""
    for name in type(config).model_fields:
        section = getattr(config, name)
        if isinstance(section, UnitConfig):
            yield name, section


def _notches(section: UnitConfig) -> Iterator[tuple[str, int | float]]:
    """Each number of a section whose type says how it is changed, with its other value."""
    for name, field in type(section).model_fields.items():
        notch = next((found for found in field.metadata if isinstance(found, Notch)), None)
        value = getattr(section, name)
        if notch is Notch.DOUBLE:
            yield name, 2 * value
        elif notch is Notch.ONE_LESS and value:
            yield name, value - 1


def notch_changes(config: MachineConfig) -> Iterator[Change]:
    """Each number of a machine by a notch, one at a time."""
    for section, model in _sections(config):
        for field, value in _notches(model):
            yield Change((Setting(section, field, value),))


def enough_memory(error: CapacityError, config: MachineConfig) -> Change | None:
    """The memory that suffices for what did not fit, rounded up to KiB or MiB; None if it has no capacity in bytes."""
    if error.unit != "bytes" or not hasattr(getattr(config, error.memory, None), "capacity_bytes"):
        return None
    step = MIB if error.need > MIB else KIB
    return Change((Setting(error.memory, "capacity_bytes", -(-error.need // step) * step, is_size=True),))


def changed(arch: Arch, change: Change) -> Arch:
    """The machine with the settings of a change; pydantic's ValidationError if one is not allowed."""
    config = arch.config
    for setting in change.settings:
        config = with_setting(config, setting)
    return replace(arch, config=config)
