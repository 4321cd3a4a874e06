"""Figures for print: each is the same bytes every time, keeps its text, and has nothing cut off or on top of a text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from archsim.api import Simulation, simulate
from archsim.api.explain import find
from archsim.errors import OutputError
from archsim.families.load import load_arch
from archsim.hardware.operators import OperatorKind
from archsim.program.ir import DataKind
from archsim.report import plot_timeline, plot_utilization
from archsim.report.figures import figure_energy
from archsim.report.figures.drawing import drawn, in_words, quantity, style
from archsim.report.figures.figure_stack import _phases
from archsim.report.figures.kinds import OF_NUMBERS, FigureKind, figure_of, why_none
from archsim.report.figures.look import ONE_COLUMN_INCHES, USUAL, FigureFormat, Look, width_of
from archsim.report.looks import cycle_looks, use_looks
from archsim.report.looks.cycle_looks import CYCLE_LOOKS, CycleLook
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.op_looks import LOOKS, MACS, MIXED, OTHER, SIGMOID, TANH, op_look
from archsim.report.looks.roof_looks import levels, roof_looks
from archsim.report.looks.use_looks import SMALL, USE_LOOKS, data_look, operator_look
from archsim.workload import load_workload
from tests.present import present
from tests.report.accuracy_runs import run_formats
from tests.report.conftest import Run
from tests.rings import exhaustive, few

COLUMN = Look(width_inches=ONE_COLUMN_INCHES, font_points=7, dpi=100, title=False)
OF_TIME = [kind for kind in FigureKind if kind not in OF_NUMBERS]


@pytest.fixture(scope="module")
def layers(run: Run) -> Simulation:
    """Three layers one after the other, of which each has a prologue of its own to wait for."""
    return run(workload=("input_size=8", "hidden_size=8", "steps=6", "num_layers=3"), timing_only=True)


def figure(kind: FigureKind, simulation: Simulation, look: Look = USUAL) -> Figure:
    path = find(simulation).path if kind is FigureKind.TIMELINE else ()
    with style(look):
        found = figure_of(kind, simulation, look, path)
        found.draw_without_rendering()
    return found


def texts(found: Figure) -> list[str]:
    return [text.get_text() for text in found.findobj(Text) if text.get_text().strip()]


def boxes(found: Figure) -> list[tuple[str, Bbox]]:
    """Each text that is to be seen, and where it stands."""
    beyond = set()  # labels of ticks that are beyond an axis's limits, which are not drawn
    for axes in found.axes:
        for labels, (low, high), place in (
            (axes.get_xticklabels(), sorted(axes.get_xlim()), 0),
            (axes.get_yticklabels(), sorted(axes.get_ylim()), 1),
        ):
            beyond |= {id(label) for label in labels if not low <= label.get_position()[place] <= high}
    return [
        (text.get_text(), text.get_window_extent())
        for text in found.findobj(Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in beyond
    ]


@pytest.mark.parametrize("kind", few(OF_TIME, 2))
@pytest.mark.parametrize("file_format", [FigureFormat.SVG, FigureFormat.PDF])
def test_a_vector_figure_is_the_same_bytes_without_a_date(
    kind: FigureKind, file_format: FigureFormat, small: Simulation
) -> None:
    one, two = (drawn(lambda: figure_of(kind, small, COLUMN), COLUMN, file_format) for _ in range(2))
    assert one == two
    assert b"CreationDate" not in one
    assert b"<dc:date>" not in one
    assert one.startswith(b"<?xml" if file_format is FigureFormat.SVG else b"%PDF")


def test_text_of_an_svg_is_text_and_fonts_of_a_pdf_are_embedded(small: Simulation) -> None:
    svg = drawn(lambda: figure_of(FigureKind.UTILIZATION, small, COLUMN), COLUMN, FigureFormat.SVG).decode()
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert "no op" in found
    assert any(text.startswith("MAC array: ") for text in found)
    assert not any("lstm_3_2_t4" in text for text in found), "no title was asked for"
    pdf = drawn(lambda: figure_of(FigureKind.UTILIZATION, small, COLUMN), COLUMN, FigureFormat.PDF)
    assert b"/FontFile2" in pdf


@pytest.mark.parametrize("look", [USUAL, COLUMN], ids=["usual", "column"])
@pytest.mark.parametrize("kind", few(OF_TIME, 2))
def test_nothing_is_cut_off_and_no_two_texts_overlap(kind: FigureKind, look: Look, layers: Simulation) -> None:
    found = figure(kind, layers, look)
    assert found.get_figwidth() == look.width_inches
    page = found.bbox
    places = boxes(found)
    for text, box in places:
        assert box.x0 >= -1, text
        assert box.x1 <= page.x1 + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= page.y1 + 1, text
    for (one, first), (two, second) in combinations(places, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        along = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across < 1.5 or along < 1.5, (one, two)


@pytest.mark.parametrize("kind", few(OF_TIME, 1))
def test_the_font_and_the_title_are_those_that_were_asked_for(kind: FigureKind, small: Simulation) -> None:
    for look in (COLUMN, dataclasses.replace(USUAL, font_points=11)):
        found = figure(kind, small, look)
        sizes = {float(text.get_fontsize()) for text in found.findobj(Text) if text.get_text().strip()}
        assert sizes <= {look.font_points, look.font_points + 1}
        assert (found.get_suptitle() == "") is not look.title


def test_each_layer_has_a_panel_that_is_named(layers: Simulation) -> None:
    titles = [axes.get_title(loc="left") for axes in figure(FigureKind.TIMELINE, layers).axes]
    assert [title.partition(",")[0] for title in titles] == ["Layer 0", "Layer 1", "Layer 2"]


def test_of_many_layers_the_longest_are_drawn_and_the_others_counted(run: Run) -> None:
    many = run(workload=("input_size=2", "hidden_size=2", "steps=3", "num_layers=6"), timing_only=True)
    found = figure(FigureKind.TIMELINE, many)
    assert len(found.axes) == 4
    assert "4 of 6 layers, those that take longest" in found.get_suptitle()


def test_a_legend_has_a_line_for_a_group_of_kinds(run: Run) -> None:
    """A GRU in split order has some 17 names of ops in two directions; they are 8 groups, and 4 lines more."""
    found = run(
        workload=("kind=gru", "input_size=8", "hidden_size=8", "bidirectional=true", "num_layers=2"),
        schedule="split",
        timing_only=True,
    )
    legend = [text.get_text() for text in figure(FigureKind.TIMELINE, found).legends[0].get_texts()]
    assert len(legend) == len(set(legend)) <= 12
    assert "another op" not in legend


@pytest.mark.parametrize(
    ("label", "look"),
    [
        ("mac[3]", MACS), ("l2.mac[0.1]", MACS), ("l0r.mac_h[1]", MACS), ("h_f[2]", MACS),
        ("sigmoid_ifo[0]", SIGMOID), ("l1.sigmoid_rz[0]", SIGMOID), ("tanh_c[0]", TANH), ("mine[0]", OTHER),
    ],
)  # fmt: skip
def test_a_kind_of_op_looks_the_same_in_every_run(label: str, look: object) -> None:
    assert op_look(label) is look


def test_no_two_groups_look_alike() -> None:
    assert len({(look.colour, look.hatch) for look in LOOKS}) == len(LOOKS)
    assert len({look.words for look in LOOKS}) == len(LOOKS)


def test_the_run_is_one_bar_above_those_of_its_time_steps(small: Simulation, layers: Simulation) -> None:
    """The prologue is not left out: all phases together are the run."""
    for simulation, names in ((small, ["time steps"]), (layers, ["layer 0", "layer 1", "layer 2"])):
        phases = _phases(simulation)
        assert [name for name, _, _ in phases] == ["prologue", *names, "epilogue"]
        assert sum(cycles for _, _, cycles in phases) == simulation.trace.total_cycles
        top = figure(FigureKind.CYCLE_STACK, simulation).axes[0]
        assert top.get_xlabel() == f"% of the {simulation.trace.total_cycles:,} cycles of the run"
        assert sum(bar.get_width() for bars in top.containers for bar in bars) == pytest.approx(100)


def test_what_stands_in_the_legend_of_the_stack_is_seen_in_a_bar(small: Simulation, long: Simulation) -> None:
    for simulation in (small, long):
        found = figure(FigureKind.CYCLE_STACK, simulation)
        bars = found.axes[1]
        widest = {
            str(bars_of.get_label()): max(bar.get_window_extent().width for bar in bars_of) * 72 / found.dpi
            for bars_of in bars.containers
        }
        parts = [part for axes in found.axes for bars_of in axes.containers for part in bars_of]
        specks = [part for part in parts if to_hex(part.get_facecolor()) == SMALL.colour]
        speck = max((bar.get_window_extent().width for bar in specks), default=0.0) * 72 / found.dpi
        for text in found.legends[0].get_texts():
            words = text.get_text()
            if words == "smaller parts":  # dark, without an edge that would hide them
                assert 0.4 < speck < 3
            else:
                assert widest[words] > 2, words


def test_markers_of_a_roofline_that_would_overlap_hang_below_each_other() -> None:
    """Three within a tenth of a decade hang at levels 0, 1 and 2; the next, half a decade on, stands at its place."""
    found = levels({"a": 10.0, "b": 11.0, "c": 10.5, "d": 33.0}, 0.1)
    assert found == {"a": 0, "c": 1, "b": 2, "d": 0}


def test_no_two_markers_of_a_roofline_overlap(small: Simulation, long: Simulation) -> None:
    for simulation in (small, long):
        found = figure(FigureKind.ROOFLINE, simulation)
        (axes,) = found.axes
        lines = [np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())]) for line in axes.lines]
        places = [axes.transData.transform(line[0]) for line in lines if len(line) == 1]
        size = 6 * found.dpi / 72
        assert len(places) > 3
        for one, two in combinations(places, 2):
            assert max(abs(one - two)) > size


def test_memories_of_one_bandwidth_have_one_slope_that_names_both(small: Simulation) -> None:
    found = small.stats.roofline
    looks = roof_looks(found)
    assert list(looks) == list(found.ceilings)
    for one, two in combinations(found.ceilings, 2):
        same = found.ceilings[one].bandwidth_gb_per_s == found.ceilings[two].bandwidth_gb_per_s
        assert ((looks[one].slope, looks[one].dash) == (looks[two].slope, looks[two].dash)) is same
        assert looks[one].marker != looks[two].marker
    (axes,) = figure(FigureKind.ROOFLINE, small).axes
    sloped = [
        line for line in axes.lines if len(np.unique(np.asarray(line.get_ydata()))) == 2 and line.get_zorder() == 2
    ]
    assert len(sloped) == len({look.slope for look in looks.values()})


def test_logarithmic_axes_have_two_decades(small: Simulation) -> None:
    (axes,) = figure(FigureKind.ROOFLINE, small).axes
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        inside = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
        assert len(inside) >= 2
        assert all(float(f"{tick:e}".partition("e")[0]) == 1 for tick in inside)


def test_a_colour_of_energy_means_one_use(small: Simulation) -> None:
    """Every kind of data and of operator has a use, whose look does not depend on how much it takes."""
    assert {data_look(kind, written) for kind in DataKind for written in (False, True)} <= set(USE_LOOKS)
    assert {operator_look(kind) for kind in OperatorKind} <= set(USE_LOOKS)
    energy = present(small.stats.energy)
    for name in energy.part_uj:
        assert sum(figure_energy.uses_of(small, name).values()) == pytest.approx(energy.part_uj[name])


def grey(colour: str) -> float:
    """How light a colour is in grey, from 0 to 1: the weights of ITU-R BT.601, as printers' drivers have them."""
    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize(
    "looks",
    [
        (*LOOKS, MIXED),
        (*CYCLE_LOOKS.values(), cycle_looks.OTHER, cycle_looks.SMALL),
        (*USE_LOOKS, use_looks.SMALL),
    ],
    ids=["ops", "cycles", "uses"],
)
def test_looks_of_one_hatch_are_told_apart_in_grey(looks: Sequence[NamedLook | CycleLook]) -> None:
    for one, two in combinations(looks, 2):
        assert one.hatch != two.hatch or abs(grey(one.colour) - grey(two.colour)) > 0.1, (one, two)


