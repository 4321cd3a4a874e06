"""Draws and writes all pictures alike: one size, one font, one palette that also prints in grey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from math import floor, log10
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from archsim.api import Simulation
from archsim.report.text.figures_as_text import plural

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH_INCHES = 16 / 2.54
DPI = 150
FONT_POINTS = 8.0
_TITLE_CHARS = 96
_LEAST_TICKS, _MOST_TICKS = 3, 9

PALETTE = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#0072B2", "#D55E00", "#999999")
"""Okabe and Ito's colours, told apart by the colour-blind."""
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++")
"""Tell neighbours apart where the picture is printed in grey."""

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT_POINTS,
    "axes.titlesize": FONT_POINTS,
    "axes.labelsize": FONT_POINTS,
    "xtick.labelsize": FONT_POINTS,
    "ytick.labelsize": FONT_POINTS,
    "legend.fontsize": FONT_POINTS,
    "figure.titlesize": FONT_POINTS + 1,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply our settings instead of the user's matplotlibrc, so that pictures are the same everywhere."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(_STYLE)
        yield


def write_png(draw: Callable[[Simulation], Figure], simulation: Simulation, path: Path) -> None:
    """Draw a figure and write it: the same bytes for the same run."""
    with style():
        png = png_bytes(draw(simulation))
    path.write_bytes(png)


def new_figure(height_inches: float) -> Figure:
    """An empty figure of the common width."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI, layout="constrained")


def put_title(figure: Figure, simulation: Simulation, what: str, note: str) -> None:
    """Put a title above a figure: what is shown, of which run, and a note."""
    stats = simulation.stats
    run = f"{stats.workload} on {stats.arch}, schedule {stats.schedule}"
    lines = (fill(text, _TITLE_CHARS) for text in (what, run, note) if text)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", linespacing=1.3)


def left_out(simulation: Simulation) -> str:
    """The note on what a picture of the time steps alone does not show."""
    stats = simulation.stats
    steps = plural(simulation.workload.spec.steps, "time step")
    return (
        f"{steps} in {stats.body_cycles:,} cycles; not shown: prologue {stats.prologue_cycles:,} cycles, "
        f"epilogue {stats.epilogue_cycles:,} cycles"
    )


def label_log_axis(axis: Axis, low: float, high: float, text: Callable[[float], str]) -> None:
    """Label a logarithmic axis from `low` to `high` at `log_ticks`, and nowhere else; `text` writes a value."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float) -> list[float]:
    """Between 3 and 9 round values from `low` to `high`: decades, or parts of them, or else equal steps."""
    from matplotlib.ticker import MaxNLocator

    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    for digits in ((1,), (1, 2, 5), range(1, 10)):
        ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _LEAST_TICKS:
            return inside[:: -(-len(inside) // _MOST_TICKS)]
    return [
        float(tick) for tick in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if low <= tick <= high
    ]


def text_colour(background: str) -> str:
    """The colour, black or white, that is read more easily on another one."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(background)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"


def png_bytes(figure: Figure) -> bytes:
    """A figure as a PNG, the same bytes for the same figure; call it within `style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(picture, metadata={"Software": None})
    return picture.getvalue()
