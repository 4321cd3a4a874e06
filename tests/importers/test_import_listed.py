"""`archsim import` lists the constant tensors of a graph in which nothing is recurrent: ONNX and .tflite."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from archsim.importers import NothingFits, find_layers
from tests.importers.conftest import Command
from tests.importers.import_runs import onnx_save
from tests.importers.test_import_tflite import INPUTS, B, H, T, floats
from tests.importers.tflite_models import Lstm, Tensor, tflite_bytes
from tests.optional import need


def test_an_onnx_graph_without_recurrence(onnx: ModuleType, tmp_path: Path, archsim: Command) -> None:
    """Initializers and constants, with shape and type; the first 200 of 203, whatever their names."""
    name = "enc/W\x1b[31m"
    constant = onnx.numpy_helper.from_array(np.zeros((2, 3), np.float64))
    nodes = [
        onnx.helper.make_node("Constant", [], ["k"], value=constant),
        onnx.helper.make_node("Relu", ["X"], ["Y"]),
    ]
    stored = [onnx.numpy_helper.from_array(np.zeros((4, 16), np.float32), name)]
    stored.append(onnx.numpy_helper.from_array(np.zeros((), np.int64), "axis"))
    stored += [onnx.numpy_helper.from_array(np.zeros(3, np.int8), f"x{number}") for number in range(200)]
    onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (5, 2, 3))
    ended = archsim("import", str(tmp_path / "m.onnx"))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "has no LSTM, GRU or RNN operator, only 2 other operators (Constant, Relu)" in ended.err
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in ended.out.splitlines()]
    assert rows[3:6] == [["enc/W\\x1b[31m", "[4, 16]", "float32"], ["axis", "[]", "int64"], ["x0", "[3]", "int8"]]
    assert (len(rows), rows[-1]) == (3 + 200 + 1, ["and 3 more"])
    del stored[1:]
    onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (5, 2, 3))
    found = json.loads(archsim("import", str(tmp_path / "m.onnx"), "--json").out)
    assert found["tensors_in_file"] == 2
    assert found["tensors"][1] == {"name": "k", "shape": [2, 3], "dtype": "float64"}


def test_a_tflite_graph_without_recurrence(tmp_path: Path) -> None:
    """The operator's number is another one (ADD); states and x have no numbers in the file and are not listed."""
    s, flatbuffers = need("ai_edge_litert.schema_py_generated"), need("flatbuffers")
    inputs = floats(1, 0, False, False)
    lstm = tflite_bytes(Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, H))))
    model = s.ModelT.InitFromObj(s.Model.GetRootAs(lstm, 0))
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 0
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "m.tflite"
    path.write_bytes(bytes(builder.Output()))
    with pytest.raises(NothingFits, match="has no recurrent layer, only 1 other operators") as caught:
        find_layers(path)
    constants = {f"in{place}": tensor for place, tensor in inputs.items() if tensor.values is not None}
    listed = {tensor.name: (tensor.shape, tensor.dtype) for tensor in caught.value.tensors}
    assert listed == {name: (tensor.shape, "float32") for name, tensor in constants.items()}
    assert caught.value.total == 12
