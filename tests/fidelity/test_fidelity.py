"""`archsim fidelity`: every published figure within its tolerance, and the figures themselves in plain sight."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from archsim.api import Simulation
from archsim.cli.main import main
from archsim.fidelity import Row, all_rows
from archsim.fidelity.tpu import matrix_split
from archsim.report.text.fidelity_text import fidelity_text
from archsim.trace import OpRecord
from tests.rings import exhaustive
from tools.docs import DOCS, fidelity_figure, generate

PUBLISHED = {
    # machine, figure: published, largest error (pp for shares, else %; None: shown only)
    ("koios_lstm", "first h is stored in cycle"): (17, 0),
    ("koios_lstm", "cycles of a step"): (81, 0),
    ("koios_lstm", "cycles of 10 steps"): (810, 0),
    ("edgedrnn", "shipped_th0: cycles of steps 2 to 1,000"): (189_044, 0),
    ("edgedrnn", "shipped_th16: cycles of steps 2 to 1,000"): (126_857, 0),
    ("edgedrnn", "8_8_16_2_200_1_16_16: cycles of steps 2 to 200"): (32_739, 0),
    ("elasticai_lstm", "last step done"): (5_352, 0),
    ("ethos_u55_128", "cycles, estimate"): (33_080, 3),
    ("tpu_v1", "array active"): (8.2, 2),
    ("tpu_v1", "weight stall"): (58.1, 2),
    ("tpu_v1", "weight shift"): (15.8, 2),
    ("tpu_v1", "throughput"): (3.7, 5),
}


@cache
def rows() -> tuple[Row, ...]:
    """Simulated once for all tests; it takes some seconds."""
    return all_rows()


@exhaustive
@pytest.mark.parametrize(("machine", "figure"), PUBLISHED)
def test_published_figures_come_out(machine: str, figure: str) -> None:
    published, largest = PUBLISHED[machine, figure]
    row = next(row for row in rows() if (row.machine, row.figure) == (machine, figure))
    assert (row.published, row.tolerance) == (published, largest)
    error = row.simulated - published if row.unit == "% of cycles" else 100 * (row.simulated / published - 1)
    assert abs(error) <= largest


@exhaustive
def test_the_tpu_as_it_was_worked_out_from_its_tile_period() -> None:
    """A tile of 64 KiB at 48.57 bytes a cycle: 1,350 cycles. Active 64 * 2, shift 256, stall the rest, of 82.1 %."""
    found = {row.figure: row.simulated for row in rows() if row.machine == "tpu_v1" and "LSTM0" in row.workload}
    assert found["array active"] == pytest.approx(82.1 * 128 / 1350, abs=0.05)
    assert found["weight shift"] == pytest.approx(82.1 * 256 / 1350, abs=0.05)
    assert found["weight stall"] == pytest.approx(82.1 * (1350 - 128 - 256) / 1350, abs=0.05)
    assert found["throughput"] == pytest.approx(3.57, abs=0.01)


@exhaustive
def test_tiles_of_a_600_x_600_matrix() -> None:
    """ceil(600 / 256)^2 = 9 tiles of 1.93 us, published 9 of 2; with 512 x 512: 4 of 7.71 us, published 4 of 8."""
    found = [(row.published, row.simulated) for row in rows() if row.workload.startswith("600")]
    assert [published for published, _ in found] == [9, 18, 4, 32]
    assert [simulated for _, simulated in found] == [
        9,
        pytest.approx(17.36, abs=0.05),
        4,
        pytest.approx(30.85, abs=0.1),
    ]


@exhaustive
def test_every_row_is_within_its_tolerance_and_says_where_it_is_from() -> None:
    for row in rows():
        assert row.passed is not False, row
        assert row.source, row
        assert row.inputs, row
        assert row.predicted, row


@exhaustive
def test_second_hand_figures_are_labelled_and_held_to_nothing() -> None:
    assert {row.machine for row in rows() if row.second_hand} == {"brainwave_s10"}
    assert all(row.passed is None for row in rows() if row.second_hand)


@exhaustive
def test_the_page_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "all_rows", rows)
    assert (DOCS / "fidelity.md").read_text() == generate.PAGES["fidelity.md"](), "run: python -m tools.docs.generate"


@exhaustive
def test_the_picture_is_fresh(tmp_path: Path) -> None:
    fidelity_figure.draw(rows(), tmp_path / "fidelity.svg")
    assert (tmp_path / "fidelity.svg").read_bytes() == (DOCS / "fidelity.svg").read_bytes()


@exhaustive
def test_rows_fit_in_100_columns() -> None:
    assert max(map(len, fidelity_text(rows()).splitlines())) <= 100


@exhaustive
def test_json_is_a_list_of_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the rows simulated above: the README's command, which tests/docs runs, simulates them itself."""
    monkeypatch.setattr("archsim.fidelity.all_rows", rows)
    monkeypatch.setattr(sys, "argv", ["archsim", "fidelity", "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["published"] for row in printed] == [row.published for row in rows()]
    assert {"workload", "published", "simulated", "error", "source", "inputs", "predicted"} <= printed[0].keys()


@pytest.mark.parametrize(
    ("unit", "simulated", "error", "passed"),
    [
        ("cycles", 208.0, 4.0, True),
        ("cycles", 192.0, -4.0, True),
        ("cycles", 208.5, 4.25, False),
        ("% of cycles", 204.0, 4.0, True),
        ("% of cycles", 195.0, -5.0, False),
    ],
)
def test_an_error_is_percent_of_the_published_figure_or_of_a_share_points(
    unit: str, simulated: float, error: float, passed: bool
) -> None:
    """Of 200: 8 cycles are 4 %; a share that is 4 points off is 4 points off. The tolerance itself is allowed."""
    row = Row("m", "w", "f", unit, 200.0, simulated, 4.0, "s", "i", "p")
    assert (row.error, row.passed) == (error, passed)
    assert row.error_unit == ("%" if unit == "cycles" else "percentage points")


def test_a_row_out_of_its_tolerance_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Row("m", "w", "f", "cycles", 100, 104, 3.0, "s", "i", "p")
    monkeypatch.setattr("archsim.fidelity.all_rows", lambda: (wrong,))
    monkeypatch.setattr(sys, "argv", ["archsim", "fidelity"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert "+4.0 %  too far" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["archsim", "fidelity", "--full"])
    with pytest.raises(SystemExit):
        main()
    assert "| +4.0 % | 3 % |" in capsys.readouterr().out


@dataclass(frozen=True)
class Unit:
    """What the split asks of a unit, an op, a phase, a machine, a trace and a run."""

    unit: str


def run_of_tiles(tiles: Sequence[tuple[int, int, int, int]]) -> Simulation:
    """A run whose first body has a shift (start, done) and a pass (start, free) for each tile."""
    ops = [Unit(name) for _ in tiles for name in ("weight_shift", "systolic_array")]
    records = [
        record
        for n, (shift, shifted, start, free) in enumerate(tiles)
        for record in (
            OpRecord(1, 0, 2 * n, shift, shifted, shifted),
            OpRecord(1, 0, 2 * n + 1, start, free, free + 7),
        )
    ]
    return cast(
        Simulation,
        SimpleNamespace(
            program=SimpleNamespace(
                phases=[SimpleNamespace(name="prologue"), SimpleNamespace(name="body", ops=ops)],
            ),
            trace=SimpleNamespace(records=[OpRecord(0, 0, 0, 0, 5, 5), *records]),
            arch=SimpleNamespace(config=SimpleNamespace(multipliers=Unit("systolic_array"))),
        ),
    )


def test_where_the_cycles_of_tiles_went_by_hand() -> None:
    """After the first tile, which ends at 20:

    the second is shifted in from 30 to 46 and starts then: 10 cycles of stall, 16 of shift; active to 66.
    the third was shifted in from 50 to 60, behind the second: it starts at 66, active to 86.
    the fourth is shifted in from 80 to 96: from 86 on 10 cycles of shift; it starts at 100, 4 cycles for other reasons.
    """
    split = matrix_split(run_of_tiles([(0, 10, 10, 20), (30, 46, 46, 66), (50, 60, 66, 86), (80, 96, 100, 120)]))
    total = 60 + 26 + 10
    assert (split.active, split.shift, split.stall) == pytest.approx((60 / total, 26 / total, 10 / total))
    assert split.cycles_per_tile == pytest.approx(total / 3)