@pytest.mark.parametrize("look", [pytest.param(USUAL, marks=exhaustive, id="usual"), pytest.param(COLUMN, id="column")])
def test_the_legend_of_a_timeline_has_what_is_drawn_and_no_more(
    look: Look, long: Simulation, layers: Simulation
) -> None:
    """A colour that is drawn is explained; a hatch is in the legend where a bar has it, and only there."""
    for simulation in (long, layers):
        found = figure(FigureKind.TIMELINE, simulation, look)
        drawn: dict[str, bool] = {}
        for axes in found.axes:
            for bars in axes.findobj(PolyCollection):
                inside = any(path.get_extents().x1 > axes.get_xlim()[0] for path in bars.get_paths())
                if bars.get_label() in ("op", "short ops") and inside:
                    colour = to_hex(np.asarray(bars.get_facecolor())[0])
                    drawn[colour] = drawn.get(colour, False) or bool(bars.get_hatch())
        patches = [patch for patch in found.legends[0].get_patches() if patch.get_label() != "paler: in the pipeline"]
        assert {to_hex(patch.get_facecolor()): bool(patch.get_hatch()) for patch in patches} == drawn


def test_the_critical_path_is_drawn_in_the_timeline_of_a_stream() -> None:
    """The run of all frames, one behind the other, has one as any run has, though the latency is a frame's."""
    stream = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,2,t=4,streaming=1"), timing_only=True)
    found = find(stream)
    assert found.path[0].start == 0
    assert found.path[-1].end == stream.stats.latency_cycles
    legend = [text.get_text() for text in figure(FigureKind.TIMELINE, stream).legends[0].get_texts()]
    assert "critical path" in legend


