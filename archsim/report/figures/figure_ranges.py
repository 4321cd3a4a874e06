"""Draws what of the golden model's values the number formats can hold: a histogram a kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.formats import BlockFloat, FloatFormat, NumberFormat
from archsim.formats.floating import Bfloat16, Float16
from archsim.report.figures.drawing import new_figure, put_legend, put_title
from archsim.report.figures.look import USUAL, Look
from archsim.report.text.figures_as_text import percent
from archsim.report.text.values import Values, golden_values, reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLES = {
    "weight": "weights",
    "input": "input x",
    "hidden": "hidden state h",
    "gate": "gate pre-activations",
    "activation": "activations",
    "cell": "cell state c",
}
"""Kinds of data in the order of the panels."""
_BINS = 80
_MUCH_WIDER = 3.0
"""A range that reaches further than so many times the values is not shown whole."""
_MARGIN = 0.06
_APART = 0.01
"""Of the width of a panel, some 4 pixels: dashed lines that are closer look like one."""
_TITLE_CHARS = 46
_BOTTOM = 0.5
"""Of the logarithmic scale: below one value."""
_INSIDE, _BEYOND, _RANGE, _WIDEST = "#0072B2", "#D55E00", "#D3EAD3", "#EFF7EF"
_PRECISION = {Bfloat16: 8, Float16: 11}
"""Significant bits of a floating-point format, the leading one among them."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The content of one panel: values, and the range of the format.

    With several scales there are the least and the widest range.
    """

    kind: str
    parts: Sequence[Values]
    narrow: tuple[float, float]
    wide: tuple[float, float]
    step: str
    beyond: float

    @property
    def number_format(self) -> NumberFormat:
        """The number format of all of the values."""
        return self.parts[0].encoding.format


def ranges_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """A panel for each kind of data that the network has; two in a row if there is room."""
    assert simulation.numbers is not None
    found = {kind: golden_values(simulation.numbers, kind) for kind in _TITLES}
    panels = [_panel(kind, parts) for kind, parts in found.items() if parts]
    across = 2 if look.width_inches > 2 * look.text_inches("x" * _TITLE_CHARS) else 1
    height = -(-len(panels) // across)
    figure = new_figure(look, 0.2 + 1.75 * height)
    grid = figure.subplots(height, across, squeeze=False).ravel()
    room = (look.width_inches / across) / (USUAL.width_inches / 2) / look.scale  # of what a panel usually has
    for axes, panel in zip(grid, panels, strict=False):
        _draw(axes, panel, min(_TITLE_CHARS, int(_TITLE_CHARS * room)))
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes in grid[: len(panels) : across]:
        axes.set_ylabel("values (log)")
    _legend(figure, look, panels)
    note = "golden model in float64, no unit; beyond: the share of its values that the format cannot hold"
    put_title(figure, look, simulation, "What of the model's values the number formats can hold", note)
    return figure


def _panel(kind: str, parts: Sequence[Values]) -> Panel:
    scales = [scale for part in parts for scale in part.scales]
    ends = [part.ends(scale) for part in parts for scale in part.scales]
    lows, highs = zip(*ends, strict=True)
    size = sum(part.values.size for part in parts)
    return Panel(
        kind,
        parts,
        (max(lows), min(highs)),
        (min(lows), max(highs)),
        _step(parts[0].encoding.format, min(scales), max(scales)),
        sum(int(np.count_nonzero(part.beyond)) for part in parts) / size,
    )


def _step(number_format: NumberFormat, finest: float, coarsest: float) -> str:
    """The distance between neighbouring numbers of a format, in words."""
    if isinstance(number_format, BlockFloat):
        return f"step to 2^{2 - number_format.mantissa_bits} of a block's largest"
    if isinstance(number_format, FloatFormat):
        return f"step to 2^{1 - _PRECISION.get(type(number_format), 24)} of a value"
    texts = dict.fromkeys((f"{finest:.2g}", f"{coarsest:.2g}"))  # one if they differ in digits that are not shown
    return f"step {' .. '.join(texts)}"


def _draw(axes: Axes, panel: Panel, characters: int) -> None:
    """Draw all values in the colour of those beyond the range, and before them those within it."""
    from matplotlib.ticker import MaxNLocator, NullFormatter

    least, most = _limits(panel)
    edges = _bins(panel, least, most)
    counts = _counts([part.values for part in panel.parts], edges)
    inside = _counts([part.values[~part.beyond] for part in panel.parts], edges) if panel.beyond else counts
    for (low, high), colour in ((panel.wide, _WIDEST), (panel.narrow, _RANGE)):
        axes.axvspan(max(low, least), min(high, most), color=colour, linewidth=0, zorder=0)
    for heights, colour in ((counts, _BEYOND), (inside, _INSIDE)):
        bars = np.where(heights > 0, heights, np.nan)  # a logarithm has no place for 0
        axes.stairs(bars, edges, baseline=_BOTTOM, fill=True, color=colour, zorder=2)
    for end in _drawn_ends(panel):
        axes.axvline(end, color="black", linewidth=0.8, linestyle=(0, (4, 2)), zorder=3)
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(_BOTTOM, 3 * max(1, int(counts.max())))
    axes.set_xlim(least, most)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_title(_title(panel, characters), loc="left")


def _drawn_ends(panel: Panel) -> list[float]:
    """The ends of the ranges that are in the picture, from the left; of ends that would be one line only one."""
    least, most = _limits(panel)
    apart = _APART * (most - least)
    drawn: list[float] = []
    for end in sorted({*panel.wide, *panel.narrow}):
        if least < end < most and (not drawn or end - drawn[-1] >= apart):
            drawn.append(end)
    return drawn


def _scales_differ(panel: Panel) -> bool:
    """Whether the least and the widest range can be told apart in the picture."""
    least, most = _limits(panel)
    both = zip(panel.wide, panel.narrow, strict=True)
    return any(abs(wide - narrow) >= _APART * (most - least) and least < narrow < most for wide, narrow in both)


def _bins(panel: Panel, least: float, most: float) -> npt.NDArray[np.float64]:
    """The edges of about equal bins, each within what rounds into the widest range, or beyond it."""
    if not panel.beyond:
        return np.linspace(least, most, _BINS + 1)
    half = panel.parts[0].scales[1] / 2
    ends = [min(max(end, least), most) for end in (panel.wide[0] - half, panel.wide[1] + half)]
    sections = []
    for start, stop in pairwise((least, *ends, most)):
        bins = ceil(_BINS * (stop - start) / (most - least))
        sections.append(np.linspace(start, stop, bins + 1) if bins else np.array([start]))
    return np.unique(np.concatenate(sections))


def _counts(parts: Sequence[npt.NDArray[np.floating]], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The number of values of all parts in each bin."""
    found: npt.NDArray[np.int64] = np.sum([np.histogram(part, edges)[0] for part in parts], axis=0)
    return found


