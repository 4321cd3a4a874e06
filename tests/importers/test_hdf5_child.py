"""What the process that reads HDF5 files takes and refuses, called here in this one: paths, types, filters, depths."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def child(h5py: ModuleType) -> ModuleType:
    return importlib.import_module("archsim.importers.keras.hdf5_child")


@pytest.mark.parametrize(
    ("path", "others", "expected"),
    [
        ("a/kernel", ["a/recurrent_kernel"], True),
        ("a/kernel:0", ["a/recurrent_kernel:0"], True),
        ("a/bias:3", ["a/recurrent_kernel:3"], True),
        ("a/kernel:3", ["a/recurrent_kernel:0"], True),
        ("kernel", ["recurrent_kernel"], True),
        ("a/recurrent_kernel", [], True),
        ("a/kernel", ["b/recurrent_kernel"], False),
        ("a/kernel", [], False),
        ("a/kernels", ["a/recurrent_kernel"], False),
        ("a/cell/vars/0", [], True),
        ("cell/vars/12", [], True),
        ("a/lstm_cell_3/vars/1", [], True),
        ("a/cells/vars/0", [], False),
        ("a/cell/vars/x", [], False),
        ("dense/vars/0", [], False),
    ],
)
def test_what_belongs_to_a_recurrent_cell(child: ModuleType, path: str, others: list[str], expected: bool) -> None:
    assert child.is_recurrent(path, {path, *others}) is expected


def test_datasets_that_are_read(child: ModuleType, h5py: ModuleType, tmp_path: Path) -> None:
    """Floats of 2, 4 and 8 bytes, of one dimension or two, under the usual filters."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        made: dict[str, dict[str, Any]] = {
            "half": {"data": np.ones(3, "f2")}, "single": {"data": np.ones((3, 2), "f4")}, "double": {"data": np.ones(3, "f8")},
            "packed": {"data": np.ones(3, "f4"), "compression": "gzip", "shuffle": True, "fletcher32": True},
            "lzf": {"data": np.ones(3, "f4"), "compression": "lzf"},
        }  # fmt: skip
        assert [child.problem(file.create_dataset(name, **how)) for name, how in made.items()] == [""] * 5
        wrong: dict[str, tuple[Any, str]] = {
            "ints": (np.ones(3, "i4"), "holds int32, expected floating-point numbers"),
            "cube": (np.ones((1, 1, 1), "f4"), "has shape (1, 1, 1), expected one or two dimensions"),
            "number": (np.float32(1), "has shape (), expected one or two dimensions"),
            "nothing": (h5py.Empty("f4"), "has shape None, expected one or two dimensions"),
        }
        for name, (data, said) in wrong.items():
            assert child.problem(file.create_dataset(name, data=data)) == said
        scaled = file.create_dataset("scaled", data=np.ones(3, "f4"), scaleoffset=2)
        assert child.problem(scaled) == "is packed by the HDF5 filter 6, which is not supported"


def test_the_walk_leaves_out_optimizers_of_the_file_and_ends(
    child: ModuleType, h5py: ModuleType, tmp_path: Path
) -> None:
    """24 groups inside each other are followed, 25 are not."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for name in ("optimizer/a", "optimizer_weights/a", "x/optimizer/a", "b"):
            file[name] = np.ones(1)
        refused: list[list[str]] = []
        assert sorted(child.walk(file, refused)) == ["b", "x/optimizer/a"]
        file["soft"] = h5py.SoftLink("/b")
        child.walk(file, refused)
        assert refused == [["soft", "is a link to another place or file, which is not followed"]]
    for depth, fits in ((24, True), (25, False)):
        with h5py.File(tmp_path / "deep.h5", "w") as file:
            file["/".join(["g"] * depth + ["a"])] = np.ones(1)
            if fits:
                assert len(child.walk(file, [])) == 1
            else:
                with pytest.raises(ValueError, match="too many groups inside each other"):
                    child.walk(file, [])


def test_so_many_objects_are_walked(child: ModuleType, h5py: ModuleType, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(child, "MAX_OBJECTS", 3)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["a/b"] = file["c"] = np.ones(1)
        assert sorted(child.walk(file, [])) == ["a/b", "c"]
        file["d"] = np.ones(1)
        with pytest.raises(ValueError, match="too many objects"):
            child.walk(file, [])


def test_attributes_are_text(
    child: ModuleType, h5py: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MAX_ATTRIBUTE_BYTES", 16)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["text"], file.attrs["bytes"], file.attrs["bad"] = "abc", np.bytes_(b"abc"), np.bytes_(b"a\xff")
        file.attrs["long"], file.attrs["longer"] = "x" * 16, "x" * 17
        file.attrs["number"], file.attrs["list"] = 3, ["a"]
        found = {name: child.attribute(file, name) for name in ("none", "text", "bytes", "bad", "long")}
        assert found == {"none": None, "text": "abc", "bytes": "abc", "bad": "a\ufffd", "long": "x" * 16}
        for name in ("longer", "number", "list"):
            with pytest.raises(ValueError, match=f"its attribute {name} is no text"):
                child.attribute(file, name)


def run(child: ModuleType, path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], bytes]:
    """The header and the numbers that the process would write."""
    written: list[bytes] = []
    monkeypatch.setattr(child, "limit_resources", lambda most, seconds: None)
    monkeypatch.setattr(
        child, "sys", SimpleNamespace(stdout=SimpleNamespace(buffer=SimpleNamespace(write=written.append)))
    )
    child.main(str(path), most, 5)
    header, *numbers = written
    return json.loads(header), b"".join(numbers)


def test_what_is_written(child: ModuleType, h5py: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers as float64 of 8 bytes, which may be as many as allowed; what is refused is no other tensor's number."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["a/kernel"], file["a/recurrent_kernel"] = np.array([[1, 2]], "f4"), np.array([[3]], "f2")
        file["a/bias"], file["dense/kernel"], file["n"] = np.ones(2, "i4"), np.ones((2, 3), "f4"), np.int64(1)
        file.attrs["keras_version"] = "3.1"
    header, numbers = run(child, path, 24, monkeypatch)
    assert np.frombuffer(numbers, "<f8").tolist() == [1, 2, 3]
    assert header["datasets"] == [["a/kernel", [1, 2]], ["a/recurrent_kernel", [1, 1]]]
    assert header["refused"] == [["a/bias", "holds int32, expected floating-point numbers"]]
    assert (header["others"], header["attributes"]) == (3, {"model_config": None, "keras_version": "3.1"})
    assert sorted(header["listed"]) == [
        ["a/bias", [2], "int32"],
        ["a/kernel", [1, 2], "float32"],
        ["a/recurrent_kernel", [1, 1], "float16"],
        ["dense/kernel", [2, 3], "float32"],
        ["n", [], "int64"],
    ]
    with pytest.raises(ValueError, match="its tensors claim 24 bytes, more than the 23 that its size allows"):
        run(child, path, 23, monkeypatch)
    monkeypatch.setattr(child, "MAX_LISTED", 2)
    assert len(run(child, path, 24, monkeypatch)[0]["listed"]) == 2


def test_the_line_of_an_error(child: ModuleType) -> None:
    """Its first line, at most 200 characters; of a KeyError what it is about, without quotes; else its kind."""
    for error, said in (
        (ValueError("one\ntwo"), "one"),
        (KeyError("a b"), "a b"),
        (KeyError(), "KeyError"),
        (ValueError(""), "ValueError"),
        (ValueError("x" * 201), "x" * 200),
    ):
        line = child.error_line(error)
        assert line.endswith(b"\n")
        assert json.loads(line) == {"error": said}
