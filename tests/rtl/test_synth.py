"""Counts of resources from what Yosys says, without Yosys."""

from __future__ import annotations

from archsim.rtl.synth import TARGETS, Resources, UnitResources, base_name, by_unit, plain
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.planted import LSTM

ROW = "$paramod$0123456789abcdef0123456789abcdef01234567\\mac_row"
MEMORY = "$paramod\\vec_mem\\W=s32'00000000000000000000000000001000"
CELLS = {
    "\\accelerator": {"mac_array": 1, MEMORY: 2, "\\LUT3": 5, "FDRE": 1},
    "\\mac_array": {ROW: 4, "FDRE": 10, "CARRY4": 3},
    ROW: {"DSP48E1": 3, "LUT6": 7},
    MEMORY: {"RAMB18E1": 1, "LUT2": 1},
}


def test_names() -> None:
    assert [base_name(module) for module in plain(CELLS)] == ["accelerator", "mac_array", "mac_row", "vec_mem"]


def test_by_unit() -> None:
    """4 rows of 3 multipliers and 7 tables; two memories of a block each; 5 tables and a register in the top itself."""
    found = by_unit(plain(CELLS), expected_of(LSTM).design, TARGETS["xilinx"])
    assert found == (
        UnitResources("mac_array", lut=28, ff=10, dsp=12, bram=0),
        UnitResources("memories", lut=2, ff=0, dsp=0, bram=2),
        UnitResources("other", lut=5, ff=1, dsp=0, bram=0),
        UnitResources("total", lut=35, ff=11, dsp=12, bram=2),
    )


def test_generic_gates() -> None:
    cells = {"accelerator": {"$_AND_": 3, "$_SDFFE_PP0P_": 2, "$_MUX_": 1, "$_DFF_P_": 4}}
    (other, total) = by_unit(cells, expected_of(LSTM).design, TARGETS["generic"])
    assert other == UnitResources("other", lut=4, ff=6, dsp=0, bram=0)
    assert total.ff == 6


def test_table() -> None:
    resources = Resources("ice40", (UnitResources("total", 1234, 5, 0, 0),), None)
    assert resources.table().splitlines() == [
        "Yosys, target ice40; longest path inside a module: not known",
        "unit                LUT       FF      DSP     BRAM",
        "total             1,234        5        0        0",
    ]
    assert resources.document() == {
        "target": "ice40",
        "units": {"total": {"lut": 1234, "ff": 5, "dsp": 0, "bram": 0}},
        "levels": None,
    }
