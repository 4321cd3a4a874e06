"""Checks a folder of RTL under Verilator."""

from __future__ import annotations

from pathlib import Path

from archsim.rtl.build import EVENTS, build, run_model
from archsim.rtl.compare import Comparison, compare, read_events
from archsim.rtl.expected import Expected
from archsim.rtl.tools import find_verilator

MARGIN_CYCLES = 1000
"""Cycles behind the simulation's end after which a model is stopped."""

LONG_CYCLES = 20_000
"""From here on the model is optimized."""

VCD = "trace.vcd"


def check(expected: Expected, folder: Path, *, runtime: Path | None = None, vcd: bool = True) -> Comparison:
    """Build and run the RTL in a folder and compare it with the simulation; keep a VCD if it differs."""
    tool, folder = find_verilator(), folder.resolve()
    sources, last = expected.design.sources, expected.last_cycle + MARGIN_CYCLES
    program = build(tool, folder, sources, optimize=last > LONG_CYCLES, runtime=runtime)
    finished = run_model(program, folder, last)
    found = compare(expected, read_events(folder / EVENTS), finished=finished)
    if not found.passed and vcd:
        traced = build(tool, folder, sources, trace=True, runtime=runtime)
        run_model(traced, folder, last, VCD)
    return found
