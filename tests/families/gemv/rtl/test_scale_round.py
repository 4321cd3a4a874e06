"""The converter by itself, on numbers that random networks do not meet: ties, limits, multipliers one apart."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from archsim.families.gemv.rtl.ratio import MODES, ratio
from archsim.formats.rounding import Rounding, limited, multiplied, shifted
from archsim.rtl.build import build
from archsim.rtl.tools import find_verilator
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.planted import LSTM
from tests.rings import exhaustive

VALUE_BITS, NARROW_BITS = 40, 8
SOURCES = ("scale_round.sv", "narrow.sv")

BENCH = f"""
module testbench (
    input logic [{VALUE_BITS - 1}:0] v, input logic [30:0] m, input logic [8:0] s, input logic [1:0] mode,
    input logic [15:0] zero, output logic [62:0] y, output logic [{NARROW_BITS - 1}:0] saturated, wrapped
);
  scale_round #(.WV({VALUE_BITS})) dut (.v, .m, .s, .mode, .y);
  narrow #(.WI(63), .W({NARROW_BITS})) saturates (.v(y), .zero, .y(saturated));
  narrow #(.WI(63), .W({NARROW_BITS}), .WRAP(1)) wraps (.v(y), .zero, .y(wrapped));
endmodule
"""

MAIN = """
#include <cstdio>
#include "Vtestbench.h"
int main() {
    Vtestbench top;
    long v, m, s, mode, zero;
    while (std::scanf("%ld %ld %ld %ld %ld", &v, &m, &s, &mode, &zero) == 5) {
        top.v = v & ((1L << 40) - 1); top.m = m; top.s = s & 511; top.mode = mode; top.zero = zero & 65535;
        top.eval();
        const long y = (long)(top.y << 1) >> 1;
        std::printf("%ld %d %d\\n", y, (int)(signed char)top.saturated, (int)(signed char)top.wrapped);
    }
    top.final();
}
"""


def _numbers() -> Iterator[tuple[int, int, int]]:
    """(v, m, s): ties and their neighbours at every shift, multipliers one apart, both ends of v."""
    most = (1 << VALUE_BITS - 1) - 1
    for shift in (0, 1, 2, 7, 30, 38, 39, 40, 41, 63, 90, -1, -10, -22, -23, -30, -62, -100):
        half = 1 << min(max(shift - 1, 0), VALUE_BITS - 3)
        for v in {0, 1, -1, half, -half, half + 1, half - 1, -half - 1, 3 * half, -3 * half, most, -most - 1}:
            yield v, 1, shift
    for m in (1 << 30, (1 << 30) + 1, 0x5555_5555, 0x5555_5556, (1 << 31) - 1, (1 << 31) - 2):
        for shift in (-20, 0, 5, 30, 31, 32, 33, 45, 62, 70, 100):
            for v in (1, -1, 3, -3, 255, -256, 12_345_678_901, -12_345_678_901, most, -most - 1):
                yield v, m, shift
    # v m / 2^31 is a half but for the multiplier's last place.
    for v in (1, 3, 5, 1 << 20, (1 << 20) + 1):
        for m in (1 << 30, (1 << 30) + 1):
            yield v, m, 31
            yield -v, m, 31


@exhaustive
def test_against_the_simulators_conversion(tmp_path: Path, runtime: Path) -> None:
    for name in SOURCES:
        (tmp_path / name).write_text(expected_of(LSTM).design.files[name], encoding="utf-8")
    (tmp_path / "testbench.sv").write_text(BENCH, encoding="utf-8")
    (tmp_path / "main.cpp").write_text(MAIN, encoding="utf-8")
    program = build(find_verilator(), tmp_path, (*SOURCES, "testbench.sv"), runtime=runtime)
    asked = [(*numbers, rounding, zero) for numbers in _numbers() for rounding in Rounding for zero in (0, -128, 127)]
    text = "".join(f"{v} {m} {s} {MODES[rounding]} {zero}\n" for v, m, s, rounding, zero in asked)
    answer = subprocess.run([str(program)], input=text, text=True, capture_output=True, check=True).stdout
    got = [tuple(map(int, line.split())) for line in answer.splitlines()]
    assert len(got) == len(asked) > 3000
    for (v, m, s, rounding, zero), found in zip(asked, got, strict=True):
        wide = _converted(v, m, s, rounding)
        code = wide + zero
        wanted = (wide, min(max(code, -128), 127), (code + 128) % 256 - 128)
        assert found == wanted, (v, m, s, rounding, zero)


def _converted(v: int, m: int, s: int, rounding: Rounding) -> int:
    values = np.array([v], np.int64)
    if m == 1:
        return int(limited(shifted(values, s, rounding))[0])
    return int(multiplied(values, np.array([m], np.int64), np.array([31 - s], np.int64), rounding)[0])


@pytest.mark.parametrize(("rounding", "wanted"), [("even", 2), ("half_up", 3), ("truncate", 2), ("gemmlowp", 3)])
def test_what_the_simulators_conversion_is(rounding: str, wanted: int) -> None:
    """5 / 2 by hand, so that the comparison above rests on something: 2.5 to even is 2, up and away from zero 3."""
    assert _converted(5, 1, 1, Rounding(rounding)) == wanted


@pytest.mark.parametrize(("power", "shift"), [(-254, 254), (-255, 255), (-300, 255), (255, -255), (300, -255)])
def test_shifts_beyond_the_field_are_at_its_end(power: int, shift: int) -> None:
    """Nine bits with a sign hold -256 to 255; 255 either way leaves nothing of a number, or all beyond the limit."""
    found = ratio(2.0**power)
    assert (found.m, found.s) == (1, shift)
    assert found.word & 511 == shift % 512
