"""Finds the recurrent layers of a model file by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from archsim.config.text import shown
from archsim.importers.faults import fault
from archsim.importers.found import Found
from archsim.workload.network import CellKind

Finder = Callable[[Path, str | None], Found]


def find_layers(path: Path, nonlinearity: str | None = None) -> Found:
    """All recurrent layers of a model file, and what in it is not supported; WorkloadError if it cannot be read.

    `nonlinearity` (tanh or relu) is that of RNNs in files that do not say it.
    """
    finder = _FINDERS.get(path.suffix)
    if finder is None:
        raise fault(path, f"expected a file {', '.join(_FINDERS)}, got {shown(path.suffix)}")
    found = finder(path, nonlinearity)
    if nonlinearity is not None and not any(layer.config.kind is CellKind.RNN for layer in found.layers):
        raise fault(path, "has no RNN, so that --nonlinearity says nothing")
    if not found.layers and not found.unsupported:
        what = "LSTM, GRU or RNN operator" if path.suffix == ".onnx" else "recurrent layer"
        raise fault(path, f"has no {what}" + (f", only {found.rest}" if found.rest else ""))
    return found


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
