"""Describes the activity of a delta network: which columns of its matrices were not skipped in each time step.

A column is an element of x_t or h_{t-1} whose delta was sent, or the bias. What such a machine's time depends on is the
positions alone, so that one recorded activity times any number of machines.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepColumns:
    """The columns of one direction of a layer that a time step multiplies, in rising order, numbered within it.

    `x`: 0 (the bias) to I; `h`: I + 1 to I + H (of a projection I + P). Step t of one in reverse takes x of T - 1 - t.
    """

    x: tuple[int, ...]
    h: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many columns are multiplied."""
        return len(self.x) + len(self.h)


class LayerActivity:
    """The columns of one direction of a layer in every time step; two are equal if their digests are."""

    __slots__ = ("digest", "steps")

    def __init__(self, steps: tuple[StepColumns, ...]) -> None:
        digest = hashlib.sha256()
        for step in steps:
            digest.update(f"{' '.join(map(str, step.x))}|{' '.join(map(str, step.h))}\n".encode())
        self.steps = steps
        self.digest = digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LayerActivity) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        """One line, whatever the length: how many steps, and the beginning of the digest."""
        return f"<activity of {len(self.steps):,} steps, {self.digest[:8]}>"

    @property
    def columns(self) -> int:
        """How many columns all steps multiply."""
        return sum(step.count for step in self.steps)


Activity = tuple[LayerActivity, ...]
"""The activity of a network, for each of its cells: layer by layer, of each the forward direction first."""
