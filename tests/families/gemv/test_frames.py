"""Frames of a stream on a machine that is on: their latency, interval and arrivals by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.api.explain import explain
from archsim.api.frame_run import run_frame
from archsim.api.frames import measure_frames
from archsim.api.machine_spec import machine_spec
from archsim.api.timed_frames import FramesRun, serve_frames
from archsim.config import parse_override
from archsim.critical import Cause, Segment
from archsim.errors import ScheduleError
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.metrics.frames import Frames
from archsim.program.verifier import find_hazards
from archsim.workload import Workload, load_workload
from tests.rings import examples, exhaustive
from tests.strategies import Case, bits, cases, is_wavefront, layers, network, tensors

STREAMING = [schedule.name for schedule in GEMV_SCHEDULES if schedule.streams]


def frames(arch: str, workload: str, *overrides: str, schedule: str = "fused") -> Frames:
    work = load_workload(workload, [parse_override(text) for text in overrides])
    return measure_frames(load_arch(arch), work, find_schedule(schedule))


LOAD_X = 1 + 1 + 2 + 4 + 1
"""tiny_2x2: the token of its arrival, its issue, 12 bytes in two bursts of 8, DRAM's latency, a token to the array."""
TAIL = 4 + (1 + 3) + (1 + 2) + (1 + 1 + 2) + (1 + 1 + 2) + (1 + 1 + 1)
"""From the last tile: drain (SRAM, multiplier, one level of the tree, accumulator), sigmoid of i, f and o of the last
unit, tanh of g, cell update, tanh of c, hidden update; a lane each, with their depths, and a token before each but tanh
of g, which follows sigmoid on its unit."""
STORE_Y = 1 + 1 + 4
"""The token to DRAM, 8 bytes in one burst, and its latency."""


@pytest.mark.parametrize(
    ("layers", "latency"),
    [
        # 2 units are two groups of two tiles each, of ceil(5 / 2) = 3 chunks
        (1, LOAD_X + 4 * 3 + TAIL + STORE_Y),
        # and, a token after h of layer 0, 4 tiles of (2 + 2) / 2 chunks
        (2, LOAD_X + 4 * 3 + TAIL + 1 + 4 * 2 + TAIL + STORE_Y),
    ],
)
def test_a_frame_on_tiny_2x2(layers: int, latency: int) -> None:
    """A frame alone; and one behind the other: x is loaded when y of the frame before has left the channel.

    The load begins in cycle 2 of a frame, and the store, whose latency is no part of it, ends 4 before the frame.
    """
    found = frames("tiny_2x2", f"lstm:3,2,t=9,layers={layers},streaming=1")
    assert found.frame_latency_cycles == latency == (49, 80)[layers - 1]
    assert found.frame_interval_cycles == latency - 4 - 2
    assert found.frame_latency_us == latency / 100


@pytest.mark.parametrize("steps", [1, 500])
def test_three_layers_on_edge_64x64_whatever_the_length(steps: int) -> None:
    """A frame of LSTM(80, 512) x 3: 32 groups of 16 units, tiles of 2 + 8 chunks in layer 0 and 8 + 8 in 1 and 2.

    Tail: drain 13, sigmoid 3, and 1 + 4, 1 + 4, 1 + 4 and 1 + 2, with five tokens. x: token, issue, 80 bytes in two
    bursts of 64 at 0.94 of 16 a cycle, latency 80, token; y: 512 bytes and latency. From a cold start of one frame
    nearly all is loading, and neither its latency nor its energy says anything about a frame.
    """
    tail = 13 + 3 + (1 + 4) + (1 + 4) + (1 + 4) + (1 + 2) + 5
    x, y = 1 + 1 + 9 + 80 + 1, 35 + 80  # 128 and 512 bytes at 15.04 a cycle
    found = frames("edge_64x64", f"lstm:80,512,t={steps},layers=3,streaming=1")
    assert found.frame_latency_cycles == x + (32 * 10 + tail) + 2 * (32 * 16 + tail) + y == 1668
    assert found.frame_interval_cycles == 1668 - 80 - 2
    assert found.frame_macs == 4 * 512 * (80 + 512 + 2 * 1024)
    assert found.frame_mac_utilization == found.frame_macs / (4096 * 1586)
    assert found.frame_energy_uj is not None
    assert 1 < 1e6 * found.frame_energy_uj / found.frame_macs < 2  # pJ a MAC; of a cold start of one frame 81


