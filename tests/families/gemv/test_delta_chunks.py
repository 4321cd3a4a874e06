"""Delta networks on a MAC array: chunks without a change are skipped; times by hand, numbers in every bit."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.errors import ArchError, CapacityError, ScheduleError
from archsim.export.program_json import ExportedProgram
from archsim.families.gemv.deltas.chunks import StepChunks, step_chunks
from archsim.families.gemv.deltas.encoder import ChunkEncoder
from archsim.families.gemv.deltas.ops import DeltaTile, EncodeDeltas
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.formats import Encoding, Fixed
from archsim.hardware.numerics import Numerics
from archsim.program.ir import DataKind
from archsim.workload import load_workload
from archsim.workload.activity import LayerActivity, StepColumns
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
from tests.rings import examples, few


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_without_a_bias_sums_begin_at_0(kind: str) -> None:
    workload = load_workload(f"{kind}:3,4,t=5,delta=0.25/0.03", [parse_override("bias=false")])
    found = simulate(machine("formats=q4.12", *ROOMY), workload, "split_interleaved")
    assert found.validation.passed, found.validation


@pytest.mark.parametrize("executor", ["machine", "fast"])
def test_a_step_by_hand(executor: str) -> None:
    """LSTM(3, 2) on tiny_2x2 with one column, in q4.12: a chunk is a column, h has n = 0, 2, 1, 2 of them.

    Counted from the start of `encode h`: two elements on one lane, and two words of results, deltas and what was passed
    on last, through one port: the second value is there in cycle 1, and leaves in cycle 1 and 2: free 3, done 4. A
    tile takes a = max(1, n) cycles and a depth of 1 + 1 + 0 + 1 = 3: tiles 0.0 from 5, 0.1 until 5 + 2a, done 8 + 2a;
    sigmoid(i, f, o) of group 0 from 9 + 2a, three values, tanh(g) until 13 + 2a. Tile 1.1 is free at 5 + 4a and done at
    8 + 4a, so that group 1 follows at max(9 + 4a, 13 + 2a), which is 15 for a = 1 and 17 for 2: done 4 + 2 later;
    cell a token later, 1 + 2; tanh(c) a token later, 1 + 2; hidden a token later, 1 + 1; and a token until the next
    `encode h`: 15 + 6 + 4 + 4 + 3 + 1 = 33, and 35. Tiles of x, at most 3 cycles each, are long through when h comes.
    """
    found = simulate(
        machine("formats=q4.12", "mac_array.columns=1"),
        given_columns("lstm:3,2,t=4", *PATTERN),
        "split_interleaved",
        timing_only=True,
        executor=executor,
    )
    ends = present(found.step_end_cycles)
    assert np.diff(ends).tolist() == [35, 33, 35]
    assert found.stats.bounds["recurrence"] == 33  # with as few columns as any step has
    assert found.executor.name == executor


def test_what_is_counted_by_hand() -> None:
    """Columns of x 1, 3, 0, 1, of h 0, 2, 1, 2: 10 of 20, each a chunk of four tiles. A chunk is 2 rows of 16 bits."""
    found = simulate(
        machine("formats=q4.12", "mac_array.columns=1"),
        given_columns("lstm:3,2,t=4", *PATTERN),
        "split_interleaved",
        timing_only=True,
    )
    assert found.trace.counts == {"mac_array": {"chunks": 4 * 10, "skipped_chunks": 4 * 10}}
    activity = present(found.activity)
    assert activity.skipped_share == 0.5
    bits = 8 * 16 * 10 // 4  # a step reads so many on average, behind a port of 128
    assert found.stats.bounds["weight_sram"] == -(-bits // 128) == 3


@pytest.mark.parametrize(
    ("x", "h", "first", "inputs", "per_chunk", "expected"),
    [
        ((0, 1, 4), (), 1, 5, 2, (2, 0)),  # the bias is no column of x; 1 in chunk 0, 4 in chunk 1
        ((5,), (), 1, 5, 2, (0, 1)),  # the last chunk has one column
        ((1, 2, 3, 4, 5), (6,), 1, 5, 2, (2, 1)),
        ((1,), (6, 7, 12), 6, 7, 4, (1, 3)),  # of h: places 0, 1 and 6
        ((1,), (), 6, 7, 4, (0, 0)),
    ],
)
def test_chunks_of_a_step(
    x: tuple[int, ...], h: tuple[int, ...], first: int, inputs: int, per_chunk: int, expected: tuple[int, int]
) -> None:
    found = step_chunks(LayerActivity((StepColumns(x, h),)), first, inputs, per_chunk)
    assert found == (StepChunks(*expected),)


def test_a_chunk_waits_for_its_words() -> None:
    """A port of half a chunk's weights, 2 rows of 16 bits: a multiplied chunk takes two cycles, a skipped one none."""
    sets = ("formats=q4.12", "mac_array.columns=1", "weight_sram.banks=1", "weight_sram.port_bits=16")
    columns = given_columns("lstm:3,2,t=4", *PATTERN)
    wide, narrow = (
        simulate(machine(*found), columns, "split_interleaved", timing_only=True).trace.units["mac_array"]
        for found in (sets[:2], sets)
    )
    assert (wide.port_cycles, narrow.port_cycles) == (0, narrow.port_cycles)
    body = 4 * 10  # a cycle more for each chunk; and 4 tiles of 3 inputs that leave the biases
    assert narrow.port_cycles == body + 4 * 3


