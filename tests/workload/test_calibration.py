"""Calibration: what the section asks for, and what is observed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import archsim.checking.calibrate
from archsim.checking.calibrate import calibrate, observe
from archsim.checking.reference import golden_results, golden_traces
from archsim.config import parse_document, parse_override, validate
from archsim.errors import WorkloadError
from archsim.formats import Formats, Scaled
from archsim.formats.scaling import Method, covered, quantized, scale_and_zero
from archsim.workload import CellKind, NetworkTensors, Workload, load_tensors, load_workload
from archsim.workload.calibration import needed_ranges, range_kinds
from archsim.workload.config import WorkloadConfig
from archsim.workload.network import MergeMode, suffixes
from tests.arrays import save_npz
from tests.strategies import networks
from tests.workload.calibration_cases import ASYMMETRIC, FLOAT32, INT8, fault, loaded, of


def config_fault(text: str) -> str:
    document = parse_document(
        "summary: s\nkind: lstm\ninput_size: 3\nhidden_size: 2\nsteps: 4\nbatch: 2\nweights: {seed: 0}\n"
        f"input: {{seed: 1}}\ncalibration: {text}\n",
        "w.yaml",
        WorkloadError,
    )
    with pytest.raises(WorkloadError) as caught:
        validate(WorkloadConfig, document, (), WorkloadError)
    return str(caught.value)


def test_a_workload_without_the_section_has_its_defaults() -> None:
    section = load_workload("lstm_3_2_t4").config.calibration
    assert (section.method, section.weight_method, section.percentile) == (Method.MAX, Method.MAX, 99.9)
    assert section.input is None
    assert section.file is None
    changed = load_workload("lstm_3_2_t4", [parse_override("calibration.method=mse")])
    assert changed.config.calibration.method is Method.MSE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{method: mean}", "calibration.method: expected one of 'max', 'percentile', 'mse'"),
        ("{percentile: 49}", "calibration.percentile"),
        ("{percentile: 101}", "calibration.percentile"),
        ("{weight_method: 1}", "calibration.weight_method"),
        ("{inputs: 1}", "calibration.inputs"),
        ("{input: {}}", "expected exactly one of 'seed' and 'file'"),
        ("{input: {seed: 0, steps: 0}}", "calibration.input.steps"),
        ("{input: {file: a.npz, steps: 3}}", "steps and batch are for a drawn input"),
        ("{file: ''}", "calibration.file"),
    ],
)
def test_faults_of_the_section(text: str, expected: str) -> None:
    found = config_fault(text)
    assert len(found.splitlines()) == 1
    assert found.startswith("w.yaml:9: calibration")
    assert expected in found


def test_names_by_kind_of_cell() -> None:
    found = loaded(
        Path(),
        input_size=3,
        hidden_size=4,
        proj_size=2,
        bidirectional=True,
        next_layers=(
            {"kind": "gru", "hidden_size": 3, "linear_before_reset": False},
            {"kind": "rnn", "hidden_size": 2},
        ),
    )
    cell = {"c": "cell", "vector": "hidden", "gate": "gate", "activation": "activation"}
    assert range_kinds(found.spec) == {
        "x": "input",
        **{f"h_l{number}": "hidden" for number in range(3)},
        **{f"{name}_l0{way}": kind for way in ("", "_reverse") for name, kind in cell.items()},
        "vector_l1": "hidden",
        "gate_l1": "gate",
        "activation_l1": "activation",
        "gate_l2": "gate",
    }


@given(networks(), st.sampled_from([INT8, ASYMMETRIC, FLOAT32]))
def test_max_holds_everything_of_any_network(workload: Workload, formats: Formats) -> None:
    """Exactly the tensors of range_kinds, each with its extent; no number that was seen is beyond its format."""
    tensors = load_tensors(workload)
    observed = observe(workload, tensors)
    found = calibrate(workload, tensors, formats)
    assert list(found.ranges) == list(range_kinds(workload.spec))
    for name, entry in found.ranges.items():
        numbers = observed.samples(name)
        assert numbers.ndim == 1
        assert numbers.size
        if numbers.any() and not name.startswith("activation"):
            assert (entry.low, entry.high) == (min(numbers.min(), 0), max(numbers.max(), 0))
        assert entry.low <= numbers.min()
        assert entry.high >= numbers.max()
    for name, number_format in needed_ranges(workload.spec, formats).items():
        entry = found.ranges[name]
        scale, zero = scale_and_zero(np.array([entry.low]), np.array([entry.high]), number_format)
        numbers = observed.samples(name)
        error = np.abs(quantized(numbers[None], number_format, scale, zero)[0] - numbers)
        assert error.max() <= scale[0] * (0.5 + 1e-9)


@given(networks())
def test_what_is_observed(workload: Workload) -> None:
    """x, h with h_0 and c with c_0 from the golden results, counted by hand; no step beyond a sequence's end."""
    spec, tensors = workload.spec, load_tensors(workload)
    lengths = spec.lengths or (spec.steps,) * spec.batch
    steps = sum(lengths)
    observed = observe(workload, tensors)
    x = np.concatenate([tensors.x[:length, row].ravel() for row, length in enumerate(lengths)])
    assert np.array_equal(np.sort(observed.samples("x")), np.sort(x.astype(np.float64)))
    output = golden_results(tensors, spec)["output"][0]
    last = observed.samples(f"h_l{len(spec.layers) - 1}")
    states = [cell.h_0.ravel() for cell in tensors.cells[-len(spec.layers[-1]) :]]
    valid = [output[:length, row].ravel() for row, length in enumerate(lengths)]
    if spec.merge_mode(len(spec.layers) - 1) is MergeMode.CONCAT:
        assert np.array_equal(np.sort(last), np.sort(np.concatenate([*valid, *states])))
    else:  # h of both directions, and, beside it, what they become
        merged = observed.samples(f"y_l{len(spec.layers) - 1}")
        assert np.array_equal(np.sort(merged), np.sort(np.concatenate(valid)))
        assert last.size == (steps + spec.batch) * sum(cell.output_size for cell in spec.layers[-1])
    for cell, suffix in zip(spec.cells, suffixes(spec), strict=True):
        sums = {CellKind.LSTM: 4, CellKind.GRU: 5 if cell.linear_before_reset else 3, CellKind.RNN: 1}[cell.kind]
        sums += (3 if cell.peepholes else 0) - cell.input_forget * (1 + cell.peepholes)
        assert observed.samples(f"gate{suffix}").size == steps * (sums * cell.hidden_size + cell.proj_size)
        if cell.kind is not CellKind.RNN:
            gates = {CellKind.LSTM: 5 - cell.input_forget, CellKind.GRU: 3}[cell.kind]
            assert observed.samples(f"activation{suffix}").size == steps * gates * cell.hidden_size
        if cell.kind is CellKind.LSTM:
            assert observed.samples(f"c{suffix}").size == (steps + spec.batch) * cell.hidden_size


