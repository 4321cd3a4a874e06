"""Reads the tensors that an ONNX model keeps in other files (external data), which must lie beside it.

A location is a plain path below the model's folder: not absolute, not upwards, and no part of it a link. Offset and
length are checked against the file before anything is read, and the numbers count against the model's budget.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsim.config.text import shown
from archsim.importers.faults import MAX_FILE_BYTES
from archsim.importers.found import Refused

Proto = Any
"""A TensorProto of the package onnx, which is optional."""

_EXTERNAL = 1
_NUMBER = re.compile("[0-9]{1,18}")
_PLAIN_PART = re.compile(r"[^/\\:\0]{1,255}")
_KEYS = ("location", "offset", "length", "checksum")


def is_external(tensor: Proto) -> bool:
    """Whether a tensor's numbers are in another file."""
    return bool(tensor.data_location == _EXTERNAL or tensor.external_data)


@dataclass(eq=False)
class ExternalData:
    """The files beside a model: their sizes by location."""

    folder: Path
    sizes: dict[str, int] = field(default_factory=dict)

    def opened(self, tensors: Iterable[Proto]) -> int:
        """The size of all files that these tensors are in; Refused if one cannot be used."""
        for tensor in tensors:
            if is_external(tensor):
                location = _entries(tensor).get("location", "")
                if location not in self.sizes:
                    self.sizes[location] = self._size(location)
        return sum(self.sizes.values())

    def read(self, tensor: Proto, size: int) -> bytes:
        """The `size` bytes of a tensor's numbers; Refused if the file has them not just so."""
        entries = _entries(tensor)
        location = entries.get("location", "")
        whole = self._size(location)
        offset = _number(tensor, entries, "offset", 0)
        length = _number(tensor, entries, "length", whole - offset)
        where = f"{shown(tensor.name)} in {shown(location)}"
        if offset + length > whole:
            raise Refused(f"tensor {where} ends at byte {offset + length:,}, but the file has {whole:,}")
        if length != size:
            raise Refused(f"tensor {where} has {length:,} bytes, expected {size:,}")
        try:
            with open(self._path(location), "rb", opener=_opened_without_link) as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            raise Refused(f"tensor {where}: cannot be read: {error.strerror or error}") from error
        if len(data) != size:
            raise Refused(f"tensor {where}: the file ends before it")
        return data

    def _path(self, location: str) -> Path:
        parts = [part for part in location.split("/") if part != "."]
        if not parts or any(not _PLAIN_PART.fullmatch(part) or part == ".." for part in parts):
            raise Refused(f"its weights are in {shown(location)}, which is no plain path below the model's folder")
        return self.folder.joinpath(*parts)

    def _size(self, location: str) -> int:
        """The length of a file, which must be a regular one behind no link."""
        path = self._path(location)
        places = [path, *list(path.parents)[: location.count("/")]]
        try:
            found = [place.lstat() for place in places]
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "which is not there; put it beside the model" if missing else f"{error.strerror or error}"
            raise Refused(f"its weights are in the file {shown(location)}, {reason}") from error
        if any(stat.S_ISLNK(one.st_mode) for one in found):
            raise Refused(
                f"its weights are in {shown(location)}, which is a link and is not followed; put the file itself there"
            )
        if not stat.S_ISREG(found[0].st_mode):
            raise Refused(f"its weights are in {shown(location)}, which is no file")
        if found[0].st_size > MAX_FILE_BYTES:
            raise Refused(f"its weights are in {shown(location)}, of more than {MAX_FILE_BYTES:,} bytes")
        return found[0].st_size


def _opened_without_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _entries(tensor: Proto) -> Mapping[str, str]:
    """The keys and values that say where a tensor is; Refused if one is not known, not text or there twice."""
    entries: dict[str, str] = {}
    for entry in tensor.external_data:
        if not (isinstance(entry.key, str) and isinstance(entry.value, str)) or entry.key not in _KEYS:
            raise Refused(f"tensor {shown(tensor.name)}: its external data has the key {shown(entry.key)}")
        if entry.key in entries:
            raise Refused(f"tensor {shown(tensor.name)}: its external data has {entry.key} twice")
        entries[entry.key] = entry.value
    return entries


def _number(tensor: Proto, entries: Mapping[str, str], key: str, default: int) -> int:
    text = entries.get(key)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise Refused(f"tensor {shown(tensor.name)}: its external data has the {key} {shown(text)}")
    return int(text)
