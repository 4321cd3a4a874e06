"""Counts why points have no figures."""

from __future__ import annotations

from archsim.config.text import shorten
from archsim.explore.results.study import ReasonCount, Status, Study
from archsim.explore.space.design import Reason

MOST_KINDS = 10
"""Kinds of reasons that are listed, the most frequent first."""
_CHARACTERS = 200
"""Of a reason in full."""
_NUMBERS = ("capacity", "constraint")
"""Kinds whose reasons are the same but for numbers: said in short, with what is needed at the first point."""


def reasons_rows(study: Study) -> list[tuple[str, str]]:
    """How many infeasible and failed points have which kind of reason, the most frequent first, as text."""
    kinds = [(key, found) for key, found in study.reasons().items() if key[0] is not Status.PRUNED]
    ordered = sorted(kinds, key=lambda item: (-item[1].count, item[0]))
    return [
        (f"{found.count:,}", f"{status.value}, {kind}: {_said(what, found)}")
        for (status, kind, what), found in ordered[:MOST_KINDS]
    ]


def _said(what: str, found: ReasonCount) -> str:
    """What keeps points from having figures, in full where it is the same for all, and else of the first."""
    reason = found.reason
    if reason.kind in _NUMBERS:
        return what + _missing(reason, found.number)
    if found.same:
        return shorten(reason.what, _CHARACTERS)
    return f"{what}, as {shorten(reason.what.removeprefix(f'{what}: '), _CHARACTERS)}"


def _missing(reason: Reason, number: int) -> str:
    if reason.need is None or reason.have is None or reason.kind != "capacity":
        return ""
    unit = f" {reason.unit}" if reason.unit else ""
    return f" (point {number:,} needs {reason.need:,g}{unit}, and has {reason.have:,g})"