def test_initial_states_count() -> None:
    """A state that no step ever reaches again sets the range."""
    workload = load_workload("lstm:3,2,t=2,b=2")
    tensors = load_tensors(workload)
    (cell,) = tensors.cells
    cell = replace(cell, h_0=np.full((2, 2), -7, np.float32), c_0=np.full((2, 2), 9, np.float32))
    ranges = calibrate(workload, replace(tensors, cells=(cell,)), INT8).ranges
    assert ranges["h_l0"].low == -7
    assert ranges["c_l0"].high == 9


def test_methods_choose_as_scaling_does(tmp_path: Path) -> None:
    tensors = load_tensors(loaded(tmp_path))
    observed = observe(loaded(tmp_path), tensors)
    for method in Method:
        workload = loaded(tmp_path, calibration={"method": method, "percentile": 80.0, "weight_method": "mse"})
        found = calibrate(workload, tensors, ASYMMETRIC)
        assert (found.method, found.percentile, found.weight_method) == (method, 80.0, Method.MSE)
        for name, number_format in needed_ranges(workload.spec, ASYMMETRIC).items():
            (low,), (high,) = covered(observed.samples(name)[None], number_format, method, 80.0)
            assert (found.ranges[name].low, found.ranges[name].high) == (low, high)
            assert found.ranges[name].number_format == number_format.name


