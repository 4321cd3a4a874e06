"""Frames of delta networks on a MAC array: they differ, so that each is timed; one by hand, numbers in every bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import Simulation, simulate
from archsim.api.evaluate import Evaluator
from archsim.api.timed_frames import serve_frames
from archsim.config import parse_override
from archsim.errors import CapacityError, WorkloadError
from archsim.families.load import Arch
from archsim.families.schedules import find_schedule
from archsim.metrics.frames import Frames
from archsim.workload import Workload, load_workload
from tests.families.gemv.delta_runs import FORMATS, PATTERN, ROOMY, agreed, machine, recorded
from tests.present import present
from tests.rings import examples

SPLITS = ("split_interleaved", "split_gate_major")
WAVEFRONTS = ("split_interleaved_wavefront", "split_gate_major_wavefront")
NETWORKS = ("lstm:5,6,t=6", "gru:5,6,layers=2,t=7", "rnn:5,6,layers=3,t=9", "lstm:3,9,layers=2,t=8")


def stream(workload: str, *sets: str) -> Workload:
    return load_workload(workload, [parse_override(text) for text in ("streaming=true", *sets)])


def columns_machine(*sets: str) -> Arch:
    """A machine whose chunks are columns, in q4.12."""
    return machine("formats=q4.12", "mac_array.columns=1", *sets)


def frames_of(arch: Arch, workload: Workload, schedule: str = SPLITS[0]) -> Frames:
    return present(simulate(arch, workload, schedule, timing_only=True).frames)


def test_frames_by_hand() -> None:
    """LSTM(3, 2) on tiny_2x2, in q4.12, a chunk is a column; n_x = 1, 3, 0, 1 and n_h = 0, 2, 1, 2 columns change.

    A frame's arrival is a token (1), its load is issued (1), 6 bytes are a burst (1) and DRAM's latency (4), a token:
    `encode x` starts in 8. Three elements on one lane, and two words of results through one port, in its cycles 2 and
    3: free 12, done 13, so that tiles of x go from 14 on, four of a_x = max(1, n_x) cycles each. `encode h` follows the
    encoder's x: 12, free 15, done 16, its token there in 17. Tiles of h go from s = max(14 + 4 a_x, 17) on, and from
    there it is the step of docs/delta.md, in which they go from 5 on: with a = max(1, n_h) group 1 follows in
    max(9 + 4 a, 13 + 2 a), the hidden update is done 6 + 4 + 4 + 3 later; the store is a token, a burst and DRAM's
    latency (6). With (a_x, a) = (3, 2), (1, 1), (1, 2) of the frames behind the first one:

        s - 5 + max(9 + 4 a, 13 + 2 a) + 17 + 6 = 21 + 17 + 23 = 61, 13 + 15 + 23 = 51, 13 + 17 + 23 = 53

    and of the first, (1, 1), 51. The next load is behind the store's burst, 6 cycles before this frame is out, so that
    of frames that are always there one ends 55, 45 and 47 cycles behind the one before.
    """
    frames = frames_of(columns_machine(), recorded(stream("lstm:3,2,t=4"), *PATTERN))
    each = present(frames.differing_frames)
    assert (each.frames, each.mean_cycles) == (3, (61 + 51 + 53) / 3)
    assert (each.p50_cycles, each.p95_cycles, each.max_cycles) == (53, 61, 61)
    assert frames.frame_latency_cycles == 53
    assert sum(sum(causes.values()) for causes in frames.latency_stack.values()) == 53
    assert frames.frame_interval_cycles == (55 + 45 + 47) / 3
    assert frames.frame_macs == 8 * (3 + 2)


def test_frames_as_they_come() -> None:
    """Of the frames above 1 us apart, 100 cycles, all are alone; of those 0.5 us apart the one behind 61 waits.

    Each of 100 is out after 51, 61, 51, 53. With 50 the first one's store, of a burst and 4 cycles, is in 46, before
    the second one comes: 61, out in 111. The third comes in 100, and its load waits for the second's store, which is in
    106: it loads in 107 and not in 102, and is out after 51 + 5 = 56. The last one, of 150, loads in 152,
    behind the third's store in 151: 53.
    """
    for period, expected in ((1, (51, 51, 53, 61)), (0.5, (51, 53, 56, 61))):
        workload = recorded(stream("lstm:3,2,t=4", f"period_us={period}"), *PATTERN)
        arrivals = present(frames_of(columns_machine(), workload).arrivals)
        assert (arrivals.p50_cycles, arrivals.max_cycles) == (expected[1], expected[3])
        assert arrivals.missed_deadlines == (0 if period == 1 else 4)


def test_the_slowest_frame_counts_for_real_time() -> None:
    """53 cycles are the median's, 61 the slowest one's of those behind the first; the period is 100 cycles."""
    workload = recorded(stream("lstm:3,2,t=4", "period_us=1"), *PATTERN)
    frames = frames_of(columns_machine(), workload)
    assert frames.real_time_factor == 0.61
    assert frames.headroom == pytest.approx(100 / 49)


def test_what_a_frame_switches_is_the_mean_of_those_behind_the_first() -> None:
    """From the runs of 4 frames and of the first one alone; frames without any change switch less."""
    evaluator, arch = Evaluator(), columns_machine()

    def active_uj(*steps: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
        workload = recorded(stream(f"lstm:3,2,t={len(steps)}"), *steps)
        return present(evaluator.evaluate(arch, workload, SPLITS[0]).stats.energy).active_uj

    frames = frames_of(arch, recorded(stream("lstm:3,2,t=4"), *PATTERN))
    still = frames_of(arch, recorded(stream("lstm:3,2,t=4"), *(((), ()),) * 4))
    assert frames.frame_dynamic_energy_uj == (active_uj(*PATTERN) - active_uj(PATTERN[0])) / 3
    assert present(still.frame_dynamic_energy_uj) < present(frames.frame_dynamic_energy_uj)


def run(workload: Workload, schedule: str, *sets: str) -> Simulation:
    """Executed by the machine, with its numbers."""
    return simulate(machine(*ROOMY, *sets), workload, schedule, executor="machine")


@settings(max_examples=examples(40), deadline=None)
@given(
    st.sampled_from(NETWORKS),
    st.sampled_from(FORMATS),
    st.sampled_from(["0", "0.03125", "0.125/0.0625"]),
    st.sampled_from(SPLITS + WAVEFRONTS),
    st.sampled_from([(), ("streams=2",), ("streams=3",)]),
)
def test_frames_are_the_same_numbers(
    network: str, formats: tuple[str, ...], threshold: str, schedule: str, turns: tuple[str, ...]
) -> None:
    """Every bit against the integer reference, streams in turn each with memories of its own; executors agree."""
    roomy = ("accumulators.entries=1024", "state_buffer.capacity_bytes=8KiB", "bias_buffer.capacity_bytes=4KiB")
    workload = stream(f"{network},delta={threshold}", *turns)
    frames = present(agreed(machine(*ROOMY, *formats, *roomy), workload, schedule).frames)
    assert sum(sum(causes.values()) for causes in frames.latency_stack.values()) == frames.frame_latency_cycles


@pytest.mark.parametrize("schedule", [SPLITS[0], WAVEFRONTS[1]])
def test_frames_one_by_one_are_the_sequence(schedule: str) -> None:
    """The same bits as the same delta network over a whole sequence; with thresholds 0 as the ordinary cell's frames.

    Nothing is rounded in the sums of these formats.
    """
    roomy = (*FORMATS[0], "accumulators.entries=1024", "state_buffer.capacity_bytes=8KiB")
    for name, other in (("gru:5,6,layers=2,t=7,delta=0.0625", None), ("lstm:5,6,layers=2,t=7", "delta=0")):
        if other is None:
            found, same = run(stream(name), schedule, *roomy), run(load_workload(name), schedule, *roomy)
        else:
            found, same = run(stream(f"{name},{other}"), schedule, *roomy), run(stream(name), schedule, *roomy)
        assert np.array_equal(present(found.results).output, present(same.results).output)


@settings(max_examples=examples(40), deadline=None)
@given(st.data(), st.sampled_from(SPLITS + WAVEFRONTS))
def test_no_frame_takes_longer_with_fewer_columns(data: st.DataObject, schedule: str) -> None:
    """Of two activities of which one has some of the other's columns, no frame that comes at the same time is later."""
    places = st.lists(st.integers(1, 10), unique=True).map(sorted)
    steps = data.draw(st.lists(st.tuples(places, places), min_size=8, max_size=8))
    fewer = [[data.draw(st.lists(st.sampled_from(part), unique=True)) if part else [] for part in s] for s in steps]
    arch = machine(*ROOMY, "formats=q4.12", "mac_array.columns=2", "accumulators.entries=1024")
    outs = []
    for columns in (steps, [(sorted(x), sorted(h)) for x, h in fewer]):
        of_steps = ((tuple(n for n in x if n <= 5), tuple(sorted({5 + min(n, 6) for n in h}))) for x, h in columns)
        spec = recorded(stream("lstm:5,6,layers=2,t=8"), *of_steps).spec
        outs.append(serve_frames(arch, spec, find_schedule(schedule, "gemv"), range(0, 8 * 200, 200)).out)
    assert (outs[1] <= outs[0]).all()


def test_refusals() -> None:
    """The first frame, in which everything changes, says nothing of the others; sums of all layers stay at once."""
    arch = machine("formats=q4.12", *ROOMY)
    for network, sets, schedule, least in (
        ("lstm:3,2,t=1", (), SPLITS[0], "at least 2 frames, got 1"),
        ("lstm:3,2,t=3", ("streams=3",), SPLITS[0], "at least 4 frames, got 3"),
        ("lstm:3,2,layers=2,t=3", (), WAVEFRONTS[0], "at least 4 frames, got 3"),
    ):
        with pytest.raises(WorkloadError, match=least):
            simulate(arch, stream(f"{network},delta=0", *sets), schedule, timing_only=True)
    tight = machine("formats=q4.12", "accumulators.entries=12")
    with pytest.raises(CapacityError, match="sums of a delta network stay: 2 groups of 4 rows . 2 groups of 4 rows"):
        simulate(tight, stream("lstm:3,2,layers=2,t=4,delta=0"), SPLITS[0], timing_only=True)
