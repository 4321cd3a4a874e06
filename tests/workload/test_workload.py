"""Workloads: presets, inline forms, files; what is drawn and what is read."""

from pathlib import Path

import numpy as np
import pytest

from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_names
from archsim.errors import WorkloadError
from archsim.golden import lstm
from archsim.workload import CellKind, NetworkSpec, load_tensors, load_workload, one_layer
from tests.present import present

SILERO = load_tensors(load_workload("silero_vad"))
(CELL,) = SILERO.cells


def lstm_spec(input_size: int, hidden_size: int, steps: int, batch: int) -> NetworkSpec:
    return one_layer(CellKind.LSTM, input_size, hidden_size, steps, batch)


def fault(reference: str, *sets: str) -> str:
    with pytest.raises(WorkloadError) as caught:
        load_workload(reference, [parse_override(text) for text in sets])
    return str(caught.value)


def test_reference_workload() -> None:
    """LSTM(200, 1000), T = 70, batch 1; everything drawn from U(-1/sqrt(H), 1/sqrt(H)); zero state."""
    workload = load_workload("lstm_200_1000_t70")
    assert workload.spec == lstm_spec(200, 1000, 70, 1)
    assert workload.spec.macs == 4 * 1000 * 1200 * 70
    tensors = load_tensors(workload)
    (cell,) = tensors.cells
    assert cell.weight_ih.shape == (4000, 200)
    assert present(cell.weight_hh).shape == (4000, 1000)
    assert present(cell.bias_ih).shape == present(cell.bias_hh).shape == (4000,)
    assert tensors.x.shape == (70, 1, 200)
    assert cell.h_0.shape == present(cell.c_0).shape == (1, 1000)
    assert not cell.h_0.any()
    assert not present(cell.c_0).any()
    assert cell.weight_hr is cell.peephole is None
    bound = 1 / np.sqrt(1000)
    for drawn in (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh, tensors.x):
        assert present(drawn).dtype == np.float32
        assert np.abs(present(drawn)).max() <= bound
        assert np.abs(present(drawn)).max() > 0.99 * bound
        assert abs(float(present(drawn).mean())) < 5 * bound / np.sqrt(3 * present(drawn).size)
    assert not np.array_equal(present(cell.bias_ih), present(cell.bias_hh))


def test_drawing_is_repeatable_and_depends_on_the_seed() -> None:
    first, again, other = (load_tensors(load_workload(f"lstm:3,2,t=2,seed={seed}")) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.cells[0].weight_hh, again.cells[0].weight_hh)
    np.testing.assert_array_equal(first.x, again.x)
    assert not np.array_equal(present(first.cells[0].weight_hh), present(other.cells[0].weight_hh))
    assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize("name", preset_names(PresetKind.WORKLOAD))
def test_every_preset_loads_with_its_tensors(name: str) -> None:
    workload = load_workload(name)
    tensors = load_tensors(workload)
    spec = workload.spec
    assert workload.name == name
    assert tensors.x.shape == (spec.steps, spec.batch, spec.input_size)
    assert workload.config.summary


def test_inline() -> None:
    workload = load_workload("lstm:200,1000,t=70,b=3")
    assert workload.spec == lstm_spec(200, 1000, 70, 3)
    assert workload.name == "lstm_200_1000_t70_b3"
    assert load_workload("lstm:5,6").spec == lstm_spec(5, 6, 1, 1)
    assert load_workload("lstm:5,6,seed=9").name == "lstm_5_6_t1_b1_seed9"


def test_one_stream_may_have_a_task() -> None:
    """Of several streams each has a part of the frames, so no result from outside is any one's."""
    streaming = parse_override("streaming=true")
    assert load_workload("silero_vad", [streaming]).config.task is not None
    with pytest.raises(WorkloadError, match="streams: outside results .expected. and tasks are of one stream"):
        load_workload("silero_vad", [streaming, parse_override("streams=2")])


