"""The resources of RTL by unit, counted in what Yosys says of each module's cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from archsim.families.rtl import RtlDesign
from archsim.rtl.targets import TARGETS, Target

KINDS = ("lut", "ff", "dsp", "bram")
REGISTERS = frozenset({"$dff", "$dffe", "$adff", "$sdff", "$sdffe", "$sdffce"})

Counts = tuple[int, ...]
"""Numbers of cells, one for each kind that is counted."""

Cells = Mapping[str, Mapping[str, int]]
"""The cells of each module by type; a type may be another module."""


@dataclass(frozen=True, slots=True)
class UnitResources:
    """The cells of a unit by kind, the bits of its memories that are left as memories, and its longest path.

    `levels`: the cells on the longest path inside one of its modules; None if there is no path.
    """

    name: str
    lut: int
    ff: int
    dsp: int
    bram: int
    memory_bits: int = 0
    levels: int | None = None


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

    @property
    def all_bits(self) -> int:
        """The bits of all its numbers."""
        return self.bits * self.numbers


@dataclass(frozen=True, slots=True)
class Resources:
    """What Yosys counts on a target, by unit, and the cells on the longest path between registers in a module.

    `macros`: the memories that are left as they are. `tool`: the Yosys that was found.
    """

    target: str
    units: tuple[UnitResources, ...]
    levels: int | None
    macros: tuple[Macro, ...] = ()
    operators: tuple[UnitOperators, ...] = ()
    tool: str = "Yosys"

    def document(self) -> dict[str, object]:
        """The counts for JSON."""
        kinds = (*KINDS, "memory_bits", "levels")
        units = {unit.name: {kind: getattr(unit, kind) for kind in kinds} for unit in self.units}
        return {
            "target": self.target,
            "tool": self.tool,
            "units": units,
            "levels": self.levels,
            "macros": [asdict(macro) for macro in self.macros],
            "operators": [asdict(unit) for unit in self.operators],
        }

    def table(self) -> str:
        """The counts as a table."""
        target = TARGETS[self.target]
        heads = {"lut": target.lut_name, "ff": "FF"}
        if target.has_block_memories:
            heads |= {"dsp": "DSP", "bram": "BRAM"}
        heads |= {"memory_bits": "memory bits", "levels": "levels"}
        widths = {kind: max(9, len(head) + 2) for kind, head in heads.items()}
        lines = [f"{'unit':<14}" + "".join(f"{head:>{widths[kind]}}" for kind, head in heads.items())]
        for unit in self.units:
            counts = {kind: getattr(unit, kind) for kind in heads}
            cells = {kind: "-" if count is None else f"{count:,}" for kind, count in counts.items()}
            lines.append(f"{unit.name:<14}" + "".join(f"{cells[kind]:>{widths[kind]}}" for kind in heads))
        if self.operators:
            lines.append(f"{'before mapping':<14}{'multipliers':>13}{'adders':>9}{'register bits':>15}")
            lines += [
                f"{unit.name:<14}{unit.multipliers:>13,}{unit.adders:>9,}{unit.register_bits:>15,}"
                for unit in self.operators
            ]
        path = "not known" if self.levels is None else f"{self.levels} cells"
        if self.macros:
            lines.append(f"memory bits: {len(self.macros)} memories that are left as memories, for a chip's own")
        return "\n".join([f"{self.tool}, target {self.target}; longest path inside a module: {path}", *lines])


def read_macros(dump: str, module: str) -> tuple[Macro, ...]:
    """The memories in what Yosys dumps of the cells of a module."""
    found = []
    for part in dump.split(f"cell \\{module} ")[1:]:
        name = part.split("\n", 1)[0].strip().lstrip("\\")
        sizes = dict(re.findall(r"parameter (?:signed )?\\(\w+) (\S+)", part.split("cell \\")[0]))
        one = {key: int(value.split("'")[-1], 2 if "'" in value else 10) for key, value in sizes.items()}
        found.append(Macro(name, one["W"], one["DEPTH"], one.get("LW", 1), one.get("LR", 1)))
    return tuple(sorted(found, key=lambda macro: macro.name))


def plain(cells: Cells) -> Cells:
    """The statistics without the backslashes that stand before some names and not before others."""
    return {
        module.lstrip("\\"): {cell.lstrip("\\"): count for cell, count in inner.items()}
        for module, inner in cells.items()
    }


def read_levels(text: str) -> dict[str, int]:
    """The cells on the longest path inside each module, as Yosys' ltp says them."""
    found = re.findall(r"Longest topological path in (.+) \(length=(\d+)\)", text)
    return {module.lstrip("\\"): int(length) for module, length in found}


