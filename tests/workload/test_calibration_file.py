"""The file that keeps a calibration: what it holds, what is refused, and what is not overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.checking.calibrate import calibrate, choose, observe
from archsim.config import parse_document, validate
from archsim.errors import OutputError, WorkloadError
from archsim.formats import Formats
from archsim.formats.scaling import Method
from archsim.report.files.saved import resolved_workload
from archsim.workload import NetworkTensors, load_tensors
from archsim.workload.calibration import (
    Calibration,
    Range,
    _RangeEntry,
    calibration_text,
    read_calibration,
    write_calibration,
)
from archsim.workload.config import WorkloadConfig
from tests.present import present
from tests.workload.calibration_cases import FLOAT32, INT8, fault, loaded, of

FILE = """\
method: max
percentile: 99.9
weight_method: mse
ranges:
  x: {low: -0.5, high: 1, format: int8}
  h_l0: {low: -1.0, high: 0, format: int8/asymmetric}
"""

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
def test_a_file_holds_a_calibration_in_every_bit(
    tmp_path_factory: pytest.TempPathFactory, calibration: Calibration
) -> None:
    path = tmp_path_factory.mktemp("file") / "ranges.yaml"
    write_calibration(path, calibration, "made\nby a test")
    text = path.read_text()
    assert text == calibration_text(calibration, "made\nby a test")
    assert text.startswith("# made")
    assert "-0.0," not in text
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
def test_a_file_of_other_methods_than_asked_for(tmp_path: Path, section: dict[str, Any], expected: str) -> None:
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
    names = (again.weights.file, again.calibration.file, present(again.calibration.input).file)
    assert names == ("../../mine/w.npz", "../../mine/ranges.yaml", "../../mine/x.npz")


def test_a_scale_and_a_zero_point_say_the_range() -> None:
    """int8 from -128 to 127 in steps of 0.5 around code 3: from -131 / 2 to 124 / 2."""
    entry = _RangeEntry(scale=0.5, zero=3, format="int8/asymmetric")
    assert entry.range() == Range(-65.5, 62.0, "int8/asymmetric", 0.5, 3)
