"""Tables without styles are set by archsim where rows fit one line: as rich sets them, to the last space."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from archsim.report.text.layout import Rows, heading, print_parts, table

WORDS = ("a", "bb", "mac_array", "1,234", "é", "漢字", "x [bold]y[/]", ":smile:", "  lead", "trail  ", "", "µJ")
ODD = ("\t", "z\nq", "ﬀ", "e\u0301", "\u200b")


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """Tables of words of any width, some of them with characters that have none, or end a line."""
    words = WORDS + (ODD if draw(st.integers(0, 4)) == 0 else ())
    kinds = draw(st.lists(st.sampled_from(["<", ">", "<~", ">~"]), min_size=1, max_size=5))
    cell = st.lists(st.sampled_from(words), max_size=3).map(" ".join)
    line = st.lists(cell, min_size=len(kinds), max_size=len(kinds))
    return table(kinds, draw(st.none() | line), draw(st.lists(line, max_size=5)), strong=[0])


def printed(rows: Rows, width: int) -> str:
    text = io.StringIO()
    print_parts([heading("H"), rows, rows], Console(file=text, width=width, color_system=None, force_terminal=False))
    return text.getvalue()


@given(rows=tables(), width=st.sampled_from([20, 40, 80, 130]))
@settings(max_examples=100, deadline=None)
def test_plain_tables_are_those_of_rich(rows: Rows, width: int) -> None:
    found = printed(rows, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rows, "_plain", lambda self, width: "")
        assert found == printed(rows, width)


def test_a_table_whose_rows_fit_is_set_plainly_and_one_with_styles_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a terminal with colours all is rich's."""
    rows = table(["<", ">"], ["name", "n"], [["a", "1"], ["bb", "10"]])
    assert rows._plain(20) == "  name   n          \n  a      1          \n  bb    10          \n"
    assert rows._plain(9) == ""
    monkeypatch.setattr(Rows, "_plain", lambda self, width: "plain\n")
    coloured = io.StringIO()
    print_parts([rows], Console(file=coloured, width=20, color_system="truecolor", force_terminal=True))
    assert "plain" not in coloured.getvalue()
    assert "plain" in printed(rows, 20)
