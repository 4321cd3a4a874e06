"""Designs beside each other as text and as tables, of figures that are written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.api.compare import Comparison, Difference, Row
from archsim.report.text.compare_tables import as_csv, as_latex, as_markdown, rows_table, shown
from archsim.report.text.compare_text import print_comparison
from archsim.report.text.report_text import as_text


def row(arch: str = "a", workload: str = "w", schedule: str = "s", **figures: Any) -> Row:
    return Row(arch, workload, schedule, **figures)


def printed(*rows: Row, width: int = 200, **parts: Any) -> list[str]:
    found = Comparison(parts.pop("machines", ()), parts.pop("workloads", ()), rows, **parts)
    text = as_text(lambda console: print_comparison(found, console), width)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_what_all_designs_share_stands_in_the_title_and_no_row() -> None:
    first = row("a", latency_cycles=1200)
    assert printed(first, row("b", latency_cycles=900)) == [
        "2 designs: w, s", "Figures", "arch a b", "latency, cycles 1,200 900",
    ]  # fmt: skip
    assert printed(first, row("a", "v", latency_cycles=900), overrides=("x=1", "y=2"))[:4] == [
        "2 designs: s, with x=1, y=2", "Figures", "arch a a", "workload w v",
    ]  # fmt: skip
    assert printed(first, row("b", "v", "t", latency_cycles=1))[0] == "2 designs"
    assert printed(first)[:5] == ["1 design", "Figures", "arch a", "workload w", "schedule s"]
    # A design that cannot run has no schedule; all without one share none.
    assert printed(row("a", schedule="", misfit="no"), row("b", schedule="", misfit="no"))[0] == "2 designs: w"


def test_on_a_narrow_terminal_each_figure_has_the_designs_below_it() -> None:
    """By what tells them apart: the machine, and what is not common."""
    rows = row("machine_one", "w", "s", latency_us=12.0), row("machine_two", "v", "s", latency_us=13.0)
    assert printed(*rows, width=24)[-3:] == ["latency, us", "machine_one, w: 12", "machine_two, v: 13"]
    misfit = row("machine_three", "v", "", misfit="no room")
    last = printed(*rows, misfit, width=32)
    place = last.index("latency, us")
    assert last[place + 1 : place + 4] == ["machine_one, w, s: 12", "machine_two, v, s: 13", "machine_three, v: -"]
    same = row("machine_one", latency_us=12.0), row("machine_two", latency_us=13.0)
    assert printed(*same, width=24)[-3:] == ["latency, us", "machine_one: 12", "machine_two: 13"]


def test_differences_misfits_and_notes_are_written_once() -> None:
    difference = Difference("mac_array.rows", {"a": "4", "b": "8"})
    other = Difference("steps", {"v": "4", "w": "9"})
    said = printed(
        row("a", latency_us=12.0), row("b", misfit="too large"), row("b", "v", misfit="too large"),
        machines=(difference,), workloads=(other,), notes=("a note",),
    )  # fmt: skip
    assert said[1:7] == [
        "Machines differ in", "field a b", "mac_array.rows 4 8", "Workloads differ in", "field v w", "steps 4 9",
    ]  # fmt: skip
    assert said[-1] == "a note"
    assert sum("too large" in line for line in said) == 1


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(None, "us", "-"), ("x", "", "x"), (0.25, "1", "25.0 %"), (1234.5, "cycles", "1,234.5"), (1234.56, "us", "1,235")],
)
def test_a_figure_is_shown_by_its_unit(value: Any, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_columns_are_those_that_any_design_has_with_their_units_and_ends() -> None:
    """The low and high of energy and area stand behind them, in no columns of their own."""
    found = Comparison(
        (), (), (
            row("a", energy_uj=2.0, energy_low_uj=1.0, energy_high_uj=4.0, mac_utilization=0.5),
            row("b", energy_uj=3.0, edp_uj_us=1.5, latency_cycles=9),
        )
    )  # fmt: skip
    headers, rows = rows_table(found)
    assert headers == [
        "arch", "workload", "schedule", "latency, cycles", "mac utilization", "energy, uJ", "edp, uJ us",
    ]  # fmt: skip
    assert rows == [["a", "w", "s", "-", "50.0 %", "2 (1 to 4)", "-"], ["b", "w", "s", "9", "-", "3", "1.5"]]


SMALL = Comparison(
    (Difference("x|y", {"a_1": "50%", "b": "~"}),), (), (row("a_1", latency_us=1.5), row("b", latency_us=None))
)


def test_markdown_has_escaped_pipes_and_a_line_of_dashes_below_names() -> None:
    assert as_markdown(SMALL) == (
        "| differs | a_1 | b |\n| --- | --- | --- |\n| x\\|y | 50% | ~ |\n\n"
        "| arch | workload | schedule | latency, us |\n| --- | --- | --- | --- |\n"
        "| a_1 | w | s | 1.5 |\n| b | w | s | - |\n"
    )


def test_latex_has_a_column_for_each_header_and_escaped_characters() -> None:
    first, second = as_latex(SMALL).split("\n\n")
    assert first.splitlines() == [
        "\\begin{tabular}{lll}", "\\toprule", "differs & a\\_1 & b \\\\", "\\midrule",
        "x|y & 50\\% & \\textasciitilde{} \\\\", "\\bottomrule", "\\end{tabular}",
    ]  # fmt: skip
    assert second.splitlines()[0] == "\\begin{tabular}{llll}"
    assert second.splitlines()[4:6] == ["a\\_1 & w & s & 1.5 \\\\", "b & w & s & - \\\\"]


def test_csv_has_all_fields_and_nothing_where_there_is_none() -> None:
    head, one, two = as_csv(SMALL).splitlines()
    columns = head.split(",")
    assert columns[:5] == ["arch", "workload", "schedule", "latency_cycles", "latency_us"]
    assert one.split(",")[:5] == ["a_1", "w", "s", "", "1.5"]
    assert two.split(",")[:5] == ["b", "w", "s", "", ""]
    assert len(one.split(",")) == len(columns)
