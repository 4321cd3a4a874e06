"""The scripts of examples/ run in an empty folder, and print what examples/output/ says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.rings import exhaustive

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
QUICK = ("02_by_hand", "07_paper_figure")
"""Those of the fast ring; the others take from five seconds to a minute."""


def printed(script: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(folder)
    runpy.run_path(str(script), run_name="__main__")
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "script",
    [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else exhaustive) for path in SCRIPTS],
)
def test_an_example_prints_what_is_shown(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = (EXAMPLES / "output" / f"{script.stem}.txt").read_text(encoding="utf-8")
    assert printed(script, tmp_path, monkeypatch, capsys) == shown


def test_a_figure_has_the_same_bytes_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = EXAMPLES / "07_paper_figure.py"
    printed(script, tmp_path, monkeypatch, capsys)
    first = (tmp_path / "npu.svg").read_bytes()
    printed(script, tmp_path, monkeypatch, capsys)
    assert (tmp_path / "npu.svg").read_bytes() == first
    assert b"published (C++ model)" in first, "text is text"


def test_they_are_numbered_and_listed() -> None:
    assert [path.stem[:2] for path in SCRIPTS] == [f"{number:02}" for number in range(1, len(SCRIPTS) + 1)]
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\(([\w.]+\.(?:py|ipynb))\)", page))
    assert listed == {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert {path.stem for path in (EXAMPLES / "output").iterdir()} == {path.stem for path in SCRIPTS}


def test_the_seed_has_the_shapes_of_torch() -> None:
    """Of torch.nn.LSTM(200, 1000): 4H rows, and I or H columns."""
    shown = (EXAMPLES / "output" / "01_seed.txt").read_text(encoding="utf-8")
    for name, shape in (("ih", "(4000, 200)"), ("hh", "(4000, 1000)")):
        assert re.search(rf"^  weight_{name}_l0  {re.escape(shape)}$", shown, flags=re.MULTILINE)
        assert re.search(rf"^  bias_{name}_l0    \(4000,\)$", shown, flags=re.MULTILINE)
