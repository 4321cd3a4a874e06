"""Writes the report of `archsim calibrate`: each tensor's range and what it makes of the tensor's format."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from archsim.checking.calibrate import Observed
from archsim.families.load import Arch
from archsim.formats import Scaled
from archsim.formats.scaling import Method, quantized, scale_and_zero
from archsim.report.text.figures_as_text import percent
from archsim.report.text.layout import facts, heading, sentence, table, title
from archsim.report.text.report_text import TEXT_WIDTH
from archsim.workload import Workload
from archsim.workload.calibration import Calibration, Range, needed_ranges

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def print_calibration(
    arch: Arch, workload: Workload, calibration: Calibration, observed: Observed, console: Console
) -> None:
    """Print the report; colours and width are the console's."""
    sections = _sections(arch, workload, calibration, observed)
    console.print(*sections, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def calibration_report(arch: Arch, workload: Workload, calibration: Calibration, observed: Observed) -> str:
    """The report as plain text, 100 characters wide, without colours."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text, width=TEXT_WIDTH, color_system=None, force_terminal=False, force_jupyter=False, _environ={}
    )
    print_calibration(arch, workload, calibration, observed, console)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())


def _sections(arch: Arch, workload: Workload, calibration: Calibration, observed: Observed) -> list[RenderableType]:
    needed = needed_ranges(workload.spec, arch.config.formats)
    rows = [
        (name, *_row(calibration.ranges[name], number_format, observed.samples(name)))
        for name, number_format in needed.items()
    ]
    columns = ("tensor", "range", "format", "scale", "zero point", "beyond")
    own = workload.config.calibration.input is None
    steps, batch = observed.size
    return [
        title(f"Calibration of {workload.name} for the formats of {arch.name}"),
        facts(
            [
                ("method", _method(calibration.method, calibration.percentile)),
                ("weights", f"{_method(calibration.weight_method, calibration.percentile)}, each matrix by itself"),
                ("input", f"{'of the workload' if own else 'calibration.input'}, T = {steps:,}, B = {batch:,}"),
            ]
        ),
        heading("Ranges", "of what the golden model passes through, in float64"),
        table(("<", "<", "<~", ">", ">", ">"), columns, rows),
        sentence(
            "a code c stands for (c - zero point) x scale; beyond: the share of the tensor's numbers, of those above, "
            "that saturate in the format (or wrap)."
        ),
    ]


def _row(found: Range, number_format: Scaled, samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[str, ...]:
    scale, zero = scale_and_zero(np.array([found.low]), np.array([found.high]), number_format)
    _, beyond = quantized(samples[np.newaxis], number_format, scale, zero)
    mantissa, exponent = np.frexp(scale[0])
    return (
        f"{found.low:.4g} .. {found.high:.4g}",
        number_format.name,
        f"2^{exponent - 1}" if mantissa == 0.5 else f"{scale[0]:.4g}",
        f"{zero[0]:,}",
        percent(beyond / samples.size),
    )


def _method(method: Method, percentile: float) -> str:
    return f"{method} {percentile:g}" if method is Method.PERCENTILE else str(method)
