"""Gives every memory of a roofline its line and marker, the same in figure and page, and keeps markers apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from archsim.metrics.roofline import Roofline

Dash = tuple[float, tuple[float, ...]]

_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#999999")
_DASHES: tuple[Dash, ...] = ((0, ()), (0, (4, 2)), (0, (6, 2, 1, 2)), (0, (1, 1.5)), (0, (5, 1, 1, 1, 1, 1)))
_PAGE_DASHES = ("solid", "dash", "dashdot", "dot", "longdashdot")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_PAGE_MARKERS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")


@dataclass(frozen=True, slots=True)
class RoofLook:
    """The look of a memory: memories of one bandwidth share the slope of that number, its colour and its dashes.

    `dash` and `marker` are matplotlib's, `page_dash` and `page_marker` plotly's.
    """

    slope: int
    colour: str
    dash: Dash
    page_dash: str
    marker: str
    page_marker: str


def roof_looks(found: Roofline) -> dict[str, RoofLook]:
    """The look of each memory; of one bandwidth they share a line, since two lines in one place look like one."""
    bandwidths = list(dict.fromkeys(ceiling.bandwidth_gb_per_s for ceiling in found.ceilings.values()))
    looks = {}
    for place, (memory, ceiling) in enumerate(found.ceilings.items()):
        slope = bandwidths.index(ceiling.bandwidth_gb_per_s)
        colour, dash = _COLOURS[slope % len(_COLOURS)], slope % len(_DASHES)
        mark = place % len(_MARKERS)
        looks[memory] = RoofLook(slope, colour, _DASHES[dash], _PAGE_DASHES[dash], _MARKERS[mark], _PAGE_MARKERS[mark])
    return looks


def levels(intensities: dict[str, float], apart: float) -> dict[str, int]:
    """How many markers of those less than `apart` decades away each has to make way for, so that none hides another."""
    found: dict[str, int] = {}
    for name, intensity in sorted(intensities.items(), key=lambda item: item[1]):
        near = {level for other, level in found.items() if abs(log10(intensity / intensities[other])) < apart}
        found[name] = next(level for level in range(len(near) + 1) if level not in near)
    return found
