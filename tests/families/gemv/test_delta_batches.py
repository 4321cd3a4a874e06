"""Delta networks over batches on a MAC array: deltas of each sequence, chunks of all; a step by hand, every bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import Simulation, simulate
from archsim.checking.integer_grids import cell_grids
from archsim.checking.integer_methods import integer_method
from archsim.checking.reference import directions
from archsim.config import parse_override
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.formats import Encoding, Fixed
from archsim.golden.integer_delta import DeltaMachine, IntegerDelta, run_integer_delta
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Op
from archsim.workload import load_workload
from tests.families.gemv.delta_runs import (
    FORMATS,
    PATTERN,
    ROOMY,
    agreed,
    assert_bounds_hold,
    assert_same_numbers,
    given_columns,
    machine,
)
from tests.present import present
from tests.rings import examples

SPLITS = ("split_interleaved", "split_gate_major", "split_interleaved_wavefront")
ROOM = (*ROOMY, "bias_buffer.capacity_bytes=4KiB", "accumulators.entries=1024", "state_buffer.capacity_bytes=16KiB")
COLUMNS = ("formats=q4.12", "mac_array.columns=1", "accumulators.entries=64")


@pytest.mark.parametrize("executor", ["machine", "fast"])
def test_a_step_by_hand(executor: str) -> None:
    """LSTM(3, 2) on tiny_2x2, two sequences, a chunk is a column; n = 0, 2, 1, 2 columns of h change in some sequence.

    Counted from the start of `encode h`: four elements on one lane. Their deltas of 17 bits are two words of 64, what
    was passed on last is one, and all three are there with the fourth element, in cycle 3: they leave in 3, 4 and 5,
    free 6, done 7. A chunk takes a cycle for each sequence, more than the one word of its weights and that of its
    deltas: a tile takes b = 2 max(1, n) cycles. Tiles 0.0 from 8, 0.1 until 8 + 2b, done 11 + 2b; sigmoid(i, f, o) of
    group 0, six values, from 12 + 2b, tanh(g) until 20 + 2b. Group 1 follows at max(12 + 4b, 20 + 2b): 24 for b = 2, 28
    for 4. Its gates take 8 + 2; cell a token, 2 + 2, tanh(c) as long, hidden a token, 2 + 1, and a token leads to the
    next `encode h`: 24 + 10 + 5 + 5 + 4 + 1 = 49, and 53.
    """
    workload = given_columns("lstm:3,2,t=4,b=2", *PATTERN)
    found = simulate(machine(*COLUMNS), workload, SPLITS[0], timing_only=True, executor=executor)
    assert np.diff(present(found.step_end_cycles)).tolist() == [53, 49, 53]
    assert found.trace.counts == {"mac_array": {"chunks": 4 * 10, "skipped_chunks": 4 * 10}}


def test_deltas_of_all_sequences_come_through_one_port() -> None:
    """Of 16 bits a cycle: a column of two sequences, 34 bits, is three words, one more than the sequences take.

    Tiles of 10 columns in all, four each; of the 8 columns of the first step's x and h that nothing changes nothing is
    fetched. In the prologue 4 tiles multiply 3 zeros of two sequences, 32 bits a column: two words in two cycles.
    """
    wide, narrow = (
        simulate(machine(*COLUMNS, *sets), given_columns("lstm:3,2,t=4,b=2", *PATTERN), SPLITS[0], timing_only=True)
        for sets in ((), ("delta_encoder.port_bits=16",))
    )
    port = [found.trace.units["mac_array"].port_cycles for found in (wide, narrow)]
    assert port == [0, 4 * 10]


def test_what_a_batch_has_multiplied() -> None:
    """10 of 20 columns, in each of which 8 rows are multiplied for both sequences."""
    found = simulate(machine(*COLUMNS), given_columns("lstm:3,2,t=4,b=2", *PATTERN), SPLITS[0], timing_only=True)
    activity = present(found.activity)
    assert activity.multiplied_macs == 10 * 8 * 2
    assert activity.skipped_share == 0.5


def test_a_sequence_that_has_ended_sends_nothing() -> None:
    """Changes of 4 codes in both sequences; only the first is there, and of the other what was sent last stays."""
    arch = machine("formats=q4.12", "accumulators.entries=64")
    spec = load_workload("lstm:3,2,t=4,b=2,delta=0", [parse_override("sequence_lens=[4, 2]")]).spec
    program = build_program(find_schedule(SPLITS[0], "gemv"), spec, arch.config)
    encode: Op = next(op for phase in program.phases for op in phase.ops if op.label == "encode x")
    value, last, valid = encode.reads
    q = Fixed(4, 12)
    numerics = Numerics({value.buffer.name: Encoding(q, q.scale)})
    kernel = build_units(arch.config)["delta_encoder"].kernel(encode, numerics)
    deltas, kept = kernel.effect((np.array([[104, 24]] * 3), np.array([[100, 20]] * 3), np.array([[1, 0]])))
    assert (last.buffer.width, valid.buffer.kind.value) == (2, "valid")
    assert deltas.tolist() == [[4, 0]] * 3
    assert kept.tolist() == [[104, 20]] * 3


def alone(found: Simulation, lane: int, length: int) -> IntegerDelta:
    """A sequence of a run of one LSTM layer as the reference of a delta machine has it, column by column.

    Where nothing is rounded in the sums it does not matter in which order they are added up.
    """
    numbers, thresholds = present(found.numbers), present(found.workload.spec.delta)
    ((direction,),) = directions(numbers.tensors, numbers.spec)
    direction = replace(
        direction, h_0=direction.h_0[[lane]], c_0=None if direction.c_0 is None else direction.c_0[[lane]]
    )
    of_machine = DeltaMachine(integer_method(found.arch.config, numbers.spec), thresholds.x, thresholds.h)
    x = np.asarray(numbers.tensors.x, np.float64)[:length, lane]
    return run_integer_delta(x, direction, cell_grids(numbers, "", "dram.x"), of_machine)


@pytest.mark.parametrize("lengths", [(), (6, 2, 4)])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_each_sequence_is_as_if_it_were_alone(kind: str, lengths: tuple[int, ...]) -> None:
    """In every bit of its outputs; and a column is multiplied in a step if it changes in any sequence that is there."""
    sets = [parse_override(f"sequence_lens={list(lengths)}")] if lengths else []
    workload = load_workload(f"{kind}:5,6,t=6,b=3,delta=0.125/0.0625", sets)
    found = simulate(machine(*ROOM, *FORMATS[0]), workload, SPLITS[0])
    each = [alone(found, lane, length) for lane, length in enumerate(lengths or (6, 6, 6))]
    output = np.asarray(present(found.results).output)
    for lane, its in enumerate(each):
        assert np.array_equal(output[: len(its.output), lane], its.output)
        assert not output[len(its.output) :, lane].any()
    (activity,) = present(found.workload.activity)
    for step, columns in enumerate(activity.steps):
        sent = {n for its in each if step < len(its.columns) for n in its.columns[step]}
        assert sorted(sent - {0}) == [*columns.x, *columns.h]


@settings(max_examples=examples(40), deadline=None)
@given(
    st.sampled_from(["lstm:5,6,t=5,b=2", "gru:5,6,layers=2,t=4,b=3", "rnn:5,6,t=5,b=4", "lstm:3,9,layers=2,t=4,b=2"]),
    st.sampled_from(FORMATS),
    st.sampled_from(["0", "0.03125", "0.125/0.0625"]),
    st.sampled_from(SPLITS),
    st.sampled_from(
        [(), ("mac_array.columns=4", "mac_array.x_columns=1"), ("mac_array.rows=5", "mac_array.columns=3")]
    ),
    st.sampled_from(["", "streaming=true", "lengths"]),
)
def test_machine_reference_and_executors_agree(
    network: str, formats: tuple[str, ...], threshold: str, schedule: str, sets: tuple[str, ...], more: str
) -> None:
    """Every bit against the integer reference; every figure of the second executor, which takes recorded columns."""
    lengths = [(3, 4, 1, 2)[place] for place in range(int(network[-1]))]
    options = [f"sequence_lens={lengths}"] if more == "lengths" else [more] if more else []
    workload = load_workload(f"{network},delta={threshold}", [parse_override(text) for text in options])
    assert_bounds_hold(agreed(machine(*ROOM, *formats, *sets), workload, schedule))


@pytest.mark.parametrize("schedule", SPLITS)
def test_with_thresholds_0_it_is_the_ordinary_cell(schedule: str) -> None:
    """Bit for bit, where nothing is rounded in the sums; also of sequences of different lengths."""
    for network, sets in (("lstm:5,6,layers=2,t=4,b=3", ()), ("gru:5,6,t=5,b=3", ("sequence_lens=[2, 5, 3]",))):
        options = [parse_override(text) for text in sets]
        delta, ordinary = (
            simulate(machine(*ROOM, *FORMATS[0]), load_workload(name, options), schedule)
            for name in (f"{network},delta=0", network)
        )
        assert_same_numbers(delta, ordinary)
