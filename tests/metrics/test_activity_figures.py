"""What a delta network skipped, from columns by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from archsim.metrics.activity import ActivityFigures, activity_figures
from archsim.metrics.stats import Stats
from archsim.workload.activity import LayerActivity, StepColumns
from archsim.workload.network import CellKind, CellSpec, NetworkSpec
from tests.present import present


def stats(cycles: int, **parts: float) -> Stats:
    energy = SimpleNamespace(part_uj=parts, total_uj=sum(parts.values())) if parts else None
    return cast("Stats", SimpleNamespace(energy=energy, latency_cycles=cycles))


LSTM = CellSpec(CellKind.LSTM, 3, 4, CellKind.LSTM.functions, proj_size=2)
LINEAR = CellSpec(CellKind.LINEAR, 2, 5, CellKind.LINEAR.functions)
ACTIVITY = (
    LayerActivity((StepColumns((0, 1, 3), (0, 1)), StepColumns((2,), ()), StepColumns((), (1,)))),
    LayerActivity((StepColumns((0, 1, 2), ()), StepColumns((), ()), StepColumns((1,), ()))),
)
SPEC = NetworkSpec(((LSTM,), (LINEAR,)), steps=3, batch=2, activity=ACTIVITY)


def figures(run: Stats, dense: Stats) -> ActivityFigures:
    return present(activity_figures(SPEC, {"encoder": {"stalls": 7}}, 2000, run, dense))


def test_columns_of_each_layer() -> None:
    """Column 0 of x is the bias. LSTM: 2 + 1 of x in three steps of 3, 2 + 1 of h in three of 2; linear: 3 of 6."""
    lstm, linear = figures(stats(40), stats(100)).layers
    assert (lstm.x, lstm.h, lstm.bias) == (3, 3, 1)
    assert (lstm.x_share, lstm.h_share) == pytest.approx((3 / 9, 3 / 6))
    assert (linear.x, linear.h, linear.bias, linear.x_share, linear.h_share) == (3, 0, 1, 3 / 6, 0.0)


def test_macs_that_were_done_and_skipped() -> None:
    """A column of the LSTM has 16 rows, one of the linear layer 5; the projection of 2 x 4 is done in every step.

    (6 x 16 + 3 x 8 + 3 x 5) x 2 sequences are 270, of (16 x (3 + 2) + 8 + 5 x 2) x 3 x 2 = 588; 2,000 could be done.
    """
    found = figures(stats(40), stats(100))
    assert SPEC.macs == 588
    assert found.multiplied_macs == 270
    assert found.skipped_share == pytest.approx(1 - 270 / 588)
    assert found.multiplied_utilization == 0.135
    assert (found.dense_latency_cycles, found.counts) == (100, {"encoder": {"stalls": 7}})
    assert (found.dense_energy_uj, found.skipped_uj, found.skipped_part_uj) == (None, None, None)


def test_energy_that_was_saved() -> None:
    """13 uJ against 7: the array 5 less, leakage the same, the encoder 1 more, and wires of the dense run alone."""
    run, dense = stats(40, mac_array=1, leakage=4, encoder=2), stats(100, mac_array=6, leakage=4, encoder=1, wires=2)
    found = figures(run, dense)
    assert (found.dense_energy_uj, found.skipped_uj) == (13, 6)
    assert found.skipped_part_uj == {"mac_array": 5, "leakage": 0, "encoder": -1, "wires": 2}
    assert figures(stats(40), stats(100, mac_array=6)).skipped_uj is None
    assert figures(stats(40, mac_array=6), stats(100)).skipped_uj is None


def test_no_other_network_has_such_figures() -> None:
    plain = NetworkSpec(((LSTM,),), steps=3, batch=2)
    assert activity_figures(plain, {}, 2000, stats(40), stats(100)) is None
    assert activity_figures(SPEC, {}, 2000, stats(40), None) is None
