"""Draws and writes all pictures alike: one style, one palette that also prints in grey, titles, legends and axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from math import ceil, floor, log10
from textwrap import fill
from typing import TYPE_CHECKING, Any

from archsim.api import Simulation
from archsim.report.figures.look import USUAL, FigureFormat, Look

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PALETTE = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#0072B2", "#D55E00", "#999999")
"""Okabe and Ito's colours, told apart by the colour-blind."""
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++")
"""Tell neighbours apart where the picture is printed in grey."""
EDGE = "#333333"
"""The colour of edges of bars."""
GRID = "#DDDDDD"
_MOST_LABELS = 6
"""So many decades of an axis are labelled; of more every other one, or fewer."""
_PLAIN = (1e-3, 1e6)
"""Decades outside of these are written as powers."""
_HANDLE_EMS, _GAP_EMS = 1.8, 1.4
"""The width of a legend's handle, and of the gap between two columns, in sizes of the font."""


def _style(look: Look) -> dict[str, Any]:
    points = look.font_points
    return {
        "font.family": "DejaVu Sans",
        "font.size": points,
        "axes.titlesize": points,
        "axes.labelsize": points,
        "xtick.labelsize": points,
        "ytick.labelsize": points,
        "legend.fontsize": points,
        "figure.titlesize": points + 1,
        "hatch.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.fonttype": "none",  # text stays text: found by a search, set in another font, and small
        "svg.hashsalt": "archsim",
        "pdf.fonttype": 42,  # fonts of this type are embedded as publishers ask for
    }


@contextmanager
def style(look: Look = USUAL) -> Iterator[None]:
    """Apply our settings instead of the user's matplotlibrc, so that pictures are the same everywhere."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(_style(look))
        yield


def new_figure(look: Look, height_inches: float) -> Figure:
    """An empty figure; the height is that of what is drawn at the usual font, without title and legend."""
    from matplotlib.figure import Figure

    return Figure(figsize=(look.width_inches, height_inches * look.scale), dpi=look.dpi, layout="constrained")


def put_title(figure: Figure, look: Look, simulation: Simulation, what: str, note: str) -> None:
    """Put a title above a figure: what is shown, of which run, and a note. Nothing if the look has no title."""
    stats = simulation.stats
    put_lines(figure, look, (what, f"{stats.workload} on {stats.arch}, schedule {stats.schedule}", note))


def put_lines(figure: Figure, look: Look, lines: Sequence[str]) -> None:
    """Put lines above a figure, folded at its width, and make it so much higher."""
    if not look.title:
        return
    width = look.characters(look.width_inches * look.font_points / (look.font_points + 1)) - 1
    text = "\n".join(fill(line, width) for line in lines if line)
    _add_height(figure, (text.count("\n") + 1.6) * look.line_inches * (look.font_points + 1) / look.font_points)
    figure.suptitle(text, x=0.01, ha="left", linespacing=1.3)


def put_legend(
    figure: Figure,
    look: Look,
    handles: Sequence[Artist],
    most_columns: int = 5,
    title: str | None = None,
    handle_ems: float = _HANDLE_EMS,
) -> None:
    """Put a legend below a figure, in as many columns as have room, and make it so much higher.

    `handle_ems`: how wide a handle is, in sizes of the font; a dashed line with a marker on it needs more.
    """
    if not handles:
        return
    columns = legend_columns(look, [str(handle.get_label()) for handle in handles], most_columns, handle_ems)
    lines = ceil(len(handles) / columns) + (1 if title else 0)
    _add_height(figure, (lines + 0.8) * look.line_inches)
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        title=title,
        handlelength=handle_ems,
        columnspacing=_GAP_EMS,
    )


def legend_columns(look: Look, labels: Sequence[str], most: int, handle_ems: float = _HANDLE_EMS) -> int:
    """The number of columns of a legend, of at most `most`, that have room side by side, each with its widest label."""
    em = look.font_points / 72
    beside = (handle_ems + 0.8 + _GAP_EMS) * em  # 0.8: between handle and text
    widths = [text_inches(look, label) + beside for label in labels]
    for columns in range(min(most, len(labels)), 1, -1):
        rows = ceil(len(labels) / columns)  # as matplotlib fills them: downwards, the first columns fuller
        full = len(labels) - columns * (rows - 1)
        sizes = [rows if column < full else rows - 1 for column in range(columns)]
        starts = [sum(sizes[:column]) for column in range(columns + 1)]
        if sum(max(widths[a:b]) for a, b in pairwise(starts)) + 2 * em <= look.width_inches:
            return ceil(len(labels) / rows)
    return 1


def text_inches(look: Look, text: str) -> float:
    """How wide a line of text is, in the font of the figures."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=look.font_points)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / 72


