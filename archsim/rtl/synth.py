"""Counts the resources of RTL with Yosys: look-up tables, flip-flops, multipliers, memories, and logic levels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archsim.families.rtl import RtlDesign, RtlError
from archsim.rtl.tools import find_yosys, run_tool

REPORT = "synth.json"


@dataclass(frozen=True, slots=True)
class Target:
    """A target of Yosys: the command, and which cells are of which kind, as patterns of their names."""

    command: str
    lut: str
    ff: str
    dsp: str
    bram: str


TARGETS: Mapping[str, Target] = {
    "xilinx": Target("synth_xilinx", r"LUT\d|RAM\d+.*|SRL.*|INV", r"FD\w+", r"DSP48.*", r"RAMB\w+"),
    "ecp5": Target("synth_ecp5", r"LUT4|CCU2C|TRELLIS_DPR16X4", r"TRELLIS_FF", r"MULT18X18D|ALU54B", r"DP16KD"),
    "ice40": Target("synth_ice40 -dsp", r"SB_LUT4", r"SB_DFF\w*", r"SB_MAC16", r"SB_RAM40_4K\w*"),
    "generic": Target(
        "synth", r"\$_(?!DFF|SDFF|ALDFF|DFFE|MEM).*_|\$lut", r"\$_\w*DFF\w*_", r"\$mul|\$macc", r"\$mem\w*"
    ),
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
class Resources:
    """What Yosys counts on a target, by unit, and the logic levels of the longest path between registers."""

    target: str
    units: tuple[UnitResources, ...]
    levels: int | None

    def document(self) -> dict[str, object]:
        """The counts for JSON."""
        units = {unit.name: {kind: getattr(unit, kind) for kind in KINDS} for unit in self.units}
        return {"target": self.target, "units": units, "levels": self.levels}

    def table(self) -> str:
        """The counts as a table."""
        lines = [f"{'unit':<14}" + "".join(f"{kind.upper():>9}" for kind in KINDS)]
        lines += [f"{unit.name:<14}" + "".join(f"{getattr(unit, kind):>9,}" for kind in KINDS) for unit in self.units]
        path = "not known" if self.levels is None else f"{self.levels} levels of logic"
        return "\n".join([f"Yosys, target {self.target}; longest path between registers: {path}", *lines])


def check_target(name: str) -> Target:
    """The target of that name; RtlError if there is none."""
    if name not in TARGETS:
        raise RtlError(f"--synth {name}: no such target; targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def synthesize(design: RtlDesign, folder: Path, name: str) -> Resources:
    """Synthesize a folder's RTL for a target."""
    target = check_target(name)
    sources = " ".join(source for source in design.sources if source not in design.bench)
    # The units keep their boundaries, so that each can be counted; everything in them is flattened.
    kept = " ".join(f"{design.top}/{instance}" for instance in design.units)
    script = (
        f"read_verilog -sv {sources}; hierarchy -check -top {design.top}; "
        f"select -set kept {kept}; setattr -set keep_hierarchy 1 @kept; "
        f"{target.command} -flatten -top {design.top}; "
        f"tee -q -o {REPORT} stat -json; tee -q -o levels.txt ltp -noff"
    )
    (folder / "synth.ys").write_text(script.replace("; ", "\n") + "\n", encoding="utf-8")
    run_tool("yosys", [find_yosys(), "-q", "-s", "synth.ys"], folder)
    modules = json.loads((folder / REPORT).read_text(encoding="utf-8"))["modules"]
    found = re.search(r"length=(\d+)", (folder / "levels.txt").read_text(encoding="utf-8"))
    return Resources(name, _by_unit(modules, target), int(found[1]) if found else None)


def _by_unit(modules: Mapping[str, Mapping[str, object]], target: Target) -> tuple[UnitResources, ...]:
    found = []
    for module, statistics in modules.items():
        cells = statistics["num_cells_by_type"]
        assert isinstance(cells, dict)
        counts = {kind: _count(cells, getattr(target, kind)) for kind in KINDS}
        found.append(UnitResources(_module_name(module), **counts))
    total = {kind: sum(getattr(unit, kind) for unit in found) for kind in KINDS}
    return (*sorted(found, key=lambda unit: unit.name), UnitResources("total", **total))


def _module_name(module: str) -> str:
    """The name of a module without its parameters."""
    return re.sub(r"^\$paramod(\$[0-9a-f]+)?\\", "", module).split("\\")[0].lstrip("\\")


def _count(cells: Mapping[str, int], pattern: str) -> int:
    return sum(count for name, count in cells.items() if re.fullmatch(pattern, name.lstrip("\\")))
