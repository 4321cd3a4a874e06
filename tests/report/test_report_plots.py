"""The pictures show what is on record, say their units, and are the same bytes in every run."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from archsim.api import Simulation
from archsim.metrics.stacks import BUCKETS
from archsim.program.ir import PhaseKind
from archsim.report import plot_cycle_stack, plot_energy, plot_roofline, plot_timeline, plot_utilization
from archsim.report.figures import drawing, figure_stack, figure_timeline
from archsim.report.figures.drawing import in_words, legend_columns, style, text_colour
from archsim.report.figures.figure_energy import energy_figure
from archsim.report.figures.figure_roofline import roofline_figure
from archsim.report.figures.figure_stack import stack_figure
from archsim.report.figures.figure_timeline import timeline_figure
from archsim.report.figures.figure_utilization import means_of, phase_means, run_parts, utilization_figure
from archsim.report.figures.gantt import Bar, Gantt, Panel, charted_bodies, gantt, panels
from archsim.report.figures.look import USUAL
from archsim.report.looks.cycle_looks import SMALL
from archsim.report.looks.op_looks import LOAD, MACS, MIXED, SIGMOID, STORE, TANH, op_look
from archsim.report.text.steps import STEP_BUCKETS, step_stacks
from archsim.trace import Timeline, Window
from tests.present import present
from tests.report.conftest import Run
from tests.rings import exhaustive, few

PLOTS = (plot_utilization, plot_timeline, plot_cycle_stack, plot_roofline, plot_energy)
FIGURES = (utilization_figure, timeline_figure, stack_figure, roofline_figure, energy_figure)


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def bars_of(axes: Axes, label: str) -> list[tuple[int, float, float]]:
    """The bars of that label: row, left and right end."""
    bars = []
    for artist in axes.findobj(PolyCollection):
        assert isinstance(artist, PolyCollection)
        for path in artist.get_paths() if artist.get_label() == label else ():
            x, y = np.asarray(path.vertices, float).T
            bars.append((round((float(y.min()) + float(y.max())) / 2), float(x.min()), float(x.max())))
    return bars


@pytest.mark.parametrize("plot", few(PLOTS, 2))
def test_a_picture_is_a_png_of_16_cm_and_the_same_bytes_every_time(
    plot: Callable[[Simulation, Path], None], small: Simulation, tmp_path: Path
) -> None:
    plot(small, tmp_path / "one.png")
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 20, "figure.dpi": 50, "axes.facecolor": "red", "savefig.dpi": 30}):
        plot(small, tmp_path / "two.png")
        assert matplotlib.rcParams["font.size"] == 20
    assert dict(matplotlib.rcParams) == before
    with style():
        axes = utilization_figure(small).axes[0]
    assert {side: axes.spines[side].get_visible() for side in ("left", "bottom", "top", "right")} == {
        "left": True, "bottom": True, "top": False, "right": False
    }  # fmt: skip
    one = (tmp_path / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert struct.unpack(">I", one[16:20])[0] == int(16 / 2.54 * 150)
    assert b"matplotlib" not in one.lower()
    assert b"tEXt" not in one


@pytest.mark.parametrize("figure", FIGURES)
def test_no_font_is_smaller_than_8_points_and_the_run_is_named(
    figure: Callable[[Simulation], Figure], small: Simulation
) -> None:
    with style():
        drawn = figure(small)
        assert min(float(text.get_fontsize()) for text in drawn.findobj(Text) if text.get_text()) >= 8
        assert "lstm_3_2_t4 on edge_64x64, schedule fused_interleaved" in words(drawn)


def steps_of(axes: Axes) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch) and patch.get_fill()]


def test_utilization_has_a_row_a_unit_with_the_busy_cycles_of_the_whole_run(small: Simulation) -> None:
    """Prologue, time steps and epilogue: of each phase the means times the cycles are its busy cycles."""
    with style():
        figure = utilization_figure(small)
    units, phases = list(small.trace.units), small.trace.phases
    columns = len(figure.axes) // len(units)
    assert columns == 2, "the prologue of this run is longer than its four time steps"
    for row, unit in enumerate(units):
        patches = [patch for axes in figure.axes[row * columns : (row + 1) * columns] for patch in steps_of(axes)]
        busy = [100 * sum(timelines[unit].busy) for timelines in small.trace.timelines]
        found = [np.dot(values, np.diff(edges)) for values, edges, _ in (patch.get_data() for patch in patches)]
        assert found == pytest.approx([amount for amount in busy if amount])
    first, rest = figure.axes[:2]
    assert (first.get_xlim(), rest.get_xlim()) == ((0, phases[1].start), (phases[1].start, small.trace.total_cycles))
    text = words(figure)
    assert f"{in_words(units[0])}: busy " in text
    assert "prologue\n" in text
    assert "4 time steps, epilogue\n" in text
    assert "cycle of the run (800 cycles = 1 us)" in text


def test_a_unit_without_an_op_is_no_flat_line_of_zeros(small: Simulation) -> None:
    with style():
        figure = utilization_figure(small)
    loading = figure.axes[2 * list(small.trace.units).index("mac_array")]
    assert not steps_of(loading)
    assert next(text.get_text() for text in loading.texts) == "no op"


def test_means_are_those_of_whole_time_steps_and_do_not_beat(run: Run) -> None:
    """Steps of 100 cycles, 40 of them busy, recorded in bins of 16: over steps the mean is 40 %, over 128 it is not."""
    busy = np.zeros(6400)
    busy[np.arange(6400) % 100 < 40] = 1
    timeline = Timeline(1000, 16, tuple(int(n) for n in busy.reshape(-1, 16).sum(axis=1)))
    heights, edges = phase_means(timeline, 1000, 7400, 400.0)
    assert edges.tolist() == list(range(1000, 7401, 400))
    assert heights == pytest.approx(np.full(16, 40.0), abs=1.5)
    assert np.ptp(phase_means(timeline, 1000, 7400, 128.0)[0]) > 10


def test_the_window_of_a_mean_is_a_part_or_a_multiple_of_a_time_step(run: Run, small: Simulation) -> None:
    for simulation, whole in ((small, False), (run(workload=("steps=300",), timing_only=True), True)):
        part = run_parts(simulation)[-1]
        number = next(n for n in part.phases if simulation.trace.phases[n].kind is PhaseKind.BODY)
        found = means_of(simulation, number, part)
        step = simulation.stats.cycles_per_step
        assert found.window == pytest.approx(found.steps * step)
        assert (found.steps if whole else 1 / found.steps) == pytest.approx(
            round(found.steps if whole else 1 / found.steps)
        )
        with style():
            assert (" of a time step" in words(utilization_figure(simulation))) is not whole


def test_timeline_has_a_bar_for_every_recorded_op(small: Simulation) -> None:
    with style():
        figure = timeline_figure(small)
    assert len(figure.axes) == 1
    (axes,) = figure.axes
    recorded = [record for record in small.trace.records if record.phase == 1]
    drawn, units = {label: bars_of(axes, label) for label in ("op", "short ops", "tail")}, list(small.trace.units)
    body = small.program.phases[1].ops
    for record in recorded:
        row = units.index(body[record.op].unit)
        whole, merged = (row, record.start, record.free), drawn["short ops"]
        assert whole in drawn["op"] or any(row == at and a <= record.start and record.free <= b for at, a, b in merged)
        if record.done > record.free:
            assert any(row == at and record.done <= right for at, _, right in drawn["tail"])
    assert 0 < len(drawn["op"]) < len(recorded), "some of them are short"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["DRAM", "MAC array", "activation", "elementwise"]
    text = words(figure)
    assert axes.get_xlabel() == "cycle of the run (800 cycles = 1 us)"
    kinds = {"MAC tile", "sigmoid", "tanh", "update of c", "update of h", "load", "store"}
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    assert kinds <= legend
    for step in range(4):
        assert f"step {step} ends" in text


def test_looks_of_one_row_differ_in_colour_or_hatch_and_all_ops_have_one(run: Run) -> None:
    """The look follows from the kind of op alone, whatever the run: it is asked for by the label."""
    for schedule in ("fused", "split", "fused_gate_major", "split_gate_major"):
        simulation = run(schedule=schedule, timing_only=True)
        chart = gantt(simulation, charted_bodies(simulation, 1)[0])
        assert all(bar.look is op_look(bar.label) for bar in chart.bars)
        for unit in chart.units:
            mine = {bar.look for bar in chart.bars if bar.unit == unit}
            assert len({(look.colour, look.hatch) for look in mine}) == len(mine)


def test_a_long_step_gets_a_closer_look_at_the_bubble(long: Simulation) -> None:
    chart = gantt(long, charted_bodies(long, 1)[0])
    whole, closer = panels(chart)
    assert closer.stop - closer.start < 0.5 * (whole.stop - whole.start)
    first, last = present(closer.gap)
    assert closer.start < first < last < closer.stop
    # In the bubble the MAC array stands still and h becomes complete.
    assert not [bar for bar in chart.bars if bar.unit == "mac_array" and bar.start < last and bar.free > first]
    assert [cycle for cycle in chart.step_ends.values() if first < cycle <= last]
    ends = sorted(chart.step_ends.values())
    assert any(whole.start < a and b < whole.stop for a, b in pairwise(ends))
    with style():
        figure = timeline_figure(long)
    assert len(figure.axes) == 2
    assert f"{last - first} cycles" in words(figure)


def test_steps_end_when_h_is_complete(small: Simulation) -> None:
    chart = gantt(small, charted_bodies(small, 1)[0])
    body = small.program.phases[1]
    hidden = {index for index, op in enumerate(body.ops) if op.label.startswith("hidden")}
    for step, end in chart.step_ends.items():
        mine = [r.done for r in small.trace.records if r.phase == 1 and r.repetition == step and r.op in hidden]
        assert end == max(mine)


@exhaustive
@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("sets", [(), ("mac_array.rows=4", "mac_array.columns=4")])
def test_the_shortest_runs_have_pictures(run: Run, steps: int, sets: tuple[str, ...], tmp_path: Path) -> None:
    simulation = run(sets, (f"steps={steps}", "hidden_size=40"), timing_only=True)
    for plot in PLOTS:
        plot(simulation, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_a_run_without_records_has_a_timeline_that_says_so(run: Run, tmp_path: Path) -> None:
    simulation = run(window=Window(0, 0))
    with style():
        assert "no time step on record" in words(timeline_figure(simulation))
    plot_timeline(simulation, tmp_path / "empty.png")


def test_the_stack_fills_every_bar_and_names_every_bucket(small: Simulation) -> None:
    with style():
        figure = stack_figure(small)
    _, axes = figure.axes
    stacks = step_stacks(small)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(map(in_words, stacks))
    drawn = {present(container.get_label()): [bar.get_width() for bar in container] for container in axes.containers}
    used = [bucket for bucket in BUCKETS if any(stack.get(bucket) for stack in stacks.values())]
    assert list(drawn) == list(map(in_words, used))
    length = small.stats.body_cycles
    for bucket, widths in zip(used, drawn.values(), strict=True):
        assert widths == pytest.approx([100 * stack[bucket] / length for stack in stacks.values()])
    assert np.sum(list(drawn.values()), axis=0) == pytest.approx(np.full(len(stacks), 100))
    for row in range(len(stacks)):
        bars = [list(container)[row] for container in axes.containers]
        assert [bar.get_x() for bar in bars] == pytest.approx([0, *np.cumsum([bar.get_width() for bar in bars])[:-1]])
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    assert named <= set(drawn)
    assert f"% of the {length:,} cycles of the time steps" == axes.get_xlabel()


def test_reports_load_no_drawing_library_before_they_draw() -> None:
    code = (
        "import sys, archsim.report; heavy = {'matplotlib', 'rich'} & set(sys.modules); assert not heavy, heavy\n"
        "from archsim.report.figures import figure_stack, figure_timeline, figure_utilization\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@exhaustive
def test_pyplot_is_never_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from archsim.api import simulate\n"
        "from archsim.families.load import load_arch\n"
        "from archsim.workload import load_workload\n"
        "from archsim.report import plot_cycle_stack, plot_timeline, plot_utilization\n"
        "run = simulate(load_arch('edge_64x64'), load_workload('lstm_3_2_t4'), timing_only=True)\n"
        "for plot in (plot_cycle_stack, plot_timeline, plot_utilization): plot(run, pathlib.Path(sys.argv[1]))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.png")], check=True)


@pytest.mark.parametrize(
    ("background", "colour"),
    [("#FFFFFF", "black"), ("#F0E442", "black"), ("#56B4E9", "black"), ("#0072B2", "white"), ("#000000", "white")],
)
def test_text_is_dark_on_bright_colours_and_bright_on_dark_ones(background: str, colour: str) -> None:
    assert text_colour(background) == colour


def hand_chart(*bars: Bar, ends: dict[int, int]) -> Gantt:
    return Gantt(("mac_array", "dram"), "mac_array", bars, ends, "step ends")


def drawn_panel(chart: Gantt, start: int, stop: int) -> Axes:
    with style():
        axes = Figure().add_subplot()
        figure_timeline._draw_panel(axes, chart, Panel("panel", start, stop, None), USUAL, figure_timeline.Seen())
    return axes


def test_bars_and_tails_stand_where_their_ops_were() -> None:
    chart = hand_chart(Bar("mac_array", MACS, "mac[0]", 0, 1100, 1400, 1450), ends={})
    axes = drawn_panel(chart, 1000, 2000)
    assert (bars_of(axes, "tail"), bars_of(axes, "op")) == ([(0, 1400, 1450)], [(0, 1100, 1400)])
    (name,) = [text for text in axes.texts if text.get_text() == "mac[0]"]
    assert name.get_position() == (1250, 0)
    behind = {str(found.get_label()): found.get_zorder() for found in axes.findobj(PolyCollection)}
    assert behind["tail"] < behind["op"] < name.get_zorder(), "the name is in front of its bar, the tail behind"


@pytest.mark.parametrize(
    ("cycles", "label", "edge", "hatch"),
    [(5, "short ops", 0.0, ""), (6, "op", 0.5, ""), (10, "op", 0.5, ""), (11, "op", 0.5, "////")],
)
def test_short_bars_are_solid(cycles: int, label: str, edge: float, hatch: str) -> None:
    """775 pixels for 1,000 cycles: 4 pixels, for an edge, are 5.2 cycles, and 8, for a hatch, 10.3."""
    first = Bar("dram", LOAD, "load x", 0, 1000, 1090, 1090)
    bar = Bar("dram", STORE, "store h", 0, 1100, 1100 + cycles, 1100 + cycles)
    axes = drawn_panel(hand_chart(first, bar, ends={}), 1000, 2000)
    (found,) = [
        found
        for found in axes.findobj(PolyCollection)
        if isinstance(found, PolyCollection) and np.asarray(found.get_paths()[0].vertices)[0, 0] == 1100
    ]
    assert found.get_label() == label
    assert np.atleast_1d(found.get_linewidth()).tolist() == [edge]
    assert (found.get_hatch() or "") == hatch
    assert np.asarray(found.get_facecolor())[0].tolist() == list(to_rgba("#E69F00")), (
        "the colour stays that of its kind"
    )


def test_short_bars_next_to_each_other_are_one() -> None:
    """775 pixels for 1,000 cycles: a gap of 2 pixels is one of 2.6 cycles; a hairline is widened to 1.5, 1.9 cycles."""
    starts = {1100: 3, 1103: 1, 1106: 2, 1111: 1, 1300: 1, 1304: 30, 1334: 2}
    kinds = {1103: TANH, 1111: TANH}
    bars = [
        Bar("dram", kinds.get(at, SIGMOID), "", 0, at, at + cycles, at + cycles + 1) for at, cycles in starts.items()
    ]
    axes = drawn_panel(hand_chart(*bars, ends={}), 1000, 2000)
    assert bars_of(axes, "op") == [(1, 1304, 1334)]
    merged = [(1, 1100, 1108), (1, 1111, pytest.approx(1112.9, abs=0.1)), (1, 1300, pytest.approx(1301.9, abs=0.1)),
              (1, 1334, 1336)]  # fmt: skip
    assert bars_of(axes, "short ops") == merged
    found = [found for found in axes.findobj(PolyCollection) if found.get_label() == "short ops"]
    colours = [np.asarray(one.get_facecolor())[0].tolist() for one in found if isinstance(one, PolyCollection)]
    mixed, sigmoid, tanh = (list(to_rgba(look.colour)) for look in (MIXED, SIGMOID, TANH))
    assert colours == [mixed, tanh, sigmoid, sigmoid]
    assert (1, 1108, 1109) in bars_of(axes, "tail"), "the last of them has its tail"


@pytest.mark.parametrize(
    ("inches", "columns"),
    [([0.1] * 5, 3), ([0.1] * 4, 4), ([0.1, 0.1, 5.0, 0.1, 0.1], 2), ([2.0] * 5, 2), ([5.0] * 5, 1)],
)
def test_a_legend_has_as_few_rows_as_fit(inches: list[float], columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five labels in up to four columns have two rows, which three columns hold; 16 cm hold two labels of 2 inches
    beside each other, or one of 5 inches. 0.1, 0.1 | 5.0, 0.1 | 0.1 is too wide, 0.1, 0.1, 5.0 | 0.1, 0.1 is not."""
    labels = {f"label {number}": width for number, width in enumerate(inches)}
    monkeypatch.setattr(drawing, "text_inches", lambda _, text: labels[text])
    assert legend_columns(USUAL, list(labels), 4) == columns


