"""Calibration: what the section asks for, what is observed, and the file that keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import networks

import archsim.api.calibrate
from archsim.api.calibrate import calibrate, choose, observe
from archsim.api.reference import golden_results, golden_traces
from archsim.config import parse_document, parse_override, validate
from archsim.errors import OutputError, WorkloadError
from archsim.formats import Formats, Scaled
from archsim.formats.scaling import Method, covered, quantized, scale_and_zero
from archsim.report.saved import resolved_workload
from archsim.workload import CellKind, NetworkTensors, Workload, load_tensors, load_workload
from archsim.workload.calibration import (
    Calibration,
    Range,
    calibration_text,
    needed_ranges,
    range_kinds,
    read_calibration,
    write_calibration,
)
from archsim.workload.config import WorkloadConfig

INT8 = Formats.model_validate("int8")
ASYMMETRIC = Formats.model_validate({"all": "int8", "input": "int8/asymmetric", "hidden": "int8/asymmetric"})
FLOAT32 = Formats.model_validate("float32")

FILE = """\
method: max
percentile: 99.9
weight_method: mse
ranges:
  x: {low: -0.5, high: 1, format: int8}
  h_l0: {low: -1.0, high: 0, format: int8/asymmetric}
"""


def loaded(folder: Path, **sections: Any) -> Workload:
    """A workload of the sections of a file in a folder."""
    sizes = {"kind": "lstm", "input_size": 3, "hidden_size": 2, "steps": 4, "batch": 1}
    numbers = {"weights": {"seed": 0}, "input": {"seed": 1}}
    text = json.dumps({"summary": "a test's network", **sizes, **numbers, **sections})
    return Workload("network", "a test's network", folder, WorkloadConfig.model_validate_json(text))


def of(workload: Workload, formats: Formats = INT8) -> Calibration:
    return calibrate(workload, load_tensors(workload), formats)


def fault(workload: Workload, formats: Formats = INT8) -> str:
    with pytest.raises(WorkloadError) as caught:
        of(workload, formats)
    return str(caught.value)


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
    assert section.input is section.file is None
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
        "vector_l1": "hidden", "gate_l1": "gate", "activation_l1": "activation", "gate_l2": "gate",
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
    """x, h with h_0 and c with c_0 from the golden results, counted by hand; steps beyond a sequence's end do not count."""
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
    assert np.array_equal(np.sort(last), np.sort(np.concatenate([*valid, *states])))
    for cell, suffix in zip(spec.cells, archsim.workload.tensors.suffixes(spec), strict=True):
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
def test_one_can_be_written_where_the_unit_takes_a_gate_from_it(tmp_path: Path, cell: dict) -> None:
    for method in Method:
        workload = loaded(tmp_path, **cell, calibration={"method": method, "percentile": 50.0})
        assert observe(workload, load_tensors(workload)).samples("activation_l0").max() < 1
        assert of(workload).ranges["activation_l0"].high == 1


def test_traces_that_are_there_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = loaded(tmp_path)
    tensors = load_tensors(workload)
    traces = golden_traces(tensors, workload.spec)
    want = of(workload)
    monkeypatch.setattr(archsim.api.calibrate, "golden_traces", lambda *_: pytest.fail("ran once more"))
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
    np.savez(tmp_path / "start.npz", **start)
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
def test_a_calibration_input_from_a_file(tmp_path: Path, layout: dict, shape: tuple[int, ...]) -> None:
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


def test_numbers_that_no_range_holds(tmp_path: Path) -> None:
    """An RNN that grows a thousandfold each step."""
    workload = loaded(tmp_path, kind="rnn", nonlinearity="relu", steps=400)
    tensors = load_tensors(workload)
    cell = replace(tensors.cells[0], weight_hh=np.full((2, 2), 1e3, np.float32), bias_ih=np.ones(2, np.float32))
    with pytest.raises(WorkloadError, match="h_l0 reaches inf in the golden model, which no range can hold"):
        calibrate(workload, replace(tensors, cells=(cell,)), INT8)


def test_a_trace_that_does_not_fit() -> None:
    workload = load_workload("lstm:1,100,t=1048576", [parse_override("calibration.method=mse")])
    (cell,) = load_tensors(load_workload("lstm:1,100")).cells
    with pytest.raises(WorkloadError, match="GiB; give it a shorter input"):
        calibrate(workload, NetworkTensors((cell,), np.zeros((1, 1, 1), np.float32), None), INT8)


