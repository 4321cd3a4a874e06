"""What a found layer says of itself, names made unique, numbers counted; codes of quantized tensors; words of errors."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from archsim.errors import Fault, WorkloadError
from archsim.importers import faults
from archsim.importers.codes import Codes, coded_tensors
from archsim.importers.faults import (
    MAX_FILE_BYTES,
    fault,
    file_bytes,
    first_line,
    most_tensor_bytes,
    optional_package,
    other_tensors,
)
from archsim.importers.found import FoundLayer, Refused, float32, layer_config, unique_names
from archsim.importers.listed import ListedTensor, NothingFits, nothing_fits
from archsim.workload.config import FunctionConfig
from archsim.workload.network import CellKind, MergeMode


def layer(kind: CellKind = CellKind.LSTM, **more: Any) -> FoundLayer:
    own = {key: more.pop(key) for key in list(more) if key not in FoundLayer.__dataclass_fields__}
    return FoundLayer("a", layer_config(kind=kind, hidden_size=4, **own), 3, more.pop("tensors", {}), **more)


STATE = np.zeros((1, 1, 4), np.float32)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"proj_size": 2}, ("projection to 2",)),
        ({"bias": False}, ("no bias",)),
        ({"kind": CellKind.RNN, "nonlinearity": "relu"}, ("relu",)),
        ({"kind": CellKind.RNN, "activations": (FunctionConfig(name="relu"),)}, ("activations relu",)),
        ({"bidirectional": True, "merge_mode": MergeMode.SUM}, (f"directions{MergeMode.SUM.words.replace(',', '')}",)),
        ({"clip": 2.5}, ("clip 2.5",)),
        ({"input_forget": True}, ("input_forget",)),
        ({"peepholes": True}, ("peepholes",)),
        ({"layer_norm": True}, ("layer_norm",)),
        ({"kind": CellKind.GRU, "linear_before_reset": False}, ("reset before the recurrent product",)),
        ({"batch_first": True}, ("batch first",)),
        ({"sequence_lens": (3, 1)}, ("sequence_lens 3, 1",)),
        ({"h_0": STATE}, ("initial state in the file",)),
        ({"c_0": STATE}, ("initial state in the file",)),
        ({"c_0": STATE, "any_batch": True}, ("initial state in the file, the same for all sequences",)),
        ({"any_batch": True}, ()),
    ],
)
def test_the_options_of_a_layer_in_words(options: dict[str, Any], words: tuple[str, ...]) -> None:
    """Each alone: what has the default is not said."""
    assert layer(**options).options() == words


def test_a_layers_size_in_words_and_numbers() -> None:
    one = layer(tensors={"a": np.zeros((2, 3), np.float32), "b": np.zeros(5, np.float32)})
    assert (str(one), one.weights, one.cells) == ("LSTM(3, 4)", 6 + 5, 1)
    assert (one.turns_input, one.batch_first, one.fed_by) == (False, False, ())
    both = layer(CellKind.GRU, bidirectional=True, num_layers=3)
    assert (str(both), both.cells) == ("GRU(3, 4), 3 layers, bidirectional", 6)
    back = layer(CellKind.RNN, reverse=True, num_layers=2)
    assert (str(back), back.cells) == ("RNN(3, 4), 2 layers, reverse", 2)


def test_impossible_options_say_where() -> None:
    with pytest.raises(Refused, match="^hidden_size: "):
        layer_config(kind=CellKind.LSTM, hidden_size=0)
    with pytest.raises(Refused, match="^proj_size must be smaller than hidden_size"):
        layer_config(kind=CellKind.LSTM, hidden_size=4, proj_size=4)


def test_numbers_that_are_not_finite_are_counted() -> None:
    assert float32("w", np.array([1.5, -2.0])).tolist() == [1.5, -2.0]
    with pytest.raises(Refused, match="^w: 2 of 3 numbers are not finite in float32$"):
        float32("w", np.array([1.0, np.nan, 1e39]))
    given = np.ones(2, np.float32)
    assert float32("w", given) is not given
    assert not np.shares_memory(float32("w", given), given)


def test_names_made_unique() -> None:
    assert unique_names(["a", "a", "b", "a"]) == ["a", "a#2", "b", "a#3"]
    assert unique_names(["a", "a#2", "a", "a"]) == ["a", "a#2", "a#3", "a#4"]
    assert unique_names(["", ""]) == ["unnamed", "unnamed#2"]
    assert [len(name) for name in unique_names(["x" * 300, "y" * 301])] == [300, 300]
    assert unique_names([]) == []


CODES = np.array([[1, 2], [3, 4], [5, 6]], np.int8)


def test_codes_stand_for_numbers() -> None:
    """(code - zero) * scale, with one scale or one for each row."""
    whole = Codes(CODES, np.array(0.5), np.array(1))
    assert whole.real().tolist() == [[0, 0.5], [1, 1.5], [2, 2.5]]
    rows = Codes(CODES, np.array([0.5, 1.0, 2.0]), np.array([1, 0, 4]))
    assert rows.real().tolist() == [[0, 0.5], [3, 4], [2, 4]]
    vector = Codes(np.array([1, 2], np.int8), np.array([0.5, 1.0]), np.array([0, 5]))
    assert vector.real().tolist() == [0.5, -3]
    least = Codes(np.array([-128], np.int8), np.array(1.0), np.array(127))
    assert least.real().tolist() == [-255]


def test_rows_of_codes_keep_their_own_scales() -> None:
    rows = Codes(CODES, np.array([0.5, 1.0, 2.0]), np.array([1, 0, 4])).rows(np.array([2, 0]))
    assert rows.real().tolist() == [[2, 4], [0, 0.5]]
    whole = Codes(CODES, np.array(0.5), np.array(1)).rows(np.array([1]))
    assert whole.real().tolist() == [[1, 1.5]]


def test_the_tensors_of_codes_in_a_file() -> None:
    """Zero points are written where any is not 0."""
    plain, moved = (Codes(CODES, np.array(0.5), np.array([0, zero])) for zero in (0, -3))
    found = dict(coded_tensors({"a": plain, "b": moved}))
    assert list(found) == ["a", "a_scale", "b", "b_scale", "b_zero"]
    assert found["b_zero"].tolist() == [0, -3]


def test_the_words_of_an_error() -> None:
    """The first line; of errors whose text alone says nothing, their kind before it."""
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(ValueError("")) == "ValueError"
    assert first_line(KeyError("x")) == "KeyError 'x'"
    for kind in (IndexError, AttributeError, TypeError, AssertionError):
        assert first_line(kind("x")) == f"{kind.__name__} x"
    assert len(first_line(ValueError("x" * 500))) == 160


def test_a_fault_names_file_and_part_shortened() -> None:
    (one,) = fault(Path("m.onnx"), "is bad", "w").faults
    assert one == Fault("m.onnx", "w", "is bad")
    (long,) = fault(Path("p" * 500), "is bad", "w" * 500).faults
    assert str(long).count("p") < 400
    assert str(long).count("w") < 400


def test_the_words_for_other_tensors() -> None:
    assert [other_tensors(count) for count in (0, 1, 2, 1000)] == [
        "",
        "1 other tensor",
        "2 other tensors",
        "1,000 other tensors",
    ]


def test_tensors_of_a_packed_file_take_16_times_its_size_and_64_mib() -> None:
    assert most_tensor_bytes(0) == 67_108_864
    assert most_tensor_bytes(1000) == 67_108_864 + 16_000


def test_a_file_of_2_gib_is_the_largest(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.touch()
    os.truncate(path, MAX_FILE_BYTES)
    assert file_bytes(path) == MAX_FILE_BYTES == 2**31
    with pytest.raises(WorkloadError, match="is a directory, expected a file"):
        file_bytes(tmp_path)


@pytest.mark.parametrize(("error", "said"), [(PermissionError(13, "Permission denied"), "Permission denied"),
                                             (ValueError("an odd name"), "an odd name")])  # fmt: skip
def test_why_a_file_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """What the system says of it, else the error's own first line."""
    monkeypatch.setattr(faults, "open_regular", Mock(side_effect=error))
    (tmp_path / "m").touch()
    with pytest.raises(WorkloadError, match=f"m: cannot be read: {said}$"):
        file_bytes(tmp_path / "m")