def test_the_legend_explains_merged_bars_where_there_are_some(small: Simulation, long: Simulation) -> None:
    with style():
        legends = [{text.get_text() for text in timeline_figure(run).legends[0].get_texts()} for run in (small, long)]
    assert ["several short ops" in legend for legend in legends] == [False, True]


def test_the_ends_of_steps_are_named_inside_of_the_panel() -> None:
    """Near an edge of the panel the text stands on the side where there is room."""
    chart = hand_chart(
        Bar("mac_array", MACS, "mac[0]", 0, 1000, 2000, 2000), ends={0: 999, 1: 1050, 2: 1500, 3: 1950, 4: 2001}
    )
    axes = drawn_panel(chart, 1000, 2000)
    assert {text.get_text(): text.get_horizontalalignment() for text in axes.texts if "ends" in text.get_text()} == {
        "step 1 ends": "left",
        "step 2 ends": "center",
        "step 3 ends": "right",
    }


@pytest.mark.parametrize(("last", "middle"), [(1700, 1500), (2400, 1650)])
def test_the_length_of_a_gap_stands_in_the_middle_of_what_is_seen_of_it(last: int, middle: float) -> None:
    """Of a gap from 1,300 to 2,400 the panel up to 2,000 shows 700 cycles, with their middle at 1,650."""
    chart = hand_chart(Bar("mac_array", MACS, "", 0, 1100, 1300, 1300), ends={})
    with style():
        axes = Figure().add_subplot()
        panel = Panel("panel", 1000, 2000, (1300, last))
        figure_timeline._draw_panel(axes, chart, panel, USUAL, figure_timeline.Seen())
    (text,) = [text for text in axes.texts if text.get_text().endswith(" cycles")]
    assert (text.get_text(), text.get_position()) == (f"{last - 1300:,} cycles", (middle, -0.06))


