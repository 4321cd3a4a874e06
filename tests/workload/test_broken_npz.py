"""An .npz file that is broken, or made to look so, is one line: whichever library notices it first."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.workload.files import read_tensors, tensor_names

SHAPE = (8, 3)


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones(SHAPE, np.float32))
    return buffer.getvalue()


def with_header(text: str, version: bytes = b"\1\0", field: str = "<H", claimed: int | None = None) -> bytes:
    header = text.encode()
    return b"\x93NUMPY" + version + struct.pack(field, len(header) if claimed is None else claimed) + header


def written(folder: Path, member: bytes, compression: int = zipfile.ZIP_STORED, name: str = "w.npy") -> Path:
    path = folder / "m.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, member)
    return path


@pytest.mark.parametrize(
    "member",
    [
        with_header("{"), with_header("'''"), with_header("{'a': (}"), with_header("1" * 5000), with_header("[" * 3000),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-8, 3)}"), b"", b"\x93NUMPY\1\0", b"PK",
        with_header("{}", b"\2\0", "<I", 0xFFFFFFFF), with_header("{}", b"\3\0", "<I"), npy()[:-5],
        with_header("{'descr': '|O', 'fortran_order': False, 'shape': (8, 3)}"),
    ],
)  # fmt: skip
def test_a_header_that_is_none(member: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, member)
    with pytest.raises(WorkloadError) as found:
        read_tensors(path, {"w": SHAPE})
    (line,) = str(found.value).splitlines()
    assert line.startswith(f"{path}: ")
    assert len(line) < 300 + len(str(path))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_wrong_bit_of_a_compressed_file_is_one_line_or_nothing(compression: int, tmp_path: Path) -> None:
    """Nothing: where a date or a flag changes that nobody reads."""
    path = written(tmp_path, npy(), compression)
    whole = path.read_bytes()
    failed = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
        try:
            assert np.array_equal(read_tensors(path, {"w": SHAPE})["w"], np.ones(SHAPE, np.float32))
        except WorkloadError as error:
            failed += 1
            assert len(str(error).splitlines()) == 1
    assert failed > len(whole) / 12


def test_names_of_tensors_are_escaped_and_cut(tmp_path: Path) -> None:
    path = written(tmp_path, npy(), name="\x1b[31mEVIL\x07\nforged: line" + "x" * 900 + ".npy")
    assert len(tensor_names(path)) == 1
    with pytest.raises(WorkloadError, match=r"\\x1b\[31mEVIL\\x07\\nforged") as found:
        read_tensors(path, {"w": SHAPE})
    assert len(str(found.value)) < 500 + len(str(path))


def test_a_shape_of_many_dimensions_is_not_printed_whole(tmp_path: Path) -> None:
    member = with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 20 + ")}")
    with pytest.raises(WorkloadError, match=r"expected shape \(8, 3\), got \(1, 1") as found:
        read_tensors(written(tmp_path, member), {"w": SHAPE})
    assert len(str(found.value)) < 250 + len(str(tmp_path))
