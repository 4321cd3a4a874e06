"""The command `archsim calibrate`: shows and saves the ranges that integer formats are made from."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import ArchArgument, DebugOption, SetOption, WorkloadArgument, load_inputs
from archsim.errors import one_line

if TYPE_CHECKING:
    from archsim.checking.calibrate import Observed
    from archsim.families.load import Arch
    from archsim.workload import Workload
    from archsim.workload.calibration import Calibration


class MethodName(StrEnum):
    """How a range is chosen, as archsim.formats.scaling.Method (which would load NumPy)."""

    MAX = "max"
    PERCENTILE = "percentile"
    MSE = "mse"


def calibrate_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="RANGES.yaml", help="File for the ranges, to be named in the workload.")
    ] = None,
    method: Annotated[
        MethodName | None, typer.Option(help="How ranges are chosen [default: the workload's, or max].")
    ] = None,
    percentile: Annotated[
        float | None,
        typer.Option(min=50, max=100, help="Of the method percentile [default: the workload's, or 99.9]."),
    ] = None,
    weight_method: Annotated[
        MethodName | None, typer.Option(help="How ranges of weights are chosen [default: the workload's, or max].")
    ] = None,
    sets: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Observe the ranges of all tensors in the golden model, and show what scales they give the architecture's formats.

    A file that the workload names for its ranges is not read: it is what this command makes.
    """
    from archsim.checking.calibrate import choose, observe
    from archsim.workload import load_tensors
    from archsim.workload.calibration import refuse_foreign, write_calibration

    options = {"method": method, "percentile": percentile, "weight_method": weight_method}
    given = {name: str(value) for name, value in options.items() if value is not None}
    machine, work = load_inputs(arch, workload, [*(sets or ()), *(f"calibration.{n}={v}" for n, v in given.items())])
    _refuse_without_scales(machine, work, arch)
    if out is not None:
        refuse_foreign(out)
    observed = observe(work, load_tensors(work))
    found = choose(work, machine.config.formats, observed)
    _print(machine, work, found, observed)
    if out is not None:
        words = ["archsim", "calibrate", arch, workload]
        words += [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
        words += [word for text in sets or () for word in ("--set", text)]
        write_calibration(out, found, f"Ranges of {work.name} for the formats of {machine.name}: {shlex.join(words)}")
        sys.stdout.write(_how_to_use(out, os.path.relpath(out, work.folder)))


def _refuse_without_scales(machine: Arch, work: Workload, shown: str) -> None:
    from archsim.errors import ArchError, Fault
    from archsim.formats import Scaled
    from archsim.workload.calibration import needed_ranges

    formats = machine.config.formats
    if needed_ranges(work.spec, formats):
        return
    message = "no kind of data in this workload has an intN format, so there is nothing to calibrate"
    if isinstance(formats.format("weight"), Scaled):
        message = "of this workload's data only the weights have an intN format, whose scales need no calibration"
    raise ArchError((Fault(shown, "formats", message),))


def _print(machine: Arch, work: Workload, calibration: Calibration, observed: Observed) -> None:
    """Print the report: in colour and at its width on a terminal, else as plain text."""
    from archsim.report.text.calibration_text import calibration_report, print_calibration

    if sys.stdout.isatty():
        from rich.console import Console

        print_calibration(machine, work, calibration, observed, Console())
    else:
        sys.stdout.write(calibration_report(machine, work, calibration, observed))


def _how_to_use(out: Path, name: str) -> str:
    """How a workload names the file; `name` is the file's path relative to the workload's folder."""
    quoted = name if re.fullmatch(r"[A-Za-z_./][A-Za-z0-9_./-]*", name) else json.dumps(name)
    setting = shlex.quote(f"calibration.file={quoted}")
    return (
        f"\nRanges: {one_line(str(out))}. To use them put these two lines into the workload file:\n"
        f"calibration:\n  file: {quoted}\n"
        f"or run with --set {setting}\n"
    )
