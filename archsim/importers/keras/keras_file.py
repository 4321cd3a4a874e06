"""Finds recurrent layers in Keras .h5 files: whole models, and weights alone (of Keras 2 and 3)."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from archsim.config.text import shorten
from archsim.importers.faults import fault, file_bytes, most_tensor_bytes, optional_package, other_tensors
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, unique_names
from archsim.importers.keras.keras_config import KerasLayer, keras_layers
from archsim.importers.keras.keras_layer import KerasCell, keras_layer

SECONDS = 5
BYTES_A_SECOND = 100 << 20
"""A file may take SECONDS of a processor, and more by its size: over some, the HDF5 library runs for ever."""
_CHILD = Path(__file__).with_name("hdf5_child.py")
_ENVIRONMENT = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_USE_FILE_LOCKING": "FALSE", "OPENBLAS_NUM_THREADS": "1"}
"""No filters from elsewhere, no locks, no threads."""
_OUT_OF_TIME = (-24, -9)
"""Ended by SIGXCPU, or SIGKILL after it (on Linux, where the child limits its time)."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LEAF = re.compile(r"(?P<cell>.*?)/?(?:vars/(?P<number>[0-9]+)|(?P<what>kernel|recurrent_kernel|bias)(?::[0-9]+)?)")
_ORDER = ("kernel", "recurrent_kernel", "bias")
_WRAPPING = re.compile(r"model_weights|layers|_layer_checkpoint_dependencies")
_CELL = re.compile(r"(?:.*_)?cell(?:_[0-9]+)?")
_DIRECTION = re.compile(r"(forward|backward)_.*")


@dataclass(frozen=True, slots=True)
class _File:
    """The contents that the child process read."""

    config: str | None
    version: str
    tensors: Mapping[str, npt.NDArray[np.float64]]
    refused: Mapping[str, str]
    others: int


def find_in_keras(path: Path, nonlinearity: str | None) -> Found:
    """All recurrent layers of the file."""
    size = file_bytes(path)
    optional_package(path, "h5py", "keras")
    file = _read(path, size)
    configured = _configuration(path, file)
    groups = _grouped(file, configured)
    layers, unsupported = [], [Unsupported(layer.name, layer.refused) for layer in configured.values() if layer.refused]
    for name, cells in groups.items():
        layer = configured.get(name)
        if layer is not None and layer.refused:
            continue
        try:
            found = keras_layer(name, _directions(cells), layer, file.version, nonlinearity)
            layers.append(_fed(found, layer, configured))
        except Refused as error:
            unsupported.append(Unsupported(name, str(error)))
    missing = [name for name, layer in configured.items() if name not in groups and not layer.refused]
    unsupported += [Unsupported(name, "the file has no weights for it") for name in missing]
    unsupported += [Unsupported(shorten(name), reason) for name, reason in file.refused.items()]
    return Found(path, tuple(layers), tuple(unsupported), rest=other_tensors(file.others))


def _configuration(path: Path, file: _File) -> dict[str, KerasLayer]:
    if file.config is None:
        return {}
    try:
        layers = keras_layers(file.config)
    except ValueError as error:
        raise fault(path, f"not a valid Keras file: {shorten(str(error), 160)}") from error
    names = unique_names([layer.name for layer in layers])
    return {name: replace(layer, name=name) for name, layer in zip(names, layers, strict=True)}


def _grouped(file: _File, configured: Mapping[str, KerasLayer]) -> dict[str, dict[str, KerasCell | Refused]]:
    """The cells by layer and direction ("", forward or backward)."""
    parts: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    for name, tensor in file.tensors.items():
        match = _LEAF.fullmatch(name)
        if match is not None:
            number = match["number"]
            what = match["what"] or (_ORDER[int(number)] if int(number) < len(_ORDER) else f"variable {number}")
            parts.setdefault(match["cell"], {})[what] = tensor
    groups: dict[str, dict[str, KerasCell | Refused]] = {}
    for cell, tensors in parts.items():
        name, direction = _place(cell, configured)
        inside = groups.setdefault(name, {})
        inside[direction if direction not in inside else f"{direction} again"] = _cell(tensors)
    return groups


