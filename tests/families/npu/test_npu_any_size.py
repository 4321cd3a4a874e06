"""Cells of any size on the NPU against a model of its micro-ops, which has no op of archsim's: equal to the cycle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.families.npu.machines import timed
from tests.families.npu.micro_ops import cycles, run
from tests.families.npu.test_npu_published import CPP_MODEL
from tests.rings import examples, exhaustive

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "npu.md").read_text()


@pytest.mark.parametrize("workload", CPP_MODEL)
def test_the_model_gives_the_published_cycles(workload: str) -> None:
    kind, _, rest = workload.partition(":")
    inputs, hidden, steps, _ = rest.split(",")
    assert cycles(kind, int(inputs), int(hidden), int(steps.removeprefix("t="))) == CPP_MODEL[workload]


@settings(max_examples=examples(6))
@given(
    kind=st.sampled_from(["lstm", "gru", "rnn"]),
    inputs=st.integers(1, 1152),
    hidden=st.one_of(st.integers(1, 280), st.integers(281, 1024)),
    steps=st.integers(1, 4),
)
def test_any_size(kind: str, inputs: int, hidden: int, steps: int) -> None:
    assert timed(f"{kind}:{inputs},{hidden},t={steps},b=6").stats.body_cycles == cycles(kind, inputs, hidden, steps)


ROW = r"^\| (LSTM|RNN|GRU) 256 \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([+.\d]+) % \|$"
SHORT = [
    (kind, int(steps), *(int(number.replace(",", "")) for number in numbers), share)
    for kind, steps, *numbers, share in re.findall(ROW, PAGE, re.MULTILINE)
]


def test_the_page_has_short_vectors_of_every_kind() -> None:
    assert {(kind, steps) for kind, steps, *_ in SHORT} >= {(k, t) for k in ("RNN", "LSTM", "GRU") for t in (1, 8, 16)}


@pytest.mark.parametrize(
    ("kind", "steps", "miscounted", "early", "here", "more"),
    [pytest.param(*row, marks=() if row[1] <= 4 else exhaustive) for row in SHORT],
)
def test_short_vectors(kind: str, steps: int, miscounted: int, early: int, here: int, more: str) -> None:
    """What the authors' loader does with the tag of dropped words, and what is timed here: every vector waited for.

    An RNN raises 7 tags for x_0, then in each step 1 for x_h, 7 for the next x and 7 for h, and one more for the words
    of h that it drops. In step 2 x_h is counted as the 23rd: the 23rd to be raised is that of the dropped words.
    """
    found = run(kind.lower(), 256, 256, steps, drops_raise_tags=True)
    assert (found.cycles, found.stale) == (miscounted, early)
    assert timed(f"{kind.lower()}:256,256,t={steps},b=6").stats.body_cycles == here
    assert cycles(kind.lower(), 256, 256, steps) == here
    assert (early == 0) == (miscounted == here)
    assert more == f"{100 * (here / miscounted - 1):+.1f}"


@pytest.mark.parametrize("hidden", [1, 40, 41, 280])
def test_all_short_vectors_take_as_long(hidden: int) -> None:
    """12 words whatever H, of which 7 have a place; I of one column block."""
    for kind in ("rnn", "lstm", "gru"):
        assert timed(f"{kind}:{hidden},{hidden},t=2,b=6").stats.body_cycles == cycles(kind, 256, 256, 2)
