"""Builds the model of a folder of RTL with Verilator and g++, and runs it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from archsim.families.rtl import RtlError
from archsim.rtl.tools import Verilator, run_tool

TOP = "testbench"
FINISHED, LATE = 0, 3
EVENTS = "events.txt"
SMALL_MODEL = ("--unroll-count", "2", "-fno-expand")
"""Loops stay loops and wide words stay words: an array of 64 x 64 is built in half a minute, and not in an hour."""
_RUNTIME = ("verilated", "verilated_threads")
_TRACING = "verilated_vcd_c"


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

    `optimize`: for a long run, in which a quicker model is worth a slower build. `runtime`: a folder that keeps what
    all models have in common.
    """
    objects = folder / ("obj_trace" if trace else "obj")
    objects.mkdir(exist_ok=True)
    for stale in objects.glob(f"V{TOP}*"):  # of another design in the same folder
        stale.unlink()
    verilate(tool, folder, sources, objects, trace=trace)
    include = tool.root / "include"
    flags = ["-std=c++17", "-w", f"-I{objects}", f"-I{include}", f"-I{include / 'vltstd'}"]
    flags += ["-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_SAIF=0"]
    flags += [f"-DVM_TRACE={int(trace)}", f"-DVM_TRACE_VCD={int(trace)}"]
    common = runtime or objects
    common.mkdir(parents=True, exist_ok=True)
    linked: list[str] = []
    for name in (*_RUNTIME, *((_TRACING,) if trace else ())):
        compiled = common / f"{name}{'_trace' if trace else ''}.o"
        if not compiled.exists():
            # Under another name first: several builds may share the folder.
            own = common / f"{name}_{os.getpid()}.o"
            run_tool("g++", ["g++", "-O1", *flags, "-c", str(include / f"{name}.cpp"), "-o", str(own)], folder)
            own.replace(compiled)
        linked.append(str(compiled))
    level = "-O1" if optimize else "-O0"
    header = () if runtime is None else _header(runtime, folder, [level, *flags], f"{level}{'_trace' if trace else ''}")
    parts = sorted(path.name for path in objects.glob(f"V{TOP}*.cpp"))
    whole = objects / "model.cc"
    whole.write_text("".join(f'#include "{name}"\n' for name in parts) + '#include "../main.cpp"\n', encoding="utf-8")
    program = objects / "model"
    libraries = ["-lpthread", "-latomic"]
    run_tool("g++", ["g++", level, *flags, *header, str(whole), *linked, "-o", str(program), *libraries], folder)
    return program


def _header(runtime: Path, folder: Path, flags: Sequence[str], name: str) -> tuple[str, ...]:
    """The options that take Verilator's header compiled, as the runtime keeps it: a third of a small model's build."""
    header = runtime / f"common{name}.h"
    compiled = header.with_name(f"{header.name}.gch")
    if not compiled.exists():
        header.write_text('#include "verilated.h"\n', encoding="utf-8")
        own = header.with_name(f"{header.name}_{os.getpid()}.gch")  # several builds may share the folder
        run_tool("g++", ["g++", *flags, "-x", "c++-header", str(header), "-o", str(own)], folder)
        own.replace(compiled)
    return "-include", str(header)


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
