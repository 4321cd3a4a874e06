"""Lines of traces, listings and tables, of lanes, ops and rows that are written by hand."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from archsim.fidelity import Row
from archsim.formats import Encoding, parse_format
from archsim.program.ir import After, Buffer, DataKind, Dep, Region, Wait
from archsim.report.page.blocks import Heading, Paragraph, TableBlock, TableRow, blocks
from archsim.report.text.fidelity_text import fidelity_table, fidelity_text
from archsim.report.text.layout import Rows, facts, heading, print_parts, sentence, table, title
from archsim.report.text.linetrace import _Lane
from archsim.report.text.listing import _aligned, _buffers, _dependency, _phase, _when, _work
from archsim.report.text.sections.frames_section import _arrivals, _differing
from archsim.report.text.values import Values, reach
from tests.report.parts import thing

LANE = _Lane("mac", ("a", "b", "c"), (2, 4, 6), (4, 5, 8), (7, 7, 9))
"""a holds its unit in the cycles 2 and 3, b in 4, c in 6 and 7; the results of a and b come at 7, that of c at 9."""


@pytest.mark.parametrize(
    ("cycle", "text"),
    [
        (1, "."), (2, "a"), (3, "a"), (4, "b"), (5, "~"), (6, "c"), (7, "c >a >b"), (8, "~"), (9, ". >c"), (10, "."),
    ],
)  # fmt: skip
def test_a_lane_in_each_cycle(cycle: int, text: str) -> None:
    assert LANE.at(cycle) == text


def test_a_lane_is_as_wide_as_its_longest_text_may_be() -> None:
    """A name, and behind it all results of one cycle, each with a blank and its mark: 1 + 2 x 3; or the unit's name."""
    assert LANE.width() == 7
    assert _Lane("elementwise", ("a",), (0,), (1,), (1,)).width() == 11
    assert _Lane("mac", (), (), (), ()).width() == 3
    long = _Lane("u", ("long", "b", "cc"), (0, 1, 2), (1, 2, 3), (3, 5, 5))
    assert long.width() == 4 + 7, "b and cc are done at once: 3 + 4; the name of one that holds may be the longest"
    assert _Lane("u", ("long", "b"), (0, 1), (1, 2), (3, 5)).width() == 4 + 6


def op(first: int = 0, last: int = 0, macs: int = 0, writes: Any = ()) -> Any:
    return thing(
        skip_first=first, skip_last=last, conditional=bool(first or last), macs=macs, writes=writes, reads=(),
        updates=(),        instances=lambda repeat: max(0, repeat - first - last), unit="mac", label="m[0]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (0, 0, ""), (2, 0, "t>=2"), (0, 2, "t<7"), (1, 3, "t>=1 and t<6"), (5, 4, "never"), (9, 0, "never"),
        (5, 3, "t>=5 and t<6"),
    ],
)  # fmt: skip
def test_when_an_op_takes_part_of_nine_repetitions(first: int, last: int, text: str) -> None:
    assert _when(op(first, last), thing(repeat=9)) == text


def test_the_work_of_an_op_is_its_macs_or_the_values_that_it_writes() -> None:
    """3 entries of 5 and 2 of 500 are 1,015 values."""

    def region(width: int, entries: int) -> Region:
        return Region(Buffer("b", "m", DataKind.X, 8, width, parse_format("int8")), 1, 1 + entries)

    assert _work(op(macs=1234, writes=(region(5, 3),))) == "1,234 MAC"
    assert _work(op(writes=(region(5, 3), region(500, 2)))) == "1,015 val"


def test_a_dependency_has_its_lag_event_and_cause() -> None:
    assert _dependency(Dep(3, 0, After.DONE, Wait.INPUT)) == "3 done (input)"
    assert _dependency(Dep(12, 2, After.FREE, Wait.BUFFER)) == "12@-2 free (buffer)"


def test_columns_without_a_cell_are_left_out() -> None:
    rows = [("op", "when", "work"), ("0", "", "12"), ("10", "", "3")]
    assert list(_aligned(rows, "><>")) == ["  op  work", "   0    12", "  10     3"]
    assert list(_aligned([*rows, ("2", "x", "")], "><>"))[1] == "   0          12"


def test_buffers_are_listed_with_slots_sizes_and_formats() -> None:
    """2 x 15 bits are 30, 4 bytes a slot; of 3 slots together 90 bits, 12 bytes."""
    q = parse_format("int5")
    found = [
        Buffer("h", "sram", DataKind.H, 2, 3, q, 3), Buffer("x", "dram", DataKind.X, 2, 3, q, None),
        Buffer("w", "sram", DataKind.W_IH, 1000, 2048, q, 1),
    ]  # fmt: skip
    lines = [" ".join(line.split()) for line in _buffers(found)]
    assert lines[2:] == [
        f"h sram h 3 x 2 x 3 int5 {found[0].size_bytes} B", "x dram x t x 2 x 3 int5 4 B a slot",
        "w sram W_ih 1 x 1,000 x 2,048 int5 1.2 MiB",
    ]  # fmt: skip


