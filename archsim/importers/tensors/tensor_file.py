"""Finds recurrent layers in bare state_dicts: .safetensors and .npz files."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy.typing as npt

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes
from archsim.importers.found import Found, Shape
from archsim.importers.listed import ListedTensor
from archsim.importers.reading import Asked
from archsim.importers.tensors.find_tensors import find_in_tensors
from archsim.workload.files import read_tensors
from archsim.workload.npy_header import npy_header

MAX_NAMES = 100_000


def find_in_safetensors(path: Path, asked: Asked) -> Found:
    """All recurrent layers of a .safetensors file."""
    file_bytes(path)
    return _find(path, _in_safetensors(path), asked)


def find_in_npz(path: Path, asked: Asked) -> Found:
    """All recurrent layers of an .npz file."""
    return _find(path, _in_npz(path, file_bytes(path)), asked)


def _find(path: Path, listed: list[ListedTensor], asked: Asked) -> Found:
    if len(listed) > MAX_NAMES:
        raise fault(path, f"holds {len(listed):,} tensors, more than the {MAX_NAMES:,} that archsim import reads")
    shapes = {tensor.name: tensor.shape for tensor in listed if tensor.may_be_weights}

    def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
        try:
            return read_tensors(path, wanted)
        except FaultsError:
            raise
        except Exception as error:  # as below: the data behind a good header can be broken in a dozen ways
            raise fault(path, f"cannot be read: {first_line(error)}") from error

    return find_in_tensors(path, shapes, read, asked, listed)


def _in_safetensors(path: Path) -> list[ListedTensor]:
    """The tensors; the library checks that they, types and the file's length agree."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in sorted(file.keys())}
            return [ListedTensor(name, tuple(one.get_shape()), str(one.get_dtype())) for name, one in slices.items()]
    except (SafetensorError, OSError, ValueError, OverflowError, MemoryError) as error:
        raise fault(path, f"not a valid safetensors file: {first_line(error)}") from error


def _in_npz(path: Path, size: int) -> list[ListedTensor]:
    """The arrays by the members' headers, each checked against what the archive says of its length."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if len({info.filename for info in members}) < len(members):
                raise fault(path, "not a valid .npz file: two members have the same name")
            total = sum(info.file_size for info in members)
            if total > most_tensor_bytes(size):
                raise fault(path, f"its {size:,} bytes expand to {total:,}; save it uncompressed (numpy.savez)")
            listed = []
            for info in members:
                with archive.open(info) as file:
                    listed.append(_npy_array(path, info, file))
            return listed
    except Exception as error:  # zipfile and numpy raise a dozen kinds of exceptions for broken headers
        if isinstance(error, FaultsError):
            raise
        raise fault(path, f"not a valid .npz file: {first_line(error)}") from error


def _npy_array(path: Path, info: zipfile.ZipInfo, file: IO[bytes]) -> ListedTensor:
    """An array by its header."""
    shape, dtype, header = npy_header(file)
    if dtype.kind == "f" and header + math.prod(shape) * dtype.itemsize != info.file_size:
        message = f"not a valid .npz file: {info.file_size:,} bytes are not an array of shape {shape}"
        raise fault(path, message, info.filename)
    return ListedTensor(info.filename.removesuffix(".npy"), shape, shorten(str(dtype), 40), dtype.kind == "f")