def test_only_formats_with_a_scale_are_clipped(tmp_path: Path) -> None:
    """Where a format has no scale the extent is kept, so that a file says what there was."""
    formats = Formats.model_validate({"all": "float32", "hidden": "int4"})
    workload = loaded(tmp_path, calibration={"method": "percentile", "percentile": 50.0})
    observed = observe(workload, load_tensors(workload))
    ranges = of(workload, formats).ranges
    assert ranges["h_l0"].high < observed.samples("h_l0").max()
    assert ranges["x"].high == observed.samples("x").max()
    assert (ranges["x"].number_format, ranges["h_l0"].number_format) == ("float32", "int4")
    assert needed_ranges(workload.spec, formats) == {"h_l0": Scaled(4)}


@pytest.mark.parametrize("cell", [{"kind": "gru"}, {"kind": "lstm", "input_forget": True}])
def test_one_can_be_written_where_the_unit_takes_a_gate_from_it(tmp_path: Path, cell: dict[str, Any]) -> None:
    for method in Method:
        workload = loaded(tmp_path, **cell, calibration={"method": method, "percentile": 50.0})
        assert observe(workload, load_tensors(workload)).samples("activation_l0").max() < 1
        assert of(workload).ranges["activation_l0"].high == 1


def test_what_is_projected_has_a_range_of_its_own() -> None:
    """o tanh(c), before the projection makes h of it; a cell without one has no such vector."""
    workload = load_workload("lstm:3,4,t=4,proj=2")
    tensors = load_tensors(workload)
    ((trace,),) = golden_traces(tensors, workload.spec)
    assert trace.vector is not None
    found = observe(workload, tensors).samples("vector_l0")
    assert np.array_equal(found, trace.vector.ravel())
    plain = load_workload("lstm:3,4,t=4")
    with pytest.raises(KeyError):
        observe(plain, load_tensors(plain)).samples("vector_l0")


