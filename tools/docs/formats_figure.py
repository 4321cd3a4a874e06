"""The picture of docs/formats.md: bits of a weight against the SQNR of the output, from the page's own tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from archsim.report.figures.drawing import PALETTE, new_figure, style
from archsim.report.figures.look import USUAL

Printed = Mapping[tuple[str, str], Mapping[str, str]]
"""The text of a table by (group, row) and column."""

_SQNR = "SQNR of output, dB"
_BITS = {"float32": 32.0, "bfloat16": 16.0, "float16": 16.0, "bfp8": 8.5}


def draw(tables: Mapping[str, Printed], path: Path) -> None:
    """Write the picture, the same bytes for the same tables (and the same matplotlib)."""
    with style():
        figure = new_figure(USUAL, 3.0)
        axes = figure.subplots(1, len(tables), sharey=True)
        for place, (axis, (name, printed)) in enumerate(zip(axes, tables.items(), strict=True)):
            integers, fixed = _line(printed, r"int(\d+)"), _line(printed, r"q\d+\.\d+")
            axis.plot(*integers, color=PALETTE[5], marker="o", markersize=3, label="intN, 16-bit gates and c")
            axis.plot(*fixed, color=PALETTE[6], marker="s", markersize=3, label="qM.N for all, M fits")
            q4_12 = float(printed["qM.N for all", "q4.12"][_SQNR])
            axis.plot(16, q4_12, color=PALETTE[6], marker="x", linestyle="", label="q4.12 for all")
            for mark, (kind, bits) in zip("^v*D", _BITS.items(), strict=True):
                value = float(printed["floating point", kind][_SQNR])
                axis.plot(bits, value, color=PALETTE[2], marker=mark, markersize=4, linestyle="", label=kind)
            axis.set_title(name)
            axis.set_xlabel("bits of a weight")
            axis.set_xticks((4, 8, 12, 16, 20, 24, 32))
            axis.grid(color="#DDDDDD", linewidth=0.5)
            axis.set_axisbelow(True)
            if place == 0:
                axis.set_ylabel("SQNR of the output (dB)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        figure.savefig(path, metadata={"Software": None})


def _line(printed: Printed, names: str) -> tuple[list[float], list[float]]:
    """Bits and SQNR of the rows with such names, q4.12 apart."""
    points = []
    for (group, name), cells in printed.items():
        if group in ("intN", "qM.N for all") and re.fullmatch(names, name) and name != "q4.12":
            points.append((float(sum(map(int, re.findall(r"\d+", name)))), float(cells[_SQNR])))
    bits, values = zip(*sorted(points), strict=True)
    return list(bits), list(values)