def by_unit(
    cells: Cells,
    design: RtlDesign,
    target: Target,
    kept: Mapping[str, Sequence[Macro]],
    levels: Mapping[str, int],
) -> tuple[UnitResources, ...]:
    """The resources of the top module's units, of what is in it besides, and of all.

    `kept`: the memories that are left as they are, by module. `levels`: the longest path inside each module.
    """

    def count(cell: str) -> Counts:
        return (*(int(bool(re.fullmatch(getattr(target, kind), cell))) for kind in KINDS), 0)

    memories = {
        design.units[module]: (0,) * len(KINDS) + (sum(macro.all_bits for macro in macros),)
        for module, macros in kept.items()
        if macros
    }
    paths = _levels_by_unit(cells, design, levels)
    counted = _counted(cells, design, count, memories)
    return tuple(replace(UnitResources(name, *found), levels=paths.get(name)) for name, found in counted)


def _levels_by_unit(cells: Cells, design: RtlDesign, levels: Mapping[str, int]) -> dict[str, int]:
    """The longest path of each unit, of what is in the top module besides, and of all."""
    top = _top(cells, design)
    found: dict[str, int] = {}
    for module in cells[top].keys() & cells.keys():
        name = design.units.get(base_name(module), "other")
        own = [levels[inner] for inner in _modules_of(module, cells) if inner in levels]
        found[name] = max([found.get(name, 0), *own])
    found["other"] = max(found.get("other", 0), levels.get(top, 0))
    found["total"] = max(found.values())
    return {name: length for name, length in found.items() if length > 0}


def _modules_of(module: str, cells: Cells) -> set[str]:
    """A module and all that is in it."""
    return {module}.union(*(_modules_of(inner, cells) for inner in cells[module].keys() & cells.keys()))


def _top(cells: Cells, design: RtlDesign) -> str:
    return next(module for module in cells if base_name(module) == design.top)


def operators_by_unit(cells: Cells, design: RtlDesign) -> tuple[UnitOperators, ...]:
    """The operators of the top module's units before they are mapped, of what is in it besides, and of all."""

    def count(cell: str) -> Counts:
        kind, _, width = cell.rpartition("_")
        bits = int(width) if kind in REGISTERS else 0
        return int(kind == "$mul"), int(kind in ("$add", "$sub")), bits

    return tuple(UnitOperators(name, *found) for name, found in _counted(cells, design, count, {}))


def _counted(
    cells: Cells, design: RtlDesign, count: Callable[[str], Counts], begin: Mapping[str, Counts]
) -> Iterator[tuple[str, Counts]]:
    """What `count` says of each unit's cells, of the cells besides, and of all; some units `begin` with more than 0."""
    top = _top(cells, design)
    counts = dict(begin)
    for cell, number in cells[top].items():
        if cell not in cells and base_name(cell) in (design.macro, design.line_macro):
            continue
        name = design.units.get(base_name(cell), "other") if cell in cells else "other"
        own = tuple(number * part for part in _of_cell(cell, cells, count))
        counts[name] = _sum(counts[name], own) if name in counts else own
    order = [*dict.fromkeys(design.units.values()), "other"]
    yield from ((name, counts[name]) for name in order if name in counts)
    total: Counts = ()
    for found in counts.values():
        total = _sum(total, found) if total else found
    yield "total", total


def _of_cell(cell: str, cells: Cells, count: Callable[[str], Counts]) -> Counts:
    """What a cell is: its own kind, or all cells of the module that it is."""
    if cell not in cells:
        return count(cell)
    total = tuple(0 for _ in count(""))
    for inner, number in cells[cell].items():
        total = _sum(total, tuple(number * part for part in _of_cell(inner, cells, count)))
    return total


def _sum(one: Counts, other: Counts) -> Counts:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def base_name(module: str) -> str:
    """The name of a module without its parameters."""
    return re.sub(r"^\$paramod(\$[0-9a-f]+)?\\", "", module).split("\\")[0]
