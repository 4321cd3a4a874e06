"""Counts the resources of RTL with Yosys: look-up tables, flip-flops, multipliers, memories, and logic levels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from archsim.families.rtl import RtlDesign, RtlError
from archsim.rtl.tools import find_yosys, run_tool

REPORT, WORDS, LEVELS, MACROS = "synth.json", "words.json", "levels.txt", "macros.txt"
_REGISTERS = frozenset({"$dff", "$dffe", "$adff", "$sdff", "$sdffe", "$sdffce"})

Counts = tuple[int, ...]
"""Numbers of cells, one for each kind that is counted."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target of Yosys: the command, and which cells are of which kind, as patterns of their names.

    `ends`: the cells at which paths end, as Yosys selects them.
    """

    command: str
    ends: str
    lut: str
    ff: str
    dsp: str
    bram: str


TARGETS: Mapping[str, Target] = {
    "xilinx": Target(
        "synth_xilinx -noiopad", "t:FD* t:RAM* t:DSP48*", r"LUT\d|RAM\d+.*|SRL.*|INV", r"FD\w+", r"DSP48.*", r"RAMB\w+"
    ),
    "ecp5": Target(
        "synth_ecp5 -noflatten",
        "t:TRELLIS_FF t:TRELLIS_DPR16X4 t:DP16KD",
        r"LUT4|CCU2C|TRELLIS_DPR16X4",
        r"TRELLIS_FF",
        r"MULT18X18D",
        r"DP16KD",
    ),
    "ice40": Target(
        "synth_ice40 -dsp -noflatten",
        "t:SB_DFF* t:SB_RAM* t:SB_MAC16",
        r"SB_LUT4",
        r"SB_DFF\w*",
        r"SB_MAC16",
        r"SB_RAM40_4K\w*",
    ),
    "generic": Target("synth", "t:$_*DFF*", r"\$_(?!\w*(DFF|DLATCH)).*_", r"\$_\w*DFF\w*_", r"\$mul", r"\$mem\w*"),
}
"""Vendors' cells by their names in Yosys. `generic` counts gates as LUT; its multipliers are gates, too."""

KINDS = ("lut", "ff", "dsp", "bram")


@dataclass(frozen=True, slots=True)
class UnitResources:
    """The cells of a unit by kind."""

    name: str
    lut: int
    ff: int
    dsp: int
    bram: int


@dataclass(frozen=True, slots=True)
class UnitOperators:
    """The operators of a unit before they are mapped: what a model of area counts."""

    name: str
    multipliers: int
    adders: int
    register_bits: int


@dataclass(frozen=True, slots=True)
class Macro:
    """A memory that is left as it is: numbers of so many bits, and the neighbours that are written and read a cycle."""

    name: str
    bits: int
    numbers: int
    written: int
    read: int


@dataclass(frozen=True, slots=True)
class Resources:
    """What Yosys counts on a target, by unit, and the cells on the longest path between registers in a module.

    `macros`: the memories that are not among them.
    """

    target: str
    units: tuple[UnitResources, ...]
    levels: int | None
    macros: tuple[Macro, ...] = ()
    operators: tuple[UnitOperators, ...] = ()

    def document(self) -> dict[str, object]:
        """The counts for JSON."""
        units = {unit.name: {kind: getattr(unit, kind) for kind in KINDS} for unit in self.units}
        return {
            "target": self.target,
            "units": units,
            "levels": self.levels,
            "macros": [asdict(macro) for macro in self.macros],
            "operators": [asdict(unit) for unit in self.operators],
        }

    def table(self) -> str:
        """The counts as a table."""
        lines = [f"{'unit':<14}" + "".join(f"{kind.upper():>9}" for kind in KINDS)]
        lines += [f"{unit.name:<14}" + "".join(f"{getattr(unit, kind):>9,}" for kind in KINDS) for unit in self.units]
        if self.operators:
            lines.append(f"{'before mapping':<14}{'multipliers':>13}{'adders':>9}{'register bits':>15}")
            lines += [
                f"{unit.name:<14}{unit.multipliers:>13,}{unit.adders:>9,}{unit.register_bits:>15,}"
                for unit in self.operators
            ]
        path = "not known" if self.levels is None else f"{self.levels} cells"
        if self.macros:
            bits = sum(macro.bits * macro.numbers for macro in self.macros)
            lines.append(f"and {len(self.macros)} memories of {bits:,} bits as macros")
        return "\n".join([f"Yosys, target {self.target}; longest path inside a module: {path}", *lines])


