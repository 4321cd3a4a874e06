"""The picture of a comparison: what its bars are called, and how long they are."""

from __future__ import annotations

from archsim.api.compare import compare
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_compare import comparison_figure
from tests.present import present


def test_a_bar_has_its_machine_and_what_differs_and_the_title_what_all_share() -> None:
    """Two schedules of one machine: bars are named after both, though the machine is the same."""
    found = compare(["tiny_2x2"], ["lstm_3_2_t4"], ["fused", "split"])
    with style():
        figure = comparison_figure(found)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert present(figure._suptitle).get_text() == "lstm_3_2_t4"  # type: ignore[attr-defined]  # older stubs lack it
    latency = panels["latency (us)"]
    names = [label.get_text() for label in latency.get_yticklabels()]
    assert names == ["tiny_2x2, fused_interleaved", "tiny_2x2, split_interleaved"]
    lengths = [bar.get_width() for bars in latency.containers for bar in bars]
    assert lengths == [row.latency_us for row in found.rows]


def test_of_two_machines_that_differ_in_nothing_else_bars_have_their_names_alone() -> None:
    found = compare(["tiny_2x2", "edge_16x16"], ["lstm_3_2_t4"], ["fused"])
    with style():
        figure = comparison_figure(found)
    assert present(figure._suptitle).get_text() == "lstm_3_2_t4; fused_interleaved"  # type: ignore[attr-defined]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["tiny_2x2", "edge_16x16"]
