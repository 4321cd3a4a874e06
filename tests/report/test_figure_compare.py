"""The picture of a comparison: what its bars are called, and how long they are."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from archsim.api.compare import Comparison, Row, compare
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


def drawn(*rows: Row) -> Figure:
    with style():
        return comparison_figure(Comparison((), (), rows))


def panels(*rows: Row) -> dict[str, Axes]:
    return {axes.get_title(loc="left"): axes for axes in drawn(*rows).axes}


def row(arch: str = "a", workload: str = "w", schedule: str = "s", **figures: object) -> Row:
    return Row(arch, workload, schedule, **figures)  # type: ignore[arg-type]


def written(axes: Axes) -> list[tuple[float, str]]:
    """What stands in each row behind its bar, and where."""
    return [(text.get_position()[0], text.get_text()) for text in axes.texts]


def test_every_figure_that_any_design_has_is_a_panel_in_a_fixed_order() -> None:
    found = panels(
        row("a", latency_us=2.0, mac_utilization=0.25, energy_uj=3.0),
        row("b", frame_latency_us=1.0, frame_mac_utilization=0.5, frame_energy_uj=4.0, area_mm2=5.0),
    )
    assert list(found) == [
        "frame latency (us)", "latency (us)", "frame mac utilization", "mac utilization", "frame energy (uJ)",
        "energy (uJ)", "area (mm2)",
    ]  # fmt: skip
    assert list(panels(row(latency_us=2.0))) == ["latency (us)"]


def test_a_bar_has_its_figure_behind_it_and_a_design_without_one_says_why() -> None:
    found = panels(
        row("a", latency_us=1234.5, mac_utilization=0.25),
        row("b", latency_us=2.0),
        row("c", misfit="weights do not fit"),
    )
    assert written(found["latency (us)"]) == [(1234.5, " 1,234"), (2.0, " 2"), (0, " cannot run")]
    assert written(found["mac utilization"]) == [(0.25, " 25.0 %"), (0, " -"), (0, " cannot run")]
    assert [text.get_position()[1] for text in found["latency (us)"].texts] == [0, 1, 2]
    assert found["latency (us)"].get_ylim()[0] > found["latency (us)"].get_ylim()[1], "the first design is on top"
    assert found["mac utilization"].xaxis.get_major_formatter()(0.5) == "50.0 %", "shares are in per cent"
    assert found["latency (us)"].xaxis.get_major_formatter()(0.5) != "50.0 %"


def test_the_longest_bar_leaves_a_sixth_of_its_panel_for_its_number() -> None:
    found = panels(row("a", latency_us=10.0, mac_utilization=0.0), row("b", latency_us=40.0))
    assert found["latency (us)"].get_xlim() == (0, 48)
    assert found["mac utilization"].get_xlim() == (0, 1), "nothing but zeros"


def test_a_workload_and_a_schedule_stand_beside_the_machine_where_they_differ() -> None:
    def names(*rows: Row) -> tuple[str, list[str]]:
        found = drawn(*rows)
        labels = [label.get_text() for label in found.axes[0].get_yticklabels()]
        return found.get_suptitle(), labels

    one = row("a", "w", "s", latency_us=1.0)
    assert names(one) == ("w; s", ["a"])
    assert names(one, row("a", "v", "s", latency_us=1.0)) == ("s", ["a, w", "a, v"])
    assert names(one, row("b", "v", "t", latency_us=1.0)) == ("", ["a, w, s", "b, v, t"])


def test_designs_of_one_machine_look_alike_and_those_of_others_do_not() -> None:
    """There are 8 colours: the ninth machine has the first one again, with a hatch."""
    rows = [row(arch, latency_us=1.0) for arch in "abacdefghi"]
    bars = [bar for bar in panels(*rows)["latency (us)"].patches if isinstance(bar, Rectangle)]
    looks = [(to_hex(bar.get_facecolor()), bar.get_hatch() or "") for bar in bars]
    assert looks[0] == looks[2]
    assert len(set(looks)) == 9
    assert looks[9][0] == looks[0][0]
    assert [bool(hatch) for _, hatch in looks] == [False] * 9 + [True]
    assert [bar.get_width() for bar in bars] == [1.0] * 10
