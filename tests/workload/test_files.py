"""Tensors from files that nobody vouches for: right, or one clear line."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from archsim.errors import WorkloadError
from archsim.workload.files import read_tensors, tensor_shape
from tests.arrays import save_npz

SHAPES = {"a": (2, 3), "b": (4,)}
TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)}


def write(path: Path, tensors: dict[str, np.ndarray]) -> Path:
    if path.suffix == ".npz":
        save_npz(path, **tensors)
    else:
        save_file(tensors, path)
    return path


@pytest.fixture(params=[".npz", ".safetensors"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fault(path: Path, shapes: dict[str, tuple[int, ...]] = SHAPES) -> str:
    with pytest.raises(WorkloadError) as caught:
        read_tensors(path, shapes)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_reads_named_tensors(tmp_path: Path, suffix: str) -> None:
    read = read_tensors(write(tmp_path / f"x{suffix}", {**TENSORS, "unused": np.zeros(1)}), SHAPES)
    assert read.keys() == SHAPES.keys()
    for name, tensor in TENSORS.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], tensor)


def test_float64_and_float16_become_float32(tmp_path: Path, suffix: str) -> None:
    tensors = {"a": np.full((2, 3), 0.1), "b": np.full(4, 0.5, np.float16)}
    read = read_tensors(write(tmp_path / f"x{suffix}", tensors), SHAPES)
    assert (read["a"] == np.float32(0.1)).all()
    assert (read["b"] == 0.5).all()


def test_missing_tensor_names_those_that_are_there(tmp_path: Path, suffix: str) -> None:
    text = fault(write(tmp_path / f"x{suffix}", {"a": TENSORS["a"], "c": TENSORS["b"]}))
    assert "x" + suffix in text
    assert "b: no such tensor; the file holds: a, c" in text


def test_wrong_shape(tmp_path: Path, suffix: str) -> None:
    text = fault(write(tmp_path / f"x{suffix}", {"a": TENSORS["a"].T.copy(), "b": TENSORS["b"]}))
    assert "a: expected shape (2, 3), got (3, 2)" in text


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_numbers_that_are_not_finite_in_float32(tmp_path: Path, suffix: str, bad: float) -> None:
    a = TENSORS["a"].astype(np.float64)
    a[1, 2] = bad
    text = fault(write(tmp_path / f"x{suffix}", {"a": a, "b": TENSORS["b"]}))
    assert "a: 1 of 6 numbers are not finite in float32, the first at (1, 2)" in text


def test_integers_are_not_weights(tmp_path: Path, suffix: str) -> None:
    text = fault(write(tmp_path / f"x{suffix}", {"a": np.ones((2, 3), np.int32), "b": TENSORS["b"]}))
    assert "a: expected float32 (or float16, float64) numbers, got" in text


def test_a_pickle_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.array([[print] * 3] * 2, dtype=object), b=TENSORS["b"], allow_pickle=True)
    assert "numbers, got object" in fault(path)


def test_a_header_cannot_claim_memory(tmp_path: Path) -> None:
    """An .npy header of 2**50 numbers must be refused by its shape, before anything is allocated."""
    header = str({"descr": "<f4", "fortran_order": False, "shape": (1 << 50,)}).encode().ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy)
        archive.writestr("b.npy", npy)
    assert f"expected shape (2, 3), got ({1 << 50},)" in fault(path)


def test_a_shape_is_read_without_the_numbers(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"x{suffix}", {**TENSORS, "scalar": np.array(1, np.float32)})
    assert [tensor_shape(path, name) for name in ("a", "b", "scalar")] == [(2, 3), (4,), ()]
    with pytest.raises(WorkloadError, match="c: no such tensor; the file holds: a, b, scalar"):
        tensor_shape(path, "c")


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])
def test_directory_missing_and_unknown_kind(tmp_path: Path, name: str) -> None:
    assert "no such file" in fault(tmp_path / name).lower()
    (tmp_path / name).mkdir()
    assert "is a directory, expected a file" in fault(tmp_path / name)
    assert "expected a .safetensors or .npz file, got '.pt'" in fault(tmp_path / "x.pt")


def npz_bytes() -> bytes:
    file = io.BytesIO()
    save_npz(file, **TENSORS)
    return file.getvalue()


INTACT = {".npz": npz_bytes(), ".safetensors": save(TENSORS)}


@given(data=st.data())
def test_damaged_files_give_a_clear_error_or_a_right_result(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    suffix = data.draw(st.sampled_from(sorted(INTACT)))
    content = bytearray(INTACT[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(bytes(content))
    try:
        read = read_tensors(path, SHAPES)
    except WorkloadError as error:
        assert "\n" not in str(error)
    else:
        assert {name: tensor.shape for name, tensor in read.items()} == SHAPES
