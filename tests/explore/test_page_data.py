"""What an exploration's charts show, by hand: axes, cells, orders of values, and sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.explore import Space
from archsim.explore.page import page_data
from archsim.explore.page.page import _shown, html_page
from archsim.explore.page.page_data import designs_chart
from archsim.explore.results import figures
from tests.explore.conftest import Write
from tests.explore.test_pages_and_figures import draw, study_of
from tests.pages import Parsed


def axis_of(write: Write, values: list[Any]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The texts and the places of an input that has these values."""
    study = study_of(Space.load(write()), [(float(n), -float(n)) for n in range(len(values))])
    points = [replace(point, inputs={"x": value}) for point, value in zip(study.points, values, strict=True)]
    (axis,) = designs_chart(replace(study, points=tuple(points))).inputs
    assert axis.name == "x"
    return axis.texts, axis.places


def test_numbers_stand_by_size_and_then_words_by_letters(write: Write) -> None:
    assert axis_of(write, [1024, 2, "b", 0.5, "a", 2]) == (("0.5", "2", "1,024", "a", "b"), (2, 1, 4, 0, 3, 1))
    assert axis_of(write, ["b", None, True]) == (("True", "-", "b"), (2, 1, 0))
    assert axis_of(write, [10, 9]) == (("9", "10"), (1, 0))