@pytest.mark.parametrize(("most", "fits"), [(1120, True), (1119, False)])
def test_what_calibration_keeps_is_bounded(most: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 steps of one sequence: each keeps 3 inputs and 16 numbers for each of 2 units, of 8 bytes: 4 x 35 x 8."""
    monkeypatch.setattr(archsim.checking.calibrate, "MAX_TRACE_BYTES", most)
    workload = load_workload("lstm_3_2_t4")
    tensors = load_tensors(workload)
    if fits:
        assert len(observe(workload, tensors).samples("x")) == 4 * 3
        return
    with pytest.raises(WorkloadError, match="calibration would keep .* in 4 steps of 1 sequences"):
        observe(workload, tensors)


def test_traces_that_are_there_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = loaded(tmp_path)
    tensors = load_tensors(workload)
    traces = golden_traces(tensors, workload.spec)
    want = of(workload)
    monkeypatch.setattr(archsim.checking.calibrate, "golden_traces", lambda *_: pytest.fail("ran once more"))
    assert calibrate(workload, tensors, INT8, traces) == want


def test_a_drawn_calibration_input(tmp_path: Path) -> None:
    """Its own steps and sequences, from zero if their number differs; the workload's own traces do not matter."""
    workload = loaded(tmp_path, calibration={"input": {"seed": 5, "steps": 9, "batch": 3}})
    other = loaded(tmp_path, steps=9, batch=3, input={"seed": 5})
    tensors = load_tensors(workload)
    found = calibrate(workload, tensors, INT8, golden_traces(tensors, workload.spec))
    assert found.ranges == of(other).ranges
    assert observe(workload, tensors).size == (9, 3)
    same = loaded(tmp_path, calibration={"input": {"seed": 1}})
    assert of(same).ranges == of(loaded(tmp_path)).ranges


def test_a_calibration_input_starts_from_the_initial_state(tmp_path: Path) -> None:
    """If it has as many sequences; in any case what the run itself starts from counts."""
    start = {"h_0": np.full((1, 2, 2), 3, np.float32), "c_0": np.full((1, 2, 2), 50, np.float32)}
    save_npz(tmp_path / "start.npz", **start)
    for batch in (2, 3):
        sections = {"initial_state": {"file": "start.npz"}, "calibration": {"input": {"seed": 5, "batch": batch}}}
        workload = loaded(tmp_path, batch=2, **sections)
        ranges = of(workload).ranges
        assert ranges["c_l0"].high == 50
        assert observe(workload, load_tensors(workload)).samples("c_l0").size == 2 * (4 * batch + 2)
        assert (np.sort(observe(workload, load_tensors(workload)).samples("c_l0"))[-5] > 5) == (batch == 2)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ({}, (5, 4, 3)),
        ({"batch_first": True}, (4, 5, 3)),
        ({"batched": False, "batch": 1}, (5, 3)),
    ],
)
def test_a_calibration_input_from_a_file(tmp_path: Path, layout: dict[str, Any], shape: tuple[int, ...]) -> None:
    """In the workload's layout; steps and sequences are the file's."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.savez(tmp_path / "x.npz", seen=x)
    workload = loaded(tmp_path, **layout, calibration={"input": {"file": "x.npz", "tensor": "seen"}})
    observed = observe(workload, load_tensors(workload))
    assert observed.size == (5, 1 if len(shape) == 2 else 4)
    assert np.array_equal(np.sort(observed.samples("x")), np.sort(x.ravel().astype(np.float64)))


@pytest.mark.parametrize("shape", [(5, 4, 2), (5, 3), (0, 4, 3), (1, 5, 4, 3)])
def test_a_calibration_input_of_a_wrong_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.savez(tmp_path / "x.npz", input=np.zeros(shape, np.float32))
    found = fault(loaded(tmp_path, calibration={"input": {"file": "x.npz"}}))
    assert found.startswith(f"{tmp_path / 'x.npz'}: input: expected ")
    assert len(found.splitlines()) == 1


def test_lengths_are_the_workload_s_own(tmp_path: Path) -> None:
    """A calibration input has no sequence_lens: all its steps count."""
    workload = loaded(tmp_path, batch=2, sequence_lens=(1, 3))
    assert observe(workload, load_tensors(workload)).samples("x").size == 3 * 4
    other = loaded(tmp_path, batch=2, sequence_lens=(1, 3), calibration={"input": {"seed": 1}})
    assert observe(other, load_tensors(other)).samples("x").size == 3 * 8


@pytest.mark.parametrize(("weights", "reached"), [((1e3, 1e3), "inf"), ((1e3, -1e3), "nan")])
def test_numbers_that_no_range_holds(tmp_path: Path, weights: tuple[float, float], reached: str) -> None:
    """An RNN that grows a thousandfold each step; in the second, differences of two such numbers."""
    workload = loaded(tmp_path, kind="rnn", activations=[{"name": "affine"}], steps=400)
    (cell,) = load_tensors(workload).cells
    cell = replace(cell, weight_hh=np.array([weights, (1e3, 1e3)], np.float32), bias_ih=np.ones(2, np.float32))
    tensors = replace(load_tensors(workload), cells=(cell,))
    with pytest.raises(WorkloadError, match=f"h_l0 reaches {reached} in the golden model, which no range can hold"):
        calibrate(workload, tensors, INT8)


def test_a_trace_that_does_not_fit() -> None:
    workload = load_workload("lstm:1,100,t=1048576", [parse_override("calibration.method=mse")])
    (cell,) = load_tensors(load_workload("lstm:1,100")).cells
    with pytest.raises(WorkloadError, match="GiB; give it a shorter input"):
        calibrate(workload, NetworkTensors((cell,), np.zeros((1, 1, 1), np.float32), None), INT8)
