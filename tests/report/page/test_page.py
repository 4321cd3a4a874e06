"""The page of a run: what is in it, that names stay text, its size, and the same bytes for the same run."""

from __future__ import annotations

import gzip
import json
import shutil
from base64 import b64decode
from collections.abc import Sequence
from itertools import combinations, pairwise
from math import log10
from pathlib import Path

import pytest

from archsim.errors import OutputError, WorkloadError
from archsim.report.figures.gantt import charted_bodies, gantt
from archsim.report.looks.use_looks import AREA, USE_LOOKS
from archsim.report.page import page as page_module
from archsim.report.page import page_data, plotly_js
from archsim.report.page.blocks import TableBlock, blocks
from archsim.report.page.charts.timeline import timeline_chart
from archsim.report.page.page import html_page
from archsim.report.page.page_data import SECTIONS, _summary, texts_of
from archsim.report.page.saved_run import _middle, read_run
from archsim.report.text.layout import facts
from tests.pages import Parsed
from tests.report.page.conftest import run_command
from tests.report.parts import thing

EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script> & </title></script>'
MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return html_page([read_run(folder)])


@pytest.fixture(scope="module")
def parsed(page: str) -> Parsed:
    return Parsed(page)


def test_every_section_has_its_tab_and_its_figures(parsed: Parsed, folder: Path) -> None:
    stats = json.loads((folder / "stats.json").read_text())
    tabs = [found["aria-controls"] for tag, found in parsed.elements if found.get("role") == "tab"]
    assert tabs == [name for name, _ in SECTIONS]
    assert f"{stats['latency_cycles']:,} cycles" in parsed.texts["summary"]
    assert "PASSED: bit for bit equal to the integer reference; SQNR" in parsed.texts["summary"]
    assert "all as saved" in parsed.texts["summary"]
    for section, words in {
        "latency": "Where the latency goes",
        "cycles": "Cycle stack of the MAC array",
        "utilization": "Units during the time steps",
        "roofline": "ops/byte",
        "traffic": "Memory traffic over the whole run",
        "energy": "Energy of an inference, and area",
        "accuracy": "SQNR",
    }.items():
        assert words in parsed.texts[section], section
    configuration = parsed.texts["configuration"]
    assert (folder / "arch.yaml").read_text() in configuration
    assert (folder / "workload.yaml").read_text() in configuration
    assert "archsim run arch.yaml workload.yaml --schedule fused_interleaved" in configuration


def test_nothing_of_a_page_is_fetched(parsed: Parsed) -> None:
    for tag, found in parsed.elements:
        assert tag not in ("link", "img", "iframe", "object", "base"), tag
        assert not {"src", "href", "action", "srcset"} & found.keys(), (tag, found)
    [policy] = [found["content"] for _, found in parsed.elements if "http-equiv" in found]
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_the_charts_sum_to_the_figures_of_the_folder(parsed: Parsed, folder: Path) -> None:
    stats = json.loads((folder / "stats.json").read_text())
    [run] = parsed.data
    total = stats["latency_cycles"]
    assert sum(sum(part["cycles"]) for part in run["latency"]["parts"]) == total
    whole = run["cycles"][0]
    for row, unit in enumerate(whole["units"]):
        assert {part["name"]: part["cycles"][row] for part in whole["parts"] if part["cycles"][row]} == {
            name: cycles for name, cycles in stats["unit_cycle_stacks"][unit].items() if cycles
        }
    assert run["utilization"]["total_cycles"] == total
    assert run["utilization"]["phases"][-1]["end"] == total
    assert sum(one["amount"] for one in run["energy"][0]["amounts"]) == pytest.approx(stats["energy"]["total_uj"])
    assert sum(one["amount"] for one in run["energy"][1]["amounts"]) == pytest.approx(stats["area"]["area_mm2"])
    moved = sum(
        n for directions in stats["traffic_bytes"].values() for kinds in directions.values() for n in kinds.values()
    )
    assert sum(one["amount"] for one in run["traffic"]["amounts"]) == moved
    assert [line["tensor"] for line in run["accuracy"]["lines"]][:2] == ["output", "c"]
    assert len(run["accuracy"]["lines"][0]["rms"]) == 9


def test_the_timeline_has_the_ops_of_the_steps_asked_for(folder: Path) -> None:
    """Each op as in the table of ops of the same run; a wait is as long as the machine says."""
    saved = read_run(folder, range(2, 4))
    chart = Parsed(html_page([saved])).data[0]["timeline"]
    table = saved.simulation.ops()
    wanted = {
        (str(table["label"][n]), int(table["start_cycle"][n])): tuple(
            int(table[name][n]) for name in ("step", "free_cycle", "done_cycle", "waited_cycles")
        )
        for n in range(len(table))
        if table["step"][n] in (2, 3)
    }
    ops = chart["ops"]
    places = zip(ops["label"], ops["start"], strict=True)
    columns = (ops[name] for name in ("step", "free", "done", "waited"))
    assert dict(zip(places, zip(*columns, strict=True), strict=True)) == wanted
    reasons = {chart["reasons"][reason] for reason, waited in zip(ops["reason"], ops["waited"], strict=True) if waited}
    assert any(reason.startswith("wait_recurrence: until hidden") for reason in reasons)
    chain = [(part["start"], part["end"]) for part in chart["chain"]]
    assert chain
    assert all(before[1] <= after[0] for before, after in pairwise(chain))


