"""Cells of any size on the NPU against a model of its micro-ops, which has no op of archsim's: equal to the cycle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.families.npu.machines import timed
from tests.families.npu.micro_ops import cycles
from tests.families.npu.test_npu_published import CPP_MODEL
from tests.rings import examples


@pytest.mark.parametrize("workload", CPP_MODEL)
def test_the_model_gives_the_published_cycles(workload: str) -> None:
    kind, _, rest = workload.partition(":")
    inputs, hidden, steps, _ = rest.split(",")
    assert cycles(kind, int(inputs), int(hidden), int(steps.removeprefix("t="))) == CPP_MODEL[workload]


@settings(max_examples=examples(6))
@given(
    kind=st.sampled_from(["lstm", "gru", "rnn"]),
    inputs=st.integers(1, 1152),
    hidden=st.integers(281, 1024),
    steps=st.integers(1, 4),
)
def test_any_size(kind: str, inputs: int, hidden: int, steps: int) -> None:
    assert timed(f"{kind}:{inputs},{hidden},t={steps},b=6").stats.body_cycles == cycles(kind, inputs, hidden, steps)
