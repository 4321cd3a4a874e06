"""Figures of a run from its cycles and MACs, and where the steady state of a body is measured."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import pytest

from archsim.metrics.stats import SteadyState, body_cycles_per_step, steady_state
from archsim.program.ir import Phase, PhaseKind
from archsim.trace.data import PhaseTrace
from tests.metrics.test_energy_by_hand import run


def test_rates_of_a_run() -> None:
    """LSTM(3, 2), T = 4, on 4 multipliers at 100 MHz: 4 x 40 MACs in 198 cycles; a step has 40, so 80 ops."""
    stats = run().stats
    assert (stats.macs, stats.latency_cycles, stats.latency_us) == (160, 198, 1.98)
    assert stats.mac_utilization == pytest.approx(160 / (4 * 198))
    assert stats.throughput_gops == pytest.approx(320 / 1980)
    assert stats.peak_throughput_gops == pytest.approx(0.8)
    assert stats.steady_state_throughput_gops == pytest.approx(80 / stats.cycles_per_step * 0.1)
    assert stats.steady_state_mac_utilization == pytest.approx(40 / (4 * stats.cycles_per_step))
    parts = (stats.prologue_cycles, stats.body_cycles, stats.handover_cycles, stats.epilogue_cycles)
    assert sum(parts) == 198
    assert stats.body_us == pytest.approx(stats.body_cycles / 100)


def body(first: int, last: int, unroll: int = 1, head: bool = False, time_steps: int = 12) -> Phase:
    found = SimpleNamespace(
        kind=PhaseKind.BODY, time_steps=time_steps, steady_repetitions=(first, last), unroll=unroll, head=head
    )
    return cast("Phase", found)


def test_where_the_steady_state_is() -> None:
    """From the end of one repetition to that of another, each of so many steps; of one repetition from the start."""
    assert steady_state(body(2, 5, unroll=3)) == SteadyState(2, 5, 9)
    assert steady_state(body(1, 2)) == SteadyState(1, 2, 1)
    assert steady_state(body(0, 0, unroll=3)) == SteadyState(None, 0, 3)
    assert steady_state(body(4, 4, unroll=3, head=True)) == SteadyState(None, None, 12)
    assert steady_state(body(2, 5, unroll=3, head=True)) == SteadyState(2, 5, 9)
    assert steady_state(body(2, 5, time_steps=0)) is None
    for kind in PhaseKind:
        if kind is not PhaseKind.BODY:
            assert steady_state(cast("Phase", SimpleNamespace(kind=kind, time_steps=4))) is None


def test_cycles_of_a_step() -> None:
    """A body from cycle 10 to 100 whose repetitions end at 20, 34 and 50: 30 for 2 steps, or for 4 of two each."""
    trace = cast("PhaseTrace", SimpleNamespace(start=10, end=100, ends=((0, 20), (1, 34), (2, 50))))
    assert body_cycles_per_step(body(0, 2), trace) == 15
    assert body_cycles_per_step(body(0, 2, unroll=2), trace) == Fraction(15, 2)
    assert body_cycles_per_step(body(1, 2), trace) == 16
    assert body_cycles_per_step(body(1, 1, unroll=2), trace) == 12, "from the body's start to the end of repetition 1"
    assert body_cycles_per_step(body(2, 2, head=True), trace) == Fraction(90, 12), "all of it"
    assert body_cycles_per_step(body(0, 2, time_steps=0), trace) == 0
