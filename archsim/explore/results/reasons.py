"""Counts why points have no figures."""

from __future__ import annotations

from collections import Counter

from archsim.explore.results.study import Status, Study

MOST_KINDS = 10
"""Kinds of reasons that are listed, the most frequent first."""


def reasons_rows(study: Study) -> list[tuple[str, str]]:
    """How many infeasible and failed points have which kind of reason, the most frequent first, as text."""
    kinds: Counter[str] = Counter()
    for point in study.with_status(Status.INFEASIBLE) + study.with_status(Status.FAILED):
        assert point.reason is not None
        kinds[f"{point.status.value}, {point.reason.kind}: {point.reason.what.partition(':')[0]}"] += 1
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return [(f"{count:,}", kind) for kind, count in ordered[:MOST_KINDS]]
