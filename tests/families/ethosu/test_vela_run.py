"""Vela itself, run beside the machine: drawn LSTMs, every operator."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from archsim.api import simulate
from archsim.families.ethosu.config import EthosuConfig
from archsim.families.ethosu.costs import Costs
from archsim.families.ethosu.operators import Operator
from archsim.families.load import load_arch
from archsim.fidelity.peers.missing import PeerMissingError
from archsim.fidelity.peers.vela import EstimatedOperator, vela_operators
from archsim.workload import load_workload
from tests.optional import NEEDS, skip
from tests.rings import exhaustive

SIZES = [(1, 17), (24, 40), (33, 20), (50, 130)]
RANDOM = np.random.default_rng(18)
DRAWN = [(int(RANDOM.integers(1, 200)), int(RANDOM.integers(16, 260))) for _ in range(2)]


def estimated(inputs: int, units: int, steps: int) -> tuple[EstimatedOperator, ...]:
    try:
        return vela_operators(inputs, units, steps, seed=inputs + units)
    except PeerMissingError as error:
        skip(f"{NEEDS}{str(error).removeprefix(NEEDS)}")


@exhaustive
@pytest.mark.parametrize(("inputs", "units"), SIZES + DRAWN)
def test_every_operator_as_vela_estimates_it(inputs: int, units: int) -> None:
    """Engine and SRAM of each operator exactly; flash, which depends on the weights that are drawn, within 3 %."""
    found = estimated(inputs, units, 2)
    arch = load_arch("ethos_u55_128")
    simulation = simulate(arch, load_workload(f"lstm:{inputs},{units},t=2"), timing_only=True)
    assert isinstance(arch.config, EthosuConfig)
    costs = Costs(arch.config)
    ours, flash = Counter[tuple[int, int]](), 0
    for phase in simulation.program.phases:
        for op in phase.ops:
            assert isinstance(op, Operator)
            cost = op.cost(costs)
            ours[cost.engine_cycles, cost.sram_cycles] += phase.repeat
            flash += cost.flash_cycles * phase.repeat
    assert ours == Counter((operator.engine_cycles, operator.sram_cycles) for operator in found)
    assert flash == pytest.approx(sum(operator.flash_cycles for operator in found), rel=0.03)
    total = sum(operator.cycles for operator in found)
    assert simulation.stats.latency_cycles == pytest.approx(total, rel=0.03)


@exhaustive
def test_sizes_without_padding_are_exact() -> None:
    """Multiples of 32: no zeros are coded apart, so that the stream is as long as its weights."""
    total = sum(operator.cycles for operator in estimated(64, 96, 3))
    assert simulate("ethos_u55_128", "lstm:64,96,t=3", timing_only=True).stats.latency_cycles == total
