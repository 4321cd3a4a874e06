"""docs/figures.md: its commands draw its pictures, and its snippet runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archsim.report.figures.kinds import FigureKind
from tests.rings import exhaustive

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "figures.md").read_text(encoding="utf-8")
RUN, *PLOTS = re.findall(r"^archsim .*$", PAGE, flags=re.MULTILINE)


def execute(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.cli.main import main

    monkeypatch.setattr("sys.argv", shlex.split(command))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0


@pytest.mark.parametrize("command", [PLOTS[0], *(pytest.param(plot, marks=exhaustive) for plot in PLOTS[1:])])
def test_a_picture_of_the_page_is_what_its_command_draws(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last text; what lies between, and the bytes, depend on the version of matplotlib."""
    monkeypatch.chdir(tmp_path)
    execute(RUN, monkeypatch)
    execute(command, monkeypatch)
    [picture] = tmp_path.glob("*.svg")
    assert f"({picture.name})" in PAGE
    drawn, shown = (
        re.findall(r"<text[^>]*>([^<]*)</text>", (folder / picture.name).read_text(encoding="utf-8"))
        for folder in (tmp_path, DOCS)
    )
    assert drawn == shown, f"run docs/figures.md's commands: {picture.name}"
    assert len(drawn) > 10


def test_every_kind_stands_there() -> None:
    for kind in FigureKind:
        assert f"| `{kind}` | " in PAGE


def test_the_snippet_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "docs/figures.md", "exec"), {})
    assert capsys.readouterr().out == "operational intensity at the memory (ops/byte)\n"
    assert Path("roofline.pdf").read_bytes().startswith(b"%PDF")
