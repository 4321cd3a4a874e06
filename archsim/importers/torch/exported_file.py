"""Reads the weights of a torch.export archive (.pt2), which are plain bytes beside a description in JSON.

Source: torch.export.pt2_archive (torch 2.8 on): data/weights/model_weights_config.json gives for each parameter a file
of raw numbers with type, sizes and strides. Archives of before keep them as a pickle, and are refused.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes
from archsim.importers.found import Found, Refused, Shape
from archsim.importers.listed import ListedTensor
from archsim.importers.reading import Asked
from archsim.importers.tensors.find_tensors import find_in_tensors

_CONFIG = "data/weights/model_weights_config.json"
_MAX_CONFIG_BYTES = 1 << 26
_DTYPES: dict[int, np.dtype[Any]] = {6: np.dtype("<f2"), 7: np.dtype("<f4"), 8: np.dtype("<f8")}
"""The numbers of torch.export's schema for the types of numbers that are read."""
_SAVE = "save the weights alone: torch.save(torch.export.load(FILE).state_dict, 'weights.pt')"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A parameter of the archive: its member, type and sizes."""

    member: str
    dtype: np.dtype[Any]
    shape: Shape


def find_in_exported(path: Path, asked: Asked) -> Found:
    """All recurrent layers of the archive, by the names of its parameters."""
    size = file_bytes(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(path, archive, size)
    except FaultsError:
        raise
    except Exception as error:  # zipfile and json raise a dozen kinds of exceptions for broken archives
        raise fault(path, f"not a valid torch.export archive: {first_line(error)}") from error

    def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
        try:
            with zipfile.ZipFile(path) as archive:
                return {name: _numbers(name, archive, entries[name]) for name in wanted}
        except Refused:
            raise
        except Exception as error:
            raise fault(path, f"cannot be read: {first_line(error)}") from error

    shapes = {name: entry.shape for name, entry in entries.items()}
    listed = [ListedTensor(name, entry.shape, str(entry.dtype)) for name, entry in entries.items()]
    return find_in_tensors(path, shapes, read, asked, listed)


def _entries(path: Path, archive: zipfile.ZipFile, size: int) -> dict[str, _Entry]:
    """The parameters by name, with sizes that their members have."""
    members = {info.filename: info for info in archive.infolist()}
    found = [name for name in members if name == _CONFIG or name.endswith(f"/{_CONFIG}")]
    if len(found) != 1:
        raise fault(path, f"is a torch.export archive without {_CONFIG}, as torch wrote them before 2.8; {_SAVE}")
    folder = found[0].removesuffix("model_weights_config.json")
    if members[found[0]].file_size > _MAX_CONFIG_BYTES:
        raise fault(path, "not a valid torch.export archive: its description is too large")
    if sum(info.file_size for info in members.values()) > most_tensor_bytes(size):
        raise fault(path, "not a valid torch.export archive: its members are larger than its size allows")
    entries = {}
    for name, entry in json.loads(archive.read(found[0]))["config"].items():
        meta = entry["tensor_meta"]
        shape = tuple(int(length["as_int"]) for length in meta["sizes"])
        strides = tuple(int(length["as_int"]) for length in meta["strides"])
        dtype = _DTYPES.get(meta["dtype"])
        plain = strides == tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
        start = meta["storage_offset"]["as_int"]
        if entry["use_pickle"] or dtype is None or not plain or start != 0 or len(shape) > 8:
            continue
        member = members.get(folder + str(entry["path_name"]))
        if member is None or min(shape, default=1) < 0 or member.file_size != math.prod(shape) * dtype.itemsize:
            raise fault(path, "not a valid torch.export archive: a member is missing or of another size", shorten(name))
        entries[str(name)] = _Entry(member.filename, dtype, shape)
    return entries


def _numbers(name: str, archive: zipfile.ZipFile, entry: _Entry) -> npt.NDArray[Any]:
    data = archive.read(entry.member)
    if len(data) != math.prod(entry.shape) * entry.dtype.itemsize:
        raise Refused(f"{shorten(name)} has {len(data):,} bytes, which is not its size")
    return np.frombuffer(data, entry.dtype).reshape(entry.shape)
