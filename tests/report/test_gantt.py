"""Which steps and cycles a Gantt chart shows, of charts that are written by hand."""

from __future__ import annotations

import dataclasses

import pytest

from archsim.report.figures.gantt import Bar, Gantt, Panel, _longest_gap, panels
from archsim.report.looks.op_looks import LOAD, MACS


def chart(steps: int, gap: int = 0, step_cycles: int = 1000) -> Gantt:
    """Steps of 60 ops, one after the other on the MAC array; `gap` cycles at the begin of each it stands still."""
    bars, busy = [], (step_cycles - gap) // 60
    for step in range(steps):
        for place in range(60):
            start = step * step_cycles + gap + place * busy
            stop = start + busy if place < 59 else (step + 1) * step_cycles
            bars.append(Bar("mac_array", MACS, f"mac[{place}]", step, start, stop, stop))
    return Gantt(("mac_array",), "mac_array", tuple(bars), {n: (n + 1) * step_cycles for n in range(steps)}, "ends")


@pytest.mark.parametrize(("steps", "shown"), [(2, 1), (3, 1), (4, 1), (5, 2), (8, 3)])
def test_a_long_chart_shows_a_step_in_the_middle_that_has_one_before_it(steps: int, shown: int) -> None:
    whole = panels(chart(steps))[0]
    assert whole.title == f"Step {shown} from the end of the step before: 1,000 cycles"
    assert (whole.start, whole.stop) == (shown * 1000 - 125, (shown + 1) * 1000 + 125)


def test_one_step_is_shown_from_its_first_op_to_its_last() -> None:
    (panel,) = panels(chart(1, gap=100))
    assert (panel.title, panel.start, panel.stop, panel.gap) == ("Step 0", 100, 1000, None)


def test_the_closer_look_is_at_the_longest_gap_and_names_the_steps_around_it() -> None:
    """The array stands still for 40 cycles at both ends of step 1: of equals the later one counts."""
    whole, closer = panels(chart(4, gap=40))
    assert whole.gap is None
    assert closer.gap == (2000, 2040)
    assert (closer.start, closer.stop) == (2020 - 62, 2020 + 62), "an eighth of the step, about the gap"
    assert closer.title == "The end of step 1 and the beginning of step 2, closer"


def ops(count: int, ends: dict[int, int], body: str = "") -> Gantt:
    """So many ops of 10 cycles on the MAC array one after the other, then one of DRAM that is done at 5,000."""
    bars = [Bar("mac_array", MACS, "mac", 0, 7 + 10 * place, 17 + 10 * place, 30) for place in range(count - 1)]
    load = Bar("dram", LOAD, "load", 0, 4000, 4500, 5000)
    return Gantt(("mac_array", "dram"), "mac_array", (*bars, load), ends, "ends", body)


def test_up_to_90_ops_are_shown_in_one_panel_from_the_first_start_to_the_last_result() -> None:
    ends = {3: 1000, 4: 2000, 5: 3000}
    assert panels(ops(90, ends)) == [Panel("Time steps 3 to 5", 7, 5000, None)]
    assert panels(ops(91, ends))[0].title.startswith("Step 4 from the end of the step before: 1,000 cycles")


def test_one_step_of_many_ops_is_shown_as_it_is() -> None:
    assert panels(ops(200, {3: 1000})) == [Panel("Step 3", 7, 5000, None)]
    assert panels(ops(200, {})) == [Panel("no time step on record", 7, 5000, None)]
    assert panels(Gantt((), None, (), {}, "ends")) == [Panel("no time step on record", 0, 1, None)]


def test_titles_have_the_body_where_there_are_several() -> None:
    assert panels(ops(9, {3: 1000}, "layer 1"))[0].title == "Layer 1, step 3"
    assert panels(ops(9, {3: 1000, 4: 2000}, "layer 1"))[0].title == "Layer 1, time steps 3 to 4"
    many = dataclasses.replace(chart(4), body="layer 1")
    assert panels(many)[0].title == "Layer 1, step 1 from the end of the step before: 1,000 cycles"


@pytest.mark.parametrize(
    ("gap", "shown"),
    [
        (200, 1400),  # three times the gap, 600, is less than half of 1,250 cycles: a second panel
        (220, 2000),  # 660 is more: one panel, with half a step on both sides
    ],
)
def test_a_closer_look_is_left_out_where_it_would_be_half_of_the_picture_or_more(gap: int, shown: int) -> None:
    found = panels(chart(4, gap=gap))
    if shown == 2000:
        (panel,) = found
        assert (panel.start, panel.stop, panel.gap) == (500, 2500, (2000, 2220))
        assert panel.title == "Step 1 from the end of the step before: 1,000 cycles"
    else:
        whole, closer = found
        assert (whole.start, whole.stop, whole.gap) == (875, 2125, None)
        assert (closer.start, closer.stop, closer.gap) == (2100 - 300, 2100 + 300, (2000, 2200))


def test_without_a_gap_the_closer_look_is_at_the_end_of_the_step() -> None:
    """An eighth of the step, and at least ten cycles: of steps of 60 cycles 7 would be too few."""
    _, closer = panels(chart(4, step_cycles=960))
    assert (closer.start, closer.stop, closer.gap) == (1920 - 60, 1920 + 60, None)
    assert closer.title == "The end of step 1 and the beginning of step 2, closer"
    _, closer = panels(chart(4, step_cycles=60))
    assert (closer.start, closer.stop) == (120 - 5, 120 + 5)


def test_a_gap_at_the_beginning_of_a_step_names_that_step_and_the_one_before() -> None:
    """The array stands still for 100 cycles at the begin of step 1, and for less at that of step 2."""
    found = chart(4)
    bars = [
        dataclasses.replace(bar, start=1100, free=1116) if (bar.repetition, bar.start) == (1, 1000) else bar
        for bar in found.bars
        if not (bar.repetition == 1 and 1000 < bar.start < 1100)
    ]
    whole, closer = panels(dataclasses.replace(found, bars=tuple(bars)))
    assert closer.gap == (1000, 1100)
    assert closer.title == "The end of step 0 and the beginning of step 1, closer"
    assert (closer.start, closer.stop) == (1050 - 150, 1050 + 150)
    assert whole.title.startswith("Step 1 ")


def test_the_longest_gap_is_one_that_begins_within_half_a_step_of_the_step() -> None:
    """Of a step [1000, 2000): from 500 to 2500. Ops of other units close no gap, the later of equals counts."""

    def found(*spans: tuple[int, int], other: tuple[int, int] = (0, 1)) -> tuple[int, int] | None:
        bars = [Bar("mac_array", MACS, "", 0, start, free, free) for start, free in spans]
        bars.append(Bar("dram", LOAD, "", 0, *other, other[1]))
        return _longest_gap(Gantt((), "mac_array", tuple(bars), {}, ""), 1000, 2000, 1000)

    assert found((0, 500), (700, 2500), (2600, 2601)) == (500, 700)
    assert found((0, 499), (700, 2500), (2600, 2601)) == (2500, 2600)
    assert found((0, 499), (700, 2501), (2600, 2601)) is None
    assert found((0, 600), (700, 1000), (1100, 1200), other=(600, 700)) == (1000, 1100)
    assert found((0, 600), (650, 1000), (1001, 1200)) == (600, 650)
    assert found((0, 600), (600, 700)) is None, "no cycle between them"
