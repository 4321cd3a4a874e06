"""Delta networks of both directions, with a projection, with linear layers; steps by hand, numbers in every bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.api.explain import explain
from archsim.checking.reference import directions
from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.golden.delta import delta_direction
from archsim.report.text.sections.activity_section import activity as activity_section
from archsim.workload import Workload, load_workload
from archsim.workload.activity import LayerActivity, StepColumns
from tests.families.gemv.delta_runs import FORMATS, ROOMY, agreed, assert_bounds_hold, assert_same_numbers, machine
from tests.present import present
from tests.rings import examples, few

ROOM = (
    *ROOMY,
    "bias_buffer.capacity_bytes=4KiB",
    "accumulators.entries=1024",
    "state_buffer.capacity_bytes=16KiB",
    "delta_encoder.capacity_bytes=8KiB",
)
COLUMNS = ("formats=q4.12", "mac_array.columns=1", "accumulators.entries=64")
SPLITS = ("split_interleaved", "split_gate_major")
HEAD = "next_layers=[{kind: linear, hidden_size: 4}]"


def workload_of(name: str, *sets: str) -> Workload:
    return load_workload(name, [parse_override(text) for text in sets if text])


def recorded(name: str, *cells: tuple[tuple[int, ...], tuple[int, ...]]) -> Workload:
    """A workload in whose cells the same columns change in each of 8 steps."""
    activity = tuple(LayerActivity((StepColumns(*columns),) * 8) for columns in cells)
    return replace(workload_of(f"{name},t=8"), activity=activity)


def step_cycles(workload: Workload, *sets: str) -> list[int]:
    found = simulate(machine(*COLUMNS, *sets), workload, "split_interleaved", timing_only=True)
    fast = simulate(found.arch, workload, "split_interleaved", timing_only=True, executor="fast")
    assert fast.stats == found.stats
    return sorted(set(np.diff(present(found.step_end_cycles)).tolist()))


def test_two_directions_by_hand() -> None:
    """LSTM(3, 2), one column of x and n of h change in each direction, a chunk is a column.

    A direction has 20 ops a step (two encodings, eight tiles, ten that follow), its load and its store: 44 of both, and
    the sequencer issues one a cycle: 44 cycles whatever changes.

    If issuing took no time: a direction alone takes 33 cycles, or 35 with two columns of h (docs/delta.md). With group
    1's gates in cycle 0, tanh(c) of group 1 goes from 11 to 12 (gates 4 + 2, cell 1 + 1 + 2, a token), and its next
    `encode h` begins in 18. The other direction's gates wait for that tanh(c): group 0's from 12, group 1's from 16, so
    that its own tanh(c) is through in 16 + 12 = 28. The first direction's next gates would come in 18 + 9 + 2 = 29, so
    nobody waits: both take what one takes. With two columns in either of them 35: the other waits for it in turn.
    """
    one, two = ((1,), (4,)), ((1,), (4, 5))
    pairs = ((one, one), (two, two), (one, two), (two, one))
    workloads = [recorded("lstm:3,2,bidirectional=1", *pair) for pair in pairs]
    assert [step_cycles(workload) for workload in workloads] == [[44]] * 4
    assert [step_cycles(workload, "sequencer.issue_cycles=0") for workload in workloads] == [[33], [35], [35], [35]]


def test_a_projection_by_hand() -> None:
    """LSTM(3, 2) projected to P = 1, so that h has one element; of a chunk of a column.

    Counted from the start of `encode h`: one element, whose two words leave in 0 and 1: free 2, done 3. Tiles of h take
    a cycle, changed or not: from 4, group 0's are done in 9; its gates go from 10 until 14, group 1's from 14, done 20.
    Cell 4, tanh(c) 4, o * tanh(c) 1 + 1 + 1: 31. W_hr takes its two columns, changed or not: a token, 2 cycles, depth
    3: 37. The projection's way into h is a token, a cycle and the activation unit's 2: 41, and a token leads to the
    next `encode h`: 42.
    """
    for columns in (((1,), (4,)), ((1,), ())):
        assert step_cycles(recorded("lstm:3,2,proj=1", columns)) == [42]


def test_what_is_multiplied_and_reported() -> None:
    """Of both directions of LSTM(3, 2), P = 1: columns of x and of h times 8 rows, and W_hr, 2 MACs, in each step."""
    workload = recorded("lstm:3,2,proj=1,bidirectional=1", ((1, 2), (4,)), ((3,), ()))
    found = simulate(machine(*COLUMNS), workload, "split_interleaved", timing_only=True)
    figures = present(found.activity)
    assert figures.multiplied_macs == 8 * ((3 + 1) * 8 + 2 * 2)
    assert [(each.x_share, each.h_share) for each in figures.layers] == [(2 / 3, 1), (1 / 3, 0)]
    assert figures.skipped_share == 1 - figures.multiplied_macs / (8 * 2 * (4 * 8 + 2))
    assert found.stats.macs == 8 * 2 * (4 * 8 + 2)  # tiles that leave the biases multiply nothing of the model's
    assert len(activity_section(found)) == 3


NETWORKS = (
    ("lstm:5,6,t=5,bidirectional=1",),
    ("gru:5,6,layers=2,t=4,b=2,bidirectional=1", "sequence_lens=[4, 2]"),
    ("rnn:5,6,t=5,bidirectional=1", "merge_mode=ave"),
    ("lstm:5,6,t=5,b=3", "reverse=true", "sequence_lens=[5, 2, 3]"),
    ("lstm:5,8,t=5,proj=3",),
    ("lstm:5,8,layers=2,t=4,proj=3", "streaming=true"),
    ("lstm:5,8,layers=2,t=4,b=2,proj=3,bidirectional=1",),
    ("lstm:5,6,t=5", HEAD),
    ("gru:5,6,t=5,b=2", HEAD, "streaming=true"),
    ("gru:5,6,t=5,b=2,bidirectional=1", HEAD),
)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.sampled_from(NETWORKS),
    st.sampled_from(FORMATS),
    st.sampled_from(["0", "0.03125", "0.125/0.0625"]),
    st.sampled_from(SPLITS),
    st.sampled_from(
        [(), ("mac_array.columns=4", "mac_array.x_columns=1"), ("mac_array.rows=5", "mac_array.columns=3")]
    ),
)
def test_machine_reference_and_executors_agree(
    network: tuple[str, ...], formats: tuple[str, ...], threshold: str, schedule: str, sets: tuple[str, ...]
) -> None:
    """Every bit against the integer reference; every figure of the second executor, which takes recorded columns."""
    arch = machine(*ROOM, *formats, *sets)
    found = agreed(arch, workload_of(f"{network[0]},delta={threshold}", *network[1:]), schedule)
    assert_bounds_hold(found)
    again = replace(workload_of(network[0], *network[1:]), activity=found.workload.activity)
    assert simulate(arch, again, schedule, timing_only=True).stats.latency_cycles == found.stats.latency_cycles


@pytest.mark.parametrize("network", few([(network,) for network in NETWORKS], 3))
def test_with_thresholds_0_it_is_the_ordinary_cell(network: tuple[str, ...]) -> None:
    """Bit for bit, where nothing is rounded in the sums."""
    delta, ordinary = (
        simulate(machine(*ROOM, *FORMATS[0]), workload_of(name, *network[1:]), SPLITS[0])
        for name in (f"{network[0]},delta=0", network[0])
    )
    assert_same_numbers(delta, ordinary)


@pytest.mark.parametrize("name", ["lstm:5,6,t=8,b=2,bidirectional=1", "lstm:5,8,t=8,b=2,proj=3", "gru:5,6,t=8,b=3"])
def test_the_golden_model_sends_the_same(name: str) -> None:
    """In fine formats: the float64 model, of both directions, of a projection, of a batch; outputs within 2^-8.

    An element that is next to the threshold may be sent in one of them alone; of all, 99 % are the same.
    """
    fine = ["formats=q4.20", "formats.accumulator=q8.24", "formats.gate=q8.24", "activation.table.entries=4096"]
    found = simulate(machine(*ROOM, *fine), workload_of(f"{name},delta=0.1/0.05"), SPLITS[0])
    numbers, output = present(found.numbers), np.asarray(present(found.results).output)
    size = numbers.spec.cells[0].output_size
    (layer,), alike = directions(numbers.tensors, numbers.spec), []
    for place, (direction, activity) in enumerate(zip(layer, present(found.workload.activity), strict=True)):
        real = delta_direction(np.asarray(numbers.tensors.x, np.float64), direction, 0.1, 0.05)
        assert np.abs(output[..., place * size : (place + 1) * size] - real.output).max() < 2**-8
        order = slice(None, None, -1) if direction.options.reverse else slice(None)
        sent = np.concatenate([real.sent_x[order].any(axis=1), real.sent_h[order].any(axis=1)], axis=1)
        mine = np.zeros_like(sent)
        for step, columns in enumerate(activity.steps):
            mine[step, [column - 1 for column in (*columns.x, *columns.h)]] = 1
        alike.append((sent == mine).mean())
        assert 0.2 < sent.mean() < 0.99
    assert np.mean(alike) > 0.99


def test_sums_of_both_directions_stay() -> None:
    """Two groups of four rows each: 16 entries, and there are 12."""
    workload = workload_of("lstm:3,2,t=4,bidirectional=1,delta=0")
    with pytest.raises(CapacityError, match=r"stay: 2 groups of 4 rows \+ 2 groups of 4 rows"):
        simulate(machine("formats=q4.12", "accumulators.entries=12"), workload, SPLITS[0], timing_only=True)


@pytest.mark.parametrize("network", few([(network,) for network in NETWORKS], 3))
def test_the_critical_path_sums_to_the_latency(network: tuple[str, ...]) -> None:
    """By unit and cause; of a stream that of a frame."""
    workload = workload_of(f"{network[0]},delta=0.0625", *network[1:])
    found = explain(machine(*ROOM, *FORMATS[0]), workload, SPLITS[0])
    assert sum(sum(causes.values()) for causes in found.stack.values()) == found.latency_cycles > 0
