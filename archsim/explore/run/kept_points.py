"""Evaluates a few of the designs again that were taken from the disk: are the figures there those that archsim gives?

Checksums tell what a disk damages, not what somebody changed, nor what another state of archsim with the same version
wrote. So whoever goes on from a folder evaluates again, in one batch each, a few designs of the first round that the
folder knows, most of them such that have figures, and of the finished front the best in each objective and a few
between them. Which ones depends on their numbers alone. It is a sample: what is far from the front and was changed with
care is found by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archsim.errors import OutputError
from archsim.explore.parts.part_file import outcome_of
from archsim.explore.results.study import Point, Status
from archsim.explore.run.backend import Backend
from archsim.explore.run.evaluation import Task
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.output_table import Output
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.names import is_accuracy
from archsim.explore.space.space import Space

FIRST, LAST = 4, 8
"""Designs that are evaluated again at most: of the first round, and of the front."""
SHARE = 16
"""One of so many designs that the disk has is evaluated again, at least one: where each takes long there are few."""
_SAME = 1e-9
"""Numbers of parts are 64-bit floats, and sums of floats may end otherwise on another processor."""


def evenly(numbers: Sequence[int], most: int) -> list[int]:
    """At most so many of some numbers, evenly spaced in their order, the first and the last among them."""
    ordered = sorted(set(numbers))
    count = min(most, len(ordered))
    return [ordered[place * (len(ordered) - 1) // max(1, count - 1)] for place in range(count)]


def telling(numbers: Sequence[int], with_figures: Sequence[int], most: int) -> list[int]:
    """At most so many of the points of the disk, evenly spaced: three quarters of them, and a single one, have figures.

    A design that has none says that it is infeasible, and no more.
    """
    others = sorted(set(numbers).difference(with_figures))
    of_others = min(len(others), max(most // 4, most - len(with_figures)))
    return [*evenly(with_figures, most - of_others), *evenly(others, of_others)]


def of_front(front: Front, most: int) -> list[int]:
    """At most so many members of a front: the best in each objective, then others, evenly spaced."""
    if not front.members:
        return []
    best = [front.members[place] for place in front.values.argmin(axis=0).tolist()]
    return list(dict.fromkeys([*best, *evenly(front.members, most)]))[:most]


def check_kept(space: Space, backend: Backend, classifier: PointClassifier, points: Sequence[Point]) -> None:
    """OutputError if a point that was taken from the disk has other figures when its design is evaluated again."""
    by_number = {point.number: point for point in points if point.status is not Status.PRUNED}
    found = [design for design in space.designs(list(by_number)) if classifier.before(design) is None]
    designs = {design.key: design for design in found}
    tasks = [Task(key, design.number, design.schedule) for key, design in designs.items()]
    for outcomes in backend.run(tasks):
        for outcome in outcomes:
            design = designs[outcome.key]
            point = by_number[design.number]
            judged = classifier.after(design, outcome_of(outcome.key, point))
            differs = "" if outcome.kind is Kind.FAILED else _difference(point, outcome, judged)
            if differs:
                raise OutputError(
                    f"point {point.number:,}: {differs}; what is kept was changed, or is of another archsim; choose "
                    "another --out"
                )


def _difference(point: Point, outcome: Outcome, judged: Point) -> str:
    """What is not the same: a figure, whether there are any, or an objective; "" if nothing is."""
    kept = (point.outputs or {}) if point.executor else {}
    if bool(kept) != bool(outcome.outputs):
        if kept:
            return "it has figures on the disk, and evaluated again none"
        return "it has no figures on the disk, and evaluated again some"
    for workload, found in outcome.outputs.items():
        for name in dict.fromkeys((*found, *kept.get(workload, {}))):
            then, now = kept.get(workload, {}).get(name), found.get(name)
            if not (is_accuracy(name) or _same(then, now)):
                return f"{name} is {then} on the disk, and evaluated again {now}"
    if point.status is not judged.status:
        return f"it is {point.status.value} on the disk, and by its figures {judged.status.value}"
    for then, now in zip(point.objectives or (), judged.objectives or (), strict=True):
        if not _same(then, now):
            return f"an objective is {then} on the disk, and by its figures {now}"
    return ""


def _same(then: Output, now: Output) -> bool:
    if isinstance(then, int | float) and isinstance(now, int | float):
        return math.isclose(then, now, rel_tol=_SAME)
    return then == now
