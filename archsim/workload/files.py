"""Reads tensors from .safetensors and .npz files that nobody vouches for: no pickle, sizes checked before reading."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from archsim.config.files.regular_files import open_regular
from archsim.config.text import one_line, shorten
from archsim.errors import Fault, FaultsError, WorkloadError
from archsim.workload.npy_header import BROKEN, npy_header

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

_SAFETENSORS_DTYPES = ("F64", "F32", "F16")
_SAFETENSORS_INTEGERS = ("I64", "I32", "U32", "I16", "U16", "I8", "U8")


def read_tensors(path: Path, shapes: Shapes) -> dict[str, npt.NDArray[np.float32]]:
    """Read the named tensors as float32; each must be there with the given shape and finite.

    Other tensors in the file are not read. WorkloadError names the file, the tensor and what was expected.
    """
    return {name: _finite_float32(path, name, tensor) for name, tensor in _floats(path, shapes).items()}


def read_float64(path: Path, shapes: Shapes) -> dict[str, npt.NDArray[np.float64]]:
    """Read the named tensors of floating-point numbers as float64; WorkloadError as read_tensors."""
    tensors = {}
    for name, tensor in _floats(path, shapes).items():
        tensors[name] = np.ascontiguousarray(tensor, np.float64).reshape(tensor.shape)
        if not np.isfinite(tensors[name]).all():
            raise _error(path, name, "its numbers are not all finite")
    return tensors


def _floats(path: Path, shapes: Shapes) -> dict[str, npt.NDArray[Any]]:
    tensors = {}
    with _opened(path) as file:
        for name, shape in shapes.items():
            header = _header(path, file, name)
            if header.shape != shape:
                raise _error(path, name, f"expected shape {shape}, got {shorten(str(header.shape), 80)}")
            if not header.is_float:
                raise _error(path, name, f"expected float32 (or float16, float64) numbers, got {header.dtype}")
            tensors[name] = file.read(name)
    return tensors


def read_integers(path: Path, shapes: Shapes) -> dict[str, npt.NDArray[np.int64]]:
    """Read the named tensors as int64; each must be there with the given shape and hold integers.

    WorkloadError as read_tensors.
    """
    tensors = {}
    with _opened(path) as file:
        for name, shape in shapes.items():
            header = _header(path, file, name)
            if header.shape != shape:
                raise _error(path, name, f"expected shape {shape}, got {shorten(str(header.shape), 80)}")
            if not header.is_integer:
                raise _error(path, name, f"expected integers of up to 64 bits, got {header.dtype}")
            tensors[name] = np.ascontiguousarray(file.read(name), dtype=np.int64).reshape(shape)
    return tensors


def holds_integers(path: Path, name: str) -> bool:
    """Whether a tensor's numbers are integers by the file's header; WorkloadError if there is none of that name."""
    with _opened(path) as file:
        return _header(path, file, name).is_integer


def tensor_names(path: Path) -> tuple[str, ...]:
    """The names of all tensors in the file, sorted; WorkloadError if it cannot be read."""
    with _opened(path) as file:
        return file.names


def tensor_shape(path: Path, name: str) -> Shape:
    """The shape that a tensor has by the file's header, no number read; WorkloadError if there is none of that name."""
    with _opened(path) as file:
        return _header(path, file, name).shape


@dataclass(frozen=True, slots=True)
class _Header:
    """What a file says of a tensor before its numbers."""

    shape: Shape
    dtype: str
    is_float: bool
    is_integer: bool


class _TensorFile(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...
    def header(self, name: str) -> _Header: ...
    def read(self, name: str) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, slots=True)
class _Safetensors:
    file: Any

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.file.keys()))

    def header(self, name: str) -> _Header:
        part = self.file.get_slice(name)
        dtype = part.get_dtype()
        return _Header(tuple(part.get_shape()), dtype, dtype in _SAFETENSORS_DTYPES, dtype in _SAFETENSORS_INTEGERS)

    def read(self, name: str) -> npt.NDArray[Any]:
        tensor: npt.NDArray[Any] = self.file.get_tensor(name)
        return tensor


@dataclass(frozen=True, slots=True)
class _Npz:
    archive: zipfile.ZipFile

    @property
    def names(self) -> tuple[str, ...]:
        members = self.archive.namelist()
        return tuple(sorted({name.removesuffix(".npy") for name in members if name.endswith(".npy")}))

    def header(self, name: str) -> _Header:
        """Read a tensor's header on its own, before a single number, so that no header can claim memory."""
        with self.archive.open(f"{name}.npy") as file:
            shape, dtype, _ = npy_header(file)
        integer = dtype.kind == "i" or (dtype.kind == "u" and dtype.itemsize < 8)
        return _Header(shape, str(dtype), dtype.kind == "f" and dtype.itemsize <= 8, integer)

    def read(self, name: str) -> npt.NDArray[Any]:
        with self.archive.open(f"{name}.npy") as file:
            tensor: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return tensor


@contextmanager
def _opened(path: Path) -> Iterator[_TensorFile]:
    """Open the file by its content, or else its suffix; what goes wrong while it is open is a WorkloadError."""
    openers = {".safetensors": _open_safetensors, ".npz": _open_npz}
    try:
        opener = openers.get(_kind(path) or path.suffix)
        if opener is None:
            raise _error(path, "", f"expected a .safetensors or .npz file, got '{path.suffix}'")
        with opener(path) as file:
            yield file
    except OSError as error:
        raise _error(path, "", f"cannot be read: {error.strerror or error}") from error


def _kind(path: Path) -> str:
    """The suffix that fits the content of a file, whatever its name; "" if it does not say, or is not there."""
    if not path.exists():
        return ""
    with open_regular(path) as file:
        head = file.read(9)
    if head.startswith(b"PK\x03\x04"):
        return ".npz"
    return ".safetensors" if head[8:] == b"{" else ""


@contextmanager
def _open_safetensors(path: Path) -> Iterator[_TensorFile]:
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise _error(path, "", "no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            yield _Safetensors(file)
    except SafetensorError as error:
        raise _error(path, "", f"not a valid safetensors file: {_first_line(error)}") from error


@contextmanager
def _open_npz(path: Path) -> Iterator[_TensorFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Npz(archive)
    except FaultsError:
        raise
    except BROKEN as error:
        raise _error(path, "", f"not a valid .npz file: {_first_line(error)}") from error


def _header(path: Path, file: _TensorFile, name: str) -> _Header:
    names = file.names
    if name not in names:
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise _error(path, name, f"no such tensor; the file holds: {shorten(listed, 300) or 'none'}")
    return file.header(name)


def _finite_float32(path: Path, name: str, tensor: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported as such
        values = np.ascontiguousarray(tensor, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        index = tuple(int(i) for i in np.unravel_index(bad[0], values.shape))
        message = f"{bad.size:,} of {values.size:,} numbers are not finite in float32, the first at {index}"
        raise _error(path, name, message)
    return values


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return shorten(text.splitlines()[0], 160)


def _error(path: Path, tensor: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(one_line(str(path)), shorten(tensor, 200), message),))
