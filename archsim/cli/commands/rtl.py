"""The command `archsim rtl`: the RTL of a workload's program on an architecture, checked and synthesized."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import (
    DEFAULT_SCHEDULE,
    ArchArgument,
    DebugOption,
    JsonOption,
    ScheduleOption,
    SetOption,
    WorkloadArgument,
    chosen,
    load_inputs,
)
from archsim.cli.progress import stage_progress
from archsim.errors import OutputError, one_line

if TYPE_CHECKING:
    from archsim.families.rtl import RtlDesign
    from archsim.rtl.compare import Comparison
    from archsim.rtl.synth import Synthesis


def rtl_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Build and run it under Verilator and compare every op and every code.")
    ] = False,
    synth: Annotated[
        str | None, typer.Option(metavar="xilinx|ecp5|ice40|generic", help="Count its resources with Yosys.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Write the SystemVerilog of a workload's program on an architecture; compare it with the simulation."""
    from archsim.config.files.one_writer import one_writer
    from archsim.rtl.check import check as check_rtl
    from archsim.rtl.expected import expect
    from archsim.rtl.folder import write_design
    from archsim.rtl.synth import synthesize
    from archsim.rtl.targets import check_target
    from archsim.rtl.tools import find_verilator
    from archsim.rtl.yosys import find_yosys

    # What is missing is said before the work, not after it.
    if synth is not None:
        check_target(synth)
        find_yosys()
    if check:
        find_verilator()
    machine, work = load_inputs(arch, workload, sets)
    schedule = chosen(schedule, machine, work)
    expected = expect(machine, work, schedule)
    comparison = synthesis = None
    with one_writer(out, parents=True):
        _refuse_foreign(out, expected.design)
        try:
            write_design(expected.design, out)
        except OSError as error:
            raise OutputError(f"{out}: cannot write: {error.strerror or error}") from error
        if check:
            comparison = check_rtl(expected, out)
        if synth is not None:
            with stage_progress(f"Yosys, target {synth}") as progress:
                synthesis = synthesize(expected.design, out, synth, progress)
    if json:
        sys.stdout.write(json_module.dumps(_document(out, comparison, synthesis), indent=2) + "\n")
    else:
        _print(out, comparison, synthesis)
    return 1 if comparison is not None and not comparison.passed else 0


def _refuse_foreign(out: Path, design: RtlDesign) -> None:
    """OutputError if `out` is no folder, or if files of a folder that holds no design would be written over."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; choose another --out")
    from archsim.rtl.folder import texts_of

    sources = [name for name in design.sources if (out / name).exists()]
    mine = [name for name in texts_of(design) if (out / name).exists()]
    if mine and not sources:
        raise OutputError(f"{out}: holds files that are of no design ({', '.join(sorted(mine))}); choose another --out")


def _document(out: Path, comparison: Comparison | None, synthesis: Synthesis | None) -> dict[str, object]:
    from archsim.rtl.check import VCD

    document: dict[str, object] = {}
    if comparison is not None:
        document |= {
            "ops": comparison.ops,
            "ops_equal": comparison.ops_equal,
            "codes": comparison.codes,
            "codes_equal": comparison.codes_equal,
            "passed": comparison.passed,
            "first_difference": None if comparison.first is None else str(comparison.first),
            "waveform": None if comparison.passed else str(out / VCD),
        }
    if synthesis is not None:
        document["synth"] = synthesis.resources.document()
    return document


def _print(out: Path, comparison: Comparison | None, synthesis: Synthesis | None) -> None:
    from archsim.rtl.check import VCD
    from archsim.rtl.yosys import SCRIPT

    print(f"RTL: {one_line(str(out))}/")
    if comparison is not None:
        print(
            f"Under Verilator: {comparison.ops_equal:,} of {comparison.ops:,} ops equal in start, free and done, "
            f"{comparison.codes_equal:,} of {comparison.codes:,} codes equal"
        )
        if not comparison.finished:
            print("The model did not come to the end of its program")
        if comparison.first is not None:
            print(f"First difference: {comparison.first}")
        if not comparison.passed:
            print(f"Waveform: {one_line(str(out / VCD))}; testbench.cycle counts its cycles")
    if synthesis is not None:
        print(synthesis.resources.table())
        print(f"Yosys took {synthesis.seconds:.0f} s; its script is {one_line(str(out / SCRIPT))}")
