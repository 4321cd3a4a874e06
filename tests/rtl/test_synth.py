"""Counts of resources from what Yosys says, without Yosys."""

from __future__ import annotations

from dataclasses import replace

from archsim.rtl.resources import (
    Macro,
    Resources,
    UnitOperators,
    UnitResources,
    base_name,
    by_unit,
    operators_by_unit,
    plain,
    read_levels,
    read_macros,
)
from archsim.rtl.targets import TARGETS, mapping_steps
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.planted import LSTM

ROW = "$paramod$0123456789abcdef0123456789abcdef01234567\\mac_row"
LINES = "$paramod\\line_mem\\W=s32'00000000000000000000000000001000"
CELLS = {
    "\\accelerator": {"mac_array": 1, LINES: 2, "vec_mem": 9, "\\LUT3": 5, "FDRE": 1},
    "\\mac_array": {ROW: 4, "FDRE": 10, "CARRY4": 3},
    ROW: {"DSP48E1": 3, "LUT6": 7},
    LINES: {"RAMB18E1": 1, "LUT2": 1},
}

LEVELS = f"""
Longest topological path in {ROW} (length=67):
    0: \\x
Longest topological path in \\mac_array (length=9):
Longest topological path in {LINES} (length=2):
Longest topological path in accelerator (length=4):
"""

DUMP = """
  attribute \\src "accelerator.sv:1"
  cell \\vec_mem \\h_for_dma
    parameter \\AW 9
    parameter \\DEPTH 48
    parameter signed \\LR 8
    parameter \\W 32'00000000000000000000000000010000
    connect \\clk \\clk
  end
  cell \\vec_mem \\c
    parameter \\DEPTH 24
    parameter \\LW 4
    parameter \\W 8
  end
"""


def test_macros() -> None:
    """Numbers in decimal and in binary; what is not given is the module's own 1. 48 x 16 + 24 x 8 bits."""
    found = read_macros(DUMP, "vec_mem")
    assert found == (Macro("c", 8, 24, 4, 1), Macro("h_for_dma", 16, 48, 1, 8))
    resources = Resources("xilinx", (UnitResources("total", 0, 0, 0, 0, 960),), 3, found)
    assert resources.table().splitlines()[-1] == ("memory bits: 2 memories that are left as memories, for a chip's own")
    assert resources.document()["macros"] == [
        {"name": "c", "bits": 8, "numbers": 24, "written": 4, "read": 1},
        {"name": "h_for_dma", "bits": 16, "numbers": 48, "written": 1, "read": 8},
    ]


def test_names() -> None:
    assert [base_name(module) for module in plain(CELLS)] == ["accelerator", "mac_array", "mac_row", "line_mem"]


def test_by_unit() -> None:
    """4 rows of 3 multipliers and 7 tables; two weight memories of a block each; 5 tables and a register in the top.

    Of memories that are left as they are the bits are counted: 48 x 16 + 24 x 8. The array's longest path is that of a
    row, of 67 cells, and not its own, of 9; the top's own is that of what is besides.
    """
    kept = {"vec_mem": read_macros(DUMP, "vec_mem")}
    found = by_unit(plain(CELLS), expected_of(LSTM).design, TARGETS["xilinx"], kept, read_levels(LEVELS))
    assert found == (
        UnitResources("mac_array", lut=28, ff=10, dsp=12, bram=0, levels=67),
        UnitResources("memories", lut=0, ff=0, dsp=0, bram=0, memory_bits=960),
        UnitResources("weights", lut=2, ff=0, dsp=0, bram=2, levels=2),
        UnitResources("other", lut=5, ff=1, dsp=0, bram=0, levels=4),
        UnitResources("total", lut=35, ff=11, dsp=12, bram=2, memory_bits=960, levels=67),
    )