def _limits(panel: Panel) -> tuple[float, float]:
    """The limits of the axis: all values, and the ends of the range unless they are far away."""
    low, high = reach(panel.parts)
    low, high = min(low, 0.0), max(high, 0.0)
    extent = max(high, -low) or 1.0
    if max(panel.wide[1], -panel.wide[0]) <= _MUCH_WIDER * extent:
        low, high = min(low, panel.wide[0]), max(high, panel.wide[1])
    margin = _MARGIN * ((high - low) or extent)
    return low - margin, high + margin


def _title(panel: Panel, characters: int = _TITLE_CHARS) -> str:
    low, high = panel.wide
    span = f"\u00b1{high:.3g}" if low == -high else f"{low:.5g} .. {high:.5g}"
    if panel.wide != panel.narrow:
        span = f"up to {low:.4g} .. {high:.4g}"
    least, most = _limits(panel)
    share = f"{percent(panel.beyond)} of {sum(part.values.size for part in panel.parts):,} beyond"
    cut = "" if least <= low and high <= most else "; range wider"
    if high - low < _APART * (most - least):
        cut = "; range narrower than the line"
    name = str(panel.number_format).replace("/", " /")  # a long name goes on in a second line
    head = fill(f"{_TITLES[panel.kind]}: {name}", characters).replace(" /", "/")
    return "\n".join((head, fill(f"{span}, {panel.step}", characters), f"{share}{cut}"))


def _legend(figure: Figure, look: Look, panels: Sequence[Panel]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [Patch(facecolor=_INSIDE, label="values within the range")]
    if any(panel.beyond for panel in panels):
        handles.append(Patch(facecolor=_BEYOND, label="values beyond it"))
    handles.append(Patch(facecolor=_RANGE, label="range of the format"))
    if any(map(_scales_differ, panels)):
        handles.append(Patch(facecolor=_WIDEST, label="with the widest of its scales"))
    handles.append(Line2D([], [], color="black", linewidth=0.8, linestyle=(0, (4, 2)), label="its ends"))
    put_legend(figure, look, handles, 3)
