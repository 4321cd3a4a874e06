"""Finds recurrent layers in Keras .h5 files: whole models, and weights alone (of Keras 2 and 3)."""

from __future__ import annotations

import json
import math
import os
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
from archsim.importers.keras.keras_groups import directions, grouped
from archsim.importers.keras.keras_layer import keras_layer
from archsim.importers.listed import ListedTensor, nothing_fits

SECONDS = 5
BYTES_A_SECOND = 100 << 20
"""A file may take SECONDS of a processor, and more by its size: over some, the HDF5 library runs for ever."""
_CHILD = Path(__file__).with_name("hdf5_child.py")
_ENVIRONMENT = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_USE_FILE_LOCKING": "FALSE", "OPENBLAS_NUM_THREADS": "1"}
"""No filters from elsewhere, no locks, no threads."""
_OUT_OF_TIME = (-24, -9)
"""Ended by SIGXCPU, or SIGKILL after it (on Linux, where the child limits its time)."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class KerasFile:
    """The contents that the child process read."""

    config: str | None
    version: str
    tensors: Mapping[str, npt.NDArray[np.float64]]
    refused: Mapping[str, str]
    others: int
    listed: tuple[ListedTensor, ...] = ()


def find_in_hdf5(path: Path, nonlinearity: str | None) -> Found:
    """All recurrent layers of an .h5 file."""
    size = file_bytes(path)
    optional_package(path, "h5py", "keras")
    return find_in_read(path, read_hdf5(path, path, size), nonlinearity)


def find_in_read(path: Path, file: KerasFile, nonlinearity: str | None, archive: bool = False) -> Found:
    """All recurrent layers of what has been read; `archive`: from a .keras file."""
    configured = _configuration(path, file)
    if not (file.tensors or configured or file.refused) and file.listed:
        raise nothing_fits(path, f"has no recurrent layer, only {other_tensors(file.others)}", file.listed, file.others)
    groups = grouped(file.tensors, configured, archive)
    layers, unsupported = [], [Unsupported(layer.name, layer.refused) for layer in configured.values() if layer.refused]
    for name, cells in groups.items():
        layer = configured.get(name)
        if layer is not None and layer.refused:
            continue
        try:
            found = keras_layer(name, directions(cells), layer, file.version, nonlinearity)
            layers.append(_fed(found, layer, configured))
        except Refused as error:
            unsupported.append(Unsupported(name, str(error)))
    missing = [name for name, layer in configured.items() if name not in groups and not layer.refused]
    unsupported += [Unsupported(name, "the file has no weights for it") for name in missing]
    unsupported += [Unsupported(shorten(name), reason) for name, reason in file.refused.items()]
    return Found(path, tuple(layers), tuple(unsupported), rest=other_tensors(file.others))


def _configuration(path: Path, file: KerasFile) -> dict[str, KerasLayer]:
    if file.config is None:
        return {}
    try:
        layers = keras_layers(file.config)
    except ValueError as error:
        raise fault(path, f"not a valid Keras file: {shorten(str(error), 160)}") from error
    names = unique_names([layer.name for layer in layers])
    return {name: replace(layer, name=name) for name, layer in zip(names, layers, strict=True)}


def _fed(found: FoundLayer, layer: KerasLayer | None, configured: Mapping[str, KerasLayer]) -> FoundLayer:
    if layer is None:
        return replace(found, input_from="something that a file without configuration does not name")
    if layer.source and layer.source in configured:
        return replace(found, fed_by=(layer.source,))
    return found


def read_hdf5(path: Path, content: Path, size: int) -> KerasFile:
    """Read the recurrent tensors in another process, which may crash over a broken file.

    `content` is the HDF5 file, `path` the file that messages are about.
    """
    with content.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise fault(path, "not a valid HDF5 file: it does not start as one")
    most = most_tensor_bytes(size)
    seconds = SECONDS + most // BYTES_A_SECOND
    command = [sys.executable, "-P", str(_CHILD), str(content.resolve()), str(most), str(seconds)]
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
    listed = tuple(
        ListedTensor(shorten(name, 300), tuple(shape), shorten(dtype)) for name, shape, dtype in header["listed"]
    )
    return KerasFile(attributes["model_config"], version, tensors, dict(header["refused"]), header["others"], listed)


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
