"""Finds the recurrent layers of a model file, by its content, with archsim's own readers or another package's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.importers.content import SUFFIXES, Container, container_of, unknown
from archsim.importers.faults import fault, file_bytes
from archsim.importers.found import Found
from archsim.importers.importer import Importer, by_suffix, installed_importers, read_with
from archsim.importers.reading import Asked
from archsim.importers.tensors.naming import Naming

Finder = Callable[[Path, Asked], Found]


def find_layers(
    path: Path,
    nonlinearity: str | None = None,
    importers: Sequence[Importer] | None = None,
    naming: Naming | None = None,
    whole: bool = False,
) -> Found:
    """All recurrent layers of a model file, and what in it is not supported; WorkloadError if it cannot be read.

    `nonlinearity` (tanh or relu) is that of RNNs in files that do not say it. `importers`: what reads the suffixes
    that archsim does not read itself; None: those of installed packages. `naming`: others' names of tensors.
    `whole`: linear layers around the recurrent ones, too (ONNX).
    """
    asked = Asked(nonlinearity, naming or Naming(), whole)
    container = SUFFIXES.get(path.suffix)
    readers = {} if container else by_suffix(installed_importers() if importers is None else importers, SUFFIXES)
    if path.suffix in readers:
        found = _with_importer(readers[path.suffix], path, asked)
    else:
        file_bytes(path)
        container = container_of(path) or container
        if container is None:
            raise fault(path, unknown(path, list(readers)))
        if asked.naming.given and container not in _WITH_NAMES:
            raise fault(path, f"says itself what its tensors are; leave out {asked.naming.given}")
        if whole and container is not Container.ONNX:
            raise fault(path, "--whole reads the graph of ONNX files alone; export the model to ONNX")
        found = _FINDERS[container](path, asked)
    if nonlinearity is not None and not any(layer.config.kind == "rnn" for layer in found.layers):
        raise fault(path, "has no RNN, so that --nonlinearity says nothing")
    if not found.layers and not found.unsupported:
        what = "LSTM, GRU or RNN operator" if container is Container.ONNX else "recurrent layer"
        raise fault(path, f"has no {what}" + (f", only {found.rest}" if found.rest else ""))
    return found


def _with_importer(importer: Importer, path: Path, asked: Asked) -> Found:
    whole = "--whole" if asked.whole else None
    for option, given in (
        ("--nonlinearity", asked.nonlinearity),
        (asked.naming.given, asked.naming.given),
        ("--whole", whole),
    ):
        if given:
            raise fault(path, f"is read by the importer {importer.name}, which takes no {option}")
    return read_with(importer, path)


def _onnx(path: Path, asked: Asked) -> Found:
    from archsim.importers.onnx.onnx_file import find_in_onnx

    if asked.nonlinearity is not None:
        raise fault(path, "says itself what its RNNs compute; leave out --nonlinearity")
    return find_in_onnx(path, asked.whole)


def _torch(path: Path, asked: Asked) -> Found:
    from archsim.importers.torch.torch_file import find_in_torch

    return find_in_torch(path, asked)


def _exported(path: Path, asked: Asked) -> Found:
    from archsim.importers.torch.exported_file import find_in_exported

    return find_in_exported(path, asked)


def _safetensors(path: Path, asked: Asked) -> Found:
    from archsim.importers.tensors.tensor_file import find_in_safetensors

    return find_in_safetensors(path, asked)


def _npz(path: Path, asked: Asked) -> Found:
    from archsim.importers.tensors.tensor_file import find_in_npz

    return find_in_npz(path, asked)


def _hdf5(path: Path, asked: Asked) -> Found:
    from archsim.importers.keras.keras_file import find_in_hdf5

    return find_in_hdf5(path, asked.nonlinearity)


def _keras(path: Path, asked: Asked) -> Found:
    from archsim.importers.keras.keras_archive import find_in_keras_archive

    return find_in_keras_archive(path, asked.nonlinearity)


def _tflite(path: Path, asked: Asked) -> Found:
    from archsim.importers.tflite.tflite_file import find_in_tflite

    if asked.nonlinearity is not None:
        raise fault(path, "has LSTMs alone; leave out --nonlinearity")
    return find_in_tflite(path)


_FINDERS: dict[Container, Finder] = {
    Container.ONNX: _onnx,
    Container.TORCH: _torch,
    Container.EXPORTED: _exported,
    Container.SAFETENSORS: _safetensors,
    Container.NPZ: _npz,
    Container.HDF5: _hdf5,
    Container.KERAS: _keras,
    Container.TFLITE: _tflite,
}
_WITH_NAMES = (Container.TORCH, Container.EXPORTED, Container.SAFETENSORS, Container.NPZ)
"""Files of tensors by name alone, which the user may name otherwise."""
