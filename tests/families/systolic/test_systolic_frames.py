"""Frames of a stream on a systolic array: one by hand, and the numbers of the whole sequence."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.api.timed_frames import serve_frames
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.verifier import find_hazards
from archsim.workload import load_workload

SCHEDULE = find_schedule(None, "systolic")


def test_a_frame_by_hand() -> None:
    """rnn:1,1, whose two matrices are a tile each: 65,536 bytes at 48.57 a cycle, 1,350 cycles.

    The load of x is issued in cycle 1, that of W_ih in 2: both tiles have come by 2 + 2 * 1,350, the second one is
    there 70 later, shifted in after 256, passed by one vector in 2 (8 x 16 bits), through rows and columns in 512.
    Drain: a cycle for each of two products, and 8. tanh: 1 and 6. The store to the host: 2 bytes are a burst of 64,
    3 cycles at 22.5, and 700. The next frame's tiles follow on the channel, which is the interval.
    """
    frames = simulate(load_arch("tpu_v1"), load_workload("rnn:1,1,t=3,streaming=1"), timing_only=True).frames
    assert frames is not None
    assert frames.frame_latency_cycles == 2 + 2700 + 70 + 256 + 2 + 512 + (2 + 8) + (1 + 6) + (3 + 700) == 4262
    assert frames.frame_interval_cycles == 2700


@pytest.mark.parametrize(
    "text",
    [
        "lstm:9,13,t=5,b=2",
        "lstm:5,7,t=4,layers=3",
        "lstm:9,13,t=3,proj=5,layers=2",
        "gru:5,7,t=6,layers=2",
        "rnn:5,14,t=3",
    ],
)
@pytest.mark.parametrize("formats", ["float32", "q4.12", "tflite_int8"])
def test_numbers_of_frames_are_those_of_the_sequence(text: str, formats: str) -> None:
    """Layers, too, which a frame passes one by one; and the stack sums to its latency."""
    small = ("systolic_array.rows=4", "systolic_array.columns=6", "accumulators.vectors=8", "dram.burst_bytes=8")
    machine = load_arch("tpu_v1", [parse_override(one) for one in (*small, f"formats={formats}")])
    work = load_workload(f"{text},streaming=1")
    run, sequence = simulate(machine, work), simulate(machine, load_workload(text))
    assert not find_hazards(run.program)
    assert run.validation.passed
    assert run.results is not None
    assert sequence.results is not None
    assert (run.results.output == sequence.results.output).all()
    assert run.frames is not None
    latency = run.frames.frame_latency_cycles
    assert sum(sum(causes.values()) for causes in run.frames.latency_stack.values()) == latency
    steps = work.spec.steps
    gap = latency + 3 * int(run.frames.frame_interval_cycles)
    assert (
        serve_frames(machine, work.spec, SCHEDULE, [gap * n for n in range(steps)]).latencies.tolist()
        == [latency] * steps
    )


def test_streams_in_turn() -> None:
    """Each with states of its own, judged in every bit."""
    work = load_workload("lstm:5,7,t=7,layers=2,streaming=1", [parse_override("streams=3")])
    assert simulate(load_arch("tpu_v1"), work).validation.passed
