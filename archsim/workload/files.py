"""Reads tensors from .safetensors and .npz files that nobody vouches for: no pickle, sizes checked before reading."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError

Shapes = Mapping[str, tuple[int, ...]]

_SAFETENSORS_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def read_tensors(path: Path, shapes: Shapes) -> dict[str, npt.NDArray[np.float32]]:
    """The named tensors as float32; each must be there with the given shape, of a float type, and finite.

    Other tensors in the file are not read. WorkloadError names the file, the tensor and what was expected.
    """
    _, tensors = _read(path, shapes)
    return {name: _finite_float32(path, name, tensor) for name, tensor in tensors.items()}


def tensor_names(path: Path) -> tuple[str, ...]:
    """The names of all tensors in the file, sorted; WorkloadError if it cannot be read."""
    return _read(path, {})[0]


def _read(path: Path, shapes: Shapes) -> tuple[tuple[str, ...], dict[str, npt.NDArray[Any]]]:
    """All names in the file, and those tensors that are asked for."""
    readers = {".safetensors": _read_safetensors, ".npz": _read_npz}
    reader = readers.get(path.suffix)
    if reader is None:
        raise _error(path, "", f"expected a .safetensors or .npz file, got '{path.suffix}'")
    if path.is_dir():
        raise _error(path, "", "is a directory, expected a file")
    try:
        return reader(path, shapes)
    except OSError as error:
        raise _error(path, "", f"cannot be read: {error.strerror or error}") from error


def _read_safetensors(path: Path, shapes: Shapes) -> tuple[tuple[str, ...], dict[str, npt.NDArray[Any]]]:
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise _error(path, "", "no such file")
    tensors = {}
    try:
        with safe_open(path, framework="numpy") as file:
            names = tuple(sorted(file.keys()))
            for name, shape in shapes.items():
                _check_name(path, name, names)
                part = file.get_slice(name)
                _check_shape(path, name, tuple(part.get_shape()), shape)
                if part.get_dtype() not in _SAFETENSORS_DTYPES:
                    raise _wrong_type(path, name, part.get_dtype())
                tensors[name] = file.get_tensor(name)
    except SafetensorError as error:
        raise _error(path, "", f"not a valid safetensors file: {_first_line(error)}") from error
    return names, tensors


def _read_npz(path: Path, shapes: Shapes) -> tuple[tuple[str, ...], dict[str, npt.NDArray[Any]]]:
    tensors = {}
    with _npz_faults(path), zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
        names = tuple(sorted(members))
        for name, shape in shapes.items():
            _check_name(path, name, names)
            with archive.open(members[name]) as file:
                _check_npy_header(path, name, shape, file)
            with archive.open(members[name]) as file:
                tensors[name] = np.lib.format.read_array(file, allow_pickle=False)
    return names, tensors


@contextmanager
def _npz_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise _error(path, "", f"not a valid .npz file: {_first_line(error)}") from error


def _check_npy_header(path: Path, name: str, shape: tuple[int, ...], file: IO[bytes]) -> None:
    """Check shape and type before a single number is read, so that no header can claim memory."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise _error(path, name, f"unsupported .npy version {version}")
    found, _, dtype = read_header(file)
    _check_shape(path, name, found, shape)
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise _wrong_type(path, name, str(dtype))


def _check_name(path: Path, name: str, names: Sequence[str]) -> None:
    if name not in names:
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise _error(path, name, f"no such tensor; the file holds: {listed or 'none'}")


def _check_shape(path: Path, name: str, found: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if found != shape:
        raise _error(path, name, f"expected shape {shape}, got {found}")


def _finite_float32(path: Path, name: str, tensor: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported as such
        values = np.ascontiguousarray(tensor, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        index = tuple(int(i) for i in np.unravel_index(bad[0], values.shape))
        message = f"{bad.size:,} of {values.size:,} numbers are not finite in float32, the first at {index}"
        raise _error(path, name, message)
    return values


def _wrong_type(path: Path, name: str, found: str) -> WorkloadError:
    return _error(path, name, f"expected float32 (or float16, float64) numbers, got {found}")


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:160]


def _error(path: Path, tensor: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(str(path), tensor, message),))
