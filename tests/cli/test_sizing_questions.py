"""Questions that users came with, and the figures that answer them, by hand.

The frame of a stream of one or of 500 steps (T = 1), and a cold start beside it, are in
tests/families/gemv/test_frames.py; the banks behind 128 rows in test_whatif.py.
"""

from __future__ import annotations

import json

import pytest

from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.cli.conftest import Cli
from tests.rings import exhaustive

TAIL = 13 + 3 + (1 + 4) + (1 + 4) + (1 + 4) + (1 + 2) + 5
"""edge_64x64, 16 units a group: drain, sigmoid, tanh of g behind it, cell, tanh of c, hidden update; 5 tokens."""


def test_schedules_are_measured_and_not_advised() -> None:
    """LSTM(200, 1000) in Q4.12, fused in 1,229 cycles a step: 63 tiles of 19 chunks, and 32 cycles of drain.

    Split takes more: each tile has 4 + 16 chunks, and 7 groups ahead fill 28 of the 32 cycles: 63 * 20 + 4 = 1,264.
    With 8 groups alone split it is 1,205 (tests/families/gemv/test_ahead.py). What is listed is what a run takes.
    """
    evaluator, machine = Evaluator(), load_arch("edge_64x64_q4_12")
    work = load_workload("lstm:200,1000,t=12")
    steps = [evaluator.evaluate(machine, work, name).stats.cycles_per_step for name in ("fused", "split", "ahead")]
    assert steps == [63 * 19 + 32, 63 * 20 + 32 - 7 * 4, 63 * 19 + 8]


@pytest.mark.parametrize("large", [True, False])
def test_a_megabyte_more_instead_of_streaming(large: bool) -> None:
    """LSTM(512, 1280) in int8 has 4 * 1,280 * (512 + 1,280) = 9,175,040 bytes of weights, 8.75 MiB.

    In 8 MiB: W_hh (6,553,600) stays; in the 1,835,008 bytes left of it are two slots of a W_ih tile of 64 * 512 =
    32,768 bytes, and 54 of 80 tiles. 26 tiles stream, with x (512 bytes) and h (1,280), at 16 * 0.94 = 15.04 bytes a
    cycle, each rounded up: 26 * 2,179 + 35 + 86 = 56,775 cycles a step. In 9 MiB 80 tiles of 8 + 20 chunks and the
    tail: 2,279, 25 times faster.

    The same with a quarter of it: LSTM(128, 640) has 4 * 640 * 768 = 1,966,080 bytes. 1.75 MiB hold W_hh (1,638,400),
    two slots of 64 * 128 = 8,192 and 22 of 40 tiles; 18 stream, with 128 + 640 bytes: 18 * 545 + 9 + 43 = 9,862
    cycles. In 2 MiB 40 tiles of 2 + 10 chunks and the tail: 519.
    """
    text, little, enough = ("lstm:512,1280,t=12", "8MiB", "9MiB") if large else ("lstm:128,640,t=12", "1792KiB", "2MiB")
    pieces = [32_768] * 26 + [512, 1280] if large else [8_192] * 18 + [128, 640]
    streamed = sum(-(-100 * piece // 1504) for piece in pieces)
    resident = 80 * 28 + TAIL if large else 40 * 12 + TAIL
    assert (streamed, resident) == ((56_775, 2_279) if large else (9_862, 519))
    for size, cycles in ((little, streamed), (enough, resident)):
        machine = load_arch("edge_64x64", [parse_override(f"weight_sram.capacity_bytes={size}")])
        assert Evaluator().evaluate(machine, load_workload(text), "fused_streamed").stats.cycles_per_step == cycles


@exhaustive
@pytest.mark.parametrize(
    ("text", "little", "enough", "cycles"),
    [("lstm:512,1280,t=12", "8MiB", "9MiB", 2_279), ("lstm:128,640,t=12", "1792KiB", "2MiB", 519)],
)
def test_what_if_says_so_first(cli: Cli, text: str, little: str, enough: str, cycles: int) -> None:
    case = ("edge_64x64", text, "--set", f"weight_sram.capacity_bytes={little}", "--schedule", "fused_streamed")
    best = json.loads(cli("whatif", *case, "--by", "step", "--json").out)[0]
    assert best["change"] == f"--set weight_sram.capacity_bytes={enough}"
    assert best["after_cycles_per_step"] == cycles
