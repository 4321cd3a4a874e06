"""Finds the recurrent layers of a model file by its suffix, with archsim's own readers or another package's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.config.text import shown
from archsim.importers.faults import fault
from archsim.importers.found import Found
from archsim.importers.importer import Importer, by_suffix, installed_importers, read_with
from archsim.workload.network import CellKind

Finder = Callable[[Path, str | None], Found]


def find_layers(path: Path, nonlinearity: str | None = None, importers: Sequence[Importer] | None = None) -> Found:
    """All recurrent layers of a model file, and what in it is not supported; WorkloadError if it cannot be read.

    `nonlinearity` (tanh or relu) is that of RNNs in files that do not say it. `importers`: what reads the suffixes
    that archsim does not read itself; None: those of installed packages.
    """
    finder = _FINDERS.get(path.suffix)
    found = _with_importer(path, nonlinearity, importers) if finder is None else finder(path, nonlinearity)
    if nonlinearity is not None and not any(layer.config.kind is CellKind.RNN for layer in found.layers):
        raise fault(path, "has no RNN, so that --nonlinearity says nothing")
    if not found.layers and not found.unsupported:
        what = "LSTM, GRU or RNN operator" if path.suffix == ".onnx" else "recurrent layer"
        raise fault(path, f"has no {what}" + (f", only {found.rest}" if found.rest else ""))
    return found


def _with_importer(path: Path, nonlinearity: str | None, importers: Sequence[Importer] | None) -> Found:
    readers = by_suffix(installed_importers() if importers is None else importers, _FINDERS)
    importer = readers.get(path.suffix)
    if importer is None:
        raise fault(path, f"expected a file {', '.join([*_FINDERS, *readers])}, got {shown(path.suffix)}")
    if nonlinearity is not None:
        raise fault(path, f"is read by the importer {importer.name}, which takes no --nonlinearity")
    return read_with(importer, path)


def _onnx(path: Path, nonlinearity: str | None) -> Found:
    from archsim.importers.onnx.onnx_file import find_in_onnx

    if nonlinearity is not None:
        raise fault(path, "says itself what its RNNs compute; leave out --nonlinearity")
    return find_in_onnx(path)


def _torch(path: Path, nonlinearity: str | None) -> Found:
    from archsim.importers.torch.torch_file import find_in_torch

    return find_in_torch(path, nonlinearity)


def _tensors(path: Path, nonlinearity: str | None) -> Found:
    from archsim.importers.tensors.tensor_file import find_in_tensor_file

    return find_in_tensor_file(path, nonlinearity)


def _keras(path: Path, nonlinearity: str | None) -> Found:
    from archsim.importers.keras.keras_file import find_in_keras

    return find_in_keras(path, nonlinearity)


_FINDERS: dict[str, Finder] = {
    ".onnx": _onnx,
    ".pt": _torch,
    ".pth": _torch,
    ".safetensors": _tensors,
    ".npz": _tensors,
    ".h5": _keras,
    ".hdf5": _keras,
}