def test_inputs_that_are_the_same_everywhere_are_left_out(write: Write) -> None:
    """All, where nothing differs; an input that some points do not have differs."""
    study = study_of(Space.load(write()), [(1.0, 2.0), (2.0, 1.0)])
    one, other = study.points

    def names(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
        points = (replace(one, inputs=first), replace(other, inputs=second))
        return [axis.name for axis in designs_chart(replace(study, points=points)).inputs]

    assert names({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ["b"]
    assert names({"a": 1, "b": 2}, {"a": 1, "b": 2}) == ["a", "b"]
    assert names({"a": 1, "b": 2}, {"a": 1}) == ["b"]


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ((0.0, 60.0), [float(n) for n in range(61)]),  # one wide each
        ((1.0, 2.0**60), [2.0**n for n in range(61)]),  # a factor of two each, beyond a decade
        ((1.0, 10.0), [1 + 9 * n / 60 for n in range(61)]),  # a decade is not beyond
        ((1.0, 10.5), [10.5 ** (n / 60) for n in range(61)]),
        ((4.0, 4.0), [2.0, 6.0]),
        ((-4.0, -4.0), [-6.0, -2.0]),
        ((0.0, 0.0), [-0.5, 0.5]),
    ],
)
def test_edges_of_cells(
    write: Write, monkeypatch: pytest.MonkeyPatch, values: tuple[float, float], edges: list[float]
) -> None:
    monkeypatch.setattr(page_data, "MOST_DESIGNS", 2)
    monkeypatch.setattr(page_data, "MOST_FRONT", 1)
    low, high = values
    study = study_of(Space.load(write()), [(low, 1.0), (high, 1.0), (high, 2.0)])
    (density,) = designs_chart(study).densities
    assert density.x_edges == pytest.approx(edges)
    assert (density.x, density.y) == (0, 1)
    assert (density.y_edges[0], density.y_edges[-1], len(density.y_edges)) == (1, 2, 61)
    counts = np.array(density.counts)
    assert counts.shape == (60, len(edges) - 1)
    # The second objective is 1 of the first two designs, in the first row, and 2 of the last.
    assert counts[0].sum() == 2
    assert counts[-1].sum() == 1
    assert counts[-1, -1 if low < high else 0] == 1


def test_each_pair_of_three_objectives_has_cells(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "MOST_DESIGNS", 2)
    monkeypatch.setattr(page_data, "MOST_FRONT", 1)
    space = Space.load(write(("    name: macs_per_cycle\n", "    name: macs_per_cycle\n  - maximize: area\n")))
    study = study_of(space, [(float(n), 1.0 + n, 2.0 + n) for n in range(5)])
    chart = designs_chart(study)
    assert [(density.x, density.y) for density in chart.densities] == [(0, 1), (0, 2), (1, 2)]
    assert [axis.direction for axis in chart.objectives] == ["minimize", "minimize", "maximize"]
    assert (len(chart.numbers), chart.front, chart.front_left_out) == (1, 1, 4), "all are on the front"
    assert len(chart.commands) == 1
    assert [np.sum(density.counts) for density in chart.densities] == [5, 5, 5]


def test_exactly_as_many_designs_as_are_shown_have_no_cells(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of(Space.load(write()), [(float(n), -float(n)) for n in range(6)] + [(9.0, 9.0), (8.0, 9.0)])
    for most, cells in ((8, 0), (7, 1)):
        monkeypatch.setattr(page_data, "MOST_DESIGNS", most)
        chart = designs_chart(study)
        assert (len(chart.numbers), len(chart.densities)) == (most, cells)


def test_what_the_charts_leave_out_is_said() -> None:
    assert _shown(1200, 1200, 0, "x") == "The charts show every evaluated design."
    text = _shown(5000, 1200, 0, "x has all")
    assert text.startswith("The charts show 1,200 of the evaluated designs one by one: the whole front, and others")
    assert text.endswith("count all; x has all.")
    assert ": the front but 1,234 designs of it, and others" in _shown(5000, 1200, 1234, "x")


def test_the_page_says_how_many_and_what_of(write: Write) -> None:
    """Numbers with commas, of flags the word; a name that is the expression is not said twice."""
    space = Space.load(
        write(
            ("minimize: body_us", "minimize: 2 * body_us"), ("  schedule:", "  activation.lanes: [1, 2]\n  schedule:")
        )
    )
    study = study_of(space, [(1234567.0, 2.0), None])
    (first, second) = study.points
    first = replace(
        first, number=12_345, inputs={**first.inputs, "weight_sram.capacity_bytes": 65536, "activation.lanes": True}
    )
    found = Parsed(html_page(replace(study, points=(first, second)), {}))
    assert "2 points of 96 looked at: 1 evaluated, 1 infeasible, 0 pruned, 0 failed." in found.texts["designs"]
    assert "12,3451.23457e+0622" in found.texts["front"], "the point, the objectives, then the rows"
    assert "65,536True" in found.texts["front"]
    assert "No figures were drawn." in found.texts["figures"]
    text = found.texts["space"]
    assert "minimize macs_per_cycle" not in text
    assert "minimize MACs per cycle: mac_array.rows * mac_array.columns" in text
    assert "weight_sram.banks = mac_array.rows" in text
    assert "grid, seed 0" in text
    assert "256, 2048" in text
    assert "Without figures" not in text


def test_few_values_of_a_parameter_are_all_written_and_of_many_the_ends(write: Write) -> None:
    """Eight are few."""
    for last, shown in ((8, {"1", "4", "8"}), (9, {"1", "9"})):
        lanes = f"activation.lanes: {{linear: {{from: 1, to: {last}, step: 1}}}}\n  schedule:"
        space = Space.load(
            write(
                ("schedule:", lanes),
                ("{log2: {from: 2, to: 16}}", "[32]"),
                ("{linear: {from: 1, to: 5, step: 2}}", "[64]"),
            )
        )
        study = study_of(space, [(100.0, 200.0), (300.0, 150.0)])
        points = tuple(
            replace(
                p, inputs={**p.inputs, "activation.lanes": 1 + p.number, "mac_array.rows": 32, "mac_array.columns": 64}
            )
            for p in study.points
        )
        (axes,) = draw("parallel", replace(study, points=points)).axes
        words = {text.get_text() for text in axes.texts}
        ends = {
            text.get_text(): text.get_position()
            for text in axes.texts
            if text.get_text() in ("100", "150", "200", "300")
        }
        assert {word: (round(x), y) for word, (x, y) in ends.items()} == {
            "100": (5, 0), "300": (5, 1), "150": (6, 0), "200": (6, 1),
        }, "the objectives' axes stand behind those of five parameters"  # fmt: skip
        assert {str(n) for n in range(1, last + 1)} & words == (shown if last == 9 else {str(n) for n in range(1, 9)})


def test_pairs_are_of_five_objectives_at_most(write: Write) -> None:
    more = "".join(f"  - minimize: {word}\n" for word in ("area", "energy", "latency", "traffic"))
    space = Space.load(write(("    name: macs_per_cycle\n", f"    name: macs_per_cycle\n{more}")))
    study = study_of(space, [(1.0,) * 6, (2.0, 0.5, 1.0, 1.0, 1.0, 1.0)])
    figure = draw("pairs", study)
    assert len(figure.axes) == 16
    assert sum(axes.axison for axes in figure.axes) == 4 + 3 + 2 + 1
    assert figures.MOST_PAIRS == 5


def test_an_objective_that_is_to_be_large_says_so(write: Write) -> None:
    space = Space.load(write(("minimize: body_us", "maximize: mac_utilization")))
    figure = draw("pareto", study_of(space, [(0.5, 2.0), (0.25, 1.0)]))
    (axes,) = figure.axes
    assert axes.get_xlabel() == "MAC utilization, more is better"
    assert axes.get_ylabel() == "MACs per cycle"
    shown = [np.asarray(line.get_xdata()).tolist() for line in axes.lines]
    assert shown == [[0.25, 0.5]], "the front from left to right"
    lines = draw("best", study_of(space, [(0.25, 2.0), (0.5, 1.0)])).axes[0].lines
    assert len({line.get_color() for line in lines}) == 2
    best = draw("best", study_of(space, [(0.25, 2.0), (0.5, 1.0), (0.3, 0.5)])).axes[0]
    assert [np.asarray(line.get_ydata()).tolist() for line in best.lines] == [
        [1, 0, 0], pytest.approx([1, 1 / 3, 0]),
    ]  # fmt: skip


def test_importance_is_drawn_for_each_objective_and_parameter(write: Write) -> None:
    """Rows explain (40 - 6) / 48 of the second objective, and nothing of the first, which is the same everywhere."""
    values = [(1.0, float(value)) for value in (0, 2, 4, 6, 2, 4, 6, 8)]
    figure = draw("importance", study_of(Space.load(write()), values))
    (axes,) = figure.axes
    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([0] * 4 + [34 / 48, 0, 0, 0])
    colours = [patch.get_facecolor() for patch in axes.patches]
    assert len(set(colours[:4])) == len(set(colours[4:])) == 1
    assert colours[0] != colours[4], "each objective has a colour"
    places = [patch.get_y() + patch.get_height() / 2 for patch in axes.patches]  # type: ignore[attr-defined]
    assert places == pytest.approx([0, 1, 2, 3, 0.4, 1.4, 2.4, 3.4])
    labels = [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]
    assert labels[0] == "body (us), not by one parameter alone: 100%"
    assert labels[1] == f"MACs per cycle, not by one parameter alone: {1 - 34 / 48:.0%}"
    assert axes.get_yticks().tolist() == pytest.approx([0.2, 1.2, 2.2, 3.2])
    assert axes.get_xlim() == (0, 1)
