"""Finds recurrent layers in .keras archives: config.json, metadata.json and model.weights.h5 in a zip file."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from archsim.errors import FaultsError
from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes, optional_package
from archsim.importers.found import Found
from archsim.importers.keras.keras_file import find_in_read, read_hdf5

_MAX_TEXT_BYTES = 1 << 24
_WEIGHTS = "model.weights.h5"


def find_in_keras_archive(path: Path, nonlinearity: str | None) -> Found:
    """All recurrent layers of the archive; WorkloadError if it is broken or claims more than its size allows."""
    size = file_bytes(path)
    optional_package(path, "h5py", "keras")
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            total = sum(info.file_size for info in archive.infolist())
            if total > most_tensor_bytes(size):
                raise fault(path, f"its {size:,} bytes expand to {total:,}; save it again with keras")
            weights = Path(folder) / _WEIGHTS
            with archive.open(_WEIGHTS) as packed, weights.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
            file = read_hdf5(path, weights, weights.stat().st_size)
            version = _text(path, archive, "metadata.json") if "metadata.json" in archive.namelist() else "{}"
            named = json.loads(version)
            known = named.get("keras_version") if isinstance(named, dict) else None
            file = replace(file, config=_text(path, archive, "config.json"), version=str(known or "")[:40])
    except FaultsError:
        raise
    except Exception as error:  # zipfile and json raise a dozen kinds of exceptions for broken archives
        raise fault(path, f"not a valid .keras file: {first_line(error)}") from error
    return find_in_read(path, file, nonlinearity, archive=True)


def _text(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    """A member that is text, of bounded length."""
    if archive.getinfo(name).file_size > _MAX_TEXT_BYTES:
        raise fault(path, f"not a valid .keras file: its {name} is larger than {_MAX_TEXT_BYTES:,} bytes")
    with archive.open(name) as file:
        return file.read(_MAX_TEXT_BYTES).decode("utf-8")
