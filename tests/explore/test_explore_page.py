"""The page of an exploration: what it shows of how many designs, and its charts in a headless Chromium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.explore import Space, Status
from archsim.explore.page import page as pages
from archsim.explore.page import page_data
from archsim.explore.page.page import SECTIONS, html_page
from archsim.explore.page.page_data import designs_chart
from archsim.explore.results.study import Study
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write
from tests.explore.test_pages_and_figures import study_of
from tests.pages import Parsed, opened

EVIL = "<img src=x onerror=alert(1)>"


def many(space: Space, count: int) -> Study:
    """Designs whose first objective falls as the second rises, but every third, which is worse in both."""
    return study_of(space, [(1.0 + n + 50 * (n % 3 == 2), float(count - n + 50 * (n % 3 == 2))) for n in range(count)])


def test_few_designs_are_all_shown_with_their_front_first(write: Write) -> None:
    """Of (1, 6), (2, 5), (53, 54), (4, 3), (5, 2), (56, 51) the third and the last are dominated."""
    chart = designs_chart(many(Space.load(write()), 6))
    assert (chart.evaluated, chart.front, chart.front_left_out) == (6, 4, 0)
    assert chart.numbers == (0, 1, 3, 4, 2, 5)
    assert [axis.values for axis in chart.objectives] == [(1, 2, 4, 5, 53, 56), (6, 5, 3, 2, 54, 51)]
    assert [axis.log for axis in chart.objectives] == [True, True]
    assert chart.densities == ()
    (rows,) = chart.inputs  # the others are the same in all
    assert (rows.name, rows.texts) == ("mac_array.rows", ("2", "4", "8", "16"))
    assert rows.places == (0, 1, 3, 0, 2, 1)


def test_too_many_designs_are_counted_in_cells_and_the_front_is_kept(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_data, "MOST_DESIGNS", 30)
    monkeypatch.setattr(page_data, "MOST_FRONT", 20)
    study = many(Space.load(write()), 90)
    chart = designs_chart(study)
    assert (chart.evaluated, chart.front, chart.front_left_out) == (90, 20, 40)
    assert len(chart.numbers) == 30
    front = [point.number for point in study.pareto()]
    assert (chart.numbers[0], chart.numbers[19]) == (front[0], front[-1]), "the ends of the front stay"
    (density,) = chart.densities
    counts = np.array(density.counts)
    assert counts.sum() == 90, "every evaluated design is counted"
    values = np.array([point.objectives for point in study.points])
    column = (values[:, 0] >= density.x_edges[3]) & (values[:, 0] < density.x_edges[4])
    assert counts[:, 3].sum() == column.sum()
    text = Parsed(html_page(study, {})).texts["designs"]
    assert "30 of the evaluated designs one by one: the front but 40 designs of it" in text


@pytest.mark.parametrize("same", [(3.0, 3.0), (0.0, 0.0)])
def test_objectives_that_are_all_the_same_have_cells_too(
    write: Write, monkeypatch: pytest.MonkeyPatch, same: tuple[float, float]
) -> None:
    monkeypatch.setattr(page_data, "MOST_DESIGNS", 4)
    monkeypatch.setattr(page_data, "MOST_FRONT", 2)
    (density,) = designs_chart(study_of(Space.load(write()), [same] * 9)).densities
    assert np.sum(density.counts) == 9


def test_the_table_of_the_front_is_cut_and_says_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 3)
    space = Space.load(write())
    for count, note in ((3, ""), (5, "the first 3 of 5; pareto.csv has all")):
        found = Parsed(html_page(study_of(space, [(float(n), float(-n)) for n in range(count)]), {}))
        assert found.texts["front"].count("archsim run") == 3
        assert (note or "Pareto front") in found.texts["front"]
        assert ("pareto.csv has all" in found.texts["front"]) == bool(note)


def test_names_reasons_and_figures_are_text_and_data(write: Write) -> None:
    study = study_of(Space.load(write()), [(1.0, 2.0), None])
    bad = replace(study.points[1], reason=Reason("capacity", f"{EVIL}: no"), status=Status.FAILED)
    space = replace(study.space, arch_reference=EVIL)
    page = html_page(replace(study, space=space, points=(study.points[0], bad)), {"pareto.png": b"\x89PNG"})
    found = Parsed(page)
    assert f"failed, capacity: {EVIL}" in found.texts["space"]
    assert EVIL in found.texts["space"].partition("workload")[0]
    images = [attributes["src"] for tag, attributes in found.elements if tag == "img"]
    assert images == ["data:image/png;base64,iVBORw=="], "no image but the figure, in the page itself"


def test_nothing_evaluated_is_a_page_too(write: Write) -> None:
    study = study_of(Space.load(write()), [None])
    empty = replace(study, points=(replace(study.points[0], reason=Reason("capacity", "weights: no")),))
    found = Parsed(html_page(empty, {}))
    assert "No design was evaluated." in found.texts["front"]
    assert found.data[0]["numbers"] == []


def _ready(browser: Any, tmp_path: Path, study: Study) -> Any:
    found = opened(browser, tmp_path / "index.html", html_page(study, {}))
    found.tab.wait_for_selector(".chosen")
    return found


def _drag(found: Any, across: Sequence[float]) -> None:
    """Drag over the points from one share of the chart's width and height to another."""
    box = found.tab.locator("#designs .nsewdrag").first.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (across[:2], across[2:])]
    found.tab.mouse.move(*places[0])
    found.tab.mouse.down()
    found.tab.mouse.move(*places[1], steps=5)
    found.tab.mouse.up()


