"""Holds the state of lanes whose sequence is not there at a time step of a batch of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.formats.number import Array
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Region


@dataclass(frozen=True, slots=True)
class Hold:
    """A write enable for each batch lane: where `valid` (1, B) is 0, the target takes `old` (n, B) again."""

    valid: Region
    old: Region

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions read behind an op's other operands."""
        return (self.valid, self.old)


def held(hold: Hold | None, result: Array, operands: Sequence[Array]) -> Array:
    """The result with the old values in lanes that hold.

    `operands` are all of the op's, Hold.regions last.
    """
    if hold is None:
        return result
    valid, old = operands[-2:]
    kept: Array = np.where(valid != 0, result, old)
    return kept


def check_hold(hold: Hold | None, target: Region, numerics: Numerics) -> None:
    """Raise SimulatorBug if what a lane keeps is not stored as the target is."""
    if hold is not None:
        numerics.same((hold.old,), target)
