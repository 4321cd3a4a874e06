"""Counts why points have no figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from archsim.config.text import shorten
from archsim.explore.results.study import Point, Status, Study
from archsim.explore.space.design import Reason

MOST_KINDS = 10
"""Kinds of reasons that are listed, the most frequent first."""
_CHARACTERS = 200
"""Of a reason in full."""
_NUMBERS = ("capacity", "constraint")
"""Kinds whose reasons are the same but for numbers: said in short, with what is needed at the first point."""


def reasons_rows(study: Study) -> list[tuple[str, str]]:
    """How many infeasible and failed points have which kind of reason, the most frequent first, as text."""
    kinds: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for point in study.with_status(Status.INFEASIBLE) + study.with_status(Status.FAILED):
        assert point.reason is not None
        kinds[point.status.value, point.reason.kind, point.reason.what.partition(":")[0]].append(point)
    ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        (f"{len(points):,}", f"{status}, {kind}: {_said(what, points)}")
        for (status, kind, what), points in ordered[:MOST_KINDS]
    ]


def _said(what: str, points: Sequence[Point]) -> str:
    """What keeps points from having figures, in full where it is the same for all, and else of the first."""
    reason = points[0].reason
    assert reason is not None
    if reason.kind in _NUMBERS:
        return what + _missing(reason, points[0].number)
    same = all(point.reason is not None and point.reason.what == reason.what for point in points)
    return shorten(reason.what, _CHARACTERS) if same else f"{what}, as {shorten(reason.what, _CHARACTERS)}"


def _missing(reason: Reason, number: int) -> str:
    if reason.need is None or reason.have is None or reason.kind != "capacity":
        return ""
    unit = f" {reason.unit}" if reason.unit else ""
    return f" (point {number:,} needs {reason.need:,g}{unit}, and has {reason.have:,g})"