def _chosen(found: Any, count: int) -> list[str]:
    """The designs listed when so many are chosen."""
    found.tab.wait_for_selector(f".chosen:text-matches('^{count} of ')")
    rows: list[str] = found.tab.locator("#designs .table tr td:first-child").all_inner_texts()
    return rows


def test_what_is_chosen_in_one_chart_is_chosen_in_the_other_and_listed(
    browser: Any, write: Write, tmp_path: Path
) -> None:
    """Twelve designs: the left half of an axis from 1 to 12 in logarithms, below 12 ** 0.5 = 3.5, has three of them."""
    study = study_of(Space.load(write()), [(1.0 + n, 13.0 - n) for n in range(12)])
    found = _ready(browser, tmp_path, study)
    assert len(_chosen(found, 12)) == 12
    low, high = found.tab.evaluate("document.querySelector('#designs .chart').layout.xaxis.range.map(Number)")
    middle = 10 ** ((low + high) / 2)
    left = [str(n) for n in range(12) if 1 + n < middle]
    _drag(found, (0.001, 0.001, 0.5, 0.999))
    assert sorted(_chosen(found, len(left))) == sorted(left)
    colours = found.tab.evaluate("document.querySelectorAll('#designs .chart')[1].data[0].line.color")
    assert [n for n, colour in zip(study_numbers(found), colours, strict=True) if colour] == list(map(int, left))
    lines = "document.querySelectorAll('#designs .chart')[1]"
    found.tab.evaluate(f"Plotly.restyle({lines}, {{'dimensions[2].constraintrange': [[-0.1, 0.1]]}}, [0])")
    both = [n for n in left if int(n) % 4 == 0]  # rows are 2, 4, 8, 16 in turn; the range has 2 alone
    assert sorted(_chosen(found, len(both))) == sorted(both)
    found.tab.click("text=show all")
    assert len(_chosen(found, 12)) == 12
    found.tab.select_option("#designs select >> nth=2", label="mac_array.rows")
    for section, _ in SECTIONS:
        found.show(section)
    assert found.said == []
    assert [url[:5] for url in found.asked] == ["file:"]


def study_numbers(found: Any) -> list[int]:
    """The designs of the page, as its data has them."""
    numbers: list[int] = found.tab.evaluate("archsim.runs[0].numbers")
    return numbers


def test_shades_behind_points_count_all_designs(
    browser: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_data, "MOST_DESIGNS", 30)
    found = _ready(browser, tmp_path, many(Space.load(write()), 90))
    sums = "document.querySelector('#designs .chart').data[0].z.flat().reduce((sum, count) => sum + count, 0)"
    assert found.tab.evaluate(sums) == 90
    found.tab.select_option("#designs select >> nth=0", "1")
    found.tab.select_option("#designs select >> nth=1", "0")
    assert found.tab.evaluate(sums) == 90
    assert found.said == []