def test_steps_end_in_the_page_when_they_end_in_the_figure(folder: Path) -> None:
    saved = read_run(folder, range(2, 4))
    chart = timeline_chart(saved.simulation, saved.findings, range(2, 4), 1000)
    [body] = charted_bodies(saved.simulation, 1)
    figure = gantt(saved.simulation, body)
    assert [(end.step, end.cycle) for end in chart.ends] == [(step, figure.step_ends[step]) for step in (2, 3)]
    assert f"step ends: {chart.ends_mean}" == figure.step_end_means == "step ends: h complete"


def test_looks_of_traffic_and_energy_are_those_of_the_figures(parsed: Parsed) -> None:
    [run] = parsed.data
    looks = {(look.words, look.colour, look.hatch[:1]) for look in (*USE_LOOKS, AREA)}
    for chart in (run["traffic"], *run["energy"]):
        assert {(use["words"], use["colour"], use["hatch"]) for use in chart["uses"]} <= looks
        assert {one["use"] for one in chart["amounts"]} == set(range(len(chart["uses"]))), "no use without an amount"
        assert {one["part"] for one in chart["amounts"]} == set(chart["parts"])
    words = {one["kind"]: run["traffic"]["uses"][one["use"]]["words"] for one in run["traffic"]["amounts"]}
    assert words["read W_ih"] == words["read bias"] == "weights read"
    assert words["write h"] == "h, c, output written"


def test_no_point_of_the_roofline_hides_another(parsed: Parsed) -> None:
    """Of memories in one place each has a level of its own, by which its marker is larger; each has its own symbol."""
    [run] = parsed.data
    roofs = run["roofline"]["roofs"]
    assert len({roof["symbol"] for roof in roofs}) == len(roofs)
    for kind in ("step", "run"):
        points = [roof[kind] for roof in roofs if roof[kind]]
        for one, two in combinations(points, 2):
            if abs(log10(one["ops_per_byte"] / two["ops_per_byte"])) < 0.15:
                assert one["level"] != two["level"]