def _place(cell: str, configured: Mapping[str, KerasLayer]) -> tuple[str, str]:
    """The layer to which a cell's path belongs, and the direction in it."""
    parts = [part for part in cell.split("/") if part and not _WRAPPING.fullmatch(part)]
    known = [part for part in parts if part in configured]
    directions = [match[1] for part in parts if (match := _DIRECTION.fullmatch(part))]
    if known:
        layer = configured[known[-1]]
        return known[-1], directions[-1] if directions and layer.backward is not None else ""
    if parts and _CELL.fullmatch(parts[-1]):
        parts.pop()
    kept = list(dict.fromkeys(part for part in parts if not _DIRECTION.fullmatch(part)))
    if kept and directions:
        return shorten("/".join(kept), 300), directions[-1]
    return shorten("/".join(dict.fromkeys(parts)), 300) or "layer", ""


def _cell(tensors: Mapping[str, npt.NDArray[np.float64]]) -> KerasCell | Refused:
    unknown = [what for what in tensors if what not in _ORDER]
    missing = [what for what in _ORDER[:2] if what not in tensors]
    if unknown or missing:
        return Refused(f"its {missing[0]} is missing" if missing else f"its {unknown[0]} is not known")
    with np.errstate(over="ignore"):
        kernel, recurrent, bias = (tensors[what].astype(np.float32) if what in tensors else None for what in _ORDER)
    assert kernel is not None
    assert recurrent is not None
    return KerasCell(kernel, recurrent, bias)


def _directions(cells: Mapping[str, KerasCell | Refused]) -> list[KerasCell]:
    """The one cell, or forward and backward; Refused if there is anything else."""
    if set(cells) not in ({""}, {"forward", "backward"}):
        raise Refused(f"has {len(cells)} cells, expected one, or a forward and a backward one")
    chosen = []
    for name in sorted(cells, reverse=True):  # forward, backward
        cell = cells[name]
        if isinstance(cell, Refused):
            raise cell
        chosen.append(cell)
    return chosen


def _fed(found: FoundLayer, layer: KerasLayer | None, configured: Mapping[str, KerasLayer]) -> FoundLayer:
    if layer is None:
        return replace(found, input_from="something that a file without configuration does not name")
    if layer.source and layer.source in configured:
        return replace(found, fed_by=(layer.source,))
    return found


def _read(path: Path, size: int) -> _File:
    """Read the recurrent tensors in another process, which may crash over a broken file."""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise fault(path, "not a valid HDF5 file: it does not start as one")
    most = most_tensor_bytes(size)
    seconds = SECONDS + most // BYTES_A_SECOND
    command = [sys.executable, "-P", str(_CHILD), str(path.resolve()), str(most), str(seconds)]
    with tempfile.TemporaryFile() as out:
        _run(path, command, out, seconds)
        out.seek(0)
        header: dict[str, Any] = json.loads(out.readline())
        if "error" in header:
            raise fault(path, f"not a valid HDF5 file: {shorten(header['error'], 160)}")
        tensors = {
            name: np.frombuffer(out.read(8 * math.prod(shape)), "<f8").reshape(shape)
            for name, shape in header["datasets"]
        }
    attributes = header["attributes"]
    version = attributes["keras_version"] or ""
    return _File(attributes["model_config"], version, tensors, dict(header["refused"]), header["others"])


def _run(path: Path, command: list[str], out: IO[bytes], seconds: int) -> None:
    """Run the child; WorkloadError if it does not end well."""
    environment = {**os.environ, **_ENVIRONMENT}
    endless = f"not a valid HDF5 file: the HDF5 library came to no end with it in {seconds} s"
    try:  # the clock stops what waits; the processor's time, which the child limits itself, what computes
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            timeout=20 * seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise fault(path, endless) from error
    if run.returncode in _OUT_OF_TIME:
        raise fault(path, endless)
    if run.returncode != 0:
        how = f"signal {-run.returncode}" if run.returncode < 0 else f"exit code {run.returncode}"
        raise fault(path, f"not a valid HDF5 file: the HDF5 library broke down over it ({how})")
