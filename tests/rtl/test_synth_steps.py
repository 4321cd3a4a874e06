"""What Yosys is asked for, and what is made of its files, with a stand-in that writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from archsim.families.rtl import RtlDesign, RtlError
from archsim.rtl import synth
from archsim.rtl.resources import Macro, UnitOperators
from archsim.rtl.yosys import Yosys

SOURCES = ("core.sv", "vec_mem.sv", "line_mem.sv", "bench.sv")
UNITS = {"core": "array", "vec_mem": "memories", "line_mem": "weights"}
DESIGN = RtlDesign({}, SOURCES, ("bench.sv",), "top", UNITS, "vec_mem", "line_mem", ())


def memory(module: str, name: str, bits: int, numbers: int) -> str:
    """A memory as Yosys dumps it."""
    return f"cell \\{module} \\{name}\n parameter \\W {bits}\n parameter \\DEPTH {numbers}\nend\n"


DUMP = memory("vec_mem", "z", 8, 4) + memory("vec_mem", "m", 2, 3) + memory("line_mem", "b", 16, 5)


class StandIn:
    """Notes the steps and writes the files of Yosys."""

    def __init__(self) -> None:
        self.steps: Mapping[str, Sequence[str]] = {}

    def __call__(self, yosys: Yosys, folder: Path, steps: Mapping[str, Sequence[str]], progress: object) -> float:
        self.steps = steps
        cells = {"top": {"core": 2, "FDRE": 1, "$_DFF_P_": 1, "vec_mem": 2}, "core": {"LUT4": 3, "$_AND_": 3}}
        words = {"top": {"core": 2, "vec_mem": 2}, "core": {"$mul_17": 1, "$add_9": 2, "$dff_5": 1}}
        for name, found in (("synth.json", cells), ("words.json", words)):
            modules = {f"\\{module}": {"num_cells_by_type": inner} for module, inner in found.items()}
            (folder / name).write_text(json.dumps({"modules": modules}))
        (folder / "levels.txt").write_text(
            "Longest topological path in core (length=3)\nLongest topological path in top (length=7)\n"
        )
        (folder / "macros.txt").write_text(DUMP)
        return 2.5


@pytest.fixture
def yosys(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(synth, "find_yosys", lambda: Yosys((), "0.70", "a stand-in"))
    monkeypatch.setattr(synth, "run_yosys", stand_in)
    return stand_in


def test_what_is_read_mapped_and_counted(yosys: StandIn, tmp_path: Path) -> None:
    """The memories of vectors, and without block memories those of lines, are read as what they are called alone."""
    for target, kept, left in (
        ("xilinx", ["vec_mem"], "core.sv line_mem.sv"),
        ("generic", ["vec_mem", "line_mem"], "core.sv"),
    ):
        synth.synthesize(DESIGN, tmp_path, target)
        assert yosys.steps["reading"] == (
            f"read_verilog -sv -lib {' '.join(f'{name}.sv' for name in kept)}",
            f"read_verilog -sv {left}",
            "hierarchy -top top",
            f"tee -q -o macros.txt dump {' '.join(f't:{name}' for name in kept)}",
            "proc",
            "opt_clean",
            "tee -q -o words.json stat -json -width",
        )
        assert list(yosys.steps)[-1] == "longest paths"
        select = next(command for command in yosys.steps["longest paths"] if command.startswith("select -del"))
        assert select.endswith(" t:$paramod* t:core t:vec_mem t:line_mem t:bench")
    assert (tmp_path / "abc.script").read_text().splitlines()[0] == "strash"
    with pytest.raises(RtlError, match="--synth asic: no such target; targets: xilinx, ecp5, ice40, generic"):
        synth.synthesize(DESIGN, tmp_path, "asic")


def test_what_is_made_of_its_files(yosys: StandIn, tmp_path: Path) -> None:
    """The longest path of all modules, memories by their names, operators as they were before mapping."""
    found = synth.synthesize(DESIGN, tmp_path, "generic")
    assert found.seconds == 2.5
    resources = found.resources
    assert (resources.target, resources.tool, resources.levels) == ("generic", "Yosys 0.70 (a stand-in)", 7)
    assert resources.macros == (Macro("b", 16, 5, 1, 1), Macro("m", 2, 3, 1, 1), Macro("z", 8, 4, 1, 1))
    assert {unit.name: (unit.lut, unit.ff, unit.levels) for unit in resources.units}["array"] == (6, 0, 3)
    assert resources.operators[0] == UnitOperators("array", multipliers=2, adders=4, register_bits=10)
    assert synth.count_operators(DESIGN, tmp_path) == resources.operators
    assert list(yosys.steps) == ["reading"]
