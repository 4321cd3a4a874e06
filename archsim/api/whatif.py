"""Measures what changing one thing of a design brings: each number by a notch, each schedule, memory that suffices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from pydantic import ValidationError

from archsim.api.change import Change, Measured, changed, enough_memory, notch_changes
from archsim.api.evaluate import Evaluator
from archsim.api.outcome import Outcome, outcome_of
from archsim.config.aims import By
from archsim.config.text import one_line
from archsim.errors import ArchsimError, CapacityError
from archsim.families.load import Arch
from archsim.families.registry import family_of
from archsim.families.schedules import AskedSchedule, find_schedule, schedules_of
from archsim.workload import Workload

HELPS = 0.01
"""Where no single change saves this part of it, pairs of changes are tried too."""
PAIRED = 12
"""How many single changes, the best ones, are put into pairs: 66 of them."""


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
        yield from notch_changes(self._arch.config)
        family = family_of(self._arch.config)
        schedules = schedules_of(family)
        yield from dict.fromkeys(setting for schedule in schedules for setting in self._enough(schedule.name))
        yield from (Change(schedule=other.name) for other in schedules if other.name != self._schedule.name)

    def _enough(self, schedule: str) -> Iterator[Change]:
        """If the model does not fit with a schedule: the memory that suffices, rounded up to KiB or MiB."""
        try:
            self._evaluate(Change(schedule=schedule))
        except CapacityError as error:
            enough = enough_memory(error, self._arch.config)
            if enough is not None:
                yield enough
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
        arch = changed(self._arch, change)
        asked = find_schedule(change.schedule or self._schedule, arch.config.family)
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
