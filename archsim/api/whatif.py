"""Measures what changing one thing of a design brings: each number by a notch, each schedule, memory that suffices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pydantic import ValidationError

from archsim.api.evaluate import Evaluator
from archsim.api.outcome import Outcome, outcome_of
from archsim.config.aims import By
from archsim.config.text import one_line
from archsim.config.types import Notch
from archsim.errors import ArchsimError, CapacityError
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import family_of
from archsim.families.schedules import AskedSchedule, find_schedule, schedules_of
from archsim.hardware.unit import UnitConfig
from archsim.workload import Workload

KIB, MIB = 1 << 10, 1 << 20


HELPS = 0.01
"""Where no single change saves this part of it, pairs of changes are tried too."""
PAIRED = 12
"""How many single changes, the best ones, are put into pairs: 66 of them."""


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


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A design, and every change of it, best first: what was asked for, then cycles, energy and area.

    `before` is None if the design as it is does not fit (`misfit` says why); then the changes are those that make it
    fit. `left_out` are changes that cannot be made, each with the reason.
    """

    arch: Arch
    workload: Workload
    schedule: str
    by: By
    before: Outcome | None
    misfit: str
    changes: tuple[Measured, ...]
    left_out: tuple[tuple[Change, str], ...]


def what_if(arch: Arch, workload: Workload, schedule: AskedSchedule = None, by: By = By.LATENCY) -> WhatIf:
    """Evaluate a design and every change of it by one notch, without its numbers; a streaming workload frame by frame.

    Of schedules that come to the same figures the one with the shortest name is kept. Raises what `Evaluator.evaluate`
    raises for the design itself, but CapacityError.
    """
    return _Search(arch, workload, schedule, by).run()


class _Search:
    def __init__(self, arch: Arch, workload: Workload, schedule: AskedSchedule, by: By) -> None:
        self._arch = arch
        self._workload = workload
        self._by = by
        self._schedule = find_schedule(schedule, arch.config.family)
        self._evaluator = Evaluator()
        self._left_out: list[tuple[Change, str]] = []
        self._known: dict[Change, Outcome] = {}

    def run(self) -> WhatIf:
        before, misfit = None, ""
        try:
            before = self._evaluate(Change())
        except CapacityError as error:
            misfit = str(error)
        found = [measured for change in self._changes() if (measured := self._measure(change)) is not None]
        if before is not None and not any(self._helps(measured, before) for measured in found):
            best = [measured.change for measured in self._sorted(found) if not measured.change.schedule][:PAIRED]
            pairs = (Change(one.settings + other.settings) for one, other in combinations(best, 2))
            found += [measured for change in pairs if (measured := self._measure(change)) is not None]
        changes = tuple(self._different(self._sorted(found), before))
        return WhatIf(
            self._arch, self._workload, self._schedule.name, self._by, before, misfit, changes, tuple(self._left_out)
        )

    def _changes(self) -> Iterator[Change]:
        """Every single change."""
        for section, model in _sections(self._arch.config):
            for field, value in _notches(model):
                yield Change((Setting(section, field, value),))
        family = family_of(self._arch.config)
        schedules = schedules_of(family)
        yield from dict.fromkeys(setting for schedule in schedules for setting in self._enough(schedule.name))
        yield from (Change(schedule=other.name) for other in schedules if other.name != self._schedule.name)

    def _enough(self, schedule: str) -> Iterator[Change]:
        """If the model does not fit with a schedule: the memory that suffices, rounded up to KiB or MiB."""
        try:
            self._evaluate(Change(schedule=schedule))
        except CapacityError as error:
            if error.unit == "bytes" and hasattr(getattr(self._arch.config, error.memory, None), "capacity_bytes"):
                step = MIB if error.need > MIB else KIB
                enough = -(-error.need // step) * step
                yield Change((Setting(error.memory, "capacity_bytes", enough, is_size=True),))
        except ArchsimError:
            return

    def _measure(self, change: Change) -> Measured | None:
        try:
            return Measured(change, self._evaluate(change))
        except ValidationError as error:
            self._left_out.append((change, error.errors()[0]["msg"]))
        except ArchsimError as error:
            self._left_out.append((change, one_line(str(error))))
        return None

    def _evaluate(self, change: Change) -> Outcome:
        if change not in self._known:
            self._known[change] = self._outcome(change)
        return self._known[change]

    def _outcome(self, change: Change) -> Outcome:
        config = self._arch.config
        for setting in change.settings:
            config = with_setting(config, setting)
        arch = replace(self._arch, config=config)
        asked = find_schedule(change.schedule or self._schedule, config.family)
        return outcome_of(arch, self._workload, asked, self._evaluator)

    def _helps(self, measured: Measured, before: Outcome) -> bool:
        return measured.outcome.amount(self._by) <= (1 - HELPS) * before.amount(self._by)

    def _sorted(self, found: Sequence[Measured]) -> list[Measured]:
        """Best first, and what is alike in the order of the text's length."""

        def key(measured: Measured) -> tuple[float | str, ...]:
            text = str(measured.change)
            outcome = measured.outcome
            return outcome.amount(self._by), *outcome.figures, len(text), text

        return sorted(found, key=key)

    def _different(self, found: Sequence[Measured], before: Outcome | None) -> Iterator[Measured]:
        """The changes without schedules that come to the same figures as one before, or that change nothing."""
        seen = set() if before is None else {before.figures}
        for measured in found:
            alone = bool(measured.change.schedule) and not measured.change.settings
            if alone and measured.outcome.figures in seen:
                continue
            if alone:
                seen.add(measured.outcome.figures)
            yield measured


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
