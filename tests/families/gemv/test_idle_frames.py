"""The time in which a machine of a stream has nothing to do, by hand: batched streams, streams in turn, wavefronts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from archsim.api.frames import measure_frames
from archsim.api.timed_frames import serve_frames
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.metrics.arrivals import Served, arrival_cycles
from archsim.metrics.frames import Frames
from archsim.workload import Workload, load_workload

CLOCK_MHZ = Fraction(100)
"""Of tiny_2x2: a cycle is 10 ns."""
FRAME, INTERVAL = 49, 43
"""Cycles of LSTM(3, 2) on tiny_2x2, from docs/streaming.md: a frame alone, and from one to the next behind it."""

BATCHED = (1 + 1 + 3 + 4 + 1) + 12 + 4 + (1 + 6) + (1 + 12) + 4 + (1 + 6) + (2 + 2) + 3 * (1 + 2 + 2) - 1 + (1 + 2 + 4)
"""A frame of two sequences. 24 bytes are three bursts. Two tiles of 3 chunks and 2 sequences take 12 cycles; their sums
take all 8 accumulators, so that the next two begin a token after sigmoid of three gates has read them (6; it begins a
token after the drain of 4). Drain, token and sigmoid of those; tanh of g (2, latency 2); a token, two values and a
latency of 2 for cell, tanh of c and hidden, the last of which has a latency of 1; the store is a token, two bursts and
a latency of 4."""

WAVEFRONT = (1 + 1 + 2 + 4 + 1) + 6 + 4 + (1 + 3) + (1 + 6) + 4 + (1 + 3) + (1 + 2) + (1 + 1 + 2) + (1 + 1)
WAVEFRONT += 3 + (1 + 4) + 4 + (1 + 3) + (1 + 2) + 2 * (1 + 1 + 2) + (1 + 1 + 1) + (1 + 1 + 4)
"""A repetition of two layers. Layer 0: x is there (9); two tiles of 3 chunks, their drain, and sigmoid, which frees the
accumulators; the other two tiles a token later, drain, sigmoid, tanh of g with its latency, cell update, tanh of c
(1 + 1). Behind it on the activation unit sigmoid of layer 1 (3) frees accumulators for its last two tiles of 2 chunks;
drain, sigmoid, tanh of g, cell update, tanh of c, hidden update, and the store."""


def workload(text: str, *overrides: str) -> Workload:
    return load_workload(text, [parse_override(override) for override in overrides])


def idle_cycles(work: Workload, schedule: str = "fused") -> tuple[Fraction | None, Served]:
    machine = load_arch("tiny_2x2")
    releases = arrival_cycles(work.config, CLOCK_MHZ)
    assert releases is not None
    served = serve_frames(machine, work.spec, find_schedule(schedule), releases)
    return served.idle_cycles(work.config, CLOCK_MHZ), served


@pytest.mark.parametrize(
    ("text", "overrides", "idle"),
    [
        ("lstm:3,2,t=4,streaming=1", ("period_us=1",), 100 - FRAME),
        ("lstm:3,2,t=4,b=2,streaming=1", ("period_us=1",), 100 - BATCHED),
        # the two of a period do not overlap: 1 cycle behind each; or come together: of 100, 49 + 43 are busy
        ("lstm:3,2,t=8,streaming=1", ("streams=2", "period_us=1"), Fraction(100 - 2 * FRAME, 2)),
        ("lstm:3,2,t=8,streaming=1", ("streams=2", "period_us=1", "offset_us=0"), Fraction(100 - FRAME - INTERVAL, 2)),
        # a frame that has no partner in its period is not counted
        ("lstm:3,2,t=7,streaming=1", ("streams=2", "period_us=1", "offset_us=0"), Fraction(100 - FRAME - INTERVAL, 2)),
        # 45 is more than the interval and less than a frame: there is always one under way
        ("lstm:3,2,t=8,streaming=1", ("period_us=0.45",), 0),
        ("lstm:3,2,t=8,streaming=1", ("period_us=0.4",), 0),
        # the first is over 1 cycle before 50, the next 51 before 150, and the last has none behind it
        ("lstm:3,2,t=3,streaming=1", ("arrivals_us=[0, 0.5, 1.5]",), Fraction(1 + 51, 2)),
        ("lstm:3,2,t=1,streaming=1", ("arrivals_us=[0]",), None),
    ],
)
def test_in_turn(text: str, overrides: tuple[str, ...], idle: Fraction | None) -> None:
    assert idle_cycles(workload(text, *overrides))[0] == idle


def test_a_batched_frame() -> None:
    _, served = idle_cycles(workload("lstm:3,2,t=2,b=2,streaming=1", "period_us=1"))
    assert served.latencies.tolist() == [BATCHED, BATCHED] == [82, 82]


@pytest.mark.parametrize("steps", [2, 5])
def test_a_wavefront_has_nothing_to_do_until_the_next_frame_comes(steps: int) -> None:
    """What a frame waits for is no work: between what is done of two frames and the next arrival all is idle."""
    idle, served = idle_cycles(workload(f"lstm:3,2,t={steps},layers=2,streaming=1", "period_us=2"), "fused_wavefront")
    assert idle == 200 - WAVEFRONT == 200 - 83
    assert served.latencies[:-1].tolist() == [200 + WAVEFRONT] * (steps - 1)


def frames(arch: str, text: str, *overrides: str, schedule: str) -> Frames:
    return measure_frames(load_arch(arch), workload(text, *overrides), find_schedule(schedule))


def test_a_wavefronts_figures_agree() -> None:
    """Its latency is that of frames a period apart, so that no figure tells of another frame."""
    found = frames("tiny_2x2", "lstm:3,2,t=9,layers=2,streaming=1", "period_us=2", schedule="fused_wavefront")
    assert found.frame_latency_cycles == 200 + WAVEFRONT
    assert found.real_time_factor == (200 + WAVEFRONT) / 200
    assert found.arrivals is not None
    assert found.arrivals.p50_cycles == found.arrivals.max_cycles == found.frame_latency_cycles
    assert found.arrivals.missed_deadlines == 8  # all but the last, behind which none comes that it waits for
    assert sum(sum(causes.values()) for causes in found.latency_stack.values()) == found.frame_latency_cycles
    now = frames("tiny_2x2", "lstm:3,2,t=9,layers=2,streaming=1", schedule="fused_wavefront")
    soon = frames("tiny_2x2", "lstm:3,2,t=9,layers=2,streaming=1", "period_us=0.01", schedule="fused_wavefront")
    assert soon.frame_latency_cycles == now.frame_latency_cycles  # faster than they can be taken


def test_idle_energy_is_what_leaks_in_idle_time() -> None:
    found = frames("tiny_2x2", "lstm:3,2,t=8,streaming=1", "streams=2", "period_us=1", "offset_us=0", schedule="fused")
    assert found.frame_idle_energy_uj is not None
    assert found.frame_leakage_energy_uj is not None
    assert found.frame_idle_energy_uj == pytest.approx(found.frame_leakage_energy_uj * 4 / 50)


def test_work_that_lasts_longer_than_a_frame_is_no_idle_time() -> None:
    """Three frames that come in cycles 0, 10 and 20, out in 5, 15 and 25, with work until 8, 18 and 28."""
    arrived = np.array([0, 10, 20])
    served = Served(arrived, arrived + 5, arrived + 8, behind=0)
    work = workload("lstm:3,2,t=3,streaming=1", "period_us=0.1")
    assert served.idle_cycles(work.config, CLOCK_MHZ) == 2
