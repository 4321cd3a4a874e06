"""Finds recurrent layers in a .pt or .pth file: a state_dict, or a checkpoint with one inside.

The file is read by torch.load(weights_only=True), which builds tensors and plain containers and runs no code of the
file; packed_weights.py opens what torch has packed. A zip archive is mapped into memory: torch then cuts every tensor
out of the file itself, so that no tensor can claim more bytes than the file has.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.codes import Codes
from archsim.importers.faults import fault, file_bytes, first_line, optional_package
from archsim.importers.found import Found, FoundLayer, Refused, Shape
from archsim.importers.listed import ListedTensor
from archsim.importers.reading import Asked
from archsim.importers.tensors.find_tensors import find_in_tensors
from archsim.importers.torch.packed_weights import NOTE, PackedObject, codes_of, standing_in, unpacked

Torch = Any
"""The package torch, which is optional, or one of its tensors."""

_FORBIDDEN = re.compile(r"GLOBAL (\S+) (?:was not an allowed global|whose module \S+ is blocked)")
_STUMBLED = re.compile(r"WeightsUnpickler error:\s*([^\n]+)")
_SAVE = "save the weights alone: torch.save(model.state_dict(), 'weights.pt')"
_SCRIPT = "save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')"
_QUANTIZED = (
    "holds weights that torch.ao.quantization has packed into objects of TorchScript, which only code can open; save "
    "the state_dict of the model before quantize_dynamic, and let the machine's formats do the quantization"
)
_OTHER_FOLLOWS = (
    "; if what else is in the file keeps it from loading (a Lightning checkpoint, for one) and you trust it: "
    "torch.save(torch.load(FILE, weights_only=False)['state_dict'], 'weights.pt')"
)


def find_in_torch(path: Path, asked: Asked) -> Found:
    """All recurrent layers of the file."""
    size = file_bytes(path)
    torch = optional_package(path, "torch", "torch")
    tensors = _tensors(path, torch)

    codes = _Codes(tensors, torch, size)

    def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
        return {
            name: codes[name].real() if tensors[name].is_quantized else _array(name, tensors[name], torch, size)
            for name in wanted
        }

    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    kinds = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    listed = [ListedTensor(name, shape, kinds[name]) for name, shape in shapes.items()]
    found = find_in_tensors(path, shapes, read, asked, listed)
    return replace(found, layers=tuple(_with_codes(layer, codes) for layer in found.layers))


class _Codes(dict[str, Codes]):
    """The codes of quantized tensors by name, read when they are asked for."""

    def __init__(self, tensors: Mapping[str, Torch], torch: Torch, size: int) -> None:
        super().__init__()
        self._tensors, self._torch, self._size = tensors, torch, size

    def __missing__(self, name: str) -> Codes:
        self[name] = codes_of(name, self._tensors[name], self._torch, self._size)
        return self[name]


def _with_codes(layer: FoundLayer, codes: Mapping[str, Codes]) -> FoundLayer:
    """The layer with the codes of its weights, if it was read from some, and a note."""
    own: dict[str, Codes] = {}
    prefix = "" if layer.name == "state_dict" else f"{layer.name}."
    for key in layer.tensors:
        name = next((name for name in (prefix + key, prefix + key.removesuffix("_l0")) if name in codes), None)
        if name is not None:
            own[key] = codes[name]
    if not own:
        return layer
    kinds = ", ".join(dict.fromkeys(str(found.values.dtype) for found in own.values()))
    each = "row" if any(found.scale.ndim for found in own.values()) else "matrix"
    stay = f"weights are {kinds} with a scale for each {each}, and stay so on a machine whose weights are intN"
    return replace(layer, codes=own, notes=(*layer.notes, stay, NOTE))


def _tensors(path: Path, torch: Torch) -> dict[str, Any]:
    """All tensors in the file's nested dictionaries, under their keys joined by dots."""
    zipped = _is_plain_archive(path)
    try:
        with standing_in(torch), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = torch.load(str(path), map_location="cpu", weights_only=True, mmap=zipped)
        if isinstance(tree, torch.Tensor):
            raise fault(path, f"holds a tensor, expected the weights of a model; {_SAVE}")
        if not isinstance(tree, Mapping):
            raise fault(path, f"holds a {shorten(type(tree).__name__)}, expected the weights of a model; {_SAVE}")
        leaves = dict(_leaves(tree))
        tensors = {name: value for name, value in leaves.items() if isinstance(value, torch.Tensor)}
        opened = unpacked(leaves, torch)
        if not opened and any(isinstance(value, PackedObject) for value in leaves.values()):
            raise fault(path, _QUANTIZED)
        tensors |= opened
        return {name: tensor for name, tensor in tensors.items() if not tensor.is_nested}
    except FaultsError:
        raise
    except Refused as error:
        raise fault(path, str(error)) from error
    except Exception as error:  # torch.load raises whatever a broken file makes it stumble over
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> FaultsError:
    text = str(error)
    if found := _FORBIDDEN.search(text):
        if found[1] == "torch.ScriptObject":
            return fault(path, _QUANTIZED)
        holds = f"holds the Python object {shorten(found[1])}, and loading it could run any code; {_SAVE}"
        return fault(path, holds + _OTHER_FOLLOWS)
    stumbled = _STUMBLED.search(text)
    reason = shorten(stumbled[1], 160) if stumbled else first_line(error)
    return fault(path, f"not a valid torch file of weights alone: {reason}")


def _is_plain_archive(path: Path) -> bool:
    """Whether the file is a zip archive (since torch 1.6); one that torch.save did not write is refused."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # zipfile raises a dozen kinds of exceptions for broken archives
        raise fault(path, f"not a valid torch file: {first_line(error)}") from error
    names = {member.filename.rpartition("/")[2] for member in members}
    if "constants.pkl" in names:
        raise fault(path, f"is a TorchScript archive, which holds code; {_SCRIPT}")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise fault(path, "not a valid torch file: its tensors are compressed")
    return True


def _array(name: str, tensor: Torch, torch: Torch, size: int) -> npt.NDArray[Any]:
    """A tensor's numbers; a tensor can claim a huge shape over few bytes (stride 0), so its size is checked first."""
    floats = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    if tensor.dtype not in floats or tensor.layout is not torch.strided or tensor.device.type != "cpu":
        kind = str(tensor.dtype).removeprefix("torch.")
        raise Refused(f"{shorten(name)} is {kind}, expected dense floating-point numbers")
    if math.prod(tensor.shape) * tensor.element_size() > size:
        raise Refused(f"{shorten(name)} claims more numbers than the file has")
    try:
        plain = tensor.detach().to(torch.float32) if tensor.dtype is torch.bfloat16 else tensor.detach()
        array: npt.NDArray[Any] = plain.numpy()
    except Exception as error:
        raise Refused(f"{shorten(name)} cannot be read: {first_line(error)}") from error
    return array


def _leaves(tree: object, limit: int = 100_000) -> Iterator[tuple[str, Any]]:
    """All values inside nested dictionaries, under their keys joined by dots; ValueError if there is no end of them."""
    stack: list[tuple[str, object, int]] = [("", tree, 0)]
    while stack:
        name, node, depth = stack.pop()
        limit -= 1
        if limit < 0 or depth > 16:
            raise ValueError("too many entries, or too many inside each other")
        if isinstance(node, Mapping):
            prefix = f"{name}." if name else ""
            stack.extend((f"{prefix}{key}"[:1000], value, depth + 1) for key, value in reversed(list(node.items())))
        else:
            yield name, node
