"""Energy, roofline and DRAM traffic by phase in the text report and in their pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from archsim.api import Simulation, simulate
from archsim.report import report_text
from archsim.report.figures.drawing import in_words, style
from archsim.report.figures.figure_energy import energy_figure
from archsim.report.figures.figure_roofline import roofline_figure
from archsim.report.page.charts.costs import energy_charts
from archsim.report.text.figures_as_text import part, percent, significant, span
from archsim.report.text.sections.energy_section import kinds_of
from tests.present import present
from tests.report.conftest import Run
from tests.report.test_report_plots import words
from tests.report.test_report_text import cells
from tests.rings import few


def test_the_sums_and_every_part_with_its_share(small: Simulation) -> None:
    text, energy, area = report_text(small), present(small.stats.energy), present(small.stats.area)
    head, table = text.split("\nEnergy of an inference")[1].split("unit or memory")
    joined = " ".join(head.split())
    for amount, unit in (
        (energy.total_uj, "uJ"),
        (energy.pj_per_mac, "pJ/MAC"),
        (energy.power_mw, "mW"),
        (energy.tops_per_w, "TOPS/W"),
        (area.area_mm2, "mm2"),
    ):
        assert f" {significant(amount)} {unit} " in joined
    assert f"technology {energy.technology}, DRAM {energy.dram_type}" in joined
    rows = {line.split()[0]: line.split() for line in table.splitlines()[1:] if line[2:3].strip()}
    for name, amount in energy.part_uj.items():
        share = part(amount, energy.total_uj).split()
        size = significant(area.part_area_mm2[name]) if name in area.part_area_mm2 else "-"
        assert rows[name][1 : 3 + len(share)] == [significant(amount), *share, size], name
    assert rows["sum"][1] == significant(energy.total_uj)
    shown = [name for name in rows if name in energy.part_uj]
    assert shown == sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])


def test_the_kinds_of_every_part_sum_to_it(small: Simulation) -> None:
    for name, amount in present(small.stats.energy).part_uj.items():
        assert sum(kinds_of(small, name).values()) == pytest.approx(amount)


def test_the_kinds_of_leakage_are_without_gated_banks(run: Run) -> None:
    """15 of 16 banks of weights hold nothing and leak a tenth: 1 - 15 / 16 * 0.9 is left. The MAC array has none."""
    kinds = {}
    for gating in ("none", "unused_banks"):
        found = run(("weight_sram.banks=16", f"energy_model.gating={gating}"), timing_only=True)
        kinds[gating] = kinds_of(found, "leakage")
        assert sum(kinds[gating].values()) == pytest.approx(present(found.stats.energy).leakage_uj)
    usual, gated = kinds["none"], kinds["unused_banks"]
    assert gated["mac_array leaks"] == pytest.approx(usual["mac_array leaks"])
    assert gated["weight_sram leaks"] == pytest.approx(usual["weight_sram leaks"] * (1 - 15 / 16 * 0.9))


def test_conditions_and_what_is_left_out_are_said(run: Run) -> None:
    def said(*sets: str) -> str:
        text = " ".join(report_text(run(("technology=node_22nm", *sets), timing_only=True)).split())
        return text.split("conditions: ")[1].split(" A model of published energies")[0].split(" extrapolated")[0]

    usual = "0.8 V, 350 K, low_power devices; DRAM in standby between transfers"
    assert said() == usual
    lower = (
        "voltage_v=0.6",
        "temperature_k=300",
        "device=low_standby",
        "gating=unused_banks",
        "dram_idle=self_refresh",
    )
    assert said(*(f"energy_model.{text}" for text in lower)) == (
        "0.6 V, 300 K, low_standby devices; DRAM in self refresh between transfers; banks that hold nothing are gated "
        "in the energy of leakage, not in the column of what leaks; prices are of 0.8 V, whether logic still reaches "
        "the clock is not checked"
    )
    some = (f"energy_model.{name}=false" for name in ("wires", "control", "layout"))
    assert said(*some) == f"{usual}; not counted: wires, control, space between cells"
    others = ("energy_model.clock=false", "energy_model.phy=false", "energy_model.dram_idle=off")
    without = "0.8 V, 350 K, low_power devices; not counted: clock tree, interface to DRAM, DRAM's power over time"
    assert said(*others) == without


def test_what_is_extrapolated_is_said_and_only_then(run: Run) -> None:
    """The state buffer has nine banks of four macros, words of 64 bytes: of 256 KiB each has 113."""
    sets = ("input_buffer.port_bits=64", "state_buffer.capacity_bytes=256KiB", "technology=node_45nm")
    inside = run(sets, timing_only=True)
    assert present(inside.stats.energy).extrapolated == ()
    assert "extrapolated" not in report_text(inside)
    small = run(("input_buffer.capacity_bytes=64", "input_buffer.port_bits=64"), timing_only=True)
    joined = " ".join(report_text(small).split())
    assert "extrapolated: input_buffer: SRAM of 8 words x 64 bits: the table has 64 to 65,536 words x 32 to" in joined
    with style():
        assert "extrapolated" in words(energy_figure(small))
        assert "extrapolated" not in words(energy_figure(inside))


def test_roofline_has_a_row_a_ceiling(small: Simulation) -> None:
    rows, found = cells(report_text(small), "Roofline"), small.stats.roofline
    assert rows["peak"][-1] == significant(found.peak_gops)
    for memory, ceiling in found.ceilings.items():
        assert rows[memory] == [
            significant(ceiling.bandwidth_gb_per_s),
            significant(present(ceiling.step_ops_per_byte)),
            significant(ceiling.step_roof_gops),
            significant(present(ceiling.run_ops_per_byte)),
            significant(ceiling.run_roof_gops),
        ]
    assert rows["reached"] == [significant(found.step_gops), significant(found.run_gops)]


def test_dram_traffic_by_phase_beside_the_least(small: Simulation) -> None:
    text, stats = report_text(small), small.stats
    section = text.split("\nDRAM traffic by phase")[1].split("\n\n")[0]
    lines = [line.split() for line in section.splitlines()]
    assert ["data", "prologue", "body", "epilogue", "run", "least"] in lines
    run, least = stats.traffic_bytes["dram"], stats.compulsory_dram_bytes
    for direction, kinds in run.items():
        for kind, amount in kinds.items():
            columns = [traffic["dram"][direction].get(kind, 0) for traffic in stats.phase_traffic_bytes.values()]
            columns += [amount, least[direction].get(kind, 0)]
            assert [kind, *(f"{count:,}" if count else "-" for count in columns)] in lines
        assert ["in", "bursts", f"{stats.dram_burst_bytes[direction]:,}"] in lines
    assert f"DRAM moves {significant(present(stats.dram_traffic_ratio))} times the least" in " ".join(section.split())


def bars(axes: Axes) -> list[Rectangle]:
    """All that is drawn as patches is bars."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(found) == len(axes.patches)
    return found