numbers = st.floats(-1e300, 0) | st.floats(-10, 0) | st.just(-0.0)
entries = st.builds(
    Range, numbers, numbers.map(lambda number: -number), st.sampled_from(["int8", "q4.12", "int8/asymmetric/gemmlowp"])
).filter(lambda entry: entry.low < entry.high)
names = st.from_regex(r"x|h_l[0-9]{1,3}|(c|vector|gate|activation)_l[0-9]{1,3}(_reverse)?", fullmatch=True)
calibrations = st.builds(
    Calibration,
    st.sampled_from(list(Method)),
    st.floats(50, 100),
    st.sampled_from(list(Method)),
    st.dictionaries(names, entries, max_size=8),
)


@given(calibrations)
def test_a_file_holds_a_calibration_in_every_bit(tmp_path_factory, calibration: Calibration) -> None:
    path = tmp_path_factory.mktemp("file") / "ranges.yaml"
    write_calibration(path, calibration, "made\nby a test")
    text = path.read_text()
    assert text == calibration_text(calibration, "made\nby a test")
    assert text.startswith("# made")
    if not calibration.ranges:
        return  # nothing to read: no workload is without tensors
    found = read_calibration(path)
    assert found == calibration
    write_calibration(path, found, "made\nby a test")
    assert path.read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == ["ranges.yaml"]


