"""Counts the resources of RTL with Yosys: look-up tables, flip-flops, multipliers, memories, and logic levels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archsim.families.rtl import RtlDesign
from archsim.rtl.resources import (
    Cells,
    Macro,
    Resources,
    UnitOperators,
    by_unit,
    operators_by_unit,
    plain,
    read_levels,
    read_macros,
)
from archsim.rtl.targets import GATES_SCRIPT, check_target, gates_script, mapping_steps
from archsim.rtl.yosys import Progress, find_yosys, run_yosys

REPORT, WORDS, LEVELS, MACROS = "synth.json", "words.json", "levels.txt", "macros.txt"


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The resources that were counted, and the seconds that Yosys took for it."""

    resources: Resources
    seconds: float


def synthesize(design: RtlDesign, folder: Path, name: str, progress: Progress | None = None) -> Synthesis:
    """Synthesize a folder's RTL for a target, each distinct module once; `progress` hears of each step.

    Memories of vectors stay what they are. Memories of lines become block memories, or stay what they are where the
    target has none.
    """
    target, yosys = check_target(name), find_yosys()
    kept = (design.macro,) if target.has_block_memories else (design.macro, design.line_macro)
    (folder / GATES_SCRIPT).write_text(gates_script(), encoding="utf-8")  # that of another version may be there
    # Paths end in registers, memories and other modules: what ltp does not know as such is left out.
    modules = " ".join(f"t:{source.removesuffix('.sv')}" for source in design.sources)
    counting = (
        f"tee -q -o {REPORT} stat -json",
        "select *",
        f"select -del {target.ends} t:$paramod* {modules}",
        f"tee -q -o {LEVELS} ltp -noff",
    )
    steps = {"reading": _reading(design, kept), **mapping_steps(target, design.top), "longest paths": counting}
    seconds = run_yosys(yosys, folder, steps, progress)
    levels = read_levels((folder / LEVELS).read_text(encoding="utf-8"))
    dump = (folder / MACROS).read_text(encoding="utf-8")
    macros = {module: read_macros(dump, module) for module in kept}
    return Synthesis(
        Resources(
            name,
            by_unit(_read_cells(folder / REPORT), design, target, macros, levels),
            max(levels.values(), default=None),
            _in_order(macros.values()),
            operators_by_unit(_read_cells(folder / WORDS), design),
            str(yosys),
        ),
        seconds,
    )


def count_operators(design: RtlDesign, folder: Path) -> tuple[UnitOperators, ...]:
    """The operators of a folder's RTL by unit, without mapping them."""
    run_yosys(find_yosys(), folder, {"reading": _reading(design, (design.macro,))}, None)
    return operators_by_unit(_read_cells(folder / WORDS), design)


def _reading(design: RtlDesign, kept: tuple[str, ...]) -> tuple[str, ...]:
    """The commands that read a design and write down its memories and operators."""
    left = [f"{module}.sv" for module in kept]
    sources = [source for source in design.sources if source not in (*design.bench, *left)]
    return (
        f"read_verilog -sv -lib {' '.join(left)}",
        f"read_verilog -sv {' '.join(sources)}",
        f"hierarchy -top {design.top}",
        f"tee -q -o {MACROS} dump {' '.join(f't:{module}' for module in kept)}",
        "proc",
        "opt_clean",
        f"tee -q -o {WORDS} stat -json -width",
    )


def _in_order(macros: Iterable[tuple[Macro, ...]]) -> tuple[Macro, ...]:
    return tuple(sorted((macro for found in macros for macro in found), key=lambda macro: macro.name))


def _read_cells(report: Path) -> Cells:
    modules = json.loads(report.read_text(encoding="utf-8"))["modules"]
    return plain({module: statistics["num_cells_by_type"] for module, statistics in modules.items()})
