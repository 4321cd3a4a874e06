"""Which parts of a run the picture of utilization shows, and over how long its means are, by hand."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from archsim.api import Simulation
from archsim.program.ir import PhaseKind
from archsim.report.figures import figure_utilization
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_utilization import (
    Means,
    Part,
    _draw_part,
    _ends,
    _in_steps,
    _legend,
    _row_name,
    _width_ratios,
    means_of,
    phase_means,
    run_parts,
    utilization_figure,
)
from archsim.report.figures.look import USUAL, Look
from archsim.trace import Timeline
from archsim.trace.data import PhaseTrace


def simulation(**parts: object) -> Simulation:
    """Something with those parts of a run."""
    found: Any = SimpleNamespace(**parts)
    return found  # type: ignore[no-any-return]


def phase(kind: PhaseKind, start: int, end: int) -> PhaseTrace:
    return PhaseTrace(kind.value, kind, start, end, ())


def run(*phases: PhaseTrace, busy: tuple[tuple[int, ...], ...] = (), bin_cycles: int = 1) -> Simulation:
    """A run of those phases on a machine of 500 MHz; `busy`: the bins of the unit "mac_array" in each of them."""
    timelines = tuple(
        {"mac_array": Timeline(found.start, bin_cycles, own)} for found, own in zip(phases, busy, strict=bool(busy))
    )
    body = sum(found.cycles for found in phases if found.kind is PhaseKind.BODY)
    return simulation(
        trace=SimpleNamespace(
            phases=phases, total_cycles=phases[-1].end, timelines=timelines, units={"mac_array": None}
        ),
        program=SimpleNamespace(phases=[None] * len(phases)),
        stats=SimpleNamespace(body_cycles=body),
        workload=SimpleNamespace(spec=SimpleNamespace(steps=12)),
        arch=SimpleNamespace(config=SimpleNamespace(clock_mhz=1500.0)),
    )


BODY, BEFORE, AFTER = PhaseKind.BODY, PhaseKind.PROLOGUE, PhaseKind.EPILOGUE


def test_a_prologue_of_16_percent_has_an_axis_of_its_own() -> None:
    long = run(phase(BEFORE, 0, 160), phase(BODY, 160, 900), phase(AFTER, 900, 1000))
    assert run_parts(long) == [Part((0,), 0, 160, "prologue"), Part((1, 2), 160, 1000, "12 time steps, epilogue")]
    short = run(phase(BEFORE, 0, 159), phase(BODY, 159, 900), phase(AFTER, 900, 1000))
    assert run_parts(short) == [Part((0, 1, 2), 0, 1000, "prologue, 12 time steps, epilogue")]


def test_all_that_comes_before_the_first_step_is_one_part_and_no_part_is_empty() -> None:
    several = run(phase(BEFORE, 0, 100), phase(BEFORE, 100, 300), phase(BODY, 300, 400), phase(BODY, 400, 450))
    assert [found.phases for found in run_parts(several)] == [(0, 1), (2, 3)]
    no_steps = run(phase(BEFORE, 0, 50), phase(BODY, 50, 50))
    assert [(found.start, found.stop) for found in run_parts(no_steps)] == [(0, 50), (50, 51)]


def test_the_prologue_has_its_share_of_the_width_and_two_fifths_at_most() -> None:
    def ratios(start: int) -> list[float]:
        return _width_ratios([Part((0,), 0, start, ""), Part((1,), start, 1000, "")])

    assert ratios(250) == [0.25, 0.75]
    assert ratios(900) == [0.4, 0.6]
    assert _width_ratios([Part((0,), 0, 1000, "")]) == [1.0]


@pytest.mark.parametrize(
    ("step", "bin_cycles", "means"),
    [
        (400, 1, Means(4.0, 1 / 100)),  # 800 cycles have 200 means of 4: 100 of them in a step of 400 cycles
        (32, 1, Means(4.0, 1 / 8)),  # 8 in a step: just enough
        (30, 1, Means(30.0, 1)),  # 7: then a mean is that of a step
        (3, 1, Means(6.0, 2)),  # of two steps, which are 4 cycles or more
        (2, 1, Means(4.0, 2)),
        (400, 2, Means(400 / 25, 1 / 25)),  # of 8 bins of 2 cycles, 16
        (20, 16, Means(140.0, 7)),  # of 8 bins of 16 cycles, 128: seven steps
        (0, 1, Means(4.0, 0)),  # a phase without steps
    ],
)
def test_means_are_over_whole_steps_or_a_whole_part_of_one(
    step: int, bin_cycles: int, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_utilization, "body_cycles_per_step", lambda *_: step)
    found = run(phase(BEFORE, 0, 200), phase(BODY, 200, 1000), busy=((0,), (0,)), bin_cycles=bin_cycles)
    taken = means_of(found, 1, Part((1,), 200, 1000, ""))
    assert dataclasses.astuple(taken) == pytest.approx(dataclasses.astuple(means))


def test_means_are_over_eight_of_the_widest_bins_of_any_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins of 4 cycles: 32 cycles or more, of a step of 320 cycles a tenth."""
    monkeypatch.setattr(figure_utilization, "body_cycles_per_step", lambda *_: 320)
    found = run(phase(BODY, 0, 800), busy=((0,),), bin_cycles=4)
    for other in (1, 2):
        both = {"first": Timeline(0, other, (0,)), **found.trace.timelines[0], "last": Timeline(0, other, (0,))}
        found.trace.timelines = (both,)  # type: ignore[misc]
        assert means_of(found, 0, Part((0,), 0, 800, "")) == Means(32.0, 1 / 10)