def _add_height(figure: Figure, inches: float) -> None:
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + inches)


def scale_log_axis(axis: Axis, low: float, high: float) -> tuple[float, float]:
    """Label a logarithmic axis at its decades; return the limits from `low` to `high` or beyond, with two decades."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    low, high = decade_limits(low, high)
    ticks = decades(low, high)
    plain = _PLAIN[0] <= ticks[0] and ticks[-1] <= _PLAIN[1]
    axis.set_major_locator(FixedLocator(ticks[:: ceil(len(ticks) / _MOST_LABELS)]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.15g}" if plain else _power(value)))
    axis.set_minor_locator(LogLocator(10, range(1, 10), numticks=99))
    axis.set_minor_formatter(NullFormatter())
    return low, high


def _power(value: float) -> str:
    return f"$10^{{{round(log10(value))}}}$"


def decades(low: float, high: float) -> list[float]:
    """The powers of ten from `low` to `high`."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    return [value for value in (float(f"1e{power}") for power in powers) if low <= value <= high]


def decade_limits(low: float, high: float) -> tuple[float, float]:
    """The limits `low` and `high`, widened to the next powers of ten until two of these are inside."""
    while len(decades(low, high)) < 2:
        below, above = float(f"1e{ceil(log10(low)) - 1}"), float(f"1e{floor(log10(high)) + 1}")
        if low / below <= above / high:
            low = below
        else:
            high = above
    return low, high


def label_cycles(axis: Axis, inches: float, look: Look) -> None:
    """Label an axis of cycles of that length: as many whole numbers as have room, with thousands apart."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    room = inches / look.text_inches("1,000,000 ")
    axis.set_major_locator(MaxNLocator(max(1, min(7, int(room))), integer=True))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


_ACRONYMS = {
    "mac": "MAC", "macs": "MACs", "dram": "DRAM", "sram": "SRAM", "mvu": "MVU", "mfu": "MFU",
    "mfu0": "MFU 0", "mfu1": "MFU 1", "evrf": "EVRF", "ld": "LD", "fifo": "FIFO",
}  # fmt: skip


def in_words(name: str) -> str:
    """The name of a unit, memory or bucket as text: "MAC array" for mac_array."""
    return " ".join(_ACRONYMS.get(word, word) for word in name.split("_"))


_UNITS = {
    "us": "us", "ms": "ms", "cycles": "cycles", "uj": "uJ", "pj": "pJ", "mw": "mW", "mm2": "mm\u00b2", "bytes": "bytes",
    "gops": "GOPS", "db": "dB", "mhz": "MHz",
}  # fmt: skip


def quantity(name: str) -> str:
    """The name of a figure, which ends in its unit, as text for an axis: "energy (uJ)" for energy_uj."""
    start, _, end = name.rpartition("_")
    unit = _UNITS.get(end)
    return f"{in_words(start)} ({unit})" if start and unit else in_words(name)


def text_colour(background: str) -> str:
    """The colour, black or white, that is read more easily on another one."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(background)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"


def figure_bytes(figure: Figure, file_format: FigureFormat = FigureFormat.PNG) -> bytes:
    """A figure as a file, the same bytes for the same figure; call it within `style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    picture = BytesIO()
    canvas: Any
    match file_format:
        case FigureFormat.PNG:
            canvas = FigureCanvasAgg(figure)
            canvas.print_png(picture, metadata={"Software": None})
        case FigureFormat.SVG:
            canvas = FigureCanvasSVG(figure)
            canvas.print_svg(picture, metadata={"Date": None, "Creator": None})
        case FigureFormat.PDF:
            canvas = FigureCanvasPdf(figure)
            canvas.print_pdf(picture, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return picture.getvalue()


def drawn(draw: Callable[[], Figure], look: Look = USUAL, file_format: FigureFormat = FigureFormat.PNG) -> bytes:
    """What a function draws, as a file."""
    with style(look):
        return figure_bytes(draw(), file_format)