def check_target(name: str) -> Target:
    """The target of that name; RtlError if there is none."""
    if name not in TARGETS:
        raise RtlError(f"--synth {name}: no such target; targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def synthesize(design: RtlDesign, folder: Path, name: str) -> Resources:
    """Synthesize a folder's RTL for a target, module by module; memories of the module `macro` stay what they are."""
    target = check_target(name)
    # Paths end in registers, memories and other modules: what ltp does not know as such is left out.
    modules = " ".join(f"t:{source.removesuffix('.sv')}" for source in design.sources)
    mapping = (
        f"{target.command} -top {design.top}\n"
        f"tee -q -o {REPORT} stat -json\n"
        f"select *\nselect -del {target.ends} t:$paramod* {modules}\n"
        f"tee -q -o {LEVELS} ltp -noff\n"
    )
    _yosys(folder, _reading(design) + mapping)
    levels = [int(found) for found in re.findall(r"length=(\d+)", (folder / LEVELS).read_text(encoding="utf-8"))]
    macros = read_macros((folder / MACROS).read_text(encoding="utf-8"), design.macro)
    units = by_unit(_read_cells(folder / REPORT), design, target)
    operators = operators_by_unit(_read_cells(folder / WORDS), design)
    return Resources(name, units, max(levels, default=None), macros, operators)


def count_operators(design: RtlDesign, folder: Path) -> tuple[UnitOperators, ...]:
    """The operators of a folder's RTL by unit, without mapping them."""
    _yosys(folder, _reading(design))
    return operators_by_unit(_read_cells(folder / WORDS), design)


def _reading(design: RtlDesign) -> str:
    """The script that reads a design and writes down its memories and operators."""
    macro = f"{design.macro}.sv"
    sources = " ".join(source for source in design.sources if source not in (*design.bench, macro))
    return (
        f"read_verilog -sv -lib {macro}\n"
        f"read_verilog -sv {sources}\n"
        f"hierarchy -top {design.top}\n"
        f"tee -q -o {MACROS} dump t:{design.macro}\n"
        f"proc\nopt_clean\ntee -q -o {WORDS} stat -json -width\n"
    )


def _yosys(folder: Path, script: str) -> None:
    (folder / "synth.ys").write_text(script, encoding="utf-8")
    # Of an array that becomes registers Yosys warns for each; an error would not be seen behind all these lines.
    run_tool("yosys", [find_yosys(), "-q", "-w", "Replacing memory", "-s", "synth.ys"], folder)


def _read_cells(report: Path) -> Cells:
    modules = json.loads(report.read_text(encoding="utf-8"))["modules"]
    return plain({module: statistics["num_cells_by_type"] for module, statistics in modules.items()})


def read_macros(dump: str, module: str) -> tuple[Macro, ...]:
    """The memories in what Yosys dumps of the cells of a module."""
    found = []
    for part in dump.split(f"cell \\{module} ")[1:]:
        name = part.split("\n", 1)[0].strip().lstrip("\\")
        sizes = dict(re.findall(r"parameter (?:signed )?\\(\w+) (\S+)", part))
        one = {key: int(value.split("'")[-1], 2 if "'" in value else 10) for key, value in sizes.items()}
        found.append(Macro(name, one["W"], one["DEPTH"], one.get("LW", 1), one.get("LR", 1)))
    return tuple(sorted(found, key=lambda macro: macro.name))


Cells = Mapping[str, Mapping[str, int]]
"""The cells of each module by type; a type may be another module."""


def plain(cells: Cells) -> Cells:
    """The statistics without the backslashes that stand before some names and not before others."""
    return {
        module.lstrip("\\"): {cell.lstrip("\\"): count for cell, count in inner.items()}
        for module, inner in cells.items()
    }


def by_unit(cells: Cells, design: RtlDesign, target: Target) -> tuple[UnitResources, ...]:
    """The resources of the top module's units, of what is in it besides, and of all."""

    def count(cell: str) -> Counts:
        return tuple(int(bool(re.fullmatch(getattr(target, kind), cell))) for kind in KINDS)

    return tuple(UnitResources(name, *found) for name, found in _counted(cells, design, count, len(KINDS)))


def operators_by_unit(cells: Cells, design: RtlDesign) -> tuple[UnitOperators, ...]:
    """The operators of the top module's units before they are mapped, of what is in it besides, and of all."""

    def count(cell: str) -> Counts:
        kind, _, width = cell.rpartition("_")
        bits = int(width) if kind in _REGISTERS else 0
        return int(kind == "$mul"), int(kind in ("$add", "$sub")), bits

    return tuple(UnitOperators(name, *found) for name, found in _counted(cells, design, count, 3))


def _counted(
    cells: Cells, design: RtlDesign, count: Callable[[str], Counts], kinds: int
) -> Iterator[tuple[str, Counts]]:
    """What `count` says of each unit's cells, of the cells besides, and of all."""
    top = next(module for module in cells if base_name(module) == design.top)
    counts: dict[str, Counts] = {}
    for cell, number in cells[top].items():
        if cell == design.macro:
            continue
        name = design.units.get(base_name(cell), "other") if cell in cells else "other"
        own = _of_cell(cell, cells, count, kinds)
        before = counts.get(name, (0,) * kinds)
        counts[name] = tuple(b + number * o for b, o in zip(before, own, strict=True))
    order = [*dict.fromkeys(design.units.values()), "other"]
    yield from ((name, counts[name]) for name in order if name in counts)
    yield "total", tuple(sum(unit[kind] for unit in counts.values()) for kind in range(kinds))


def _of_cell(cell: str, cells: Cells, count: Callable[[str], Counts], kinds: int) -> Counts:
    """What a cell is: its own kind, or all cells of the module that it is."""
    if cell not in cells:
        return count(cell)
    total = [0] * kinds
    for inner, number in cells[cell].items():
        for kind, found in enumerate(_of_cell(inner, cells, count, kinds)):
            total[kind] += number * found
    return tuple(total)


def base_name(module: str) -> str:
    """The name of a module without its parameters."""
    return re.sub(r"^\$paramod(\$[0-9a-f]+)?\\", "", module).split("\\")[0]
