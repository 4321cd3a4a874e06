"""What torch's default exporter (dynamo, since 2.9) writes, against torch: stacks, external data, learned states."""

from __future__ import annotations

import contextlib
import io
import warnings
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.importers import find_layers, select
from tests.importers.import_runs import imported
from tests.optional import need, skip
from tests.rings import exhaustive

T, B, I, H = 5, 2, 3, 4


@pytest.fixture
def exporting(torch: ModuleType) -> ModuleType:
    need("onnx")
    need("onnxscript")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 9):
        skip("needs torch 2.9, whose default exporter this is")
    return torch


def export(torch: ModuleType, model: Any, x: Any, path: Path, shapes: Any = None, **more: Any) -> Path:
    """Export as a user does; what the exporter says goes nowhere."""
    quiet = (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()))
    with warnings.catch_warnings(), quiet[0], quiet[1]:
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), str(path), dynamo=True, dynamic_shapes=shapes, verbose=False, **more)
    return path


def equal(got: np.ndarray, want: np.ndarray) -> None:
    assert got.shape == want.shape
    assert np.abs(want).max() > 0.05, "a model that does nothing shows nothing"
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


CASES = [
    (False, False, "static"),
    (True, True, "batch"),
    *(pytest.param(*case, marks=exhaustive) for case in product((False, True), (False, True), ("time", "both"))),
    pytest.param(True, False, "static", marks=exhaustive),
    pytest.param(False, True, "static", marks=exhaustive),
    pytest.param(True, False, "batch", marks=exhaustive),
    pytest.param(False, True, "batch", marks=exhaustive),
]


@pytest.mark.parametrize(("both", "batch_first", "dynamic"), CASES)
def test_a_stack_is_one_workload(
    exporting: ModuleType, tmp_path: Path, both: bool, batch_first: bool, dynamic: str
) -> None:
    """Two layers of an LSTM, then two of a GRU, between them Transposes and Reshapes of constants or of Shapes."""
    torch = exporting
    torch.manual_seed(3)
    low = torch.nn.LSTM(I, H, 2, bidirectional=both, batch_first=batch_first)
    top = torch.nn.GRU(H * (2 if both else 1), 5, 2, bidirectional=both, batch_first=batch_first)

    class Model(torch.nn.Module):  # type: ignore[name-defined,misc]  # the package is optional
        def __init__(self) -> None:
            super().__init__()
            self.low, self.top = low, top

        def forward(self, x: Any) -> Any:
            return self.top(self.low(x)[0])[0]

    x = torch.randn((B, T, I) if batch_first else (T, B, I))
    names = {"static": (), "batch": ("batch",), "time": ("time",), "both": ("batch", "time")}[dynamic]
    axes = {("batch", "time").index(name) ^ (not batch_first): torch.export.Dim(name, min=1) for name in names}
    path = export(torch, Model().eval(), x, tmp_path / "m.onnx", {"x": axes} if names else None, external_data=not both)
    assert path.with_name("m.onnx.data").exists() == (not both)
    assert [layer.notes for layer in select(find_layers(path), "all")] == [()] * 4
    with torch.no_grad():
        want = top(low(x)[0])[0].numpy()
    equal(imported(path, x.numpy(), batch_first=batch_first)["output"], want)


@pytest.mark.parametrize("option", [{"nonlinearity": "relu"}, pytest.param({}, marks=exhaustive)])
def test_an_rnn_without_bias_whose_first_state_is_folded_away(
    exporting: ModuleType, tmp_path: Path, option: dict[str, str]
) -> None:
    """The exporter writes RNNs out step by step; W_hh times the h of 0 becomes a constant of zeros, which is no bias."""
    torch = exporting
    torch.manual_seed(5)
    model = torch.nn.RNN(I, H, bias=False, **option)
    x = torch.randn((T, B, I))
    path = export(torch, model.eval(), x, tmp_path / "m.onnx")
    (layer,) = find_layers(path).layers
    assert (layer.config.kind, layer.config.bias) == ("rnn", False)
    with torch.no_grad():
        equal(imported(path, x.numpy(), batch_first=False)["output"], model(x)[0].numpy())


KINDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("LSTM", {}),
    ("GRU", {}),
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
)
EVERY = list(product(KINDS, (False, True), (1, 2, 3), (False, True), ("static", "batch", "time", "both")))


@exhaustive
@pytest.mark.parametrize("number", range(len(EVERY)))
def test_every_way_to_export_a_layer(exporting: ModuleType, tmp_path: Path, number: int) -> None:
    """Kinds, directions, 1 to 3 layers, both orders of axes, static and dynamic ones; sizes and weights are drawn."""
    torch = exporting
    (kind, option), both, layers, batch_first, dynamic = EVERY[number]
    torch.manual_seed(number)
    inputs, hidden, steps, batch = (int(torch.randint(2, 7, ())) for _ in range(4))
    bias = bool(torch.randint(2, ()))
    options = {"bidirectional": both, "batch_first": batch_first, "bias": bias, **option}
    model = getattr(torch.nn, kind)(inputs, hidden, layers, **options)
    x = torch.randn((batch, steps, inputs) if batch_first else (steps, batch, inputs))
    names = {"static": (), "batch": ("batch",), "time": ("time",), "both": ("batch", "time")}[dynamic]
    axes = {("batch", "time").index(name) ^ (not batch_first): torch.export.Dim(name, min=1) for name in names}
    path = export(torch, model.eval(), x, tmp_path / "m.onnx", [axes] if names else None)
    with torch.no_grad():
        want = model(x)[0].numpy()
    got = imported(path, x.numpy(), batch_first=batch_first)["output"]
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
