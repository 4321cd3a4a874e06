"""Yosys itself on the least that has all kinds of cells: a converter, both kinds of memories, registers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from archsim.families import gemv
from archsim.families.rtl import RtlDesign
from archsim.rtl.synth import synthesize
from archsim.rtl.targets import TARGETS
from tests.families.gemv.rtl.cases import need_yosys
from tests.rings import exhaustive

TOP = """
module top (
    input  logic        clk,
    input  logic        we,
    input  logic [ 5:0] waddr,
    input  logic [ 5:0] raddr,
    input  logic [31:0] wdata,
    input  logic [30:0] m,
    input  logic [ 8:0] s,
    output logic [62:0] y,
    output logic [ 7:0] vector
);
  logic [31:0] line;
  logic [62:0] rounded;
  line_mem #(.W(32), .DEPTH(64), .AW(6), .CW(2)) lines (.clk, .we, .waddr, .wcount(2'd1), .wdata, .raddr, .rdata(line));
  vec_mem #(.W(8), .DEPTH(16), .AW(6), .CW(2)) vectors (
      .clk, .we, .waddr, .wcount(2'd1), .wdata(wdata[7:0]), .raddr, .rdata(vector)
  );
  scale_round #(.WV(32)) ratio (.v(line), .m, .s, .mode(2'd3), .y(rounded));
  always_ff @(posedge clk) y <= rounded;
endmodule
"""
VECTOR_BITS, LINE_BITS = 8 * 16, 32 * 64


@exhaustive
@pytest.mark.parametrize("target", ["generic", "ice40"])
def test_a_converter_ends(target: str, tmp_path: Path) -> None:
    """Its multiplier of 32 x 31 bits becomes gates or DSPs; Yosys' own script for gates does not come to its end.

    One multiplier before mapping, and 63 registers of the top's own behind it.
    """
    need_yosys()
    modules = ("line_mem", "vec_mem", "scale_round")
    folder = files(gemv) / "rtl" / "sv"
    texts = {f"{name}.sv": (folder / f"{name}.sv").read_text(encoding="utf-8") for name in modules} | {"top.sv": TOP}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shown = {"line_mem": "weights", "vec_mem": "memories", "scale_round": "converter"}
    design = RtlDesign(texts, tuple(texts), (), "top", shown, "vec_mem", "line_mem", ())
    heard: list[str] = []
    found = synthesize(design, tmp_path, target, heard.append).resources
    units = {unit.name: unit for unit in found.units}
    assert (units["memories"].memory_bits, units["other"].ff) == (VECTOR_BITS, 63)
    if target == "generic":
        assert (units["weights"].memory_bits, units["weights"].lut, units["weights"].ff) == (LINE_BITS, 0, 0)
        assert units["total"].memory_bits == VECTOR_BITS + LINE_BITS
        assert units["converter"].dsp == 0
    else:
        assert units["weights"].bram > 0
        assert units["total"].memory_bits == VECTOR_BITS
        assert units["converter"].dsp > 0
    assert {unit.name: unit.multipliers for unit in found.operators}["total"] == 1
    assert found.levels == units["total"].levels == units["converter"].levels
    assert found.levels is not None
    assert found.levels > 31  # the carries of a multiplication or an addition of as many bits
    steps = ["reading", *TARGETS[target].stages.values(), "longest paths"]
    assert heard == steps[: len(heard)]
    assert len(heard) > 2  # YoWASP's says nothing more once ABC has run in its process