def test_no_mean_is_over_less_than_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_utilization, "body_cycles_per_step", lambda *_: 0)
    found = run(phase(BODY, 0, 50), busy=((0,),))
    assert means_of(found, 0, Part((0,), 0, 50, "")) == Means(1, 0)


def test_windows_of_means_begin_with_the_phase_and_the_last_ends_with_it() -> None:
    """Bins of 10 cycles from 100 on, of which 10, 5, 0 and 3 are busy; the last one has 4 cycles, up to 134.

    Over 15 cycles: 12.5 of 15, 2.5 of 15, and of the last 4, all of which are in the last bin, 3.
    """
    timeline = Timeline(100, 10, (10, 5, 0, 3))
    heights, edges = phase_means(timeline, 100, 134, 15.0)
    assert edges.tolist() == [100, 115, 130, 134]
    assert heights == pytest.approx([100 * 12.5 / 15, 100 * 2.5 / 15, 75.0])
    heights, edges = phase_means(timeline, 100, 134, 17.0)
    assert edges.tolist() == [100, 117, 134], "no window of nothing at the end"


def drawn(found: Simulation, part: Part) -> tuple[list[float], list[str]]:
    """Where lines between phases stand, and what is written."""
    axes = Figure().add_subplot()
    _draw_part(axes, found, "mac_array", part, dict.fromkeys(part.phases, Means(4.0, 1)))
    assert axes.get_xlim() == (part.start, part.stop)
    return [float(np.asarray(line.get_xdata())[0]) for line in axes.lines], [text.get_text() for text in axes.texts]


def test_phases_begin_at_a_line_but_the_first_of_a_part_and_the_handover_of_a_layer() -> None:
    handover = PhaseKind.HANDOVER
    found = run(
        phase(BEFORE, 0, 10), phase(BODY, 10, 20), phase(handover, 20, 30), phase(BODY, 30, 40), phase(AFTER, 40, 50),
        busy=((0,), (0,), (0,), (0,), (3,)), bin_cycles=10,
    )  # fmt: skip
    assert drawn(found, Part((0, 1, 2, 3, 4), 0, 50, "")) == ([10, 30, 40], [])
    assert drawn(found, Part((1, 2, 3), 10, 40, "")) == ([30], ["no op"])