def test_the_summary_says_what_the_terminal_says(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("run", "edge_16x16", "lstm:20,24,t=9", "--no-plots", "--out", str(tmp_path / "edge"))
    printed = " ".join(_without(("machine", "idealized"), capsys.readouterr().out.partition("more ")[0]).split())
    found = blocks([facts(_summary(read_run(folder)))])[0]
    assert isinstance(found, TableBlock)
    shown = " ".join(" ".join(cell for cell in row.cells if cell) for row in found.rows)
    assert printed.partition(" asked ")[2] == shown.partition(" more ")[0].partition("asked ")[2]
    assert "changes --set " in shown
    assert shown.endswith("archsim explain, archsim whatif, with the same arguments")


def _without(names: Sequence[str], printed: str) -> str:
    """A summary without some rows, and the lines that go on from these."""
    kept, name = [], ""
    for line in printed.splitlines():
        name = line[2:].partition(" ")[0] or name
        kept += [] if name in names else [line]
    return "\n".join(kept)


def test_no_fact_stands_twice_in_the_summary(folder: Path) -> None:
    """What the terminal says of the machine, the header below it says in more words."""
    parts = texts_of(read_run(folder), "run").sections["summary"]
    names = [row.cells[0] for part in parts if isinstance(part, TableBlock) for row in part.rows if row.cells[0]]
    assert len(names) == len(set(names))
    assert {"asked", "latency", "machine", "clock", "workload", "arithmetic"} <= set(names)


def test_names_with_html_stay_text(folder: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    shutil.copytree(folder, evil)
    stats = json.loads((evil / "stats.json").read_text())
    stats["arch"], stats["workload"], stats["overrides"] = EVIL, EVIL, [EVIL]
    (evil / "stats.json").write_text(json.dumps(stats))
    text = (evil / "workload.yaml").read_text()
    summary = next(line for line in text.splitlines() if line.startswith("summary:"))
    (evil / "workload.yaml").write_text(text.replace(summary, "summary: '" + EVIL + "'"))
    hostile, plain = Parsed(html_page([read_run(evil)])), Parsed(html_page([read_run(folder)]))
    kinds = ("img", "script", "title", "section", "article")
    for kind in kinds:  # the rest differs: a row more says what was changed with --set
        assert [kind for tag, _ in hostile.elements if tag == kind] == [
            kind for tag, _ in plain.elements if tag == kind
        ]
    assert EVIL in hostile.texts[""]
    assert EVIL in hostile.texts["summary"]
    assert "summary: '" + EVIL in hostile.texts["configuration"]
    assert hostile.data[0]["name"] == "evil"


def test_data_cannot_end_its_element() -> None:
    from archsim.report.page.render import _json

    assert "<" not in _json([EVIL])
    assert json.loads(_json([EVIL])) == [EVIL]


def test_several_results_stand_side_by_side(folder: Path, other: Path) -> None:
    found = Parsed(html_page([read_run(folder), read_run(other)]))
    assert [run["name"] for run in found.data] == ["edge", "tiny"]
    hosts = [(e["data-section"], e["data-run"]) for _, e in found.elements if "data-run" in e]
    assert hosts == [(name, number) for name, _ in SECTIONS for number in ("0", "1")]
    assert [group["name"] for group in found.data[1]["timeline"]["groups"]] == [f"body of layer {n}" for n in range(3)]
    assert "timing only" in found.texts["summary"]


def test_a_page_has_the_title_of_its_run_or_says_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run's texts and charts are made under its own name, and charts know how many share the page."""
    monkeypatch.setattr(page_module, "texts_of", lambda run, name: thing(title=f"title of {name}"))
    monkeypatch.setattr(page_module, "charts_of", lambda run, name, runs: (run.folder.name, name, runs))
    monkeypatch.setattr(page_module, "render", lambda page: f"{page.title}: {page.data}")
    one, two = (thing(folder=Path(name)) for name in ("one", "two"))
    assert html_page([one]) == "title of one: [('one', 'one', 1)]"
    assert html_page([one, two]) == "2 runs side by side: [('one', 'one', 2), ('two', 'two', 2)]"


def test_results_of_one_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / folder.name
    shutil.copytree(folder, again)
    names = [run["name"] for run in Parsed(html_page([read_run(folder), read_run(again)])).data]
    assert names == [f"1: {folder}", f"2: {again}"]


def test_the_same_run_is_the_same_page(page: str, folder: Path) -> None:
    assert html_page([read_run(folder)]) == page


def test_ten_thousand_steps_stay_small(tmp_path: Path) -> None:
    target = tmp_path / "long"
    arguments = ("edge_64x64", "lstm:200,1000,t=10000", "--timing-only", "--no-plots")
    run_command("run", *arguments, "--out", str(target))
    text = html_page([read_run(target)])
    assert len(text.encode()) < MOST_BYTES / 2
    [run] = Parsed(text).data
    assert run["latency"] is None
    assert run["timeline"]["notes"] == ["The critical path is drawn of runs of up to 200,000 ops; this one has more."]
    assert all(len(part["busy"]) <= 1024 for unit in run["utilization"]["units"] for part in unit["bins"])


def test_too_many_ops_are_left_out_and_that_is_said(folder: Path) -> None:
    saved = read_run(folder, range(9))
    each = sum(1 for step in saved.simulation.ops()["step"] if step == 1)
    chart = timeline_chart(saved.simulation, saved.findings, range(9), 3 * each)
    assert chart.steps[0] == 0
    assert chart.steps[1] in (2, 3)  # a step more where the first ones have fewer ops
    assert len(chart.ops.label) <= 3 * each
    assert chart.notes[0].startswith("Drawn are ")


def test_two_runs_have_as_many_ops_each_as_one_and_four_share_those(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one run two steps' ops are drawn; of four runs one step's of each, twice as many together."""
    saved = read_run(folder, range(9))
    each = sum(1 for step in saved.simulation.ops()["step"] if step == 1)
    monkeypatch.setattr(page_data, "MOST_OPS", 2 * each)
    one, two, four = (page_data.charts_of(saved, "run", runs).timeline for runs in (1, 2, 4))
    assert one.steps == two.steps
    assert each < len(one.ops.label) <= 2 * each
    assert len(four.ops.label) <= each


def test_a_folder_whose_figures_changed_is_named(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    stats = json.loads((old / "stats.json").read_text())
    stats["latency_cycles"] += 1
    (old / "stats.json").write_text(json.dumps(stats))
    found = Parsed(html_page([read_run(old)])).texts["summary"]
    assert "CHANGED: 1 figures are not those in the folder" in found
    assert "latency_cycles" in found


@pytest.mark.parametrize("steps", [range(8, 10), range(9, 10)])
def test_steps_that_a_run_does_not_have_are_refused(folder: Path, steps: range) -> None:
    with pytest.raises(WorkloadError, match="has the time steps 0 to 8"):
        read_run(folder, steps)


def test_what_is_no_result_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"holds no results of archsim run: there is no manifest.json"):
        read_run(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "stats.json").write_text('{"arch": 1}')
    with pytest.raises(WorkloadError, match=r"stats.json: is no stats.json of this archsim"):
        read_run(other)


def test_plotly_comes_whole_and_a_missing_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from plotly.offline import get_plotlyjs

    assert gzip.decompress(b64decode(plotly_js.plotly_base64())).decode() == get_plotlyjs()
    monkeypatch.setitem(__import__("sys").modules, "plotly", None)
    plotly_js.plotly_base64.cache_clear()
    with pytest.raises(OutputError, match="pip install plotly"):
        plotly_js.plotly_base64()


@pytest.mark.parametrize(("steps", "shown"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [1, 2, 3]), (9, [3, 4, 5])])
def test_the_three_steps_in_the_middle_are_shown(steps: int, shown: list[int]) -> None:
    assert list(_middle(steps)) == shown