def test_the_energy_picture_has_every_part_to_scale(small: Simulation) -> None:
    with style():
        figure = energy_figure(small)
    left, right = figure.axes
    stats = small.stats
    amounts = present(stats.energy).part_uj
    names = sorted(amounts, key=lambda name: -amounts[name])
    names += [name for name in present(stats.area).part_area_mm2 if name not in amounts]  # have an area alone
    assert [label.get_text() for label in left.get_yticklabels()] == list(map(in_words, names))
    widths = dict.fromkeys(range(len(names)), 0.0)
    for bar in bars(left):
        widths[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width()
    assert list(widths.values()) == pytest.approx([amounts.get(name, 0) for name in names])
    areas = [bar.get_width() for bar in bars(right)]
    assert areas == pytest.approx([present(stats.area).part_area_mm2.get(name, 0) for name in names])
    assert "(uJ)" in left.get_xlabel()
    assert right.get_xlabel() == "area (mm\u00b2)"
    assert f"{significant(present(stats.energy).pj_per_mac)} pJ/MAC" in words(figure)
    area = present(stats.area)
    ends = span(area.area_low_mm2, area.area_high_mm2)
    assert f"{significant(area.area_mm2)} mm\u00b2 ({ends})" in " ".join(words(figure).split())


def test_the_roofline_picture_has_every_ceiling_and_point(small: Simulation) -> None:
    with style():
        figure = roofline_figure(small)
    (axes,) = figure.axes
    found = small.stats.roofline
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "operational intensity at the memory (ops/byte)"
    assert axes.get_ylabel() == "performance (GOPS)"
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in axes.lines]
    for memory, ceiling in found.ceilings.items():
        assert f"{in_words(memory)} {significant(ceiling.bandwidth_gb_per_s)} GB/s" in legend
        assert any(y == pytest.approx(x * ceiling.bandwidth_gb_per_s) for x, y in drawn if len(x) == 2)
    points = [(float(x[0]), float(y[0])) for x, y in drawn if len(x) == 1]
    points += [(float(x[0]), float(y[0])) for x, y in drawn if len(x) == 2 and x[0] == x[1]]  # where stems end above
    for ceiling in found.ceilings.values():
        assert (ceiling.step_ops_per_byte, found.step_gops) in points
        assert (ceiling.run_ops_per_byte, found.run_gops) in points
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(low < x < high and bottom < y < top for x, y in points)
    assert f"{percent(found.run_roof_share)}" in words(figure)


