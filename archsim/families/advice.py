"""Holds what a family of machines has to say about its bounds and losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """The texts of one family about its bounds and losses.

    `bounds`: for each of its bounds what it means when it is the largest, and what would move it. `explained`: the
    losses of the multipliers that follow from the bound itself. `knobs`: what shortens a loss that no bound explains.
    """

    bounds: Mapping[str, str]
    explained: Mapping[str, tuple[str, ...]]
    knobs: Mapping[str, str]
