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
from archsim.program.ir import Program
from archsim.program.rooms import needed_bytes

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the architecture with another value."""

    section: str
    field: str
    value: int | float
    is_size: bool = False
    """Whether the value is in bytes."""
    is_sooner: bool = False
    """Whether the value is of a latency, and less than before: a stage is left out, which the clock must allow."""

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

    @property
    def is_sooner(self) -> bool:
        """Whether a latency is shorter: whether the clock is still reached then nobody checks."""
        return any(setting.is_sooner for setting in self.settings)

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


def _notched(section: UnitConfig) -> Iterator[tuple[str, Notch, int | float]]:
    """Each number of a section whose type says how it is changed, with the way and its value."""
    for name, field in type(section).model_fields.items():
        notch = next((found for found in field.metadata if isinstance(found, Notch)), None)
        value = getattr(section, name)
        if notch is not None and value is not None:
            yield name, notch, value


def notch_changes(config: MachineConfig) -> Iterator[Change]:
    """Each number of a machine by a notch that may make it faster, one at a time: twice as many, or a cycle less."""
    for section, model in _sections(config):
        for field, notch, value in _notched(model):
            if notch is Notch.DOUBLE:
                yield Change((Setting(section, field, 2 * value),))
            elif value > (notch is Notch.ONE_LESS_TO_ONE):
                yield Change((Setting(section, field, value - 1, is_sooner=True),))


def lesser_changes(config: MachineConfig) -> Iterator[Change]:
    """What there is of each thing halved, one at a time: it may save energy and area, and cost nothing."""
    for section, model in _sections(config):
        for field, notch, value in _notched(model):
            if notch is Notch.DOUBLE and value > 1:
                yield Change((Setting(section, field, value // 2 if isinstance(value, int) else value / 2),))


def _sized(config: MachineConfig, memory: str) -> bool:
    """Whether a memory has a capacity in bytes that a description may change."""
    section = getattr(config, memory, None)
    return isinstance(section, UnitConfig) and "capacity_bytes" in type(section).model_fields


def _rounded_up(need: int) -> int:
    """A size in whole KiB, or in whole MiB if it is larger than one."""
    step = MIB if need > MIB else KIB
    return -(-need // step) * step


def enough_memory(error: CapacityError, config: MachineConfig) -> Change | None:
    """The memory that suffices for what did not fit, rounded up to KiB or MiB; None if it has no capacity in bytes."""
    if error.unit != "bytes" or not _sized(config, error.memory):
        return None
    return Change((Setting(error.memory, "capacity_bytes", _rounded_up(error.need), is_size=True),))


def least_memories(config: MachineConfig, program: Program) -> Iterator[Change]:
    """Each memory that is larger than what a program holds in it, at the size that fits, rounded as `enough_memory`."""
    for memory, section in _sections(config):
        if _sized(config, memory):
            held = [buffer for buffer in program.buffers if buffer.memory == memory]
            size = _rounded_up(max(needed_bytes(held, program.phases), 1))
            if size < getattr(section, "capacity_bytes"):  # noqa: B009  (its type does not say that it has one)
                yield Change((Setting(memory, "capacity_bytes", size, is_size=True),))


def changed(arch: Arch, change: Change) -> Arch:
    """The machine with the settings of a change; pydantic's ValidationError if one is not allowed."""
    config = arch.config
    for setting in change.settings:
        config = with_setting(config, setting)
    return replace(arch, config=config)
