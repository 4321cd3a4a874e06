"""What calibration and lists say, of methods and parts that are written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.formats.scaling import Method
from archsim.report.text import calibration_text
from archsim.report.text.calibration_text import _method, calibration_report
from archsim.report.text.catalogue import _component, _importer, _statistic, _summary
from tests.report.parts import thing


def test_a_percentile_stands_behind_the_method_that_has_one() -> None:
    assert [_method(method, 99.5) for method in (Method.PERCENTILE, Method.MAX)] == ["percentile 99.5", "max"]


@pytest.mark.parametrize(("given", "words"), [(None, "of the workload"), ("x", "calibration.input")])
def test_the_head_says_methods_input_and_how_much_there_was(
    given: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the two methods one is of the weights; a row for each range that is needed, in that order."""
    monkeypatch.setattr(calibration_text, "needed_ranges", lambda *_: {"h": "format of h", "c": "format of c"})
    monkeypatch.setattr(calibration_text, "_row", lambda *parts: (*map(str, parts), "a", "b"))
    arch = thing(name="the machine", config=thing(formats=None))
    workload = thing(name="the workload", spec=None, config=thing(calibration=thing(input=given)))
    found = thing(
        method=Method.MAX,
        weight_method=Method.PERCENTILE,
        percentile=99.5,
        ranges={"c": "range of c", "h": "range of h"},
    )
    observed = thing(size=(1200, 3), samples=lambda name: f"samples of {name}")
    text = [" ".join(line.split()) for line in calibration_report(arch, workload, found, observed).splitlines()]
    assert text[0] == "Calibration of the workload for the formats of the machine"
    assert text[1:4] == [
        "method max", "weights percentile 99.5, each matrix by itself", f"input {words}, T = 1,200, B = 3",
    ]  # fmt: skip
    assert "h range of h format of h samples of h a b" in text
    assert text.index("h range of h format of h samples of h a b") < text.index(
        "c range of c format of c samples of c a b"
    )


def test_a_row_has_the_scale_as_a_power_of_two_where_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four samples one is beyond; 0.25 is 2^-2, and 0.3 no power."""
    beyond = np.int64(1)
    monkeypatch.setattr(calibration_text, "quantized", lambda *_: (None, beyond))
    for scale, words in ((0.25, "2^-2"), (1.0, "2^0"), (0.3, "0.3"), (0.123456, "0.1235")):
        monkeypatch.setattr(
            calibration_text, "scale_and_zero", lambda *_, scale=scale: (np.array([scale]), np.array([-1200]))
        )
        row = calibration_text._row(thing(low=-1.23456, high=2.5), thing(name="int16"), np.zeros(4))
        assert row == ("-1.235 .. 2.5", "int16", words, "-1,200", "25.0 %")


def test_what_packages_offer_is_listed_with_its_unit_or_its_files() -> None:
    units = [_statistic(thing(name="n", meaning="what it is", unit=unit))[1] for unit in ("pJ", "", "1")]
    assert units == ["what it is (pJ)", "what it is", "what it is"]
    assert _importer(thing(name="n", summary="reads", suffixes=(".a", ".b"))) == ("n", "reads (.a, .b)")
    assert _summary({"summary": "a network"}) == "a network"
    assert _summary({"summary": "a network", "task": {"summary": "speech"}}) == "a network; task: speech"


def test_a_section_of_several_kinds_has_a_line_for_each() -> None:
    kinds = [
        thing(name="dram", kind="simple", summary="one"), thing(name="dram", kind="ddr", summary="two"),
        thing(name="mac_array", kind="", summary="three"),
    ]  # fmt: skip
    family: Any = thing(unit_kinds=kinds)
    assert _component(family, "dram", "about") == [("dram: simple", "one"), ("dram: ddr", "two")]
    assert _component(family, "mac_array", "about") == [("mac_array", "three")]
    assert _component(family, "formats", "about") == [("formats", "about")]