def edited(*changes: tuple[str, str]) -> str:
    text = FILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (edited(("method: max\np", "method: most\np")), ":1: method: expected one of 'max', 'percentile', 'mse'"),
        (edited(("99.9", "1")), ":2: percentile"),
        (edited(("low: -0.5", "low: 0.5")), ":5: ranges.x.low"),
        (edited(("high: 1", "high: -1")), ":5: ranges.x.high"),
        (edited(("high: 1", "high: 1e301")), ":5: ranges.x.high"),
        (edited(("low: -0.5", "low: .nan")), ":5: ranges.x.low: numbers must be finite"),
        (edited(("low: -0.5, high: 1", "low: 0, high: 0")), ":5: ranges.x: low and high are both 0"),
        (edited(("low: -0.5, ", "")), ":5: ranges.x: "),
        (edited(("format: int8}", "format: int99}")), ":5: ranges.x.format"),
        (edited(("  x:", "  y:")), ":4: ranges: no tensor has the name y"),
        (edited(("  h_l0:", "  h_l0_reverse:")), ":4: ranges: no tensor has the name h_l0_reverse"),
        (edited(("weight_method: mse\n", "")), "weight_method"),
        (FILE + "more: 1\n", ":7: more"),
        ("", "empty"),
        ("[1]\n", "must be a mapping"),
    ],
)
def test_faults_of_a_file(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "ranges.yaml"
    path.write_text(text)
    found = fault(loaded(tmp_path, calibration={"file": "ranges.yaml"}))
    assert len(found.splitlines()) == 1, found
    assert found.startswith(str(path))
    assert expected in found


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nothing is observed: neither the input, nor traces that are there."""
    (tmp_path / "ranges.yaml").write_text(FILE)
    formats = Formats.model_validate({"all": "float32", "input": "int8", "hidden": "int4"})
    workload = loaded(tmp_path, calibration={"file": "ranges.yaml"}, steps=1_000_000)
    (cell,) = load_tensors(loaded(tmp_path)).cells
    found = calibrate(workload, NetworkTensors((cell,), np.zeros((1, 1, 3), np.float32), None), formats)
    assert found.ranges == {"x": Range(-0.5, 1.0, "int8"), "h_l0": Range(-1.0, 0.0, "int8/asymmetric")}
    assert (found.method, found.percentile, found.weight_method) == (Method.MAX, 99.9, Method.MSE)


def test_a_file_that_lacks_ranges(tmp_path: Path) -> None:
    (tmp_path / "ranges.yaml").write_text(FILE)
    found = fault(loaded(tmp_path, calibration={"file": "ranges.yaml"}))
    assert found == (
        f"{tmp_path / 'ranges.yaml'}: ranges: no range of c_l0, gate_l0, activation_l0, which this workload's formats "
        "need; make the file again with archsim calibrate and this architecture"
    )
    assert "cannot be read" in fault(loaded(tmp_path, calibration={"file": "none.yaml"}))


@pytest.mark.parametrize(
    ("method", "made_for", "used_for", "serves"),
    [
        ("max", "float32", "int8/asymmetric", True),
        ("max", "int16", "int8", True),
        ("percentile", "int16", "int8", True),
        ("percentile", "int8/asymmetric", "int8", False),
        ("percentile", "float32", "int8", False),
        ("mse", "int8/gemmlowp", "int8", True),
        ("mse", "int8", "int6", False),
        ("mse", "int8/power_of_two", "int8", False),
        ("mse", "int8/asymmetric", "int8", False),
        ("mse", "q4.4", "int8", False),
    ],
)
def test_a_file_made_for_another_format(
    tmp_path: Path, method: str, made_for: str, used_for: str, serves: bool
) -> None:
    text = f"method: {method}\npercentile: 99.9\nweight_method: max\nranges:\n"
    (tmp_path / "ranges.yaml").write_text(text + f"  x: {{low: -1, high: 1, format: {made_for}}}\n")
    workload = loaded(tmp_path, calibration={"file": "ranges.yaml"})
    formats = Formats.model_validate({"all": "float32", "input": used_for})
    if serves:
        assert of(workload, formats).ranges["x"].high == 1
    else:
        assert fault(workload, formats) == (
            f"{tmp_path / 'ranges.yaml'}: ranges.x: chosen by the method {method} for {made_for}, but the format is "
            f"{used_for}; make the file again with archsim calibrate and this architecture"
        )


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"method": "max", "percentile": 99.9, "weight_method": "mse"}, ""),
        ({"method": "mse"}, "method: the file has max, the workload's calibration mse"),
        ({"weight_method": "max"}, "weight_method: the file has mse, the workload's calibration max"),
        ({"percentile": 99}, "percentile: the file has 99.9, the workload's calibration 99.0"),
    ],
)
def test_a_file_of_other_methods_than_asked_for(tmp_path: Path, section: dict, expected: str) -> None:
    (tmp_path / "ranges.yaml").write_text(FILE)
    workload = loaded(tmp_path, calibration={"file": "ranges.yaml", **section})
    if expected:
        found = fault(workload, FLOAT32)
        assert found.startswith(f"{tmp_path / 'ranges.yaml'}: {expected}; make the file again")
        assert len(found.splitlines()) == 1
    else:
        assert of(workload, FLOAT32).ranges


def test_saved_ranges_are_those_observed(tmp_path: Path) -> None:
    workload = loaded(tmp_path, calibration={"method": "mse", "weight_method": "percentile"})
    found = choose(workload, INT8, observe(workload, load_tensors(workload)))
    write_calibration(tmp_path / "ranges.yaml", found, "test")
    assert of(loaded(tmp_path, calibration={"file": "ranges.yaml"})) == found


@pytest.mark.parametrize("there", ["a workload", "text", "folder", "link", "dangling link"])
def test_what_is_no_calibration_file_is_not_replaced(tmp_path: Path, there: str) -> None:
    path, other = tmp_path / "ranges.yaml", tmp_path / "other.yaml"
    other.write_text(FILE)
    match there:
        case "a workload":
            path.write_text("summary: mine\n")
        case "text":
            path.write_bytes(b"\xff\x00")
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(other)
        case "dangling link":
            path.symlink_to(tmp_path / "nothing")
    calibration = Calibration(Method.MAX, 99.9, Method.MAX, {"x": Range(-1.0, 1.0, "int8")})
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(OutputError, match="choose another --out"):
        write_calibration(path, calibration, "test")
    assert (path.read_bytes() if path.is_file() else None) == before
    assert other.read_text() == FILE
    assert not (tmp_path / "nothing").exists()
    write_calibration(other, calibration, "test")
    assert read_calibration(other) == calibration


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    calibration = Calibration(Method.MAX, 99.9, Method.MAX, {"x": Range(-1.0, 1.0, "int8")})
    with pytest.raises(OutputError, match="cannot be written"):
        write_calibration(tmp_path / "file" / "ranges.yaml", calibration, "test")
    write_calibration(tmp_path / "new" / "ranges.yaml", calibration, "test")
    assert read_calibration(tmp_path / "new" / "ranges.yaml") == calibration


def test_the_resolved_workload_names_the_same_files(tmp_path: Path) -> None:
    workload = loaded(
        tmp_path / "mine",
        calibration={"file": "ranges.yaml", "input": {"file": "x.npz"}},
        weights={"file": "w.npz"},
    )
    text = resolved_workload(workload, tmp_path / "results" / "run")
    again = validate(WorkloadConfig, parse_document(text, "workload.yaml", WorkloadError), (), WorkloadError)
    names = (again.weights.file, again.calibration.file, again.calibration.input.file)
    assert names == ("../../mine/w.npz", "../../mine/ranges.yaml", "../../mine/x.npz")
