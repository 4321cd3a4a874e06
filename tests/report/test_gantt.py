"""Which steps and cycles a Gantt chart shows, of charts that are written by hand."""

from __future__ import annotations

import pytest

from archsim.report.figures.gantt import Bar, Gantt, panels
from archsim.report.looks.op_looks import MACS


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