def test_a_phase_has_its_kind_where_its_name_is_another_and_how_often_it_runs() -> None:
    def head(name: str, repeat: int, services: Any = None) -> list[str]:
        kind = thing(value="body")
        return list(_phase(thing(name=name, kind=kind, repeat=repeat, ops=(op(),), deps=((),)), services))

    assert head("body", 1)[0] == "phase body: 1 op, once"
    assert head("body of layer 0", 1200)[0] == "phase body of layer 0 (body): 1 op, 1,200 times"
    timed = head("body", 1, [thing(occupancy_cycles=1234, latency_cycles=5678)])
    assert timed[2].split() == ["0", "mac", "m[0]", "0", "val", "1,234", "cy", "5,678", "cy", "-"]
    assert head("body", 1)[2].split() == ["0", "mac", "m[0]", "0", "val", "-"]


def printed(rows: Rows, width: int) -> list[str]:
    text = io.StringIO()
    print_parts([rows], Console(file=text, width=width, color_system=None, force_terminal=False))
    return [line.rstrip() for line in text.getvalue().splitlines()]


TABLE = table(("<", ">", "<~"), ("name", "n", "meaning"), [("first", "12", "one two"), ("second", " ", "three")], (1,))


def test_a_table_that_fits_is_one_line_a_row_and_wraps_where_it_may() -> None:
    """2 + 6 + 2 + 2 + 2 + 7 = 21 characters, or 5 for a word of the last column: 19 for "meaning" and its rows."""
    assert printed(TABLE, 21) == ["  name     n  meaning", "  first   12  one two", "  second      three"]
    assert printed(TABLE, 20) == [
        "  first", "    n: 12", "    meaning: one two", "  second", "    meaning: three",
    ]  # fmt: skip
    short = table(("<", "<~"), None, [("a", "one two three"), ("b", "x")])
    assert printed(short, 18) == ["  a  one two three", "  b  x"]
    assert printed(short, 12) == ["  a  one two", "     three", "  b  x"]
    assert printed(short, 10) == ["  a  one", "     two", "     three", "  b  x"]
    assert printed(short, 9) == ["  a", "    one", "    two", "    three", "  b", "    x"], (
        "5 + 5 characters are too many"
    )


def test_where_a_table_does_not_fit_another_one_may_be_listed() -> None:
    other = table(("<", "<"), ("", "is"), [("of one", "1")])
    assert printed(table(("<", "<"), ("a" * 9, "b"), [("x", "y")], narrow=other), 11) == ["  of one", "    is: 1"]
    assert printed(table(("<", "<"), ("a" * 9, "b"), [("x", "y")], narrow=other), 14) == [
        "  aaaaaaaaa  b",
        "  x          y",
    ]


def test_the_least_width_of_a_column_is_its_longest_word_or_its_longest_cell() -> None:
    assert TABLE._needed() == [6, 2, 7]
    assert [TABLE._widest(column) for column in range(3)] == [6, 2, 7]
    assert table(("<", "<~"), None, [("a b", "a bcd")])._needed() == [3, 3]
    assert table(("<", "<~"), None, [])._needed() == [0, 0]


def test_a_page_has_the_parts_of_a_report_as_data() -> None:
    found = blocks(
        [title(" A title "), heading("Head", "a note"), heading("Head"), sentence("text"), sentence("loud", "bold"),
         TABLE, facts([("a", "b")])]
    )  # fmt: skip
    assert found == (
        Heading("A title"), Heading("Head", "a note"), Heading("Head"), Paragraph("text"), Paragraph("loud", True),
        TableBlock(
            (False, True, False), ("name", "n", "meaning"),
            (TableRow(("first", "12", "one two"), False), TableRow(("second", " ", "three"), True)),
        ),
        TableBlock((False, False), (), (TableRow(("a", "b"), False),)),
    )  # fmt: skip


def latencies(**parts: Any) -> Any:
    fields = {
        "frames": 1000, "p50_cycles": 1000, "p95_cycles": 2000, "p99_cycles": 3000, "max_cycles": 4000,
        "missed_deadlines": None, "deadline_us": None, "streams": (),
    }  # fmt: skip
    return thing(**(fields | parts))