INT16 = ("formats.weight=int8", "formats.accumulator=int32", "formats.input=int16", "formats.hidden=int16")
NETWORKS = ("lstm:5,6,t=5", "gru:5,6,t=5", "rnn:5,6,t=5", "lstm:5,6,layers=2,t=4", "gru:3,9,layers=3,t=4")


def run(workload: str, schedule: str, *sets: str, **options: Any) -> Simulation:
    return simulate(machine(*ROOMY, *sets), load_workload(workload), schedule, **options)


@pytest.mark.parametrize("schedule", ["split_interleaved", "split_gate_major"])
@pytest.mark.parametrize("network", few(NETWORKS, 3))
def test_with_thresholds_0_it_is_the_ordinary_cell(network: str, schedule: str) -> None:
    """Bit for bit, where nothing is rounded in the sums."""
    delta, ordinary = (run(name, schedule, *FORMATS[0]) for name in (f"{network},delta=0", network))
    assert delta.validation.bitwise
    assert delta.validation.passed
    assert_same_numbers(delta, ordinary)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.sampled_from(NETWORKS),
    st.sampled_from(FORMATS),
    st.sampled_from(["0", "0.03125", "0.125/0.0625", "0.3"]),
    st.sampled_from(["split_interleaved", "split_gate_major"]),
    st.sampled_from(
        [
            (),
            ("mac_array.columns=4", "mac_array.x_columns=1"),
            ("mac_array.sparsity={kept: 1, of: 3}",),
            ("mac_array.rows=5", "mac_array.columns=3"),
            ("activation.units=2", "elementwise.units=2"),
        ]
    ),
)
def test_machine_reference_and_executors_agree(
    network: str, formats: tuple[str, ...], threshold: str, schedule: str, sets: tuple[str, ...]
) -> None:
    """Every bit against the integer reference; every figure of the second executor, which takes recorded columns."""
    arch, workload = machine(*ROOMY, *formats, *sets), load_workload(f"{network},delta={threshold}")
    found = agreed(arch, workload, schedule)
    assert_bounds_hold(found)
    again = simulate(
        arch, replace(load_workload(network), activity=found.workload.activity), schedule, timing_only=True
    )
    assert again.stats.latency_cycles == found.stats.latency_cycles


def test_more_is_skipped_the_higher_the_threshold() -> None:
    """With one column a chunk, until nothing but the first step's changes is left."""
    runs = [run(f"lstm:5,6,t=10,delta={n}", "split_interleaved", *FORMATS[1]) for n in ("0", "0.125", "0.5", "100")]
    shares = [present(found.activity).skipped_share for found in runs]
    cycles = [found.stats.body_cycles for found in runs]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert cycles == sorted(cycles, reverse=True)


