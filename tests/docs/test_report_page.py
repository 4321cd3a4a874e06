"""docs/report.md: its commands make a page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archsim.report.page.page_data import SECTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def test_its_commands_make_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.cli.main import app

    monkeypatch.chdir(tmp_path)
    for command in re.findall(r"^archsim (.*)$", PAGE, flags=re.MULTILINE):
        assert not app(shlex.split(command), standalone_mode=False)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<article>") == 2 * len(SECTIONS)
    assert '"steps":[9,11]' in text


def test_every_tab_stands_in_it() -> None:
    for _, tab in SECTIONS:
        assert tab in PAGE
