"""Weights of ONNX models in files beside them: read if they lie there plainly, refused if they lead anywhere else."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import Found, find_layers
from tests.importers.import_runs import onnx_node, onnx_save, onnx_stored, onnx_weights

T, B, I, H = 5, 2, 3, 4
Entries = dict[str, dict[str, str]]
"""What is written over the external data of a tensor."""


@pytest.fixture
def model(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> Path:
    """A model whose W, R and B are in weights.bin."""
    weights = onnx_weights(random, "LSTM", I, H)
    node = onnx_node(onnx, "LSTM", weights, hidden_size=H)
    onnx_save(onnx, tmp_path / "one.onnx", [node], onnx_stored(onnx, weights), (T, B, I))
    path = tmp_path / "m.onnx"
    whole = onnx.load(tmp_path / "one.onnx")
    onnx.save(whole, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def test_a_file_beside_the_model_is_read(model: Path) -> None:
    (inside,), (outside,) = find_layers(model.with_name("one.onnx")).layers, find_layers(model).layers
    assert inside.tensors.keys() == outside.tensors.keys()
    for name, tensor in inside.tensors.items():
        np.testing.assert_array_equal(outside.tensors[name], tensor)


def changed(onnx: ModuleType, model: Path, **entries: str) -> Path:
    """The model with other external data of its tensor R."""
    proto = onnx.load(model, load_external_data=False)
    (tensor,) = (tensor for tensor in proto.graph.initializer if tensor.name == "R")
    old = {entry.key: entry.value for entry in tensor.external_data}
    del tensor.external_data[:]
    for key, value in (old | entries).items():
        if value != "none":
            tensor.external_data.add(key=key, value=value)
    model.write_bytes(proto.SerializeToString())
    return model


def reason(path: Path) -> str:
    """Why the only layer, or the whole file, is refused."""
    try:
        found: Found = find_layers(path)
    except WorkloadError as error:
        assert "\n" not in str(error)
        return str(error)
    assert found.layers == ()
    return found.unsupported[0].reason


CASES: dict[str, tuple[dict[str, str], str]] = {
    "upwards": ({"location": "../weights.bin"}, "which is no plain path below the model's folder"),
    "absolute": ({"location": "/etc/passwd"}, "its weights are in '/etc/passwd', which is no plain path below"),
    "drive": ({"location": "C:weights.bin"}, "which is no plain path"),
    "nothing": ({"location": ""}, "its weights are in '', which is no plain path"),
    "null": ({"location": "a\0b"}, "which is no plain path"),
    "escape": ({"location": "\x1b[31m"}, "its weights are in the file '\\x1b[31m', which is not there"),
    "missing": ({"location": "other.bin"}, "the file 'other.bin', which is not there; put it beside the model"),
    "folder": ({"location": "sub"}, "its weights are in 'sub', which is no file"),
    "link": ({"location": "link.bin"}, "its weights are in 'link.bin', which is a link and is not followed"),
    "linked folder": ({"location": "away/weights.bin"}, "which is a link and is not followed"),
    "pipe": ({"location": "pipe"}, "its weights are in 'pipe', which is no file"),
    "offset": ({"offset": "1000000"}, "tensor 'R' in 'weights.bin' ends at byte 1,000,256, but the file has"),
    "length": ({"length": "16"}, "tensor 'R' in 'weights.bin' has 16 bytes, expected 256"),
    "negative": ({"offset": "-4"}, "tensor 'R': its external data has the offset '-4'"),
    "huge": ({"length": "9" * 40}, "tensor 'R': its external data has the length '999"),
    "unknown": ({"url": "x"}, "tensor 'R': its external data has the key 'url'"),
    "to the end": ({"offset": "0", "length": "none"}, "tensor 'R' in 'weights.bin' has 576 bytes, expected 256"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_leads_elsewhere_or_does_not_fit_is_refused(onnx: ModuleType, model: Path, case: str) -> None:
    """The file has 192 bytes of W, 256 of R and 128 of B."""
    folder = model.parent
    (folder / "sub").mkdir()
    (folder / "link.bin").symlink_to("weights.bin")
    (folder / "away").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    entries, message = CASES[case]
    assert message in reason(changed(onnx, model, **entries))


def test_a_file_in_a_folder_below_is_read_and_two_entries_are_refused(onnx: ModuleType, model: Path) -> None:
    (model.parent / "sub").mkdir()
    (model.parent / "weights.bin").rename(model.parent / "sub" / "w.bin")
    proto = onnx.load(model, load_external_data=False)
    for tensor in proto.graph.initializer:
        tensor.external_data[0].value = "./sub/w.bin"
    model.write_bytes(proto.SerializeToString())
    assert len(find_layers(model).layers) == 1
    proto.graph.initializer[0].external_data.add(key="location", value="x")
    model.write_bytes(proto.SerializeToString())
    assert "its external data has location twice" in reason(model)
