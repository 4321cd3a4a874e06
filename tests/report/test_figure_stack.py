"""What the picture of cycles draws and writes, of stacks and phases that are written by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from archsim.api import Simulation
from archsim.program.ir import PhaseKind
from archsim.report.figures import figure_stack
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_stack import _draw_phases, _draw_units, _phases, _small_parts, stack_figure
from archsim.report.figures.look import USUAL
from archsim.report.looks.cycle_looks import SMALL, CycleLook, cycle_look
from archsim.report.text.steps import STEP_BUCKETS
from archsim.trace.data import PhaseTrace

INCHES = 100 / 72
"""So wide that a percent is a point."""


def units(*stacks: dict[str, float]) -> tuple[Axes, dict[str, CycleLook]]:
    """Bars of stacks in percent, each filled up with cycles that are useful."""
    axes = Figure().add_subplot()
    whole = {
        f"unit{row}": {
            bucket: 10 * stack.get(bucket, 100 - sum(stack.values()) if bucket == "useful" else 0)
            for bucket in STEP_BUCKETS
        }
        for row, stack in enumerate(stacks)
    }
    return axes, _draw_units(axes, whole, 1000, USUAL, INCHES)  # type: ignore[arg-type]


def parts(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """Left end and width of each row's part, by what it is."""
    return {
        str(bars.get_label()): [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in bars]
        for bars in axes.containers
    }


def written(axes: Axes) -> list[tuple[float, float, str]]:
    return [(round(text.get_position()[0], 6), text.get_position()[1], text.get_text()) for text in axes.texts]


def test_parts_of_bars_follow_each_other_row_by_row() -> None:
    axes, _ = units({"padding": 40.0, "idle": 20.0}, {"idle": 30.0})
    assert parts(axes) == {
        "useful": [(0, 40), (0, 70)],
        "padding": [(40, 40), (70, 0)],
        "idle": [(80, 20), (70, 30)],
    }


