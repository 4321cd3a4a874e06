"""Errors, overflows and calibration in the report, and sums of energy, of figures that are written by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from archsim.api import Simulation
from archsim.formats import parse_format
from archsim.report.files.accuracy_figures import (
    CalibrationFigures,
    OverflowFigures,
    RangeFigures,
    ScoreFigures,
    TaskSummary,
    TensorFigures,
)
from archsim.report.text.figures_as_text import significant
from archsim.report.text.sections import accuracy_section
from archsim.report.text.sections.accuracy_section import _calibration, _errors, _growth, _overflows, _task
from archsim.report.text.sections.energy_section import energy
from tests.present import present
from tests.report.parts import flat, lines, thing


def tensor(name: str, place: int = 0, **parts: Any) -> TensorFigures:
    found = TensorFigures(name, 0.25 + place, 0.125 + place, 3.0 + place, 40.0 + place, 0.01, 0.02, 2.0)
    return dataclasses.replace(found, **parts)


def network(steps: int = 8, reverse: bool = False, **more: Any) -> Any:
    """Two layers, the last one of a cell alone."""
    cells = [thing(reverse=False), thing(reverse=reverse)]
    spec = thing(
        **({"steps": steps, "batch": 2, "lengths": None, "layers": ((cells[0],), (cells[1],)), "cells": cells} | more)
    )
    return thing(workload=thing(spec=spec), numbers=None, accuracy=None)


def test_a_tensor_has_its_errors_largest_value_and_ratio() -> None:
    rows = lines(*_errors(network(steps=1), [tensor("output"), tensor("c l0", 1, largest=None, sqnr_db=None)]))
    assert rows[1:4] == [
        "tensor max error RMS error largest SQNR", "output 2.5e-01 1.2e-01 3 40.0 dB", "c l0 1.2e+00 1.1e+00 - -",
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "left_out"), [(25, False), (26, True)])
def test_of_more_than_25_tensors_gates_are_left_out(count: int, left_out: bool) -> None:
    tensors = [tensor("output"), *(tensor(f"gate {place}") for place in range(count - 2)), tensor("c l9")]
    rows = lines(*_errors(network(steps=1), tensors))
    assert sum(row.startswith("gate ") for row in rows) == (0 if left_out else count - 2)
    assert any(row.startswith("c l9 ") for row in rows)
    assert ("The gates of each cell are in stats.json." in " ".join(rows)) is left_out


def test_growth_is_that_of_the_output_and_of_the_last_layer_s_c() -> None:
    tensors = [tensor("output"), tensor("c l0"), tensor("gate i l1"), tensor("c l1")]
    text = flat(*_growth(network(steps=5), tensors))
    assert (
        "first quarter (2 time steps) and of the last: output 1.0e-02 and 2.0e-02 (x 2: it grows); c l1 1.0e-02" in text
    )
    assert "c l0" not in text
    assert "reverse" not in text
    assert flat(*_growth(network(reverse=True), tensors)).endswith(" A cell in reverse begins at the last step.")
    assert _growth(network(steps=1), tensors) == []
    quiet = [tensor("output", first_quarter_rms_error=0.0, last_quarter_rms_error=0.0, error_growth=None), tensors[-1]]
    assert "output 0 and 0; c l1" in flat(*_growth(network(), quiet))


def overflows(*counts: tuple[str, int], numbers: bool = True, **formats: Any) -> list[str]:
    """Kinds, each with so many overflows of 1,000; formats that are not given are q4.4."""
    parsed = {kind: parse_format(name) for kind, name in ({"activation": "q4.4", "gate": "q4.4"} | formats).items()}
    own = thing(**parsed, format=lambda kind: parsed[kind])
    run = thing(
        numbers=thing(formats=own) if numbers else None, accuracy=None,
        arch=thing(config=thing(function_unit=thing(address_format=parsed.get("table")))),
    )  # fmt: skip
    figures = thing(overflows=[OverflowFigures(kind, count, 1000, count / 1000) for kind, count in counts])
    return lines(*_overflows(run, figures))


def test_kinds_with_an_overflow_have_a_row_and_the_others_are_named() -> None:
    found = overflows(("cell", 250), ("hidden", 0), ("gate", 1), ("input", 0), cell="q4.4")
    assert found[1:] == [
        "kind beyond the range of share", "cell 250 1,000 25.0 %", "gate 1 1,000 0.1 %",
        "no overflow in: hidden, input",
        "A value beyond the range saturates at its end.",
    ]  # fmt: skip
    assert overflows(("cell", 0))[1:] == ["no overflow in: cell"]
    assert overflows(("cell", 5), numbers=False)[1:] == ["kind beyond the range of share", "cell 5 1,000 0.5 %"]


def test_what_wraps_is_named_and_addresses_have_the_format_of_the_table_or_of_the_gates() -> None:
    address = "address: arguments beyond the range of the activation unit's table or line segments."
    cases: list[tuple[dict[str, Any], str]] = [
        ({"table": "q4.4/wrap"}, "address"),
        ({"gate": "q4.4/wrap"}, "gate, address"),
        ({}, ""),
    ]
    for formats, wraps in cases:
        text = overflows(("gate", 5), ("address", 5), **formats)[-1]
        but = f"; of {wraps} it wraps to the other end" if wraps else ""
        assert text == f"A value beyond the range saturates at its end{but}. {address}"
    assert "address" not in overflows(("gate", 5), ("address", 0))[-1]


def test_an_activation_that_ends_below_1_is_explained() -> None:
    words = "The largest number of activation q1.7 is just below 1"
    assert words in " ".join(overflows(("activation", 5), activation="q1.7"))
    assert words not in " ".join(overflows(("activation", 0), ("gate", 5), activation="q1.7"))


def test_scores_have_a_row_a_reference() -> None:
    golden, witness = ScoreFigures(0.25, 0.125, 1200, 3, 0.0025), ScoreFigures(None, 0.5, 1200, 1100, 0.9)
    rows = lines(*_task(TaskSummary("speech", 0.5, golden, witness)))
    assert rows[0].startswith("Task: speech (")
    assert rows[2:] == [
        "golden model 2.5e-01 1.2e-01 3 1,200 0.2 %", "expected (file) - 5.0e-01 1,100 1,200 90.0 %",
        "changed side: scores that are at least 0.5 in one and below it in the other.",
    ]  # fmt: skip
    assert len(lines(*_task(TaskSummary("speech", 0.5, golden, None)))) == 4


def calibration(count: int, monkeypatch: pytest.MonkeyPatch, method: str = "max", weights: str = "max") -> list[str]:
    """So many ranges of h, and one of a gate."""
    names = {f"h{place}": "hidden" for place in range(count)} | {"g": "gate"}
    monkeypatch.setattr(accuracy_section, "range_kinds", lambda _: names)
    ranges = {name: RangeFigures(-1.0, 2.5, "int8") for name in names}
    figures = thing(calibration=CalibrationFigures(method, 99.5, weights, "a file", ranges))
    return lines(*_calibration(thing(workload=thing(spec=None)), figures), width=400)


@pytest.mark.parametrize(("count", "shown", "more"), [(9, 9, False), (10, 9, True)])
def test_nine_ranges_of_states_are_listed(count: int, shown: int, more: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ", ".join(f"h{place} -1 .. 2.5" for place in range(shown))
    assert calibration(count, monkeypatch)[2] == f"ranges {listed}" + (", ... (stats.json has all)" if more else "")
    assert len(calibration(0, monkeypatch)) == 2, "no range of a state"


def test_a_percentile_is_said_where_a_method_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for method, weights, words in (
        ("max", "mse", "max, of weights mse; from a file"),
        ("percentile", "max", "percentile, of weights max 99.5; from a file"),
        ("max", "percentile", "max, of weights percentile 99.5; from a file"),
    ):  # fmt: skip
        assert calibration(1, monkeypatch, method, weights)[1] == f"method {words}"
    assert _calibration(thing(), thing(calibration=None)) == []


def test_sums_of_energy_have_their_units_and_the_table_its_sum(small: Simulation) -> None:
    found = present(small.stats.energy)
    given = dataclasses.replace(
        found, total_uj=2.0, total_low_uj=1.0, total_high_uj=4.0, pj_per_mac=12.5, power_mw=33.0, tops_per_w=0.75
    )
    run = dataclasses.replace(small, stats=dataclasses.replace(small.stats, energy=given))
    rows = lines(*energy(run))
    assert [" ".join(row.split()[:3]) for row in rows[1:6]] == [
        "total 2 uJ", "pj_per_mac 12.5 pJ/MAC", "power 33 mW", "tops_per_w 0.75 TOPS/W",
        f"area {significant(present(small.stats.area).area_mm2)} mm2",
    ]  # fmt: skip
    assert rows[1].startswith("total 2 uJ (1 to 4) ")
    area = present(small.stats.area)
    [whole] = [row for row in rows if row.startswith("sum ")]
    assert whole == f"sum 2 100.0 % {significant(area.area_mm2)} {significant(area.leakage_mw)} 1 to 4"
    for name, amount in found.part_uj.items():
        [row] = [row for row in rows if row.startswith(f"{name} {significant(amount)} ")]
        if name in area.part_leakage_mw:
            assert f" {significant(area.part_area_mm2[name])} {significant(area.part_leakage_mw[name])} " in row
