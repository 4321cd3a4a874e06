"""Measures what changing one thing of a design brings: numbers by a notch, each schedule, memory that suffices."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from pydantic import ValidationError

from archsim.api.change import (
    Change,
    Measured,
    changed,
    enough_memory,
    least_memories,
    lesser_changes,
    notch_changes,
)
from archsim.api.evaluate import Evaluator
from archsim.api.outcome import Outcome, outcome_of
from archsim.api.ranking import Progress
from archsim.config.aims import By
from archsim.config.text import one_line, without_jargon
from archsim.errors import ArchsimError, CapacityError
from archsim.families.load import Arch
from archsim.families.registry import family_of
from archsim.families.schedules import AskedSchedule, find_schedule, schedules_of
from archsim.workload import Workload

HELPS = 0.01
"""Where no single change saves this part of it, pairs of changes are tried too."""
PAIRED = 12
"""How many single changes, the best ones, are put into pairs: 66 of them."""
SHORT_MEMORIES = 4
"""How many memories are made larger, one after the other, until a model fits."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A design, and every change of it, best first: what was asked for, then energy, area, and the name.

    `before` is None if the design as it is does not fit (`misfit` says why, on one line); then the changes are those
    that make it fit, and `still_short` counts those that do not. `left_out` are changes that cannot be made, each with
    the reason; `alike` counts schedules of the same figures as one before, `not_halved` what there cannot be less of.
    """

    arch: Arch
    workload: Workload
    schedule: str
    by: By
    before: Outcome | None
    misfit: str
    changes: tuple[Measured, ...]
    left_out: tuple[tuple[Change, str], ...]
    alike: int = 0
    still_short: int = 0
    not_halved: int = 0

    @property
    def cheaper(self) -> tuple[Measured, ...]:
        """The changes that save energy or area, and neither bring nor cost anything of what was asked for.

        No other figure of theirs is more than the design's. In the order of `changes`.
        """
        before = self.before
        if before is None:
            return ()
        alike = (m for m in self.changes if m.outcome.amount(self.by) == before.amount(self.by))
        return tuple(measured for measured in alike if measured.outcome.cheaper(before))


def what_if(
    arch: Arch,
    workload: Workload,
    schedule: AskedSchedule = None,
    by: By = By.LATENCY,
    progress: Progress | None = None,
) -> WhatIf:
    """Evaluate a design and every change of it by one notch, without its numbers; a streaming workload frame by frame.

    Of schedules that come to the same figures the one that is first by its name is kept. What saves energy or area and
    costs nothing is tried together, too. Raises what `Evaluator.evaluate` raises for the design itself, but
    CapacityError.
    """
    return _Search(arch, workload, schedule, by, progress).run()


class _Search:
    def __init__(
        self, arch: Arch, workload: Workload, schedule: AskedSchedule, by: By, progress: Progress | None
    ) -> None:
        self._arch = arch
        self._workload = workload
        self._by = by
        self._schedule = find_schedule(schedule, arch.config.family)
        self._evaluator = Evaluator()
        self._progress = progress
        self._left_out: list[tuple[Change, str]] = []
        self._still_short = 0
        self._known: dict[Change, Outcome] = {}
        self._of_program: dict[Hashable, Outcome] = {}

    def run(self) -> WhatIf:
        before, misfit = None, ""
        try:
            before = self._evaluate(Change())
        except CapacityError as error:
            misfit = error.short
        faster = [*notch_changes(self._arch.config)]
        schedules = [Change(schedule=one.name) for one in schedules_of(family_of(self._arch.config))]
        others = [change for change in schedules if change.schedule != self._schedule.name]
        found = self._measured([*others, *faster, *dict.fromkeys(self._enough(schedules))], before is None)
        singles = [measured for measured in found if measured.change in faster]
        if before is not None and not any(self._helps(measured, before) for measured in found):
            best = [measured.change for measured in self._sorted(singles)][:PAIRED]
            pairs = [Change(one.settings + other.settings) for one, other in combinations(best, 2)]
            found += self._measured(pairs)
        less: list[Change] = []
        if before is not None:
            program = self._evaluator.program(self._arch, self._workload.spec, self._schedule)
            less = [*least_memories(self._arch.config, program), *lesser_changes(self._arch.config)]
        left_out = tuple(self._left_out)
        lesser = self._measured(less)
        found += lesser
        if before is not None:
            found += self._together([m for m in self._sorted(lesser) if m.outcome.cheaper(before)], before)
        changes = tuple(self._different(self._sorted(found), before))
        return WhatIf(
            self._arch,
            self._workload,
            self._schedule.name,
            self._by,
            before,
            misfit,
            changes,
            left_out,
            len(found) - len(changes),
            self._still_short,
            len(less) - len(lesser),
        )

    def _enough(self, schedules: Iterable[Change]) -> Iterator[Change]:
        """If the model does not fit with a schedule: the memories that suffice, rounded up to KiB or MiB."""
        for change in schedules:
            asked = Change(schedule="" if change.schedule == self._schedule.name else change.schedule)
            enough = self._memories(asked)
            if enough is not None and enough.settings:
                yield Change(enough.settings)

    def _memories(self, change: Change) -> Change | None:
        """A change and the memories with which the model fits then; None if that cannot be had."""
        for _ in range(SHORT_MEMORIES + 1):  # the last time it fits
            try:
                self._evaluate(change)
            except CapacityError as error:
                more = enough_memory(error, changed(self._arch, change).config)
                if more is None:
                    return None
                rest = [one for one in change.settings if one.section != error.memory]
                change = Change((*rest, *more.settings), change.schedule)
            except (ArchsimError, ValidationError):
                return None
            else:
                return change
        return None

    def _measured(self, changes: Sequence[Change], misfit: bool = False) -> list[Measured]:
        """What changes bring, but of those that cannot be made.

        `misfit`: the design does not fit, so that of those that do not help it nothing is said.
        """
        found = []
        for number, change in enumerate(changes):
            if self._progress is not None:
                self._progress(number, len(changes))
            try:
                found.append(Measured(change, self._evaluate(change)))
            except ValidationError as error:
                self._left_out.append((change, without_jargon(error.errors()[0]["msg"])))
            except CapacityError as error:
                if misfit:
                    self._still_short += 1
                else:
                    self._left_out.append((change, error.short))
            except ArchsimError as error:
                self._left_out.append((change, one_line(str(error)).removeprefix(f"{change}: ")))
        return found

    def _together(self, cheaper: Sequence[Measured], before: Outcome) -> list[Measured]:
        """What changes bring that save something, one added to the others as long as nothing is lost by it."""
        if len(cheaper) < 2:
            return []
        best = cheaper[0]
        for number, other in enumerate(cheaper):
            if self._progress is not None:
                self._progress(number, len(cheaper))
            fields = {(one.section, one.field) for one in best.change.settings}
            if any((one.section, one.field) in fields for one in other.change.settings):
                continue
            both = Change(best.change.settings + other.change.settings)
            try:
                outcome = self._evaluate(both)
            except (ArchsimError, ValidationError):
                continue
            if outcome.cheaper(best.outcome):
                best = Measured(both, outcome)
        return [best] if len(best.change.settings) > 1 else []

    def _evaluate(self, change: Change) -> Outcome:
        if change not in self._known:
            self._known[change] = self._outcome(change)
        return self._known[change]

    def _outcome(self, change: Change) -> Outcome:
        arch = changed(self._arch, change)
        asked = find_schedule(change.schedule or self._schedule, arch.config.family)
        if change.settings:
            return outcome_of(arch, self._workload, asked, self._evaluator)
        key = asked.program_key(self._workload.spec, arch.config)
        if key not in self._of_program:
            self._of_program[key] = outcome_of(arch, self._workload, asked, self._evaluator)
        return self._of_program[key]

    def _helps(self, measured: Measured, before: Outcome) -> bool:
        return measured.outcome.amount(self._by) <= (1 - HELPS) * before.amount(self._by)

    def _sorted(self, found: Sequence[Measured]) -> list[Measured]:
        return sorted(found, key=lambda measured: measured.outcome.order(self._by, str(measured.change)))

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
