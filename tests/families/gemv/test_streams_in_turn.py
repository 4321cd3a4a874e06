"""Streams that share a machine in turn: latencies by hand, room for each one's states, numbers of each in every bit."""

from __future__ import annotations

import re

import pytest

from archsim.api import simulate
from archsim.api.frames import measure_frames
from archsim.config import parse_override
from archsim.errors import CapacityError, WorkloadError
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.metrics.frames import Arrivals, Frames
from archsim.program.verifier import find_hazards
from archsim.workload import Workload, load_workload

FRAME, INTERVAL = 49, 43
"""Cycles of LSTM(3, 2) on tiny_2x2, from docs/streaming.md: a frame alone, and from one to the next behind it."""


def workload(text: str, *overrides: str) -> Workload:
    return load_workload(text, [parse_override(override) for override in overrides])


def frames(steps: int, *overrides: str) -> tuple[Frames, Arrivals]:
    work = workload(f"lstm:3,2,t={steps},streaming=1", *overrides)
    found = measure_frames(load_arch("tiny_2x2"), work, find_schedule("fused"))
    assert found.arrivals is not None
    return found, found.arrivals


def test_evenly_over_the_period() -> None:
    """Two streams a period of 100 cycles: a frame every 50, of which one takes 49."""
    found, arrivals = frames(8, "streams=2", "period_us=1")
    assert (arrivals.p50_cycles, arrivals.max_cycles, arrivals.missed_deadlines) == (FRAME, FRAME, 0)
    assert [stream.frames for stream in arrivals.streams] == [4, 4]
    assert (found.frame_latency_cycles, found.frame_interval_cycles) == (FRAME, INTERVAL)
    assert found.headroom == 50 / INTERVAL
    assert found.real_time_factor == FRAME / 100


def test_all_at_once() -> None:
    """Their frames come together: that of stream 1 begins when the channel is free of stream 0's, 43 cycles later."""
    _, arrivals = frames(8, "streams=2", "period_us=1", "offset_us=0", "deadline_us=0.8")
    assert [stream.max_cycles for stream in arrivals.streams] == [FRAME, FRAME + INTERVAL]
    assert [stream.p50_cycles for stream in arrivals.streams] == [FRAME, FRAME + INTERVAL]
    assert [stream.missed_deadlines for stream in arrivals.streams] == [0, 4]
    assert (arrivals.p50_cycles, arrivals.p95_cycles, arrivals.missed_deadlines) == (49, 92, 4)


def test_more_than_the_machine_can_take() -> None:
    """Three streams a period of 120 cycles: a frame every 40. Frame n, of stream n mod 3, waits 3 n."""
    found, arrivals = frames(12, "streams=3", "period_us=1.2")
    assert [stream.max_cycles for stream in arrivals.streams] == [FRAME + 3 * n for n in (9, 10, 11)]
    assert [stream.p50_cycles for stream in arrivals.streams] == [FRAME + 3 * n for n in (3, 4, 5)]
    assert found.headroom == 40 / INTERVAL


def test_a_stream_that_is_late_is_waited_for() -> None:
    """They take turns: frame 1, of stream 1, comes in cycle 200, and frame 2, of stream 0, in the same. It waits."""
    _, arrivals = frames(3, "streams=2", "arrivals_us=[0, 2, 2]")
    assert [stream.max_cycles for stream in arrivals.streams] == [FRAME + INTERVAL, FRAME]


def test_energy_of_a_frame_is_that_of_one_stream() -> None:
    """What a frame switches, and what leaks until the next frame of any stream."""
    two, _ = frames(8, "streams=2", "period_us=2")
    one, _ = frames(8, "period_us=1")
    assert two.frame_dynamic_energy_uj == pytest.approx(one.frame_dynamic_energy_uj)
    assert two.frame_energy_uj == pytest.approx(one.frame_energy_uj)


@pytest.mark.parametrize(("streams", "need"), [(1, 16 + 8 + 80), (2, 24 + 16 + 80), (5, 48 + 40 + 80)])
def test_room_for_the_states(streams: int, need: int) -> None:
    """h of every stream and of the step that is written, 8 bytes each; c of every stream; gates and tanh(c) of one."""
    work = workload("lstm:3,2,t=8,streaming=1", f"streams={streams}")
    enough, less = (
        load_arch("tiny_2x2", [parse_override(f"state_buffer.capacity_bytes={size}")]) for size in (need, need - 1)
    )
    assert find_schedule("fused").build(work.spec, enough.config).op_instances
    with pytest.raises(CapacityError, match="state_buffer") as error:
        find_schedule("fused").build(work.spec, less.config)
    assert error.value.need == need


@pytest.mark.parametrize("schedule", ["fused", "split_gate_major", "fused_streamed", "ahead_wavefront"])
@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("lstm:9,14,t=7,layers=2,streaming=1", ()),
        ("lstm:9,14,t=7,proj=5,b=2,streaming=1", ()),
        ("gru:9,14,t=7,layers=2,streaming=1", ()),
        ("gru:9,14,t=7,streaming=1", ("linear_before_reset=false",)),
        ("rnn:9,14,t=7,layers=3,streaming=1", ()),
        ("lstm:9,14,t=7,streaming=1", ("peepholes=true",)),
    ],
)
def test_numbers_of_each_stream_in_every_bit(text: str, sets: tuple[str, ...], schedule: str) -> None:
    """Against the reference of each stream for itself; 7 frames of three streams: 3, 2 and 2."""
    machine = load_arch("edge_16x16")
    run = simulate(machine, workload(text, "streams=3", *sets), schedule)
    assert not find_hazards(run.program)
    assert run.validation.passed
    assert run.results is not None
    alone = simulate(machine, workload(text, *sets), schedule)
    assert alone.results is not None
    assert run.results.h_n[0].shape[0] == 3 * alone.results.h_n[0].shape[0]
    assert (run.results.output != alone.results.output).any()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("streams=2",), "streams is for a workload with streaming: true"),
        (("streaming=true", "streams=9"), "each of 9 needs a frame, and there are 4 (steps)"),
        (("streaming=true", "offset_us=1"), "offset_us: needs period_us"),
        (("streaming=true", "streams=3", "period_us=2", "offset_us=1"), "in which the frames of all streams come"),
    ],
)
def test_what_is_no_streams_is_refused(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(WorkloadError, match=re.escape(said)):
        workload("lstm:3,2,t=4", *overrides)
