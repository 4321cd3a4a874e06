"""Says of a delta network's thresholds what a machine's format makes of them where that is not what they look like."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.formats import Fixed, Formats
from archsim.workload.network import DeltaThresholds


def threshold_notes(delta: DeltaThresholds | None, formats: Formats) -> tuple[str, ...]:
    """A note on each threshold that leaves out nothing, or everything, in the format of what it is compared with."""
    if delta is None:
        return ()
    return tuple(_notes("x", delta.x, formats, "input")) + tuple(_notes("h", delta.h, formats, "hidden"))


def _notes(vector: str, threshold: float, formats: Formats, kind: str) -> Iterator[str]:
    found = formats.format(kind)
    if not isinstance(found, Fixed):
        return
    largest = (found.highest - found.lowest) * found.scale
    name = f"threshold {threshold:g} of {vector}"
    if 0 < threshold <= found.scale:
        yield (
            f"{name}: no change in {kind} {found.name} is smaller than {found.scale:g}, so that it leaves out what 0 "
            "does, and no more"
        )
    if threshold > largest:
        yield f"{name}: no change in {kind} {found.name} is larger than {largest:g}, so that none is ever passed on"