def test_a_file_of_activity(tmp_path: Path) -> None:
    """Columns are numbered with the bias as 0; it has no time of its own here."""
    (tmp_path / "a.txt").write_text("0 1 | |\n1 2 3 | 4 5 |\n | 5 |\n2 | 4 5 |\n")
    workload = load_workload("lstm:3,2,t=4", [parse_override(f"activity={tmp_path / 'a.txt'}")])
    found = simulate(machine("formats=q4.12", "mac_array.columns=1"), workload, "split_interleaved", timing_only=True)
    assert np.diff(present(found.step_end_cycles)).tolist() == [35, 33, 35]


@pytest.mark.parametrize(
    ("workload", "schedule", "sets", "error", "message"),
    [
        ("lstm:3,2,t=4,delta=0", "fused", (), ScheduleError, "skips no columns, .*split_interleaved, split_gate_major"),
        ("lstm:3,2,t=4,delta=0", "split", ("delta_encoder=null",), ScheduleError, "no section delta_encoder"),
        ("lstm:3,2,t=4,delta=0", "split", INT16, ScheduleError, "q formats"),
        ("lstm:3,9,t=4,delta=0", "split", ("accumulators.entries=16",), CapacityError, "sums of a delta network stay"),
        (
            "lstm:3,9,t=4,delta=0",
            "split",
            ("accumulators.entries=64", "delta_encoder.capacity_bytes=8"),
            CapacityError,
            "delta_buffer",
        ),
    ],
)
def test_refusals(workload: str, schedule: str, sets: tuple[str, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        simulate(machine("formats=q4.12", *sets), load_workload(workload), schedule, timing_only=True)


@pytest.mark.parametrize(
    ("workload", "sets", "needs", "narrower"),
    [
        # 9 hidden units in groups of 4: 3 x 16 sums, of which 4 x 9 are of rows. 40 entries hold those, 32 do not.
        ("lstm:3,9,t=4,delta=0", ("mac_array.rows=16", "accumulators.entries=40"), 48, True),
        ("lstm:3,9,t=4,delta=0", ("mac_array.rows=16", "accumulators.entries=32"), 48, False),
        ("lstm:3,9,t=4,delta=0", ("mac_array.rows=4", "accumulators.entries=32"), 36, False),
    ],
)
def test_fewer_rows_are_advised_only_where_groups_pad(
    workload: str, sets: tuple[str, ...], needs: int, narrower: bool
) -> None:
    with pytest.raises(CapacityError, match=f"needs {needs} entries") as error:
        simulate(machine("formats=q4.12", *sets), load_workload(workload), "split_interleaved", timing_only=True)
    assert ("fewer mac_array.rows" in str(error.value)) == narrower


@pytest.mark.parametrize(
    ("network", "option", "message"),
    [
        ("lstm:3,2,t=4", "peepholes=true", "peepholes of layer 0 would change the sums where they lie"),
        ("lstm:3,2,t=4", "layer_norm=true", "layer_norm of layer 0 would change the sums where they lie"),
        ("gru:3,2,t=4", "linear_before_reset=false", "a GRU resets after the product; layer 0 does before it"),
    ],
)
def test_cells_that_are_refused(network: str, option: str, message: str) -> None:
    workload = load_workload(f"{network},delta=0", [parse_override(option)])
    with pytest.raises(ScheduleError, match=message):
        simulate(machine("formats=q4.12"), workload, "split", timing_only=True)


def test_it_needs_ports_of_its_own() -> None:
    with pytest.raises(ArchError, match="delta_encoder needs ports: 1R1W"):
        machine("formats=q4.12", "state_buffer.banks=one", "state_buffer.ports=1RW")


@pytest.mark.parametrize("schedule", ["fused_interleaved", "split_gate_major", "hoisted_interleaved"])
def test_an_encoder_changes_nothing_for_other_networks(schedule: str) -> None:
    """But energy that leaks, and area."""
    without, with_it = (
        simulate(machine(*ROOMY, "formats=q4.12", *more), load_workload("lstm:5,6,t=6,b=2"), schedule)
        for more in (("delta_encoder=null",), ())
    )
    assert np.array_equal(present(without.results).output, present(with_it.results).output)
    assert without.stats.latency_cycles == with_it.stats.latency_cycles
    assert present(without.stats.area).area_mm2 < present(with_it.stats.area).area_mm2
    fast = simulate(with_it.arch, with_it.workload, schedule, timing_only=True, executor="fast")
    assert fast.stats == with_it.stats


def test_the_encoder_by_hand() -> None:
    """x = 3 elements in q4.12 and a threshold of 1/1024, which is 4 codes; 2 lanes take 2 cycles.

    Changes are 4, -3 and 0 codes: only the first is passed on, and what was passed on of the second stays.
    """
    arch = machine("formats=q4.12", "delta_encoder.lanes=2", "delta_encoder.latency_cycles=3")
    spec = load_workload("lstm:3,2,t=4,delta=0.0009765625").spec
    program = build_program(find_schedule("split_interleaved", "gemv"), spec, arch.config)
    unit = build_units(arch.config)["delta_encoder"]
    assert isinstance(unit, ChunkEncoder)
    encode = next(op for phase in program.phases for op in phase.ops if isinstance(op, EncodeDeltas))
    service = unit.cycles(encode)
    assert (service.compute_cycles, service.depth_cycles) == (2, 3)
    q = Fixed(4, 12)
    numerics = Numerics({encode.value.buffer.name: Encoding(q, q.scale)})
    value, last = np.array([[104], [7], [-5]]), np.array([[100], [10], [-5]])
    deltas, kept = unit.kernel(encode, numerics).effect((value, last))
    assert deltas.ravel().tolist() == [4, 0, 0]
    assert kept.ravel().tolist() == [104, 10, -5]
    assert sum(unit.tally(encode).values()) == 3 * (1 + 1 + 3 * 17)
    assert encode.deltas.buffer.number_format.bits == 17


def test_the_program_as_data_has_the_columns_of_every_step(tmp_path: Path) -> None:
    workload = given_columns("lstm:3,2,t=4", *PATTERN)
    exported = ExportedProgram.make(machine("formats=q4.12"), workload, "split_interleaved", True, False)
    parts: list[str] = []
    exported.write(parts.append)
    tiles = [op for op in json.loads("".join(parts))["ops"] if op["type"] == "DeltaTile"]
    assert tiles
    for tile in tiles:
        assert tile["arguments"]["activity"] == [[list(x), list(h)] for x, h in PATTERN]


def test_what_a_tile_moves_by_hand() -> None:
    """LSTM(3, 2), chunks of two: of x columns 1, then 1 to 3, none, and 2 change: 2 + 3 + 0 + 2 of 4 x 3 inputs.

    Of h columns none, 4 and 5, 5, and both: 0 + 2 + 2 + 2 of 4 x 2. As large a share of the weights and the changes is
    read; the sums are read and written whole.
    """
    network = given_columns("lstm:3,2,t=4,delta=0.25", *PATTERN)
    arch = machine("formats=q4.12", *ROOMY)
    program = build_program(find_schedule("split_interleaved"), network.spec, arch.config)
    tiles = [op for phase in program.phases for op in phase.ops if isinstance(op, DeltaTile)]
    shares = {
        op.weights[0].buffer.kind: {region.buffer.kind: op.moved_share(region) for region in (*op.reads, *op.writes)}
        for op in tiles
    }
    for matrix, share in ((DataKind.W_IH, Fraction(7, 12)), (DataKind.W_HH, Fraction(3, 4))):
        moved = shares[matrix]
        assert moved[matrix] == moved[DataKind.DELTA] == share
        assert {moved[kind] for kind in moved if kind not in (matrix, DataKind.DELTA)} == {1}
