"""A bias that the activation unit adds: every kind of cell computes what the reference does, bit for bit."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.cells.activation import Activate
from archsim.families.load import load_arch
from archsim.workload import load_workload

MACHINE = ("formats=q4.12", "activation.method=table", "activation.adds_bias=true", "accumulators.entries=64")


@pytest.mark.parametrize("workload", ["lstm:3,5,t=3", "rnn:3,5,t=3", "gru:3,5,t=3"])
@pytest.mark.parametrize("schedule", ["fused_interleaved", "split_gate_major"])
def test_the_numbers_are_those_of_the_reference(workload: str, schedule: str) -> None:
    """Each gate of an op has the bias of its own rows: of 5 units on 2 rows groups are ragged.

    A GRU that resets behind the product, inside of the sum, has no place for it.
    """
    sets = ["linear_before_reset=false"] if workload.startswith("gru") else []
    arch = load_arch("tiny_2x2", [parse_override(text) for text in MACHINE])
    found = simulate(arch, load_workload(workload, [parse_override(text) for text in sets]), schedule)
    assert found.validation.passed, found.validation
    biased = [op for phase in found.program.phases for op in phase.ops if isinstance(op, Activate) and op.bias]
    assert biased
    for op in biased:
        assert op.bias is not None
        assert op.bias.entries == op.source.entries
