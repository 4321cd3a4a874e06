"""Frames of a stream on an NPU: when they are out against a model that moves every word, and their numbers."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.api.timed_frames import serve_frames
from archsim.config import parse_override
from archsim.errors import ScheduleError
from archsim.families.schedules import find_schedule
from archsim.program.ir import DataKind
from archsim.program.verifier import find_hazards
from archsim.workload import load_workload
from tests.families.npu.machines import SMALL, machine
from tests.families.npu.test_npu_word_by_word import word_by_word

SCHEDULE = find_schedule(None, "npu")
NETWORKS = ("lstm:9,7,t=4,b=2", "lstm:3,5,t=3,layers=2", "gru:4,6,t=5,layers=2,b=3", "rnn:5,8,t=3")


@pytest.mark.parametrize("text", NETWORKS)
def test_a_frame_is_out_when_its_words_are(text: str) -> None:
    """Of frames that are all there from the first cycle on, each one's last word of the output."""
    arch, work = machine(*SMALL, "mvu.cores=3"), load_workload(f"{text},streaming=1")
    program = SCHEDULE.build(work.spec, arch.config)
    (body,) = program.phases
    last = [n for n, op in enumerate(body.ops) if any(r.buffer.name == "dram.output" for r in op.writes)]
    assert all(r.buffer.kind is DataKind.OUTPUT for n in last for r in body.ops[n].writes[-1:])
    times = word_by_word(program, arch)
    out = [max(times[0, frame, op][1] for op in last) for frame in range(work.spec.steps)]
    assert serve_frames(arch, work.spec, SCHEDULE, [0] * work.spec.steps).latencies.tolist() == out
    frames = simulate(arch, work, timing_only=True).frames
    assert frames is not None
    assert frames.frame_latency_cycles == out[0]
    assert sum(sum(causes.values()) for causes in frames.latency_stack.values()) == out[0]


@pytest.mark.parametrize("text", NETWORKS)
def test_numbers_of_frames_are_those_of_the_sequence(text: str) -> None:
    arch = machine(*SMALL, "mvu.cores=3")
    run, sequence = simulate(arch, load_workload(f"{text},streaming=1")), simulate(arch, load_workload(text))
    assert not find_hazards(run.program)
    assert run.validation.passed
    assert run.results is not None
    assert sequence.results is not None
    assert (run.results.output == sequence.results.output).all()


def test_the_states_of_one_stream() -> None:
    """h and c lie in registers that have no slots for others."""
    work = load_workload("lstm:3,5,t=4,streaming=1", [parse_override("streams=2")])
    with pytest.raises(ScheduleError, match=r"no chains for streams in turn \(streams\)"):
        SCHEDULE.build(work.spec, machine(*SMALL, "mvu.cores=3").config)