def test_inline_streams() -> None:
    """What can be written inline of a stream is what a file, or --set, says of it."""
    sets = ("period_us=10", "streams=4", "offset_us=0.5", "jitter_us=1.25", "deadline_us=8")
    inline = load_workload(
        "lstm:3,2,t=8,streaming=1,period_us=10,streams=4,offset_us=0.50,jitter_us=1.25,deadline_us=8.0"
    )
    by_set = load_workload("lstm:3,2,t=8,streaming=1", [parse_override(text) for text in sets])
    same = {"summary": ""}
    assert inline.config.model_copy(update=same) == by_set.config.model_copy(update=same)
    assert inline.spec == by_set.spec
    assert inline.name == "lstm_3_2_t8_b1_streaming_streams4_period_us10_offset_us0.5_jitter_us1.25_deadline_us8"
    assert load_workload("lstm:3,2,streaming=1,period_us=0.00001").config.period_us == 1e-5


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("lstm:3", "input and hidden size are missing"),
        ("lstm:3,x", "sizes are whole numbers"),
        ("lstm:3,2,streaming=true", "streaming is 0 or 1, not 'true'"),
        ("lstm:3,2,z=1", "cannot read 'z=1'"),
        ("lstm:3,2,t", "cannot read 't'; expected kind:"),
        ("lstm:3,2,bidirectional", "cannot read 'bidirectional'; did you mean 'bidirectional=1'; expected kind:"),
        (
            "lstm:3,2,t=4,streaming=1,period_us=1e9",
            "cannot read 'period_us=1e9': period_us is a time in us of more than 0",
        ),
        (
            "lstm:3,2,streaming=1,jitter_us=-1",
            "'jitter_us=-1': jitter_us is a time in us of at least 0, a plain number as 12.5",
        ),
        ("lstm:3,2,streaming=1,period=100", "cannot read 'period=100'; did you mean 'period_us=100'"),
        ("lstm:3,2,strems=2", "cannot read 'strems=2'; did you mean 'streams=2'"),
        ("lstm:3,2,steps=7", "cannot read 'steps=7'; did you mean 't=7'"),
        ("lstm:3,2,num_layer=2", "cannot read 'num_layer=2'; did you mean 'layers=2'"),
        ("lstm:3,2,qqqq=2", "cannot read 'qqqq=2'; expected kind:"),
        ("lstm:3,2,t=4,streaming=1,streams=x", "cannot read 'streams=x': streams is a whole number"),
        ("lstm:3,2,t=4,streaming=1,period_us=1,period_us=2", "'period_us' is given twice"),
        ("lstm:3,2,t=4,period_us=1", "period_us is for a workload with streaming: true"),
        ("lstm:3,2,t=4,streaming=1,streams=9", "streams: each of 9 needs a frame, and there are 4 (steps)"),
        ("cnn:3,2", "unknown kind 'cnn'; kinds: lstm, gru, rnn"),
        ("lstm:0,2", "input_size: expected an integer from 1"),
        ("lstm:3,2,t=0", "steps: expected an integer from 1"),
        ("lstm:3,99999999999999999999999999", "hidden_size: "),
        ("lstm_200", "no preset of that name; did you mean"),
        ("nowhere/at_all.yaml", "nowhere/at_all.yaml: "),
    ],
)
def test_references_that_are_wrong(reference: str, expected: str) -> None:
    text = fault(reference)
    assert expected in text
    assert "\n" not in text


def test_overrides_are_validated_like_the_file() -> None:
    assert load_workload("lstm_3_2_t4", [parse_override("steps=9")]).spec.steps == 9
    assert "--set steps=0" in fault("lstm_3_2_t4", "steps=0")


def test_numbers_come_from_a_seed_or_a_file() -> None:
    assert "weights: expected exactly one of 'seed' and 'file'" in fault("lstm_3_2_t4", "weights={}")


def test_initial_state_from_a_file(tmp_path: Path) -> None:
    h_0, c_0 = np.full((1, 2, 4), 0.25, np.float32), np.full((1, 2, 4), -2, np.float32)
    np.savez(tmp_path / "state.npz", h_0=h_0, c_0=c_0)
    text = (
        "summary: with a state\nkind: lstm\ninput_size: 3\nhidden_size: 4\nsteps: 2\nbatch: 2\n"
        "weights: {seed: 1}\ninput: {seed: 2}\ninitial_state: {file: state.npz}\n"
    )
    (tmp_path / "w.yaml").write_text(text)
    tensors = load_tensors(load_workload(str(tmp_path / "w.yaml")))
    np.testing.assert_array_equal(tensors.cells[0].h_0, h_0[0])
    np.testing.assert_array_equal(tensors.cells[0].c_0, c_0[0])


def test_more_numbers_than_memory_is_refused_before_allocation() -> None:
    with pytest.raises(WorkloadError, match="--timing-only"):
        load_tensors(load_workload("lstm:1000000,1000000"))


def test_silero_witness_agrees_with_the_golden_model() -> None:
    """onnxruntime's output for the same features: an outside judge of weights, gate order and golden model."""
    expected = present(SILERO.expected)
    states = CELL.h_0[None], present(CELL.c_0)[None]
    output, h_n, c_n = lstm(
        SILERO.x, CELL.weight_ih, present(CELL.weight_hh), present(CELL.bias_ih), present(CELL.bias_hh), *states
    )
    for name, got in (("output", output), ("h_n", h_n[0]), ("c_n", c_n[0])):
        (want,) = present(expected.named(name)).parts
        assert np.abs(present(got) - present(want)).max() <= 2e-6 * max(1.0, float(np.abs(present(want)).max()))


@pytest.mark.parametrize("swap", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
def test_the_witness_notices_a_wrong_gate_order(swap: tuple[int, int]) -> None:
    """Swapping any two gates' rows must be seen: i, f, g, o is the order that the witness confirms."""
    order = list(range(4))
    order[swap[0]], order[swap[1]] = order[swap[1]], order[swap[0]]
    rows = np.concatenate([np.arange(gate * 128, (gate + 1) * 128) for gate in order])
    output, _, _ = lstm(
        SILERO.x,
        CELL.weight_ih[rows],
        present(CELL.weight_hh)[rows],
        present(CELL.bias_ih)[rows],
        present(CELL.bias_hh)[rows],
        CELL.h_0[None],
        present(CELL.c_0)[None],
    )
    assert np.abs(output - present(present(SILERO.expected).named("output")).parts[0]).max() > 0.1


def test_a_file_without_a_batch_has_one_sequence(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    text = "summary: one\nkind: lstm\ninput_size: 3\nhidden_size: 4\nsteps: 2\nweights: {seed: 0}\ninput: {seed: 1}\n"
    path.write_text(text)
    assert load_workload(str(path)).spec == load_workload("lstm:3,4,t=2,b=1").spec