def test_latencies_of_frames_as_they_come_are_in_cycles_and_us() -> None:
    """At 500 MHz a thousand cycles are 2 us; 5 of 1,000 frames are 0.5 %."""
    clock = Fraction(500)
    rows = [row[:3] for row in _arrivals(latencies(), clock)]
    assert rows == [
        ("latency p50", "1,000 cycles", "2 us"), ("latency p95", "2,000 cycles", "4 us"),
        ("latency p99", "3,000 cycles", "6 us"), ("latency max", "4,000 cycles", "8 us"),
    ]  # fmt: skip
    missed = list(_arrivals(latencies(missed_deadlines=5, deadline_us=3.5), clock))[-1]
    assert missed == ("missed", "5 of 1,000 frames", "0.5 %", "out later than 3.5 us after they came")
    each = (latencies(max_cycles=500), latencies(max_cycles=1500, missed_deadlines=7))
    streams = list(_arrivals(latencies(streams=each), clock))[-2:]
    assert streams == [
        ("stream 0 max", "500 cycles", "1 us", "p50 1,000, p95 2,000, p99 3,000 cycles"),
        ("stream 1 max", "1,500 cycles", "3 us", "p50 1,000, p95 2,000, p99 3,000 cycles; 7 of 1,000 missed"),
    ]


def test_latencies_of_frames_that_differ_are_of_each_alone() -> None:
    rows = list(_differing(thing(**{**vars(latencies()), "mean_cycles": 1250.5}), Fraction(500)))
    assert [row[:3] for row in rows] == [
        ("mean alone", "1,250.5 cycles", "2.501 us"), ("p95 alone", "2,000 cycles", "4 us"),
        ("p99 alone", "3,000 cycles", "6 us"), ("max alone", "4,000 cycles", "8 us"),
    ]  # fmt: skip
    assert all(row[3].startswith("of 1,000 frames alone, ") for row in rows)


def values(*numbers: float, **encoding: Any) -> Values:
    return Values("x", np.array(numbers), Encoding(parse_format(encoding.pop("name", "int4")), **encoding))


def test_values_beyond_a_range_are_those_that_round_to_no_code() -> None:
    """-8 .. 7 with a scale of 0.5 and the zero at code 1: -4.5 .. 3. A quarter beyond an end is half way: to even."""
    found = values(-4.5, -4.7, -4.76, 3.0, 3.2, 3.26, 0.0, scale=0.5, zero=1)
    assert found.ends(0.5) == (-4.5, 3.0)
    assert found.beyond.tolist() == [False, False, True, False, False, True, False]
    assert found.scales == (0.5, 0.5)
    real = values(-70000.0, 65504.0, 65505.0, name="float16")
    assert real.beyond.tolist() == [True, False, True]
    assert real.ends(1.0) == (-65504.0, 65504.0)
    rows = Values("w", np.zeros((2, 3)), Encoding(parse_format("int4"), np.array([[0.5], [0.25]])))
    assert rows.scales == (0.25, 0.5)


def test_the_reach_of_several_parts_is_that_of_all() -> None:
    assert reach([values(1.0, 5.0), values(-2.0, 3.0)]) == (-2.0, 5.0)
    assert reach([values(-2.0, 5.0), values(1.0, 3.0)]) == (-2.0, 5.0)


def fidelity(**parts: Any) -> Row:
    fields: dict[str, Any] = {
        "machine": "m", "workload": "w", "figure": "latency", "unit": "us", "published": 2000.0, "simulated": 2100.5,
        "tolerance": 6.0, "source": "paper", "inputs": "clock", "predicted": "cycles",
    }  # fmt: skip
    return Row(**(fields | parts))


def test_a_row_of_fidelity_says_if_it_is_too_far_or_held_to_nothing() -> None:
    def end(**parts: Any) -> str:
        row = next(line for line in fidelity_text([fidelity(**parts)]).splitlines() if line.startswith("  w "))
        return " ".join(row.split())

    assert end() == "w latency 2,000 2,100 us +5.0 %"
    assert end(tolerance=5.0) == "w latency 2,000 2,100 us +5.0 % too far"
    assert end(tolerance=None) == "w latency 2,000 2,100 us +5.0 % shown only"
    assert end(drawn=True) == "w latency 2,000 2,100 us +5.0 % drawn"
    assert end(second_hand=True) == "w latency 2,000 2,100 us +5.0 % second-hand"


def test_the_table_of_fidelity_has_what_is_allowed_and_marks_of_the_source() -> None:
    def cells(**parts: Any) -> list[str]:
        return [cell.strip() for cell in fidelity_table([fidelity(**parts)]).splitlines()[2].split("|")[1:-1]]

    assert cells() == [
        "m", "w", "latency", "2,000 us", "2,100 us", "+5.0 %", "6 %", "clock", "cycles", "paper",
    ]  # fmt: skip
    assert cells(tolerance=None)[6] == "not held to it"
    assert cells(second_hand=True)[-1] == "paper (second-hand)"
    assert cells(second_hand=True, drawn=True)[-1] == "paper (second-hand, drawn run)"
    assert cells(simulated=0.123456)[4] == "0.1235 us"
    assert fidelity_text([]) == "no rows\n"
