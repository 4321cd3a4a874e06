"""Counts the chunks of a vector of deltas that a time step multiplies: those with a column that has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from archsim.workload.activity import LayerActivity

KEPT = 256
"""Answers that are kept: all tiles of a matrix ask the same."""


@dataclass(frozen=True, slots=True)
class StepChunks:
    """The chunks of a step that are multiplied: how many are whole, and the inputs of a narrower last one, or 0."""

    whole: int
    rest: int

    @property
    def count(self) -> int:
        """How many chunks are multiplied."""
        return self.whole + bool(self.rest)


@lru_cache(KEPT)
def step_chunks(activity: LayerActivity, first: int, inputs: int, per_chunk: int) -> tuple[StepChunks, ...]:
    """The chunks of each step, of the columns [first, first + inputs) taken `per_chunk` at a time."""
    return tuple(_chunks(columns, inputs, per_chunk) for columns in _columns(activity, first, inputs))


def _columns(activity: LayerActivity, first: int, inputs: int) -> list[list[int]]:
    """The places of the columns that have changed in each step, from 0 on."""
    return [[n - first for n in (*step.x, *step.h) if first <= n < first + inputs] for step in activity.steps]


def _chunks(places: Sequence[int], inputs: int, per_chunk: int) -> StepChunks:
    chunks = {place // per_chunk for place in places}
    whole, rest = divmod(inputs, per_chunk)
    last = rest if rest and whole in chunks else 0
    return StepChunks(len(chunks) - bool(last), last)
