"""Finds recurrent layers in a .pt or .pth file: a state_dict, or a checkpoint with one inside.

The file is read by torch.load(weights_only=True), which builds tensors and plain containers and runs no code of the
file. A zip archive is mapped into memory: torch then cuts every tensor out of the file itself, so that no tensor can
claim more bytes than the file has.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.faults import fault, file_bytes, first_line, optional_package
from archsim.importers.found import Found, Refused, Shape
from archsim.importers.listed import ListedTensor
from archsim.importers.reading import Asked
from archsim.importers.tensors.find_tensors import find_in_tensors

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

    def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
        return {name: _array(name, tensors[name], torch, size) for name in wanted}

    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    kinds = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    listed = [ListedTensor(name, shape, kinds[name]) for name, shape in shapes.items()]
    return find_in_tensors(path, shapes, read, asked, listed)


def _tensors(path: Path, torch: Torch) -> dict[str, Any]:
    """All tensors in the file's nested dictionaries, under their keys joined by dots."""
    zipped = _is_plain_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = torch.load(str(path), map_location="cpu", weights_only=True, mmap=zipped)
        if isinstance(tree, torch.Tensor):
            raise fault(path, f"holds a tensor, expected the weights of a model; {_SAVE}")
        if not isinstance(tree, Mapping):
            raise fault(path, f"holds a {shorten(type(tree).__name__)}, expected the weights of a model; {_SAVE}")
        tensors = {name: value for name, value in _leaves(tree) if isinstance(value, torch.Tensor)}
        return {name: tensor for name, tensor in tensors.items() if not tensor.is_nested}
    except FaultsError:
        raise
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