@pytest.mark.parametrize("draw", few([energy_figure, roofline_figure], 1))
def test_every_text_of_a_picture_stays_inside(
    draw: Callable[[Simulation], Figure], small: Simulation, long: Simulation
) -> None:
    for simulation in (small, long):
        with style():
            figure = draw(simulation)
            figure.draw_without_rendering()
            page = figure.bbox
            labels = [text for axes in figure.axes for text in axes.texts]
            titles = [text for text in figure.findobj(Text) if text.get_text() == figure.get_suptitle()]
            assert titles
            legends = [text for legend in figure.legends for text in legend.get_texts()]
            for text in (*labels, *legends, *figure.texts, *titles):
                box = text.get_window_extent()
                assert page.x0 - 1 <= box.x0 <= box.x1 <= page.x1 + 1, text


def test_the_energy_of_a_stream_says_that_it_is_of_the_cold_start(small: Simulation) -> None:
    """Its frames' energy stands beside it, in the picture, on the page and in the report."""
    stream = simulate("tiny_2x2", "lstm:3,2,t=4,streaming=1", timing_only=True)
    frames = present(stream.frames)
    ends = span(present(frames.frame_energy_low_uj), present(frames.frame_energy_high_uj))
    a_frame = f"a frame takes {significant(present(frames.frame_energy_uj))} uJ ({ends})"
    with style():
        figure, usual = energy_figure(stream), energy_figure(small)
    assert figure.axes[0].get_xlabel() == "energy of the cold start (uJ)"
    assert usual.axes[0].get_xlabel() == "energy of an inference (uJ)"
    [chart, _], [usual_chart, _] = energy_charts(stream), energy_charts(small)
    assert chart.title == f"Energy of the cold start by unit or memory; {a_frame}"
    assert usual_chart.title == "Energy of an inference by unit or memory"
    for simulation, what in ((stream, "the cold start"), (small, "an inference")):
        assert f"Energy of {what}, and area" in report_text(simulation)
    assert a_frame in " ".join(words(figure).split())
    assert "a frame takes" not in words(usual)


def test_bars_leave_room_for_their_numbers_and_no_more(run: Run) -> None:
    """The longest bar takes half of its axes at least, and what is written behind it ends within the picture."""
    with style():
        figure = energy_figure(run(("technology=node_45nm",), timing_only=True))
        figure.draw_without_rendering()
        width = figure.bbox.x1
        for axes in figure.axes[:2]:
            longest = max(bar.get_x() + bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle))
            assert 0.5 < longest / axes.get_xlim()[1] < 1
            assert max(text.get_window_extent().x1 for text in axes.texts) <= width