@pytest.mark.parametrize("look", [USUAL, COLUMN], ids=["usual", "column"])
def test_every_colour_of_energy_is_in_the_legend(look: Look, small: Simulation, long: Simulation) -> None:
    """A part narrower than 0.4 points is no colour that anybody sees."""
    for simulation in (small, long):
        found = figure(FigureKind.ENERGY, simulation, look)
        seen = {
            (to_hex(bar.get_facecolor()), str(bar.get_hatch() or ""))
            for bars in found.axes[0].containers
            for bar in bars
            if bar.get_window_extent().width * 72 / found.dpi > 0.4
        }
        explained = {
            (to_hex(patch.get_facecolor()), str(patch.get_hatch() or "")) for patch in found.legends[0].get_patches()
        }
        assert {colour for colour, _ in seen} <= {colour for colour, _ in explained}
        assert {look for look in seen if look[1]} <= explained


def test_dashes_of_a_roofline_are_seen_beside_their_markers(small: Simulation) -> None:
    """A dash and its gap take 6 widths of a line of 1.2 points; on each side of the marker of 6 points one has room."""
    legend = figure(FigureKind.ROOFLINE, small).legends[0]
    for line in legend.get_lines():
        if line.get_linestyle() not in ("-", "None"):
            assert (line.get_window_extent().width * 72 / 150 - 6) / 2 > 6 * 1.2, line.get_label()