def test_a_row_is_named_with_its_shares_of_run_and_steps() -> None:
    """10 + 20 + 5 of 100 cycles, and in the bodies 10 + 5 of 60."""
    found = run(
        phase(BODY, 0, 20), phase(BEFORE, 20, 60), phase(BODY, 60, 100), busy=((10, 0), (20,), (2, 3)), bin_cycles=20
    )
    assert _row_name(found, "mac_array", ("busy ", "the time steps")) == (
        "MAC array: busy 35.0 % of the run, 25.0 % of the time steps"
    )
    assert _ends(found, USUAL) == ("busy ", "the time steps")
    assert _ends(found, Look(width_inches=2.5)) == ("", "steps")


def legend(found: Simulation, means: dict[int, Means]) -> tuple[str, list[str]]:
    figure = Figure()
    _legend(figure, USUAL, found, means)
    (one,) = figure.legends
    return one.get_title().get_text(), [text.get_text() for text in one.get_texts()]


def test_the_legend_says_over_how_long_means_are() -> None:
    one = run(phase(BODY, 0, 20), phase(AFTER, 20, 30))
    layers = run(phase(BODY, 0, 20), phase(BODY, 20, 50), phase(AFTER, 50, 60))
    title = "cycle of the run (1,500 cycles = 1 us)"
    assert legend(one, {0: Means(40.0, 4), 1: Means(3.0, 0)}) == (
        title, ["mean over 4 time steps (40 cycles)", "next phase begins"],
    )  # fmt: skip
    assert legend(layers, {0: Means(2.5, 1 / 8), 1: Means(5.0, 1 / 8)}) == (
        title, ["mean over 1/8 of a time step", "next layer or phase begins"],
    )  # fmt: skip
    several = ["mean over 1/8 of a time step or 1 time step", "next layer or phase begins"]
    assert legend(layers, {0: Means(20.0, 1 / 8), 1: Means(20.0, 1)})[1] == several
    assert legend(run(phase(BODY, 0, 20)), {0: Means(12.5, 1)})[1] == ["mean over 1 time step (12.5 cycles)"]


def test_a_duration_in_steps_is_said_as_a_part_or_a_number_of_them() -> None:
    assert [_in_steps(Means(1.0, steps)) for steps in (1 / 9, 1, 4)] == [
        "1/9 of a time step", "1 time step", "4 time steps",
    ]  # fmt: skip


def whole(*phases: PhaseTrace, busy: tuple[tuple[int, ...], ...], monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The picture of a run of one unit, whose steps take 100 cycles."""
    monkeypatch.setattr(figure_utilization, "body_cycles_per_step", lambda *_: 100)
    found = run(*phases, busy=busy, bin_cycles=100)
    found.stats.workload, found.stats.arch, found.stats.schedule = "w", "a", "s"  # type: ignore[misc]
    with style():
        return utilization_figure(found)


def test_parts_have_their_share_of_the_run_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading takes 300 of 1,000 cycles; the scale of shares stands beside the first picture alone."""
    phases = phase(BEFORE, 0, 300), phase(BODY, 300, 900), phase(AFTER, 900, 1000)
    figure = whole(*phases, busy=((100, 0, 0), (60,) * 6, (0,)), monkeypatch=monkeypatch)
    first, rest = figure.axes
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "prologue\n30.0 % of the run", "12 time steps, epilogue\n70.0 % of the run",
    ]  # fmt: skip
    assert (first.get_xlim(), rest.get_xlim()) == ((0, 300), (300, 1000))
    assert [axes.yaxis.get_tick_params()["labelleft"] for axes in figure.axes] == [True, False]
    assert "prologue and time steps have scales of their own" in figure.get_suptitle()
    assert [text.get_text() for text in first.texts] == ["MAC array: busy 46.0 % of the run, 60.0 % of the time steps"]


def test_a_run_with_a_short_prologue_is_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = whole(phase(BEFORE, 0, 100), phase(BODY, 100, 1000), busy=((0,), (50,) * 9), monkeypatch=monkeypatch)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "prologue, 12 time steps, epilogue"
    assert "scales of their own" not in figure.get_suptitle()
