"""The machine of the family npu computes the right numbers, in float32 and in every bit on integers."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.api.machine_spec import machine_spec
from archsim.api.verdict import Verdict, judge
from archsim.checking.numbers import prepare
from archsim.engines.events import Arithmetic, Options, execute
from archsim.families.npu.config import NpuConfig
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.workload import CellKind, Workload, load_tensors
from archsim.workload.network import RECURRENT_KINDS
from tests.families.npu.machines import SMALL, machine
from tests.rings import examples, exhaustive
from tests.strategies import network, seeded_jitter

INT8, FLOAT = (), ("formats=float32",)
FORMATS = [
    INT8,
    FLOAT,
    ("formats=q4.12", "mfu.method=table"),
    ("formats.weight=int8/row", "formats.input=int8/asymmetric", "formats.hidden=int8/asymmetric"),
    ("formats.gate=int8", "formats.cell=int8", "formats.activation=int8"),  # saturate, and round coarsely
    ("formats.gate=q2.4/wrap", "mfu.method=piecewise_linear", "mfu.address_format=q4.12"),
]


def verdict(load: Workload, *sets: str) -> Verdict:
    return judge(machine(*sets), load, None)


def assert_right(found: Verdict) -> None:
    assert found.hazards == ()
    assert found.differing_numbers == 0, "the machine against the untimed program"
    assert found.checks, found.not_judged
    assert [check.name for check in found.checks if not check.passed] == []


@st.composite
def networks(draw: st.DrawFn) -> Workload:
    """Everything that the chains compute: any kind, size, activation, direction; several layers."""
    kind = draw(st.sampled_from(RECURRENT_KINDS))
    fields: dict[str, object] = {
        "kind": kind,
        "hidden_size": draw(st.integers(1, 13)),
        "input_size": draw(st.integers(1, 11)),
        "steps": draw(st.integers(1, 4)),
        "batch": draw(st.integers(1, 6)),
        "bias": draw(st.booleans()),
        "clip": draw(st.sampled_from([None, None, 0.5])),
        "bidirectional": draw(st.booleans()),
        "num_layers": draw(st.sampled_from([1, 1, 2])),
        "weights": {"seed": draw(st.integers(0, 9))},
        "input": {"seed": draw(st.integers(10, 19))},
    }
    if kind is CellKind.GRU:
        fields["linear_before_reset"] = draw(st.booleans())
    if kind is CellKind.RNN:
        fields["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    return network(**fields)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[str, ...]:
    """A machine that is small in every direction, so that vectors are cut into several chunks and column blocks."""
    small = {
        "mvu.cores": st.integers(1, 3),
        "mvu.tiles": st.integers(1, 4),
        "mvu.dpes": st.integers(1, 4),
        "mvu.lanes": st.integers(1, 4),
        "mvu.dot_units": st.sampled_from([1, 2, 3, 6]),
        "mvu.block_lanes": st.integers(1, 4),
        "mfu.lanes": st.integers(1, 5),
        "loader.write_back_latency_cycles": st.integers(1, 9),
        "mfu.read_latency_cycles": st.integers(0, 4),
        "mfu.add_latency_cycles": st.integers(0, 4),
        "sequencer.issue_cycles": st.integers(0, 3),
        "sequencer.queue_depth": st.integers(1, 9),
        "fifos.depth_words": st.sampled_from([576, 590, 800, 1200]),  # a part: 6 units x 4 blocks x 4 engines, 6 times
    }
    ample = [f"{name}=100000" for name in ("mvu.matrix_depth_words", "mvu.vector_depth_words")]
    ample += ["evrf.depth_words=100000", "mfu.depth_words=100000"]
    return tuple(f"{path}={draw(values)}" for path, values in small.items()) + tuple(ample)


def fits(load: Workload, machine_sets: tuple[str, ...]) -> bool:
    """Whether the machine has a dot unit for every sequence of the batch."""
    config = machine(*machine_sets).config
    assert isinstance(config, NpuConfig)
    return load.spec.batch <= config.mvu.batch


@settings(max_examples=examples(25))
@given(networks(), sizes(), st.sampled_from(FORMATS))
def test_any_network_on_any_machine_in_any_format(
    load: Workload, machine_sets: tuple[str, ...], formats: tuple[str, ...]
) -> None:
    assume(fits(load, machine_sets))
    assert_right(verdict(load, *machine_sets, *formats))


@pytest.mark.parametrize("kind", RECURRENT_KINDS)
def test_chunks_of_a_single_row(kind: CellKind) -> None:
    """An engine, a dot unit and a block: each row of h is a chunk, and an RNN's rows need the old h until the last.

    h in one place would be the new h for all rows but the first; so it has two, and steps write them in turn.
    """
    narrow = ("mvu.cores=1", "mvu.tiles=1", "mvu.dpes=1", "mvu.lanes=12", "mvu.block_lanes=12", "mvu.dot_units=1")
    load = network(kind=kind, hidden_size=10, input_size=8, steps=3)
    assert_right(verdict(load, *narrow, "fifos.depth_words=300"))
    program = find_schedule(None, "npu").build(load.spec, machine(*narrow, "fifos.depth_words=300").config)
    (h,) = [buffer for buffer in program.buffers if buffer.name == "h"]
    assert h.slots == (2 if kind is CellKind.RNN else 1)


def test_words_of_tiles_that_are_wider_than_those_of_chains() -> None:
    """x of 8 numbers: 8 words of 1 lane in a chain, but one of 4 tiles x 2 lanes, written tile by tile in 4 cycles.

    All 4 are useful, and no more: 8 useful ones would leave -4 for padding.
    """
    wider = ("mvu.cores=1", "mvu.tiles=4", "mvu.lanes=2", "mvu.dpes=1", "mfu.lanes=1", "fifos.depth_words=200")
    load = network(kind=CellKind.RNN, hidden_size=10, input_size=8, steps=2, batch=1)
    assert_right(verdict(load, *wider, "evrf.depth_words=1000", "mfu.depth_words=1000", "mvu.dot_units=6"))


@pytest.mark.parametrize("formats", FORMATS, ids=lambda sets: " ".join(sets) or "the preset's")
@pytest.mark.parametrize("linear", [True, False], ids=["reset after", "reset before"])
def test_both_grus_in_every_format(formats: tuple[str, ...], linear: bool) -> None:
    load = network(
        kind=CellKind.GRU,
        hidden_size=45,
        input_size=30,
        steps=4,
        batch=5,
        linear_before_reset=linear,
        weights={"seed": 1},
    )
    assert_right(verdict(load, *formats))


@exhaustive
def test_several_chunks_of_the_published_size() -> None:
    """H = 1000 is 25 row blocks of 40: chunks of 12 and 13."""
    config = machine().config
    assert config.mvu.row_chunks(1000) == [(0, 480), (480, 1000)]  # type: ignore[attr-defined]
    load = network(kind=CellKind.LSTM, hidden_size=1000, input_size=5, steps=2, batch=2, weights={"seed": 2})
    assert_right(verdict(load))


@settings(max_examples=examples(15))
@given(networks(), sizes(), st.integers(0, 1 << 20), st.sampled_from([1, 10, 300]))
def test_whatever_the_latencies_the_same_bits(
    load: Workload, machine_sets: tuple[str, ...], seed: int, largest: int
) -> None:
    """The order that the verifier proves holds however long anything takes: FIFOs, tags and registers."""
    assume(fits(load, machine_sets))
    arch = machine(*machine_sets, *FLOAT)
    program = find_schedule(None, "npu").build(load.spec, arch.config)
    units = build_units(arch.config)
    numbers = prepare(program, arch.config, load, load_tensors(load))
    found = []
    for jitter in (None, seeded_jitter(seed, largest)):
        computation = numbers.begin(units)
        options = Options(Arithmetic(computation.state, computation.datapath), jitter=jitter)
        execute(program, machine_spec(program, arch, units), options)
        found.append(computation.results())
    assert found[0].output.tobytes() == found[1].output.tobytes()


def test_the_small_machine_is_as_small_as_it_says() -> None:
    config = machine(*SMALL).config
    assert (config.mvu.columns, config.mvu.chunk_rows, config.mvu.batch) == (4, 2, 1)  # type: ignore[attr-defined]
    assert config.mvu.row_chunks(13) == [(0, 4), (4, 8), (8, 13)]  # type: ignore[attr-defined]