@exhaustive
def test_a_cold_start_is_another_question() -> None:
    """Its latency and energy are those of loading the weights, of which a frame has none.

    4 x 512 x (80 + 5 x 512) weights of a byte pass LPDDR4's device at 5.9 pJ a bit; interface, SRAM and what runs
    meanwhile come on top.
    """
    cold = simulate(load_arch("edge_64x64"), load_workload("lstm:80,512,t=1,layers=3,streaming=1"), timing_only=True)
    assert cold.frames is not None
    assert cold.stats.prologue_cycles > 99 * cold.frames.frame_latency_cycles
    energy, frame_uj = cold.stats.energy, cold.frames.frame_energy_uj
    assert energy is not None
    assert frame_uj is not None
    weights_uj = 4 * 512 * (80 + 5 * 512) * 8 * 5.9e-6
    read = energy.memory_uj["dram"]["read"]
    assert read["W_ih"] + read["W_hh"] == pytest.approx(weights_uj)
    assert energy.total_uj > frame_uj + weights_uj
    assert weights_uj > 30 * frame_uj


ARRIVALS = "arrivals_us=[0, 0.1, 1.0, 1.43, 3.0]"


def test_given_arrivals() -> None:
    """Cycles 0, 10, 100, 143 and 300. The second frame's x is loaded from cycle 45 on, as if it had come in cycle 43.

    So it is out in cycle 43 + 49 = 92, 82 after it came. The fourth comes as early as it can without waiting.
    """
    work = load_workload("lstm:3,2,t=5,streaming=1", [parse_override(ARRIVALS), parse_override("deadline_us=0.5")])
    machine, schedule = load_arch("tiny_2x2"), find_schedule("fused")
    found = measure_frames(machine, work, schedule).arrivals
    assert serve_frames(machine, work.spec, schedule, (0, 10, 100, 143, 300)).latencies.tolist() == [49, 82, 49, 49, 49]
    assert found is not None
    assert (found.p50_cycles, found.p95_cycles, found.p99_cycles, found.max_cycles) == (49, 82, 82, 82)
    assert (found.frames, found.missed_deadlines) == (5, 1)


def test_a_period_that_is_too_short() -> None:
    """40 cycles, where a frame takes 43: frame t (from 0) waits 3 t cycles. Of 20, the 10th, the 19th and the 20th."""
    found = frames("tiny_2x2", "lstm:3,2,t=20,streaming=1", "period_us=0.4")
    assert found.arrivals is not None
    arrivals = found.arrivals
    assert arrivals.p50_cycles == 49 + 3 * 9
    assert arrivals.p95_cycles == 49 + 3 * 18
    assert arrivals.p99_cycles == arrivals.max_cycles == 49 + 3 * 19
    assert arrivals.missed_deadlines == 20  # the period is the deadline: 40 cycles
    assert found.headroom == 40 / 43
    assert found.real_time_factor == 49 / 40
    assert found.frame_idle_energy_uj == 0


def test_energy_between_frames() -> None:
    """What is taken all the time over the period; the idle part is that of the period but the frame's own latency.

    One channel of ddr4 that stands by takes 355 mW, and 85.3 for refresh.
    """
    now = frames("tiny_2x2", "lstm:3,2,t=4,streaming=1")
    late = frames("tiny_2x2", "lstm:3,2,t=4,streaming=1", "period_us=10")
    area = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,2,t=4"), timing_only=True).stats.area
    assert area is not None
    assert now.frame_dynamic_energy_uj == late.frame_dynamic_energy_uj
    static_mw = area.leakage_mw + 355 + 85.3
    assert now.frame_leakage_energy_uj == pytest.approx(static_mw * 0.43 / 1000)
    assert late.frame_leakage_energy_uj == pytest.approx(static_mw * 10 / 1000)
    assert late.frame_idle_energy_uj == pytest.approx(static_mw * (10 - 0.49) / 1000)