@exhaustive
@pytest.mark.parametrize("kind", OF_NUMBERS)
def test_figures_of_numbers_have_room_in_one_column(kind: FigureKind) -> None:
    found = figure(kind, run_formats("q4.12"), COLUMN)
    for text, box in boxes(found):
        assert box.x0 >= -1, text
        assert box.x1 <= found.bbox.x1 + 1, text


def test_what_a_run_does_not_have_is_said(small: Simulation) -> None:
    timed = dataclasses.replace(small, numbers=None, accuracy=None)
    assert why_none(FigureKind.ACCURACY, timed) == "the run is timing only: it computed no numbers"
    assert "float32" in why_none(FigureKind.FORMAT_RANGES, small)
    assert why_none(FigureKind.TIMELINE, small) == ""


def test_a_plot_is_returned_and_written_by_the_end_of_its_name(small: Simulation, tmp_path: Path) -> None:
    assert isinstance(plot_utilization(small), Figure)
    found = plot_utilization(small, tmp_path / "a.svg", COLUMN)
    assert found.axes[0].get_ylim() == (0, 105)
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    with pytest.raises(OutputError, match=r"a.gif: a figure's name ends in .png, .svg, .pdf"):
        plot_timeline(small, tmp_path / "a.gif")


@pytest.mark.parametrize(
    ("text", "inches"), [("one", 3.5), ("two", 7.16), ("8.8cm", 8.8 / 2.54), ("88 mm", 8.8 / 2.54), ("5in", 5.0)]
)
def test_a_width_is_a_column_or_a_length(text: str, inches: float) -> None:
    assert width_of(text) == pytest.approx(inches)


@pytest.mark.parametrize("text", ["8.8", "three", "1cm", "-5cm", "2m", ""])
def test_another_width_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(OutputError) as caught:
        width_of(text)
    assert str(caught.value).startswith("--width")
    assert "\n" not in str(caught.value)


def test_names_become_words_with_units() -> None:
    assert [in_words(name) for name in ("mac_array", "weight_sram", "mine")] == ["MAC array", "weight SRAM", "mine"]
    assert [quantity(name) for name in ("body_us", "energy_uj", "area_mm2", "bits")] == [
        "body (us)", "energy (uJ)", "area (mm\u00b2)", "bits",
    ]  # fmt: skip