def test_a_package_that_lacks_another_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package itself is missing: how to get it; another one that it needs is missing: that."""

    lacking = ModuleNotFoundError("No module named 'protobuf'", name="protobuf")
    missing = ModuleNotFoundError("No module named 'h5py'", name="h5py")
    for error, said in (
        (missing, 'reading .h5 files needs the package h5py: pip install "archsim[keras]"'),
        (lacking, "the package h5py cannot be imported: No module named 'protobuf'"),
        (OSError("libx.so: no such file"), "the package h5py cannot be imported: libx.so: no such file"),
    ):
        monkeypatch.setattr(importlib, "import_module", Mock(side_effect=error))
        with pytest.raises(WorkloadError) as caught:
            optional_package(Path("m.h5"), "h5py", "keras")
        assert said in str(caught.value)


def test_the_first_200_tensors_are_listed() -> None:
    tensors = [ListedTensor(str(number), (1,), "float32") for number in range(201)]
    error = nothing_fits(Path("m"), "has none", tensors, 300, "near")
    assert [tensor.name for tensor in error.tensors] == [str(number) for number in range(200)]
    assert (error.total, error.nearest, str(error)) == (300, "near", "m: has none")
    assert ListedTensor("a", (), "f").may_be_weights
    assert (NothingFits(()).tensors, NothingFits(()).total) == ((), 0)
