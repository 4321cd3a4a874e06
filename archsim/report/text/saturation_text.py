"""Writes what was cut off of the sums of a delta network, and what would hold them."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.checking.saturated_sums import SaturatedKind
from archsim.report.text.figures_as_text import part, significant


def saturation_lines(found: Sequence[SaturatedKind]) -> list[str]:
    """The lines beside the verdict: how many sums of each format were cut off, and what holds them; none if none was.

    The sums that they should hold are those of all formats.
    """
    some = [each for each in found if each.saturated]
    if not some:
        return []
    counts = [
        f"{each.saturated:,} of {each.sums:,} sums saturated ({part(each.saturated, each.sums)}): {each.kind} "
        f"{each.number_format}"
        for each in some
    ]
    settings = [f"--set {each.remedy}" for each in some if each.remedy]
    remedy = f": {' '.join(settings)} would hold that" if settings else ""
    reached = significant(max((each.reached for each in some), key=abs))
    return [*counts, f"a delta network's sums stay wrong then; in the golden model they reach {reached}{remedy}"]
