"""Writes a design's folder: its files, a Makefile and the README."""

from __future__ import annotations

from pathlib import Path

from archsim.config.files.whole_files import write_together
from archsim.families.rtl import RtlDesign
from archsim.rtl.build import SMALL_MODEL
from archsim.rtl.targets import GATES_SCRIPT, TARGETS, gates_script


def write_design(design: RtlDesign, folder: Path) -> None:
    """Write all files of a design, over those that are there; all of them or, with an OSError, none."""
    folder.mkdir(parents=True, exist_ok=True)
    write_together({folder / name: text.encode() for name, text in texts_of(design).items()})


def texts_of(design: RtlDesign) -> dict[str, str]:
    """The texts of all files of a folder, by name."""
    return {**design.files, "Makefile": makefile(design), GATES_SCRIPT: gates_script()}


def makefile(design: RtlDesign) -> str:
    """A Makefile with targets for Verilator and Yosys."""
    machine = [name for name in design.sources if name not in design.bench]
    macros = [f"{module}.sv" for module in (design.macro, design.line_macro)]
    rest = [name for name in machine if name not in macros]
    commands = [
        f"read_verilog -sv -lib {' '.join(macros)}",
        f"read_verilog -sv {' '.join(rest)}",
        *TARGETS["generic"].setup,
        f"synth -top {design.top}",
        "ltp -noff",
        "stat",
    ]
    return f"""SOURCES = {" ".join(machine)}
BENCH = {" ".join(design.bench)}
VERILATOR ?= verilator
YOSYS ?= yosys

sim: obj_dir/Vtestbench
\t./obj_dir/Vtestbench

obj_dir/Vtestbench: $(SOURCES) $(BENCH) main.cpp
\t$(VERILATOR) --cc --exe --build -Wall -Wno-fatal {" ".join(SMALL_MODEL)} \\
\t    -MAKEFLAGS CFG_CXXFLAGS_PCH_I=-include \\
\t    --top-module testbench $(SOURCES) $(BENCH) main.cpp

lint:
\t$(VERILATOR) --lint-only -Wall --top-module testbench $(SOURCES) $(BENCH)

synth:
\t$(YOSYS) -p "{"; ".join(commands)}"

.PHONY: sim lint synth
"""
