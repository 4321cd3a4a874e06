"""The table of where the latency goes, of a stack that is written by hand."""

from __future__ import annotations

from archsim.report.text.explain_text import latency_by_cause
from archsim.report.text.layout import Rows


def test_the_largest_comes_first_and_the_sum_last_in_bold() -> None:
    """40 + 8 + 2 = 50 cycles."""
    stack = {"dram": {"drain": 8}, "mac_array": {"compute": 2, "port": 40}}
    (found,) = [part for part in latency_by_cause(stack, 50) if isinstance(part, Rows) and part.headers]
    assert [(row[0], row[1], row[2]) for row in found.rows] == [
        ("mac_array", "port", "40"),
        ("dram", "drain", "8"),
        ("mac_array", "compute", "2"),
        ("sum", "", "50"),
    ]
    assert [row[3].split()[0] for row in found.rows] == ["80.0", "16.0", "4.0", "100.0"]
    assert found.strong == {3}
