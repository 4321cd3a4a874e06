"""The command `archsim technology`: sets prices beside each other, and makes a technology file of HWComponents'."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import DebugOption, JsonOption
from archsim.errors import one_line

if TYPE_CHECKING:
    from archsim.technology import Technology
    from archsim.technology.estimates import Beside

HWCOMPONENTS = "hwcomponents"
"""What stands for the prices of HWComponents, beside technologies."""


def technology_command(
    base: Annotated[
        str,
        typer.Argument(metavar="TECHNOLOGY", help="A technology: a preset's name or a .yaml file.", show_default=False),
    ],
    other: Annotated[
        str,
        typer.Argument(
            metavar="OTHER",
            help="What is set beside it: another technology, or hwcomponents, asked for prices at the same node.",
        ),
    ] = HWCOMPONENTS,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Technology file to write, of hwcomponents: its prices; what it does not have is TECHNOLOGY's.",
        ),
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Set the prices of two technologies beside each other, or make a technology of HWComponents' prices.

    HWComponents, Accelergy's successor, is an extra: pip install "archsim[hwcomponents]", with Python 3.12 or newer.
    """
    from archsim.technology import load_technology
    from archsim.technology.comparable import same_chain
    from archsim.technology.estimates import beside

    if out is not None and other != HWCOMPONENTS:
        raise typer.BadParameter(f"--out is for {HWCOMPONENTS} alone: {other} is a technology file already")
    ours = load_technology(base)
    theirs = _asked(ours) if other == HWCOMPONENTS else load_technology(other)
    rows = beside(theirs, ours)
    if out is not None:
        _write(out, theirs, base)
    if json:
        _print_json(rows)
    else:
        _print_text(rows, base, other)
        if not same_chain(ours, theirs):
            sys.stdout.write(
                "The two do not share their sources: energies and areas of machines in one cannot be compared\n"
                "with those in the other.\n"
            )
        if out is not None:
            file = one_line(str(out))
            sys.stdout.write(f"\nTechnology: {file}. To use it: --set technology={file}\n")


def _asked(ours: Technology) -> Technology:
    """The technology with HWComponents' prices."""
    from archsim.cli.progress import working
    from archsim.technology.estimates import technology_of
    from archsim.technology.hwcomponents import estimates, load_hwcomponents

    found = load_hwcomponents()
    with working("asking CACTI for every SRAM of the table, about a minute"):
        return technology_of(ours, estimates(ours, found))


def _write(out: Path, technology: Technology, base: str) -> None:
    from archsim.cli.output import output
    from archsim.technology.write import technology_text

    with output(out) as write:
        write(technology_text(technology, f"Made by: archsim technology {base} {HWCOMPONENTS} --out {out.name}"))


def _print_json(rows: tuple[Beside, ...]) -> None:
    found = [{"what": r.what, "unit": r.unit, "other": r.other, "ours": r.ours, "ratio": r.ratio} for r in rows]
    sys.stdout.write(json_text.dumps(found, indent=2) + "\n")


def _print_text(rows: tuple[Beside, ...], base: str, other: str) -> None:
    from archsim.report.text.figures_as_text import significant

    titles = ("price", "unit", Path(other).stem, Path(base).stem, "ratio")
    lines = [titles] + [
        (row.what, row.unit, significant(row.other), significant(row.ours), _ratio(row)) for row in rows
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    for line in lines:
        words = [text.ljust(width) for text, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [text.rjust(width) for text, width in zip(line[2:], widths[2:], strict=True)]
        sys.stdout.write("  ".join([*words, *numbers]).rstrip() + "\n")
    sys.stdout.write("\nLeakage of both is for low_power transistors at 350 K.\n")


def _ratio(row: Beside) -> str:
    return "same" if row.other == row.ours else f"{row.ratio:.2f}"
