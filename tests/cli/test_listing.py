"""Lists of schedules in few lines, steps of a report, and how a shell completes names."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.cli.commands.docs import find_pages, title_of
from archsim.cli.commands.listing import _as_text, _grouped
from archsim.cli.commands.report import _steps
from archsim.cli.completion import complete_arch, complete_kind, complete_schedule, complete_space, complete_workload
from archsim.config.listed import Listed, Section
from archsim.errors import OutputError


def test_endings_that_several_have_take_one_line() -> None:
    """Three ways; _x follows two of them, _y all, _z one; what is said in other words is a way of its own."""
    entries = [
        ("a", "A"),
        ("a_x", "A; with x"),
        ("a_y", "A; with y"),
        ("b", "B"),
        ("b_x", "B; with x"),
        ("b_y", "B; with y"),
    ]
    entries += [("c", "C"), ("c_y", "C; with y"), ("c_z", "C; with z"), ("c_w", "another C")]
    assert _grouped(entries) == [
        ("a", "A"),
        ("b", "B"),
        ("c", "C"),
        ("c_w", "another C"),
        ("..._x", "those above but c, c_w: with x"),
        ("..._y", "those above but c_w: with y"),
        ("..._z", "c: with z"),
    ]
    every = [("a", "A"), ("a_x", "A; with x"), ("b", "B"), ("b_x", "B; with x")]
    assert _grouped(every)[-1] == ("..._x", "all of those above: with x")


def test_a_section_in_columns() -> None:
    entries = [("one", "first"), ("longer", "second")]
    section = Section(next(iter(Listed)), "Title", entries)
    assert _as_text(section) == "Title\n  one     first\n  longer  second\n\n"
    assert _as_text(Section(next(iter(Listed)), "Title", [])) == "Title\n\n"


@pytest.mark.parametrize(
    ("text", "steps"),
    [("", None), ("7", range(7, 8)), ("0", range(1)), ("34-36", range(34, 37)), (" 3-3 ", range(3, 4))],
)
def test_steps_that_are_asked_for(text: str, steps: range | None) -> None:
    assert _steps(text) == steps


@pytest.mark.parametrize("text", ["4-3", "-3", "x", "1-", "1-2-3", "1" * 10])
def test_steps_that_are_none(text: str) -> None:
    with pytest.raises(OutputError, match="allowed is one step or FIRST-LAST, counted from 0, as 34-36"):
        _steps(text)


def test_what_a_shell_offers() -> None:
    """Names that begin so, each of its own kind."""
    assert complete_arch("tiny_2") == ["tiny_2x2"]
    assert complete_workload("lstm_3_2") == ["lstm_3_2_t4"]
    assert "edge" in complete_space("e")
    assert complete_arch("lstm") == complete_workload("edge_16") == complete_space("tiny") == []
    assert complete_schedule("best") == ["best", "best-step", "best-energy"]
    assert "fused_interleaved" in complete_schedule("fused_i")
    assert complete_kind("mach") == ["machines"]


def test_pages_are_those_beside_docs_and_those_in_it(tmp_path: Path) -> None:
    (tmp_path / "docs" / "more").mkdir(parents=True)
    for name in ("b", "a", "more/c"):
        (tmp_path / "docs" / f"{name}.md").write_text(f"text\n## Title of {name}\n# another\n")
    pages = find_pages(tmp_path)
    assert list(pages) == ["README", "README.zh-CN", "DEVIATIONS", "CHANGELOG", "a", "b", "more/c"]
    assert pages["README"] == tmp_path / "README.md"
    assert title_of(pages["more/c"]) == "Title of more/c"
    (tmp_path / "docs" / "a.md").write_text("no title")
    assert title_of(pages["a"]) == ""
