"""Tells what a model file is by its content, whatever its name: the first bytes, and the members of a zip archive."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from archsim.config.text import shorten
from archsim.importers.faults import fault

HEAD_BYTES = 512


class Container(StrEnum):
    """The kinds of files that are read."""

    ONNX = "onnx"
    TORCH = "torch"
    EXPORTED = "torch.export"
    SAFETENSORS = "safetensors"
    NPZ = "npz"
    HDF5 = "hdf5"
    KERAS = "keras"
    TFLITE = "tflite"


SUFFIXES = {
    ".onnx": Container.ONNX,
    ".pt": Container.TORCH,
    ".pth": Container.TORCH,
    ".pt2": Container.EXPORTED,
    ".safetensors": Container.SAFETENSORS,
    ".npz": Container.NPZ,
    ".h5": Container.HDF5,
    ".hdf5": Container.HDF5,
    ".keras": Container.KERAS,
    ".tflite": Container.TFLITE,
}
"""What a file of that suffix should be, if its content does not say."""

_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLE = re.compile(rb"\x80[\x00-\x05]")
_PYTHON_2_PICKLE = re.compile(rb"(?:\(dp|c[a-z_][\w.]*\n)")
_IR_VERSION = re.compile(rb"\x08[\x03-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]")
_SAVE_WEIGHTS = "torch.save(model.state_dict(), 'weights.pt')"
_SAVE_ARRAYS = (
    "if you trust it, where it was written: numpy.savez('weights.npz', **{name: numpy.asarray(value) for name, value "
    "in pickle.load(open(FILE, 'rb')).items()})"
)
_TENSORFLOW = (
    "is {}, which archsim does not read; convert it: python -m tf2onnx.convert --opset 17 --output model.onnx {} "
    "(pip install tf2onnx)"
)


def container_of(path: Path) -> Container | None:
    """What the file is by its content; None if that does not say. WorkloadError for what is known and not read.

    The error says what to type to convert the file.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = path.stat().st_size
    if head.startswith(b"PK\x03\x04"):
        return _in_zip(path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return Container.HDF5
    if head[4:8] == b"TFL3":
        return Container.TFLITE
    if head.startswith(_TORCH_LEGACY):
        return Container.TORCH
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length <= size - 8:
        return Container.SAFETENSORS
    _refuse_known(path, head)
    return Container.ONNX if _IR_VERSION.match(head) else None


def _refuse_known(path: Path, head: bytes) -> None:
    """Raise WorkloadError for a file of a known kind that cannot be read."""
    if head[257:262] == b"ustar":
        raise fault(path, "is a tar archive, as torch wrote them before 0.1.10; unpack it, or save it again: "
                    f"{_SAVE_WEIGHTS}")  # fmt: skip
    if head.startswith(b"version https://git-lfs"):
        raise fault(path, "is a pointer to a file in Git LFS, not the file; fetch it: git lfs pull")
    if head.startswith(b"\x1f\x8b"):
        raise fault(path, "is packed by gzip; unpack it: gunzip -k FILE")
    if head.startswith(b"\x08\x01\x12") and path.suffix == ".pb":
        raise fault(path, _TENSORFLOW.format("a TensorFlow SavedModel", "--saved-model FOLDER"))
    if path.suffix == ".pb" or (head.startswith(b"\n") and b"Placeholder" in head):
        of = "--graphdef FILE --inputs INPUT:0 --outputs OUTPUT:0"
        raise fault(path, _TENSORFLOW.format("a frozen graph of TensorFlow 1", of))
    if path.suffix not in (".pt", ".pth", ".bin", ".ckpt") and (_PICKLE.match(head) or _PYTHON_2_PICKLE.match(head)):
        raise fault(path, f"is a Python pickle, and loading it could run any code; {_SAVE_ARRAYS}")


def _in_zip(path: Path) -> Container | None:
    """What a zip archive is by the names of its members; None if it is none, or of no known kind."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises a dozen kinds of exceptions for broken archives
        return None
    ends = {name.rpartition("/")[2] for name in names}
    if "config.json" in names and "model.weights.h5" in names:
        return Container.KERAS
    if {"archive_format", "model.json"} <= ends or "serialized_exported_program.json" in ends:
        return Container.EXPORTED
    if "data.pkl" in ends:
        return Container.TORCH
    if "saved_model.pb" in ends:
        raise fault(path, _TENSORFLOW.format("a packed TensorFlow SavedModel", "--saved-model FOLDER"))
    return Container.NPZ if any(name.endswith(".npy") for name in names) else None


def unknown(path: Path, others: list[str]) -> str:
    """The words for a file that is of no known kind."""
    if path.suffix in (".yaml", ".yml"):
        return f"is no model file; a workload is run as it is: archsim run edge_16x16 {shorten(str(path))}"
    listed = ", ".join([*SUFFIXES, *others])
    return f"expected a file {listed}, got '{shorten(path.suffix, 60)}', and its content is none that is known"
