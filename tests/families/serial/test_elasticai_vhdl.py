"""ElasticAI.creator's own VHDL, generated for drawn weights and simulated with GHDL, beside the machine.

Two things that the simulation shows, and that make its figures what they are:

- The generated sigmoid is clocked, and the element-wise machine reads it a state too early: f is multiplied with o of
  the hidden unit before, and i * g takes the sigmoid of f. With the clock taken out of the sigmoid the numbers are ours
  in every bit; as generated they are those of `as_generated`.
- The element-wise machine's clock is a copy of the clock, which comes a delta cycle later: it sees the last product's
  sums in the cycle in which they are written. One clock for both, as hardware has, takes a cycle more a step.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from archsim.api import simulate
from archsim.errors import SimulatorBug
from archsim.families.load import load_arch
from archsim.families.serial.fixed_point import cut, hard_sigmoid, hard_tanh, wrapped
from archsim.fidelity.peers.elasticai import Codes, DrawnCell, VhdlRun, drawn_cell, simulate_vhdl
from archsim.fidelity.peers.missing import PeerMissingError
from archsim.workload import load_workload
from tests.families.serial.numbers import run_on_codes
from tests.optional import skip
from tests.rings import exhaustive

SIZES = [3, 5, 20, int(np.random.default_rng(18).choice([6, 7, 9, 11, 13, 23, 30]))]
STEPS = 5


def test_hard_tanh_is_its_argument_between_minus_one_and_one() -> None:
    """8 bits: with 4 of fraction one is 16; with 7 it is 128, of which the largest code, 127, is left."""
    codes = np.array([-128, -17, -16, -3, 0, 5, 16, 17, 127])
    assert hard_tanh(codes, 8, 4).tolist() == [-16, -16, -16, -3, 0, 5, 16, 16, 16]
    assert hard_tanh(codes, 8, 7).tolist() == codes.tolist()


@cache
def simulated(units: int, *, immediate: bool = True, one_clock: bool = False, steps: int = STEPS) -> VhdlRun:
    try:
        cell = drawn_cell(units, steps, seed=units)
        return simulate_vhdl(cell, immediate_sigmoid=immediate, one_clock=one_clock)
    except PeerMissingError as error:
        skip(str(error))


def as_generated(cell: DrawnCell) -> Codes:
    """h of each step, with f and i read a state too early."""
    h = np.zeros((cell.units, 1), np.int64)
    c, o_before, found = h.copy(), 0, []
    for x in cell.x:
        sums = wrapped(cut(wrapped(cell.w_ih * x + cell.w_hh @ h, 16), 8, 4) + cell.bias[:, None], 8)
        _, f, g, o = sums.reshape(4, -1)
        f, o = hard_sigmoid(f, 8, 4), hard_sigmoid(o, 8, 4)
        late_f = np.concatenate([[o_before], o[:-1]])[:, None]
        o_before = int(o[-1])
        c = wrapped(cut(late_f * c, 8, 4) + cut(f[:, None] * hard_tanh(g, 8, 4)[:, None], 8, 4), 8)
        h = cut(o[:, None] * hard_tanh(c, 8, 4), 8, 4)
        found.append(h.ravel())
    return np.array(found)


@exhaustive
@pytest.mark.parametrize("units", SIZES)
def test_cycles_of_the_simulated_vhdl(units: int) -> None:
    stats = simulate(load_arch("elasticai_lstm"), load_workload(f"lstm:1,{units},t={STEPS}"), timing_only=True).stats
    assert simulated(units).cycles == (stats.cycles_per_step,) * STEPS
    assert stats.latency_cycles == sum(simulated(units).cycles)


@exhaustive
@pytest.mark.parametrize("units", SIZES)
def test_numbers_in_every_bit_with_a_sigmoid_without_a_clock(units: int) -> None:
    assert np.array_equal(simulated(units).h, run_on_codes(drawn_cell(units, STEPS, seed=units)))


@exhaustive
def test_as_generated_gates_are_read_a_state_too_early() -> None:
    cell, run = drawn_cell(20, STEPS, seed=20), simulated(20, immediate=False)
    assert np.array_equal(run.h, as_generated(cell))
    assert not np.array_equal(run.h, run_on_codes(cell))
    assert run.cycles == simulated(20).cycles


@exhaustive
def test_with_one_clock_a_step_takes_a_cycle_more() -> None:
    assert simulated(20, one_clock=True).cycles == tuple(cycles + 1 for cycles in simulated(20).cycles)


@exhaustive
def test_a_power_of_two_does_not_elaborate() -> None:
    with pytest.raises(SimulatorBug, match="ghdl"):
        simulated(8)
