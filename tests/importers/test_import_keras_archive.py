"""Keras 3 itself as the witness of its .keras and .h5 files; merge modes; layouts of Keras 2 by hand: CuDNN, optimizers."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import find_layers
from tests.importers.import_runs import close, imported
from tests.importers.test_import_keras import (
    bidirectional,
    cell_weights,
    keras_cell,
    layer_entry,
    save_h5,
    sequential,
)
from tests.optional import need

T, B, I = 5, 2, 3


@pytest.fixture(scope="module")
def keras() -> ModuleType:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    need("torch")
    need("h5py")
    return need("keras")


def stack(keras: ModuleType) -> Any:
    """Layers whose names are those of others' classes, so that the archive's own names tell nothing of theirs."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((T, I)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="gru"),
            layers.Dropout(0.1),
            layers.GRU(3, return_sequences=True, name="lstm_1"),
            layers.RNN(layers.LSTMCell(4), return_sequences=True, name="rnn_1"),
            layers.LSTM(3, return_sequences=True, name="lstm"),
            layers.SimpleRNN(2, return_sequences=True, name="simple_rnn"),
        ]
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_what_keras_saves_is_what_keras_computes(keras: ModuleType, tmp_path: Path, name: str) -> None:
    """A model that has been trained for a step, so that its optimizer has a state."""
    keras.utils.set_random_seed(1)
    model = stack(keras)
    x = np.random.default_rng(0).standard_normal((B, T, I)).astype(np.float32)
    model.compile("adam", "mse")
    model.fit(x, np.zeros((B, T, 2), np.float32), verbose=0)
    path = tmp_path / name
    model.save(path)
    found = find_layers(path)
    assert [layer.name for layer in found.layers] == ["gru", "lstm_1", "rnn_1", "lstm", "simple_rnn"]
    assert found.unsupported == ()
    want = model.predict(x, verbose=0)
    np.testing.assert_allclose(imported(path, x, batch_first=True)["output"], want, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_weights_alone_say_what_they_cannot_know(keras: ModuleType, tmp_path: Path) -> None:
    stack(keras).save_weights(tmp_path / "m.weights.h5")
    found = find_layers(tmp_path / "m.weights.h5")
    note = "the file has no configuration: Keras' defaults are taken (sigmoid and tanh, no go_backwards"
    assert found.layers[0].notes == (f"{note}, outputs side by side)",)
    assert any(layer.notes == (f"{note})",) for layer in found.layers)


def archive(path: Path, weights: Path, config: bytes, metadata: bytes = b'{"keras_version": "3.0"}') -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", metadata)
        file.writestr("config.json", config)
        file.write(weights, "model.weights.h5")
    return path


def test_archives_that_are_broken_are_one_line(h5py: ModuleType, tmp_path: Path) -> None:
    weights = {"lstm": cell_weights(np.random.default_rng(0), "LSTM", I, 4)}
    h5 = save_h5(h5py, tmp_path / "w.h5", weights, "keras3 weights")
    config = json.dumps(sequential(layer_entry("LSTM", "mine", 4))).encode()
    path = archive(tmp_path / "m.keras", h5, config)
    assert [layer.name for layer in find_layers(path).layers] == ["mine"]
    for bad in (b"", b"[]", b'{"config": 3}', b"\xff"):
        with pytest.raises(WorkloadError, match="m.keras: not a valid (Keras|.keras) file"):
            find_layers(archive(path, h5, bad))
    with pytest.raises(WorkloadError, match="not a valid .keras file"):
        find_layers(archive(path, h5, config, b"{"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", config)
        file.writestr("model.weights.h5", bytes(200 << 20))
    with pytest.raises(WorkloadError, match=r"its [\d,]+ bytes expand to 209,7\d\d,\d+"):
        find_layers(path)


def as_cudnn(weights: list[np.ndarray], kind: str, random: np.random.Generator) -> list[np.ndarray]:
    """The weights of a layer as CuDNNLSTM or CuDNNGRU keeps them.

    By the formulas with which Keras 2 converts them (_convert_rnn_weights in its saving code, from_cudnn=False): each
    gate's kernel is transposed and laid out in C order, its recurrent kernel is transposed; a GRU has both biases in a
    row, an LSTM two whose sum counts.
    """
    gates = {"LSTM": 4, "GRU": 3}[kind]
    kernel, recurrent, bias = weights
    laid = np.hstack([k.T.reshape(k.shape, order="C") for k in np.hsplit(kernel, gates)])
    turned = np.hstack([k.T for k in np.hsplit(recurrent, gates)])
    if kind == "GRU":
        return [laid, turned, bias.reshape(-1)]
    part = random.standard_normal(bias.shape).astype(np.float32)
    return [laid, turned, np.concatenate([part, bias - part])]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("configured", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_cudnn_layers(h5py: ModuleType, tmp_path: Path, kind: str, configured: bool, both: bool) -> None:
    random = np.random.default_rng(4)
    sides = ["forward", "backward"] if both else [""]
    plain = {side: cell_weights(random, kind, I, 4) for side in sides}
    packed = {side: as_cudnn(weights, kind, random) for side, weights in plain.items()}
    entry: dict[str, Any] = {
        "class_name": f"CuDNN{kind}",
        "config": {"name": "layer", "units": 4, "return_sequences": True},
    }
    entry = bidirectional(entry, "layer") if both else entry
    config = sequential(entry) if configured else None
    path = save_h5(h5py, tmp_path / "m.h5", {"layer": packed}, "keras2 model", config, "2.2.4")
    x = random.standard_normal((B, T, I)).astype(np.float32)
    want = [keras_cell(kind, plain[side], x, backwards=side == "backward")[0] for side in sides]
    assert close(imported(path, x, batch_first=True)["output"], np.concatenate(want, axis=2))


def test_an_optimizer_is_no_model_and_layers_stand_in_the_models_order(h5py: ModuleType, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = ["lstm_10", "lstm_9", "lstm"]
    weights = {name: cell_weights(random, "LSTM", I if name == "lstm_10" else 4, 4) for name in names}
    config = sequential(*(layer_entry("LSTM", name, 4) for name in names))
    for given in (config, None):
        path = save_h5(h5py, tmp_path / "m.h5", weights, "keras2 model", given, "2.13.1")
        with h5py.File(path, "a") as file:
            for name in names:
                for slot in "mv":
                    for what, tensor in zip(("kernel", "recurrent_kernel", "bias"), weights[name], strict=True):
                        file[f"optimizer_weights/Adam/{slot}/{name}/lstm_cell/{what}:0"] = tensor
        found = find_layers(path)
        assert [layer.name for layer in found.layers] == (names if given else ["lstm", "lstm_9", "lstm_10"])
        assert found.rest == "1 other tensor"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["sum", "mul", "ave"])
def test_merged_directions_are_keras_own(keras: ModuleType, tmp_path: Path, mode: str) -> None:
    """A merged layer and a merged one that it feeds: one stack, whose output is Keras'."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((T, I)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=mode, name="bi"),
            layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=mode, name="top"),
        ]
    )
    path = tmp_path / "m.keras"
    model.save(path)
    found = find_layers(path)
    assert [(layer.config.merge_mode, layer.fed_by) for layer in found.layers] == [(mode, ()), (mode, ("bi",))]
    assert found.layers[0].notes == ()
    x = np.random.default_rng(0).standard_normal((B, T, I)).astype(np.float32)
    want = model.predict(x, verbose=0)
    np.testing.assert_allclose(imported(path, x, batch_first=True)["output"], want, rtol=0, atol=1e-6)
