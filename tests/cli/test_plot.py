"""`archsim plot` draws from a folder of results; `archsim run` draws when everything else is in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archsim.report.figures.kinds import FigureKind
from archsim.report.files import folder
from tests.cli.conftest import Cli
from tests.rings import exhaustive

TINY = ("tiny_2x2", "lstm_3_2_t4", "--timing-only")


def pictures(of: str) -> set[str]:
    return {path.name for path in Path(of).glob("*.png")}


def test_a_figure_is_drawn_from_the_folder_alone(cli: Cli) -> None:
    assert cli("run", *TINY, "--no-plots", "--out", "here").code == 0
    before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
    for out in ("one.svg", "two.svg"):
        run = cli("plot", "here", "--kind", "utilization", "--format", "svg", "--width", "one", "--out", out)
        assert (run.code, run.out, run.err) == (0, f"{out}\n", "")
    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()
    assert 'width="252pt"' in Path("one.svg").read_text(), "3.5 inches of 72 points"
    assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == before


def test_a_folder_that_takes_another_time_now_is_noted(cli: Cli) -> None:
    assert cli("run", *TINY, "--no-plots", "--out", "here").code == 0
    stats = json.loads(Path("here/stats.json").read_text())
    Path("here/stats.json").write_text(json.dumps(stats | {"latency_cycles": 7}))
    run = cli("plot", "here", "--out", "a.svg")
    now = stats["latency_cycles"]
    assert (run.code, run.err) == (0, f"archsim: note: here has 7 cycles, repeated the run takes {now:,}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((".",), "archsim: error: .: is no folder of results that archsim run has written (it has no arch.yaml)\n"),
        (("here", "--kind", "pie"), "there is no figure 'pie'; allowed: utilization, timeline"),
        (("here", "--format", "gif"), "there is no 'gif'; allowed: png, svg, pdf"),
        (("here", "--out", "a.gif"), "archsim: error: a.gif: a figure's name ends in .png, .svg, .pdf\n"),
        (("here", "--width", "9"), "archsim: error: --width 9: allowed is one (column), two, or 2.5in to 40in"),
        (("here", "--font-size", "99"), "archsim: error: --font-size 99: allowed is 4 to 24 points\n"),
        (("here", "--kind", "accuracy"), "archsim: error: --kind accuracy: the run is timing only"),
        (("here", "--out", "here"), "archsim: error: here: a figure's name ends in"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(cli: Cli, options: tuple[str, ...], message: str) -> None:
    assert cli("run", *TINY, "--no-plots", "--out", "here").code == 0
    run = cli("plot", *options)
    assert run.code == 2
    assert message in run.err
    assert run.err.count("\n") == 1


def test_a_run_draws_its_utilization_alone(cli: Cli) -> None:
    assert cli("run", *TINY, "--out", "here").code == 0
    assert pictures("here") == {"utilization.png"}


@exhaustive
def test_with_plots_a_run_draws_all_that_it_can_have(cli: Cli) -> None:
    assert cli("run", *TINY, "--plots", "--out", "here").code == 0
    assert pictures("here") == {f"{kind}.png" for kind in FigureKind if kind not in ("accuracy", "format_ranges")}


def test_ctrl_c_while_drawing_loses_nothing_but_figures(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("run", *TINY, "--no-plots", "--out", "whole").code == 0

    def interrupted(*_: object) -> None:
        assert Path("here/stats.json").is_file(), "the folder is in place before anything is drawn"
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "draw_into", interrupted)
    run = cli("run", *TINY, "--plots", "--out", "here")
    assert run.code == 130
    assert run.out.endswith("Results: here/\n")
    assert run.err == "archsim: interrupted while drawing; all results but figures are in here/\n"
    whole = {path.name: path.read_bytes() for path in Path("whole").iterdir()}
    assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == whole
