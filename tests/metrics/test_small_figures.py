"""Small figures by hand: flat names, the bound that binds, DRAM's ratio, roofs, and numbers of other packages."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from archsim.errors import ExtensionError
from archsim.metrics.bounds import binding
from archsim.metrics.flat import flat
from archsim.metrics.roofline import PEAK, Ceiling, Ceilings, compute_roofline
from archsim.metrics.statistic import FinishedRun, Statistic, compute_further
from archsim.metrics.traffic import dram_ratio, total_bytes


@dataclass
class Group:
    """Figures in a figure."""

    cycles: int
    by_unit: dict[str, float]
    listed: tuple[int, ...] = (1, 2)


def test_figures_in_figures_have_names_of_their_own() -> None:
    """What is no number or text, as a list, is left out; nothing at all is a figure, too."""
    found = dict(flat("run", {"a": Group(7, {"array": 0.5, "dram": 1.5}), "b": None, "c": "text", "d": True}))
    assert found == {
        "run.a.cycles": 7,
        "run.a.by_unit.array": 0.5,
        "run.a.by_unit.dram": 1.5,
        "run.b": None,
        "run.c": "text",
        "run.d": True,
    }
    assert list(flat("n", 3)) == [("n", 3)]
    assert list(flat("n", [3])) == []


def test_the_largest_bound_binds_and_of_equals_the_first() -> None:
    assert binding({"compute": 3.0, "recurrence": 7.5, "sequencer": 1.0}) == "recurrence"
    assert binding({"compute": 3.0, "recurrence": 7.5, "sequencer": 7.5}) == "recurrence"
    assert binding({"compute": 7.5, "recurrence": 3.0, "sequencer": 7.5}) == "compute"


def test_dram_s_bytes_against_the_least() -> None:
    """12 + 3 read and 5 written are 20, of 8 + 2 that any machine moves: twice as much."""
    traffic = {"dram": {"read": {"weight": 12, "x": 3}, "write": {"h": 5}}, "sram": {"read": {"h": 9}, "write": {}}}
    assert (total_bytes(traffic, "dram"), total_bytes(traffic, "sram")) == (20, 9)
    assert dram_ratio(traffic, {"read": {"weight": 8}, "write": {"h": 2}}) == 2.0
    assert dram_ratio(traffic, {"read": {}, "write": {}}) is None


def test_reached_of_the_lowest_roof() -> None:
    """In the steps DRAM allows 2 of a peak of 8 GOPS, over the run the peak binds: 1 is half, and 6 is 3/4."""
    ceilings = Ceilings(8.0, {"dram": Ceiling(1.0, 2.0, 9.0, 2.0, 8.0)}, "dram", PEAK)
    assert (ceilings.step_roof_gops, ceilings.run_roof_gops) == (2.0, 8.0)
    found = compute_roofline(ceilings, step_gops=1.0, run_gops=6.0)
    assert (found.step_roof_share, found.run_roof_share) == (0.5, 0.75)
    assert (found.step_gops, found.run_gops, found.step_binding, found.run_binding) == (1.0, 6.0, "dram", PEAK)
    turned = Ceilings(8.0, {"dram": Ceiling(1.0, 9.0, 3.0, 8.0, 3.0)}, PEAK, "dram")
    assert (turned.step_roof_gops, turned.run_roof_gops) == (8.0, 3.0)


RUN = cast("FinishedRun", SimpleNamespace())


def computed(value: Any) -> Any:
    (found,) = compute_further(RUN, [Statistic("one", "", "m", "f", lambda _run: value)])
    return found.value


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (3, 3),
        (np.int64(4), 4),
        (0.5, 0.5),
        (np.float32(0.25), 0.25),
        (Fraction(1, 4), 0.25),
        ({"a": np.int8(1)}, {"a": 1}),
    ],
    ids=str,
)
def test_numbers_of_other_packages_become_plain_ones(value: Any, wanted: Any) -> None:
    found = computed(value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize("value", [True, float("inf"), float("nan"), "3", None, {"a": False}, [1]], ids=str)
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(ExtensionError, match="one: expected finite numbers, got "):
        computed(value)


def test_statistics_that_cannot_be_used() -> None:
    """Two of a name, one without a text, one that fails, and what is no statistic."""
    one = Statistic("one", "", "m", "f", lambda _run: 1)
    nothing: dict[str, float] = {}
    two = Statistic("two", "", "m", "f", lambda _run: nothing["gone"])
    assert [found.statistic for found in compute_further(RUN, [one])] == [one]
    for given, said in (
        ([one, one], "one: there are several statistics of that name"),
        ([one, two], "two: cannot be computed: KeyError: 'gone'"),
        (
            [Statistic("three", "", cast("str", 5), "f", lambda _run: 1)],
            "three: meaning must be text, got the integer 5",
        ),
        ([cast("Statistic", 7)], "expected an instance of Statistic, got int"),
    ):
        with pytest.raises(ExtensionError, match=said):
            compute_further(RUN, given)