def test_a_part_has_its_number_in_it_where_there_is_room_and_else_behind_the_bar() -> None:
    """ "99.9 % " is some 28 points wide: 40 and more have room, 20 have not."""
    axes, _ = units({"padding": 40.0, "idle": 20.0}, {"idle": 50.0})
    assert written(axes) == [
        (20, 0, "40.0 %"), (25, 1, "50.0 %"), (60, 0, "40.0 %"), (75, 1, "50.0 %"), (101, 0, "idle 20.0 %"),
        (101, 1, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(("share", "text"), [(0.1, "wait port 0.1 %"), (0.09, "")])
def test_from_a_tenth_of_a_percent_on_a_part_is_written(share: float, text: str) -> None:
    axes, _ = units({"wait_port": share})
    assert written(axes)[-1] == (101, 0, text)


def test_a_part_that_is_nowhere_three_points_wide_is_one_of_the_smaller_ones_which_stand_last() -> None:
    axes, shown = units({"padding": 2.9, "wait_port": 3.0, "idle": 10.0}, {"wait_port": 1.0})
    assert list(parts(axes)) == ["useful", "wait port", "idle", "padding"]
    assert list(shown) == ["useful", "wait port", "idle", "smaller parts"]
    colours = {str(bars.get_label()): to_hex(next(iter(bars)).get_facecolor()) for bars in axes.containers}
    assert colours == {
        "useful": cycle_look("useful").colour.lower(),
        "wait port": cycle_look("wait_port").colour.lower(),
        "idle": cycle_look("idle").colour.lower(),
        "padding": SMALL.colour,
    }


@pytest.mark.parametrize(("share", "seen"), [(0.4, True), (0.39, False)])
def test_smaller_parts_are_explained_from_two_fifths_of_a_point_on(share: float, seen: bool) -> None:
    _, shown = units({"padding": share}, {})
    assert ("smaller parts" in shown) is seen


def test_of_more_than_three_small_parts_the_two_largest_have_a_line_in_the_order_of_the_bar() -> None:
    few = [("a", 1.0), ("b", 3.0), ("c", 2.0)]
    assert _small_parts(few) == ["a 1.0 %", "b 3.0 %", "c 2.0 %"]
    assert _small_parts([*few, ("d", 0.5)]) == ["b 3.0 %", "c 2.0 %", "others 1.5 %"]
    assert _small_parts([("a", 2.0), ("b", 1.0), ("c", 1.0), ("d", 3.0)]) == ["a 2.0 %", "d 3.0 %", "others 2.0 %"]
    assert _small_parts([]) == []


def phased(small: Simulation, *phases: tuple[PhaseKind, int]) -> Simulation:
    """A run of phases of those kinds and lengths."""
    found, start = [], 0
    for kind, cycles in phases:
        found.append(PhaseTrace(kind.value, kind, start, start + cycles, ()))
        start += cycles
    return dataclasses.replace(small, trace=dataclasses.replace(small.trace, phases=tuple(found), total_cycles=start))


BEFORE, BODY, HANDOVER, AFTER = PhaseKind.PROLOGUE, PhaseKind.BODY, PhaseKind.HANDOVER, PhaseKind.EPILOGUE


def test_a_handover_belongs_to_the_layer_that_it_leads_to(small: Simulation) -> None:
    found = phased(small, (BEFORE, 1), (BODY, 10), (HANDOVER, 2), (BODY, 20), (HANDOVER, 3), (BODY, 30), (AFTER, 4))
    assert _phases(found) == [
        ("prologue", BEFORE, 1), ("layer 0", BODY, 10), ("layer 1", BODY, 22), ("layer 2", BODY, 33),
        ("epilogue", AFTER, 4),
    ]  # fmt: skip
    twice = phased(small, (BODY, 10), (HANDOVER, 2), (HANDOVER, 3), (BODY, 20))
    assert _phases(twice) == [("layer 0", BODY, 10), ("layer 1", BODY, 25)]


def test_phases_of_a_kind_that_follow_each_other_are_one_and_one_body_is_the_time_steps(small: Simulation) -> None:
    found = phased(small, (BEFORE, 1), (BEFORE, 2), (BODY, 10), (BODY, 5), (AFTER, 4), (AFTER, 8))
    assert _phases(found) == [("prologue", BEFORE, 3), ("time steps", BODY, 15), ("epilogue", AFTER, 12)]


def test_the_bar_of_the_run_has_its_phases_after_each_other(small: Simulation) -> None:
    """Of 1,000 cycles, a percent of which is 10 points wide here: 29 points are too few for a phase's look, 3.9 of a
    percent are not."""
    found = phased(small, (BEFORE, 500), (BODY, 498), (AFTER, 2))
    axes = Figure().add_subplot()
    shown = _draw_phases(axes, found, USUAL, 10 * INCHES)
    assert parts(axes) == {"prologue": [(0, 50)], "time steps": [(50, 49.8)], "epilogue": [(99.8, 0.2)]}
    assert written(axes) == [
        (25, 0, "prologue\n50.0 %"), (74.9, 0, "time steps\n49.8 %"), (101, 0, "epilogue 0.2 %"),
    ]  # fmt: skip
    assert shown == {"smaller parts": SMALL}, "2 points wide"
    assert axes.get_xlabel() == "% of the 1,000 cycles of the run"
    assert (axes.get_xlim(), [label.get_text() for label in axes.get_yticklabels()]) == ((0, 100), ["run"])


@pytest.mark.parametrize(
    ("cycles", "shown", "text"),
    [
        (300, "epilogue (of the run)", "epilogue 3.0 %"),  # three points
        (299, "smaller parts", "epilogue 3.0 %"),
        (40, "smaller parts", "epilogue 0.4 %"),  # two fifths of a point
        (39, "", "epilogue 0.4 %"),
        (10, "", "epilogue 0.1 %"),
        (9, "", ""),
    ],
)
def test_a_narrow_phase_is_explained_as_far_as_it_is_seen(
    small: Simulation, cycles: int, shown: str, text: str
) -> None:
    """A percent is a point wide; the time steps, of 97 points or more, have their name in the bar."""
    axes = Figure().add_subplot()
    found = _draw_phases(axes, phased(small, (BODY, 10_000 - cycles), (AFTER, cycles)), USUAL, INCHES)
    assert list(found) == ([shown] if shown else [])
    assert written(axes)[-1] == (101, 0, text)


def test_rows_legend_and_axis_of_the_whole_picture(small: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller parts stand last in the legend, whatever they are parts of."""
    nothing = dict.fromkeys(STEP_BUCKETS, 0.0)
    length = small.stats.body_cycles
    stacks = {
        "mac_array": nothing | {"useful": 0.996 * length, "wait_port": 0.004 * length},
        "dram": nothing | {"useful": 0.25 * length, "idle": 0.75 * length},
    }
    monkeypatch.setattr(figure_stack, "step_stacks", lambda _: stacks)
    with style():
        figure = stack_figure(phased(small, (BEFORE, 1), (BODY, 985), (AFTER, 14)))
    axes = figure.axes[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MAC array", "DRAM"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first unit is on top"
    assert axes.get_xlim() == (0, 100)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["epilogue (of the run)", "useful", "idle", "smaller parts"]
    assert np.sum([[bar.get_width() for bar in bars] for bars in axes.containers], axis=0) == pytest.approx([100, 100])
