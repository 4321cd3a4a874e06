"""Writes a folder of RTL, and checks it under Verilator."""

from __future__ import annotations

from pathlib import Path

from archsim.families.rtl import RtlDesign
from archsim.rtl.build import EVENTS, build, run_model
from archsim.rtl.compare import Comparison, compare, read_events
from archsim.rtl.expected import Expected
from archsim.rtl.tools import find_verilator

MARGIN_CYCLES = 1000
"""Cycles behind the simulation's end after which a model is stopped."""

VCD = "trace.vcd"


def write_design(design: RtlDesign, folder: Path) -> None:
    """Write all files of a design."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in design.files.items():
        (folder / name).write_text(text, encoding="utf-8")


def check(expected: Expected, folder: Path, *, runtime: Path | None = None, vcd: bool = True) -> Comparison:
    """Build and run the RTL in a folder and compare it with the simulation; keep a VCD if it differs."""
    tool = find_verilator()
    sources, last = expected.design.sources, expected.last_cycle + MARGIN_CYCLES
    finished = run_model(build(tool, folder, sources, runtime=runtime), folder, last)
    found = compare(expected, read_events(folder / EVENTS), finished=finished)
    if not found.passed and vcd:
        traced = build(tool, folder, sources, trace=True, runtime=None if runtime is None else runtime / "trace")
        run_model(traced, folder, last, VCD)
    return found
