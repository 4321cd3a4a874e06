"""Brainwave BW_S10 as a machine of the family npu: its steps by hand; its second-hand figures are held to nothing."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.fidelity.brainwave import CYCLES_PER_STEP
from tests.rings import exhaustive


def step(workload: str, *sets: str) -> float:
    """Cycles of a step in the steady state, which few steps show as well as many."""
    arch = load_arch("brainwave_s10", [parse_override(text) for text in sets])
    return float(simulate(arch, workload.replace("t=25", "t=5"), timing_only=True).stats.cycles_per_step)


def test_steps_by_hand() -> None:
    """A vector is padded to the native dimension, 10 words of 40; a chunk is a row block, of a micro-op a column block.

    Gaps as on the NPU (test_npu_published.py), but that h is written by 6 instructions, into 6 tiles; a product's first
    word comes to the loader after its micro-ops of one chunk, 17 of a tile, 8 of the reduction, 3 + 10 + 10: n + 48.

    LSTM 2048: 60 words; x is 9 words of each of 6 tiles, 54: 4 x 60 + 54 + 6 x 60 + 19 + 30 + 6 = 709.
    LSTM 1024: 30 words; x 5 x 6 = 30:                        4 x 30 + 30 + 6 x 30 + 19 + 30 + 6 = 385.
    GRU 2048: 3 x 60 + 54 + 5 x 60, gaps 29, 1, 30 and 6; n waits for r h in the tiles: 7 + 9 + 48 = 64, less the 4
      words behind r h that no tile has a place for: 60. In all 660.
    GRU 2816: 80 words, x 12 x 6 = 72: 3 x 80 + 72 + 5 x 80 = 712, gaps 29, 1, 30 and 6, n's 7 + 12 + 48 - 4 = 63; and
      n's words come no faster than its product, 12 micro-ops for 10 words: 7 x 2 = 14 more. In all 855.
    """
    assert 3 * 60 + 54 + 5 * 60 + 29 + 1 + 60 + 30 + 6 == 660
    assert 3 * 80 + 72 + 5 * 80 + 29 + 1 + 63 + 14 + 30 + 6 == 855
    assert [step(workload) for workload in CYCLES_PER_STEP] == [709, 385, 855, 660]


@exhaustive
def test_no_width_of_a_word_brings_all_figures_within_15_percent() -> None:
    """That is why they stand last in docs/fidelity.md: LSTM 1024 is published to take as long as LSTM 2048."""
    for lanes in (20, 40, 80, 400):
        errors = [step(work, f"mfu.lanes={lanes}", "mfu.depth_words=1024") for work in CYCLES_PER_STEP]
        errors = [found / cycles - 1 for found, cycles in zip(errors, CYCLES_PER_STEP.values(), strict=True)]
        assert max(map(abs, errors)) > 0.15, lanes
        if lanes == 400:
            assert errors == pytest.approx([-0.40, -0.77, -0.03, -0.39], abs=0.005)
