"""Writes the tables of docs/energy.md: `python -m tools.docs.energy_table`; the prose is kept.

`--check` compares instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from archsim.api.evaluate import Evaluator
from archsim.config import load_document, parse_override
from archsim.config.presets import PresetKind, preset_file
from archsim.config.validation import validate
from archsim.errors import ArchError
from archsim.families.load import load_arch
from archsim.fidelity.silicon import SILICON, Calibrated, simulated
from archsim.report.text.figures_as_text import significant, span
from archsim.technology import load_technology
from archsim.technology.estimates import beside
from archsim.technology.scaling import ScaledTechnology
from archsim.technology.spread import Scale
from archsim.workload import load_workload
from tools.docs import DOCS
from tools.docs.memory_table import filled

PAGE = DOCS / "energy.md"
HWCOMPONENTS = DOCS.parent / "examples" / "hwcomponents_45nm.yaml"
SCALED = ("node_65nm", "node_28nm", "node_22nm", "node_16nm", "node_7nm", "node_5nm", "fpga_28nm", "fpga_14nm")
NODES = ("node_65nm", "node_45nm", "node_28nm", "node_22nm", "node_16nm", "node_7nm", "node_5nm")


def scaling_table() -> str:
    """The factors of each node, with their lows and highs."""
    rows = ["| technology | V | energy | area | leakage | wires |", "|---|---:|---:|---:|---:|---:|"]
    for name in SCALED:
        document = load_document(preset_file(PresetKind.TECHNOLOGY, name), ArchError)
        found = validate(ScaledTechnology, document, (), ArchError)
        factors = (found.energy, found.area, found.leakage, found.wires)
        cells = " | ".join(map(_factor, factors))
        rows.append(f"| `{name}` | {found.voltage_v:g} | {cells} |")
    return "".join(f"{row}\n" for row in rows)


def _factor(scale: Scale) -> str:
    return f"{significant(scale.factor)} ({span(scale.low, scale.high)})"


def nodes_table() -> str:
    """The reference on edge_64x64 at every node."""
    rows = ["| technology | energy, uJ | area, mm2 | leakage, mW |", "|---|---:|---:|---:|"]
    evaluator, work = Evaluator(), load_workload("lstm_200_1000_t70")
    for name in NODES:
        arch = load_arch("edge_64x64", [parse_override(f"technology={name}")])
        stats = evaluator.evaluate(arch, work, None).stats
        energy, area = stats.energy, stats.area
        assert energy is not None
        assert area is not None
        total = f"{significant(energy.total_uj)} ({span(energy.total_low_uj, energy.total_high_uj)})"
        size = f"{significant(area.area_mm2)} ({span(area.area_low_mm2, area.area_high_mm2)})"
        rows.append(f"| `{name}` | {total} | {size} | {significant(area.leakage_mw)} |")
    return "".join(f"{row}\n" for row in rows)


def calibration_table(found: Sequence[Calibrated]) -> str:
    """Every machine of measured energy: published, simulated, ratio."""
    rows = [
        "| machine | published | simulated | ratio | source | what is not like it |",
        "|---|---:|---:|---:|---|---|",
    ]
    for one in found:
        simulated_text = f"{significant(one.value)} ({span(one.low, one.high)})"
        rows.append(
            f"| {one.silicon.name} | {significant(one.published)} {one.unit} | {simulated_text} | {one.ratio:.2f} "
            f"| {one.silicon.source} | {one.silicon.unlike} |"
        )
    return "".join(f"{row}\n" for row in rows)


def hwcomponents_table() -> str:
    """Prices of HWComponents at 45 nm beside ours."""
    rows = ["| at 45 nm | unit | HWComponents | ours | ratio |", "|---|---|---:|---:|---:|"]
    for one in beside(load_technology(str(HWCOMPONENTS)), load_technology("node_45nm")):
        if one.other != one.ours:  # what HWComponents does not have is the base's
            numbers = f"{significant(one.other)} | {significant(one.ours)} | {one.ratio:.2f}"
            rows.append(f"| {one.what} | {one.unit} | {numbers} |")
    return "".join(f"{row}\n" for row in rows)


def tables() -> dict[str, str]:
    """Every table by its name."""
    return {
        "scaling": scaling_table(),
        "hwcomponents": hwcomponents_table(),
        "nodes": nodes_table(),
        "calibration": calibration_table([simulated(one) for one in SILICON]),
    }


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page has other figures")
    text = PAGE.read_text(encoding="utf-8")
    made = filled(text, tables())
    if parser.parse_args().check and made != text:
        raise SystemExit("docs/energy.md has other figures: run python -m tools.docs.energy_table")
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
