"""Trained models from file to simulated outputs: archsim import, then the machine, against torch and onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.float_machines import FLOAT_64X64
from tests.importers.conftest import Command
from tests.importers.import_runs import close, run_workload
from tests.importers.trained_models import RESEMBLYZER, SILERO_VAD, UZMORPH, trained_model
from tests.optional import need

STEPS, BATCH = 6, 2


def random_input(*shape: int) -> np.ndarray:
    return np.random.default_rng(11).standard_normal(shape).astype(np.float32)


def import_and_run(archsim: Command, model: str, x: np.ndarray, layer: str, *options: str) -> dict[str, np.ndarray]:
    np.save("x.npy", x)
    ended = archsim("import", model, "--layer", layer, "--out", "my.yaml", "--input", "x.npy", *options)
    assert (ended.code, ended.err) == (0, "")
    return run_workload(Path("my.yaml"), FLOAT_64X64)


def check(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for name, want in theirs.items():
        assert np.abs(want).max() > 0.05, "a model that does nothing shows nothing"
        assert close(ours[name], want), name


def test_silero_vad(archsim: Command, tmp_path: Path) -> None:
    """The LSTM of a voice activity detector, cut out of its graph for onnxruntime."""
    onnx, runtime = need("onnx"), need("onnxruntime")
    path = trained_model(SILERO_VAD, tmp_path)
    listing = archsim("import", path.name).out
    assert "/recurrent/LSTM  lstm  128 -> 128       1  forward    132,096  -" in listing
    assert "initial_h is the graph's input 'h': the workload starts at 0" in listing
    x = random_input(STEPS, BATCH, 128)
    ours = import_and_run(archsim, path.name, x, "/recurrent/LSTM")
    graph = onnx.load(path).graph
    (node,) = (node for node in graph.node if node.op_type == "LSTM")
    node.input[5] = node.input[6] = ""
    value = onnx.helper.make_tensor_value_info
    x_info = value(node.input[0], 1, x.shape)
    alone = onnx.helper.make_graph(
        [node], "alone", [x_info], [value(n, 1, None) for n in node.output], graph.initializer
    )
    made = onnx.helper.make_model(alone, opset_imports=[onnx.helper.make_opsetid("", 16)], ir_version=8)
    session = runtime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    y, h, c = session.run(list(node.output), {node.input[0]: x})
    check(ours, {"output": y[:, 0], "h_n": h, "c_n": c})


def torch_results(module: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    torch = need("torch")
    with torch.no_grad():
        output, (h, c) = module(torch.from_numpy(x))
    return {"output": output.numpy(), "h_n": h.numpy(), "c_n": c.numpy()}


def torch_module(path: Path, inside: str | None, prefix: str, *sizes: int, **options: Any) -> Any:
    """The module with the trained weights, loaded by torch itself."""
    torch = need("torch")
    tree = torch.load(path, map_location="cpu", weights_only=True)
    tensors = tree if inside is None else tree[inside]
    module = torch.nn.LSTM(*sizes, **options)
    module.load_state_dict({name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)})
    return module


def test_uzmorph(archsim: Command, tmp_path: Path) -> None:
    """Two bidirectional layers in a bare state_dict."""
    need("torch")
    path = trained_model(UZMORPH, tmp_path)
    assert "lstm  lstm  64 -> 64       2  both       165,888  -" in archsim("import", path.name).out
    module = torch_module(path, None, "lstm.", 64, 64, num_layers=2, bidirectional=True, batch_first=True)
    x = random_input(BATCH, STEPS, 64)
    check(import_and_run(archsim, path.name, x, "lstm", "--batch-first"), torch_results(module, x))


@pytest.mark.parametrize("batched", [True, False])
def test_resemblyzer(archsim: Command, tmp_path: Path, batched: bool) -> None:
    """Three layers inside a checkpoint of torch's format before 1.6, beside its optimizer's state."""
    need("torch")
    path = trained_model(RESEMBLYZER, tmp_path)
    listing = archsim("import", path.name).out
    assert "model_state.lstm  lstm  40 -> 256       3  forward    1,357,824  -" in listing
    assert "not recurrent: 36 other tensors" in listing
    module = torch_module(path, "model_state", "lstm.", 40, 256, num_layers=3)
    x = random_input(STEPS, BATCH, 40) if batched else random_input(STEPS, 40)
    check(import_and_run(archsim, path.name, x, "all"), torch_results(module, x))
