"""Builds the model of a folder of RTL with Verilator and g++, and runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.families.rtl import RtlError
from archsim.rtl.runtime import Runtime
from archsim.rtl.tools import Verilator, run_tool

TOP = "testbench"
FINISHED, LATE = 0, 3
EVENTS = "events.txt"
SMALL_MODEL = ("--unroll-count", "2", "-fno-expand", "-fno-dfg", "--x-initial", "fast")
"""Loops stay loops and wide words stay words: an array of 64 x 64 is built in half a minute, and not in an hour."""


def verilate(tool: Verilator, folder: Path, sources: Sequence[str], objects: Path, *, trace: bool) -> None:
    """Translate the sources to C++ in the folder `objects`."""
    options = ["--cc", "-Wall", "-Wno-fatal", "--top-module", TOP, "--prefix", f"V{TOP}", "--Mdir", str(objects)]
    options += SMALL_MODEL
    if trace:
        options += ["--trace", "--trace-structs"]
    run_tool("verilator", [str(tool.program), *options, *sources], folder, tool.environment)


def lint(tool: Verilator, folder: Path, sources: Sequence[str]) -> None:
    """Check the sources with all of Verilator's warnings; RtlError if it has any."""
    command = [str(tool.program), "--lint-only", "-Wall", "--top-module", TOP, *sources]
    run_tool("verilator --lint-only -Wall", command, folder, tool.environment)


def build(
    tool: Verilator,
    folder: Path,
    sources: Sequence[str],
    *,
    trace: bool = False,
    optimize: bool = False,
    runtime: Path | None = None,
) -> Path:
    """Build the model; gives back the program.

    `optimize`: for a long run, in which a quicker model is worth a slower build. `runtime`: a folder of a run that
    builds many models, which keeps what they have in common; the user's cache folder, with less in it, if left out.
    """
    objects = folder / ("obj_trace" if trace else "obj")
    objects.mkdir(exist_ok=True)
    for stale in objects.glob(f"V{TOP}*"):  # of another design in the same folder
        stale.unlink()
    verilate(tool, folder, sources, objects, trace=trace)
    include = tool.root / "include"
    flags = ["-std=c++17", "-w", f"-I{include}", f"-I{include / 'vltstd'}"]
    flags += ["-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_SAIF=0"]
    flags += [f"-DVM_TRACE={int(trace)}", f"-DVM_TRACE_VCD={int(trace)}"]
    common = Runtime.of(tool, flags, objects, runtime)
    level = "-O1" if optimize else "-O0"
    header = common.header(level) if runtime is not None else []
    linked = [str(path) for path in common.objects(trace=trace)]
    parts = sorted(path.name for path in objects.glob(f"V{TOP}*.cpp"))
    whole = objects / "model.cc"
    whole.write_text("".join(f'#include "{name}"\n' for name in parts) + '#include "../main.cpp"\n', encoding="utf-8")
    program = objects / "model"
    sources_and_objects = [f"-I{objects}", *header, str(whole), *linked, "-o", str(program), "-lpthread", "-latomic"]
    run_tool("g++", ["g++", level, *flags, *sources_and_objects], folder)
    return program


def run_model(program: Path, folder: Path, last_cycle: int, vcd: str = "") -> bool:
    """Run a model; gives back whether it came to the end of its program by `last_cycle`."""
    command = [str(program), str(last_cycle), *(("--vcd", vcd) if vcd else ())]
    try:
        run_tool("the model", command, folder)
    except RtlError as error:
        if f"exit code {LATE}:" in str(error):
            return False
        raise
    return True
