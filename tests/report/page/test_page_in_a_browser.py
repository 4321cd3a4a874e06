"""The page opened in a headless Chromium: no error, no request, tabs and zooms work, names stay text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from archsim.report.page.page import html_page
from archsim.report.page.page_data import SECTIONS
from archsim.report.page.saved_run import read_run
from tests.pages import Opened, opened


def opened_runs(browser: Any, file: Path, folders: Sequence[Path]) -> Opened:
    return opened(browser, file, html_page([read_run(folder) for folder in folders]))


@pytest.fixture(scope="module")
def page(browser: Any, folder: Path, other: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened_runs(browser, tmp_path_factory.mktemp("open") / "page.html", [folder, other])


def test_every_tab_is_drawn_without_an_error_or_a_request(page: Opened) -> None:
    for section, _ in SECTIONS:
        page.show(section)
        shown = page.tab.evaluate("[...document.querySelectorAll('section.shown')].map((one) => one.id)")
        assert shown == [section]
    charts = page.tab.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.charts')].map((host) => "
        "[host.dataset.section + host.dataset.run, host.querySelectorAll('.chart .main-svg').length > 0]))"
    )
    drawn = {name for name, is_drawn in charts.items() if is_drawn}
    sections = ("latency", "cycles", "utilization", "timeline", "roofline", "traffic", "energy")
    assert drawn == {f"{section}{run}" for section in sections for run in (0, 1)} | {"accuracy0"}
    assert page.tab.evaluate("document.body.dataset.state") == "ready"
    names = page.tab.evaluate(
        "[...new Set([...document.querySelectorAll('.modebar-btn')].map((one) => one.dataset.title))]"
    )
    assert names == ["Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]
    assert page.said == []
    assert [url[:5] for url in page.asked] == ["file:"]


def test_a_drag_zooms_the_utilization_and_its_mean_follows(page: Opened) -> None:
    page.show("utilization")
    before, total = page.range_of("utilization"), page.tab.evaluate("archsim.runs[0].utilization.total_cycles")
    assert before == (0, total)
    box = page.tab.locator("#utilization .chart .nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.tab.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 0.5 * box["width"], y, steps=4)
    page.tab.mouse.up()
    for _ in range(100):  # the page lets nobody evaluate text, as waiting for a function does
        means = page.tab.evaluate("document.querySelector('#utilization .chart').data[1].x")
        if means[0] > 0:
            break
        page.tab.wait_for_timeout(50)
    low, high = page.range_of("utilization")
    assert low == pytest.approx(total / 4, rel=0.05)
    assert high == pytest.approx(total / 2, rel=0.05)
    assert (means[0], means[-1]) == pytest.approx((low, high))
    page.tab.select_option("#utilization select >> nth=0", "0")
    assert page.range_of("utilization") == (0, total)


def test_the_mean_over_the_whole_run_is_what_the_folder_says(page: Opened, folder: Path) -> None:
    """The area below the recorded bins of a unit is the busy cycles: those of its stack that are work or a port."""
    page.show("utilization")
    stacks = json.loads((folder / "stats.json").read_text())["unit_cycle_stacks"]
    for unit in page.tab.evaluate("archsim.runs[0].utilization.units"):
        busy = sum(sum(part["busy"]) for part in unit["bins"])
        assert busy == sum(stacks[unit["unit"]][name] for name in ("useful", "padding", "wait_port"))


def test_an_op_says_what_it_is_and_why_it_waited(page: Opened) -> None:
    page.show("timeline")
    texts = page.tab.evaluate(
        "document.querySelector('#timeline .chart').data.filter((one) => one.hovertext).flatMap((one) => one.hovertext)"
    )
    macs = [text for text in texts if text.startswith("<b>mac")]
    assert any("wait_recurrence: until hidden" in text for text in macs)
    assert all("reads W" in text and "frees its unit" in text for text in macs)


def test_layers_after_each_other_are_all_shown_and_can_be_chosen(page: Opened) -> None:
    page.show("timeline")
    select = "#timeline article:nth-child(2) select"
    page.tab.select_option(select, "2")
    low, high = page.tab.evaluate("document.querySelectorAll('#timeline .chart')[1].layout.xaxis.range.map(Number)")
    group = page.tab.evaluate("archsim.runs[1].timeline.groups[2]")
    assert low <= group["start"] < group["end"] <= high
    assert high - low == pytest.approx(1.04 * (group["end"] - group["start"]))


@pytest.mark.parametrize("section", ["latency", "cycles", "roofline", "traffic", "energy", "accuracy", "timeline"])
def test_no_legend_lies_over_the_title_of_an_axis(page: Opened, section: str) -> None:
    page.show(section)
    places = page.tab.evaluate(
        f"[...document.querySelectorAll('#{section} .chart')].map((chart) => ['.legend', '.xtitle'].map((kind) => "
        "chart.querySelector(kind)?.getBoundingClientRect().toJSON()))"
    )
    assert any(legend for legend, _ in places)
    for legend, title in places:
        assert title
        assert not legend or legend["top"] >= title["bottom"]


def test_hostile_names_are_text_in_charts_too(browser: Any, folder: Path, tmp_path: Path) -> None:
    evil = tmp_path / "<b>bold<img src=x onerror=alert(1)>"
    shutil.copytree(folder, evil)
    stats = json.loads((evil / "stats.json").read_text())
    name = "<img src=x onerror=\"document.body.dataset.hit='1'\"><b>x</b>"
    stats["arch"] = name
    (evil / "stats.json").write_text(json.dumps(stats))
    found = opened_runs(browser, tmp_path / "evil.html", [evil, folder])
    for section, _ in SECTIONS:
        found.show(section)
    assert found.tab.evaluate("document.body.dataset.hit") is None
    assert found.tab.evaluate("document.querySelectorAll('img, main b').length") == 0
    assert name in found.tab.inner_text("#summary") or name in found.tab.text_content("#summary")
    assert found.tab.evaluate("archsim.plain('<b>x</b> & <i>')") == "&lt;b&gt;x&lt;/b&gt; &amp; &lt;i&gt;"
    assert found.said == []
    assert [url[:5] for url in found.asked] == ["file:"]
