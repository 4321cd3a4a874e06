"""What the picture of energy draws, of amounts that are written by hand."""

from __future__ import annotations

import dataclasses

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from archsim.api import Simulation
from archsim.program.ir import DataKind
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_energy import _energy_bars, energy_figure, uses_of
from archsim.report.figures.look import Look
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.use_looks import (
    DRAM_POWER,
    LEAKS,
    MULTIPLY,
    OPERATOR,
    REGISTER,
    SMALL,
    WIRES,
    data_look,
)
from archsim.report.text.figures_as_text import significant
from tests.present import present

READ, WRITTEN = data_look(DataKind.W_IH, False), data_look(DataKind.W_IH, True)


def bars(*amounts: dict[NamedLook, float], points: float = 1.0) -> tuple[Figure, list[str]]:
    """Bars where 1 uJ is so many points wide, and the words of the looks that are seen."""
    figure = Figure()
    return figure, [use.words for use in _energy_bars(figure.add_subplot(), amounts, points)]


def drawn(figure: Figure) -> list[tuple[int, str, float, float]]:
    """Row, use, begin and width of each part."""
    axes = figure.axes[0]
    return [
        (round(bar.get_y() + bar.get_height() / 2), str(part.get_label()), bar.get_x(), bar.get_width())
        for part in axes.containers
        for bar in part
        if isinstance(bar, Rectangle)
    ]


def test_a_bar_is_cut_into_its_uses_in_the_order_of_the_legend_and_has_its_sum_behind() -> None:
    figure, seen = bars({MULTIPLY: 30.0, READ: 10.0, WRITTEN: 5.0}, {READ: 7.0})
    assert drawn(figure) == [
        (0, "weights read", 0.0, 10.0),
        (0, "weights written", 10.0, 5.0),
        (0, "multiply", 15.0, 30.0),
        (1, "weights read", 0.0, 7.0),
    ]
    assert [(text.get_position(), text.get_text()) for text in figure.axes[0].texts] == [
        ((45.0, 0), " 45"), ((7.0, 1), " 7"),
    ]  # fmt: skip
    assert seen == ["weights read", "weights written", "multiply"]
    assert bars({READ: 1.0, MULTIPLY: 0.1}, points=25.0)[1] == ["weights read", "multiply"], "0.1 uJ are 2.5 points"
    assert bars({READ: 1.0, MULTIPLY: 0.1}, points=24.9)[1] == ["weights read", "smaller parts"]


def test_a_use_is_one_of_the_smaller_parts_where_it_is_nowhere_2_and_a_half_points_wide() -> None:
    """Leakage has 2.5 uJ in the second bar, which is enough for its own look in both; registers and wires have not."""
    figure, seen = bars({READ: 10.0, LEAKS: 1.0, REGISTER: 2.4, WIRES: 0.5}, {LEAKS: 2.5}, {})
    assert drawn(figure) == [
        (0, "weights read", 0.0, 10.0),
        (0, "leakage", 10.0, 1.0),
        (0, "smaller parts", 11.0, pytest.approx(2.9)),
        (1, "leakage", 0.0, 2.5),
    ]
    assert [text.get_text() for text in figure.axes[0].texts] == [" 13.9", " 2.5", " 0"]
    assert seen == ["weights read", "leakage", "smaller parts"]


@pytest.mark.parametrize(("amount", "seen"), [(0.4, True), (0.39, False)])
def test_smaller_parts_are_explained_where_they_are_two_fifths_of_a_point_wide(amount: float, seen: bool) -> None:
    """In whichever bar, and together: 0.3 and the rest of the amount."""
    first, last = {READ: 10.0, REGISTER: 0.3, WIRES: amount - 0.3}, {READ: 9.0, WIRES: 0.01}
    for both in ((first, last), (last, first)):
        assert bars(*both)[1] == ["weights read", *(["smaller parts"] if seen else [])]


def with_energy(simulation: Simulation, **figures: object) -> Simulation:
    energy = dataclasses.replace(present(simulation.stats.energy), **figures)  # type: ignore[arg-type]
    return dataclasses.replace(simulation, stats=dataclasses.replace(simulation.stats, energy=energy))


def test_uses_of_a_memory_are_reading_and_writing_what_looks_alike_together(small: Simulation) -> None:
    """Weights of both matrices and biases are one use; h and c are one; what is written is another one than what is
    read."""
    found = with_energy(
        small,
        part_uj={"mine": 63.0},
        memory_uj={
            "mine": {"read": {"W_ih": 1.0, "W_hh": 2.0, "h": 4.0}, "write": {"bias": 8.0, "h": 16.0, "c": 32.0}}
        },
        unit_uj={},
    )
    assert uses_of(found, "mine") == {
        data_look(DataKind.W_HH, False): 3.0,
        data_look(DataKind.H, False): 4.0,
        data_look(DataKind.BIAS, True): 8.0,
        data_look(DataKind.C, True): 48.0,
    }