def test_a_part_that_is_not_to_be_seen_is_in_no_legend(small: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    length = small.stats.body_cycles
    nothing = dict.fromkeys(STEP_BUCKETS, 0)
    parts = {"useful": 0.99 * length, "padding": 0.0085 * length, "wait_port": 0.001 * length, "idle": 0.0005 * length}
    monkeypatch.setattr(figure_stack, "step_stacks", lambda _: {"mac_array": nothing | parts})
    with style():
        figure = stack_figure(small)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[-2:] == ["useful", "smaller parts"], "of the others no colour is seen"
    drawn = {str(bars.get_label()): to_hex(next(iter(bars)).get_facecolor()) for bars in figure.axes[1].containers}
    assert drawn["padding"] == drawn["wait port"] == SMALL.colour
    inside, behind = figure.axes[1].texts
    assert inside.get_text() == "99.0 %"
    assert behind.get_text() == "padding 0.8 %\nwait port 0.1 %", "what has no room in the bar stands behind it"
    assert behind.get_position()[0] > 100


def test_every_part_of_a_bar_has_a_number(small: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more small parts than there are lines the largest; all numbers together are 100 %."""
    length = small.stats.body_cycles
    shares = {
        "useful": 0.81,
        "padding": 0.02,
        "wait_recurrence": 0.075,
        "wait_input": 0.01,
        "wait_issue": 0.005,
        "idle": 0.08,
    }
    stack = dict.fromkeys(STEP_BUCKETS, 0.0) | {name: share * length for name, share in shares.items()}
    monkeypatch.setattr(figure_stack, "step_stacks", lambda _: {"mac_array": stack})
    with style():
        figure = stack_figure(small)
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == ["81.0 %", "padding 2.0 %\nwait recurrence 7.5 %\nothers 1.5 %"] or texts == [
        "81.0 %",
        "wait recurrence 7.5 %\nidle 8.0 %\nothers 3.5 %",
    ]


def test_a_phase_has_its_name_and_share_in_the_bar_where_there_is_room(
    small: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 and 38 % of a bar have room for both, 2 % have none: they stand behind it, and in the legend."""
    total = small.trace.total_cycles
    phases = [
        ("prologue", PhaseKind.PROLOGUE, 0.6 * total),
        ("4 time steps", PhaseKind.BODY, 0.38 * total),
        ("epilogue", PhaseKind.EPILOGUE, 0.02 * total),
    ]
    monkeypatch.setattr(figure_stack, "_phases", lambda _: phases)
    with style():
        figure = stack_figure(small)
    found = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert found == {
        "prologue\n60.0 %": pytest.approx(30),
        "4 time steps\n38.0 %": pytest.approx(79),
        "epilogue 2.0 %": 101,
    }
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text for text in legend if text.endswith("(of the run)")] == ["epilogue (of the run)"]


def test_numbers_behind_bars_are_in_the_picture_and_apart(small: Simulation, long: Simulation) -> None:
    for run in (small, long):
        with style():
            figure = stack_figure(run)
            figure.draw_without_rendering()
            width = figure.get_window_extent().width
            boxes = [text.get_window_extent() for text in figure.axes[1].texts if text.get_position()[0] > 100]
        assert boxes
        assert all(box.x1 <= width for box in boxes)
        assert all(below.y1 <= above.y0 for above, below in pairwise(boxes) if below.height > 1 and above.height > 1)


def test_the_roofline_reaches_three_times_beyond_what_is_in_it(small: Simulation) -> None:
    """Up to three times the peak, and down to a sixth of the lower point: one that hangs below it has room."""
    found = small.stats.roofline
    with style():
        (axes,) = roofline_figure(small).axes
    bottom, top = axes.get_ylim()
    assert top == pytest.approx(3 * found.peak_gops)
    assert bottom == pytest.approx(min(found.step_gops, found.run_gops) / 6)


def test_every_slope_of_the_roofline_ends_at_the_peak(small: Simulation) -> None:
    """On it the performance is intensity times bandwidth; its corner is in the picture, and so are all points."""
    found = small.stats.roofline
    with style():
        (axes,) = roofline_figure(small).axes
    slopes = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 2 and line.get_linewidth() == 1.2]
    widths = dict.fromkeys(ceiling.bandwidth_gb_per_s for ceiling in found.ceilings.values())
    assert len(slopes) == len(widths), "memories of one bandwidth share their slope"
    for line, width in zip(slopes, widths, strict=True):
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        assert y == pytest.approx(x * width)
        assert y[1] == pytest.approx(found.peak_gops)
        assert axes.get_xlim()[0] < x[1] < axes.get_xlim()[1]