def test_jitter_is_drawn_from_its_seed() -> None:
    one, same, other = (
        frames("tiny_2x2", "lstm:3,2,t=50,streaming=1", "period_us=0.5", "jitter_us=0.3", f"jitter_seed={seed}")
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one.arrivals != other.arrivals
    assert one.arrivals is not None
    assert one.arrivals.p50_cycles >= 49


def test_a_wavefront_waits_for_the_next_frame() -> None:
    """Its layer 1 works on a frame when the next one comes: a period more for each layer behind the first."""
    found = frames("tiny_2x2", "lstm:3,2,t=9,layers=2,streaming=1", "period_us=2", schedule="fused_wavefront")
    assert found.arrivals is not None
    assert found.frame_interval_cycles < 200 < found.arrivals.p50_cycles < 200 + found.frame_latency_cycles
    assert found.arrivals.missed_deadlines == 8  # all but the last, behind which nothing comes that layer 1 waits for


@pytest.mark.parametrize("gap", [0, 200])
def test_the_path_of_a_wavefronts_frame_has_the_wait_for_the_next_one(gap: int) -> None:
    """At the interval, or, 200 cycles apart: the path goes back to the next frame's arrival, before which it waits."""
    work, machine = load_workload("lstm:3,2,t=9,layers=2,streaming=1"), load_arch("tiny_2x2")
    way = find_schedule("fused_wavefront")
    path: tuple[Segment, ...]
    if gap:
        program = build_program(way, work.spec, machine.config)
        spec = machine_spec(program, machine, build_units(machine.config))
        run = FramesRun(program, spec, tuple(gap * frame for frame in range(9)))
        path, since = run.path_of(3)
        waits = [segment for segment in path if segment.cause is Cause.FRAME]
        assert [(segment.start - since, segment.end - since) for segment in waits] == [(0, gap)]
        assert path[-1].end - since == serve_frames(machine, work.spec, way, [gap * n for n in range(9)]).latencies[3]
    else:
        path = run_frame(machine, work, way).path
    assert all(one.end == other.start for one, other in pairwise(path))


@pytest.mark.parametrize(
    ("arch", "schedule", "said"),
    [
        (
            "tiny_2x2",
            "hoisted",
            "takes no frames one at a time (streaming: true); those that do: fused_interleaved",
        ),
    ],
)
def test_schedules_that_need_later_frames_are_refused(arch: str, schedule: str | None, said: str) -> None:
    with pytest.raises(ScheduleError) as error:
        simulate(load_arch(arch), load_workload("lstm:3,2,t=4,streaming=1"), schedule)
    assert said in str(error.value)


@st.composite
def streams(draw: st.DrawFn, layers_at_least: int = 1) -> Workload:
    """A network of layers that run forward, of any kinds, whose steps are frames."""
    first = draw(layers(7, two_directions=False))
    following = draw(st.lists(layers(4, two_directions=False), min_size=layers_at_least - 1, max_size=2))
    forward = [layer | {"bidirectional": False, "reverse": False} for layer in (first, *following)]
    return network(
        **forward[0],
        input_size=draw(st.integers(1, 7)),
        next_layers=tuple(forward[1:]),
        steps=draw(st.integers(1, 6)),
        batch=draw(st.integers(1, 2)),
        streaming=True,
    )


@settings(max_examples=examples(60))
@given(cases(streams(), STREAMING), st.integers(0, 9), st.integers(0, 5))
def test_frames_on_drawn_machines(case: Case, more: int, seed: int) -> None:
    """Numbers are those of the whole sequence; no hazard; frames that come apart take as long as one alone.

    Frames that are all there end as the run of all of them does, and the stack of a frame sums to its latency.
    """
    case = case.with_fields({"accumulators.ahead_groups": 1})  # a frame has none to choose; rounding depends on it
    numbers = tensors(case.spec, seed)
    trace, results = case.execute(numbers)
    assert not find_hazards(case.program)
    ample = {f"{memory}.capacity_bytes": 1 << 20 for memory in ("input_buffer", "state_buffer")}
    sequence = case.with_fields(ample).with_network(streaming=False)
    assert bits(results) == bits(sequence.interpret(numbers))
    schedule = find_schedule(case.schedule)
    found = measure_frames(case.arch, case.workload, schedule)
    why = explain(case.arch, case.workload, case.schedule)
    assert why.latency_cycles == found.frame_latency_cycles
    assert sum(sum(causes.values()) for causes in why.stack.values()) == found.frame_latency_cycles
    assert (why.path[0].start, why.path[-1].end) == (0, found.frame_latency_cycles)
    steps = case.spec.steps
    together = serve_frames(case.arch, case.spec, schedule, (0,) * steps).latencies
    assert together.max() == together[-1] == trace.phases[1].cycles
    if not is_wavefront(case.schedule, case.spec):
        gap = found.frame_latency_cycles + more
        apart = serve_frames(case.arch, case.spec, schedule, tuple(gap * step for step in range(steps))).latencies
        # The last frames load no weights for others; in a program of few frames there are no such loads at all.
        ahead = max(op.skip_last for op in case.with_steps(99).program.phases[1].ops)
        assert set(apart[: max(0, steps - ahead)].tolist()) <= {found.frame_latency_cycles}


IN_TURN = [name for name in STREAMING if not name.endswith("wavefront")]


@settings(max_examples=examples(60))
@given(cases(streams(2), IN_TURN))
def test_layers_in_turn_have_the_accumulators_for_themselves(case: Case) -> None:
    """No sum of a layer is begun before those of the layer before have been read, nor in the next frame before."""
    trace, _ = case.execute()
    body = case.program.phases[1]
    spans: dict[tuple[int, str], tuple[int, int]] = {}
    for record in trace.records:
        if record.phase != 1:
            continue
        op = body.ops[record.op]
        for region in (*op.reads, *op.writes):
            if region.buffer.memory == "accumulators":
                key = record.repetition, region.buffer.name
                first, last = spans.get(key, (record.start, record.free))
                spans[key] = min(first, record.start), max(last, record.free)
    in_order = sorted(spans.values())
    assert all(first[1] <= second[0] for first, second in pairwise(in_order))
