"""Works out something about machines once for all that are the same in what it reads of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from archsim.api.batch.columns import Picked
from archsim.api.batch.designs import Designs
from archsim.config.read_tracking import ReadTracker

Found = TypeVar("Found")


class Observer(Generic[Found]):
    """A function of the machine, whose reads are observed: machines that are alike in all of them share a result.

    `compute` gets a stand-in for the machine; what it returns must not read it later. What it found out is kept.
    """

    def __init__(self, compute: Callable[[Any], Found]) -> None:
        self._compute = compute
        self._paths: tuple[str, ...] = ()
        self._kept: dict[tuple[Hashable, ...], Found] = {}

    def column(self, designs: Designs) -> Picked[Found]:
        """The results of designs."""
        while True:
            first, codes = designs.classes(self._paths)
            found: list[Found] = []
            for design in first.tolist():
                key = designs.key(self._paths, design)
                if key not in self._kept and self._run(designs, design, key):
                    break  # it has read what nobody has yet: classes are too coarse
                found.append(self._kept[key])
            else:
                return Picked(found, codes)

    def _run(self, designs: Designs, design: int, key: tuple[Hashable, ...]) -> bool:
        """Compute it for one design; whether it has read something that is not in the keys."""
        tracker = ReadTracker(designs.config(design))
        found = self._compute(tracker.stand_in)
        read = {*tracker.values, *(question.path for question in tracker.questions)}
        new = read.difference(self._paths)
        if not new:
            self._kept[key] = found
            return False
        self._paths = tuple(sorted(read.union(self._paths)))
        self._kept.clear()
        return True