def test_lines_that_stay_memories() -> None:
    """Without block memories the weights' lines are bits, of 32 x 4 in two memories, and no cells."""
    cells = {"accelerator": {"line_mem": 2, "vec_mem": 9, "$_AND_": 5}}
    kept = {"vec_mem": (), "line_mem": (Macro("weights", 32, 4, 1, 1), Macro("more", 32, 4, 1, 1))}
    found = by_unit(cells, expected_of(LSTM).design, TARGETS["generic"], kept, {})
    assert found == (
        UnitResources("weights", lut=0, ff=0, dsp=0, bram=0, memory_bits=256),
        UnitResources("other", lut=5, ff=0, dsp=0, bram=0),
        UnitResources("total", lut=5, ff=0, dsp=0, bram=0, memory_bits=256),
    )
    assert Resources("generic", found, 7).table().splitlines() == [
        "Yosys, target generic; longest path inside a module: 7 cells",
        "unit              gates       FF  memory bits   levels",
        "weights               0        0          256        -",
        "other                 5        0            0        -",
        "total                 5        0          256        -",
    ]


def test_steps_of_a_target() -> None:
    """Each step goes to the label at which the next one begins, the last one to the end."""
    assert mapping_steps(TARGETS["generic"], "accelerator") == {
        "operators": ("scratchpad -set abc.script abc.script", "synth -top accelerator -run begin:fine"),
        "gates": ("synth -top accelerator -run fine:check",),
        "last steps": ("synth -top accelerator -run check:",),
    }
    assert list(mapping_steps(TARGETS["xilinx"], "a").values())[-1] == ("synth_xilinx -noiopad -top a -run finalize:",)


def test_operators() -> None:
    """2 rows of 3 multipliers and 2 adders with 17 register bits each; 5 bits and a subtraction in the top itself."""
    words = {
        "accelerator": {"mac_array": 1, "$dff_5": 1, "$sub_8": 1, "vec_mem": 3},
        "mac_array": {ROW: 2},
        ROW: {"$mul_17": 3, "$add_18": 2, "$dff_17": 1, "$mux_4": 9},
    }
    found = operators_by_unit(plain(words), expected_of(LSTM).design)
    assert found == (
        UnitOperators("mac_array", multipliers=6, adders=4, register_bits=34),
        UnitOperators("other", multipliers=0, adders=1, register_bits=5),
        UnitOperators("total", multipliers=6, adders=5, register_bits=39),
    )
    assert Resources("xilinx", (), 1, (), found).table().splitlines()[-1].split() == ["total", "6", "5", "39"]


def test_generic_gates() -> None:
    cells = {"accelerator": {"$_AND_": 3, "$_SDFFE_PP0P_": 2, "$_MUX_": 1, "$_DFF_P_": 4}}
    (other, total) = by_unit(cells, expected_of(LSTM).design, TARGETS["generic"], {}, {})
    assert other == UnitResources("other", lut=4, ff=6, dsp=0, bram=0)
    assert total.ff == 6


def test_table() -> None:
    resources = Resources("ice40", (UnitResources("total", 1234, 5, 0, 0),), None)
    assert resources.table().splitlines() == [
        "Yosys, target ice40; longest path inside a module: not known",
        "unit                LUT       FF      DSP     BRAM  memory bits   levels",
        "total             1,234        5        0        0            0        -",
    ]
    assert resources.document() == {
        "target": "ice40",
        "tool": "Yosys",
        "units": {"total": {"lut": 1234, "ff": 5, "dsp": 0, "bram": 0, "memory_bits": 0, "levels": None}},
        "levels": None,
        "macros": [],
        "operators": [],
    }


def test_modules_of_one_unit_are_counted_together() -> None:
    """Two modules of the array, one of them twice: 2 x 3 + 5 tables; the longest path is the longer one's."""
    design = replace(expected_of(LSTM).design, units={"left": "array", "right": "array"})
    cells = {"accelerator": {"left": 2, "right": 1, "LUT2": 1}, "left": {"LUT4": 3}, "right": {"LUT4": 5, "FDRE": 2}}
    for paths, longest in (({"left": 4, "right": 9}, 9), ({"left": 8, "right": 3}, 8)):
        array, other, total = by_unit(cells, design, TARGETS["xilinx"], {}, paths)
        assert array == UnitResources("array", lut=11, ff=2, dsp=0, bram=0, levels=longest)
        assert other == UnitResources("other", lut=1, ff=0, dsp=0, bram=0)
        assert (total.lut, total.ff, total.levels) == (12, 2, longest)