def test_uses_of_a_unit_are_multiplying_registers_and_all_other_operators(small: Simulation) -> None:
    found = with_energy(
        small, memory_uj={}, unit_uj={"mine": {"multiply": 1.0, "add": 2.0, "register": 4.0, "compare": 8.0}}
    )
    assert uses_of(found, "mine") == {MULTIPLY: 1.0, OPERATOR: 10.0, REGISTER: 4.0}
    assert uses_of(found, "another") == {}


def test_what_leaks_and_what_lies_beside_units_have_one_use_each(small: Simulation) -> None:
    found = with_energy(small, leakage_uj=3.0, part_uj={"leakage": 3.0, "wires": 4.0, "clock": 5.0, "dram_phy": 6.0})
    uses = {name: uses_of(found, name) for name in ("leakage", "wires", "clock", "dram_phy")}
    assert uses == {
        "leakage": {LEAKS: 3.0},
        "wires": {WIRES: 4.0},
        "clock": {WIRES: 5.0},
        "dram_phy": {DRAM_POWER: 6.0},
    }


def test_bars_are_largest_first_and_what_has_an_area_alone_stands_last(small: Simulation) -> None:
    """An area stands beside the bar of the same part; DRAM has none, and space between cells takes no energy."""
    energy = {"mac_array": 1.0, "dram": 5.0, "leakage": 3.0}
    area = dataclasses.replace(present(small.stats.area), part_area_mm2={"layout": 0.5, "mac_array": 2.0})
    found = with_energy(small, part_uj=energy, leakage_uj=3.0, memory_uj={}, unit_uj={"mac_array": {"multiply": 1.0}})
    found = dataclasses.replace(found, stats=dataclasses.replace(found.stats, area=area))
    with style():
        figure = energy_figure(found)
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["DRAM", "leakage", "MAC array", "layout"]
    sizes = [bar.get_width() for bar in right.patches if isinstance(bar, Rectangle)]
    assert sizes == [0.0, 0.0, 2.0, 0.5]
    assert [(text.get_position(), text.get_text()) for text in right.texts] == [
        ((0.0, 0), " -"), ((0.0, 1), " -"), ((2.0, 2), " 2"), ((0.5, 3), " 0.5"),
    ]  # fmt: skip
    assert left.get_ylim()[0] > left.get_ylim()[1], "the first is on top"


@pytest.mark.parametrize("inches", [3.5, 16 / 2.54])
def test_a_legend_of_energy_has_the_looks_that_are_drawn(small: Simulation, inches: float) -> None:
    with style():
        figure = energy_figure(small, Look(width_inches=inches))
    drawn_looks = {
        to_hex(bar.get_facecolor())
        for part in figure.axes[0].containers
        for bar in part
        if isinstance(bar, Rectangle) and part.get_label() != SMALL.words
    }
    legend = {
        to_hex(patch.get_facecolor()) for patch in figure.legends[0].get_patches() if patch.get_label() != SMALL.words
    }
    assert legend == drawn_looks


def test_the_title_has_sum_ends_and_means_of_energy_and_area(small: Simulation) -> None:
    energy, area = present(small.stats.energy), present(small.stats.area)
    found = with_energy(
        small, total_uj=1.5, total_low_uj=1.25, total_high_uj=1.75, pj_per_mac=12.5, power_mw=33.0, tops_per_w=0.75,
        technology="folder/node_9nm.yaml", dram_type="ddr9", extrapolated=(),
    )  # fmt: skip
    with style():
        said = " ".join(energy_figure(found).get_suptitle().split())
        other = " ".join(
            energy_figure(with_energy(small, dram_type="", extrapolated=("much",), technology="node_9nm"))
            .get_suptitle()
            .split()
        )
    assert said.startswith("Energy and area by unit and memory (node_9nm, ddr9) ")
    assert "1.5 uJ (1.25 to 1.75) an inference, 12.5 pJ/MAC, 33 mW, 0.75 TOPS/W, " in said
    assert said.endswith(f"{significant(area.area_mm2)} mm\u00b2 ({significant(float(f'{area.area_low_mm2:.3g}'))} to "
                         f"{significant(float(f'{area.area_high_mm2:.3g}'))})")  # fmt: skip
    assert other.startswith("Energy and area by unit and memory (node_9nm; partly extrapolated) ")
    assert f"{significant(energy.total_uj)} uJ" in other
