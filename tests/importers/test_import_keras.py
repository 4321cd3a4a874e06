"""Keras .h5 files in all their layouts against Keras' own formulas, written here in NumPy; what is refused, by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select
from tests.importers.import_runs import close, imported
from tests.rings import examples

Json = dict[str, Any]
"""An object of a model's configuration."""

KINDS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
LAYOUTS = ("keras2 model", "keras3 model", "keras2 weights", "keras3 weights")
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "hard_sigmoid 2": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard_sigmoid 3": lambda x: np.clip(x + 3, 0, 6) / 6,
}


def cell_weights(
    random: np.random.Generator, kind: str, inputs: int, units: int, use_bias: bool = True, reset_after: bool = True
) -> list[np.ndarray]:
    """kernel, recurrent_kernel and bias in Keras' layout."""
    columns = KINDS[kind] * units
    shapes: list[tuple[int, ...]] = [(inputs, columns), (units, columns)]
    if use_bias:
        shapes.append((2, columns) if kind == "GRU" and reset_after else (columns,))
    return [(random.standard_normal(shape) / 2).astype(np.float32) for shape in shapes]


def keras_cell(
    kind: str,
    weights: list[np.ndarray],
    x: np.ndarray,
    activation: str = "tanh",
    gate: str = "sigmoid",
    backwards: bool = False,
    version: str = "3",
    reset_after: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Keras' formulas, over x (B, T, I): the outputs in the order of the input, and the last h."""
    f, s = (FUNCTIONS[name if name in FUNCTIONS else f"{name} {version}"] for name in (activation, gate))
    kernel, recurrent = (w.astype(np.float64) for w in weights[:2])
    units = recurrent.shape[0]
    bias = weights[2].astype(np.float64) if len(weights) > 2 else np.zeros(kernel.shape[1])
    h = c = np.zeros((x.shape[0], units))
    outputs = {}
    steps = range(x.shape[1])
    for t in reversed(steps) if backwards else steps:
        if kind == "LSTM":
            i, ff, cc, o = np.split(x[:, t] @ kernel + bias + h @ recurrent, 4, axis=1)
            c = s(ff) * c + s(i) * f(cc)
            h = s(o) * f(c)
        elif kind == "SimpleRNN":
            h = f(x[:, t] @ kernel + bias + h @ recurrent)
        else:
            given, own = bias if bias.ndim == 2 else (bias, 0.0)
            xz, xr, xh = np.split(x[:, t] @ kernel + given, 3, axis=1)
            if reset_after:
                hz, hr, hh = np.split(h @ recurrent + own, 3, axis=1)
                z, r = s(xz + hz), s(xr + hr)
                new = f(xh + r * hh)
            else:
                uz, ur, uh = np.split(recurrent, 3, axis=1)
                z, r = s(xz + h @ uz), s(xr + h @ ur)
                new = f(xh + (r * h) @ uh)
            h = z * h + (1 - z) * new
        outputs[t] = h
    return np.stack([outputs[t] for t in steps], axis=1), h


def layer_entry(kind: str, name: str, units: int, **config: object) -> Json:
    """A layer of a model_config."""
    gates = {} if kind == "SimpleRNN" else {"recurrent_activation": "sigmoid"}
    base = {"name": name, "units": units, "activation": "tanh", "use_bias": True, "return_sequences": True, **gates}
    if kind == "GRU":
        base["reset_after"] = True
    return {"class_name": kind, "config": base | config}


def bidirectional(entry: Json, name: str, **more: object) -> Json:
    inner = dict(entry["config"])
    config = {"name": name, "merge_mode": "concat", "layer": {"class_name": entry["class_name"], "config": inner}}
    return {"class_name": "Bidirectional", "config": config | more}


def sequential(*entries: Json) -> Json:
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(entries)}}


def save_h5(
    h5py: ModuleType,
    path: Path,
    layers: Mapping[str, list[np.ndarray] | dict[str, list[np.ndarray]]],
    layout: str = "keras3 model",
    config: Json | list[Json] | None = None,
    version: str | None = None,
    filters: dict[str, str | bool] | None = None,
) -> Path:
    """Write {layer: [weights] or {direction: [weights]}} as the given version of Keras does."""
    cell = {4: "lstm_cell", 3: "gru_cell", 1: "simple_rnn_cell"}
    with h5py.File(path, "w") as file:
        top = file.create_group("model_weights") if "model" in layout else file
        for name, directions in layers.items():
            each = directions if isinstance(directions, dict) else {"": directions}
            for direction, weights in each.items():
                gates = cell[weights[1].shape[1] // weights[1].shape[0]]
                side = f"{direction}_{name}/" if direction else ""
                if layout == "keras3 weights":
                    side = f"{direction}_layer/" if direction else ""
                    names = [f"layers/{name}/{side}cell/vars/{number}" for number in range(3)]
                else:
                    folder = (
                        f"{name}/{name}/{side}{gates}" if "2" in layout else f"{name}/sequential/{name}/{side}{gates}"
                    )
                    names = [f"{folder}/{what}" for what in ("kernel", "recurrent_kernel", "bias")]
                    names = [f"{what}:0" for what in names] if "2" in layout else names
                for what, tensor in zip(names, weights, strict=False):
                    top.create_dataset(what, data=tensor, **(filters or {}))
        dense = "layers/dense/vars/0" if layout == "keras3 weights" else "dense/dense/kernel:0"
        top.create_dataset(dense, data=np.zeros((3, 4), np.float32))
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
        if version is not None:
            file.attrs["keras_version"] = version
    return path


@st.composite
def models(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], str, list[int], int, str]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    version = draw(st.sampled_from(["2.15.0", "3.4.1"]))
    gates = ["sigmoid", "hard_sigmoid", "relu", "linear"]
    options: dict[str, Any] = {
        "activation": draw(st.sampled_from(["tanh", "relu", "linear", "softsign", "elu", "softplus", "sigmoid"])),
        "use_bias": draw(st.booleans()),
    }
    if kind != "SimpleRNN":
        options["recurrent_activation"] = draw(st.sampled_from(gates))
    if kind == "GRU":
        options["reset_after"] = draw(st.booleans())
    direction = draw(st.sampled_from(["forward", "backward", "both"]))
    sizes = [draw(st.integers(1, 5)) for _ in range(4)]
    return (
        kind,
        version,
        options,
        direction,
        sizes,
        draw(st.integers(0, 2**31)),
        draw(st.sampled_from(["none", "gzip"])),
    )


@settings(max_examples=examples(20))
@given(case=models())
def test_every_layer_computes_what_keras_formulas_say(
    tmp_path_factory: pytest.TempPathFactory,
    h5py: ModuleType,
    case: tuple[str, str, dict[str, Any], str, list[int], int, str],
) -> None:
    kind, version, options, direction, (steps, batch, inputs, units), seed, packed = case
    random = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("keras") / "model.h5"
    own = (options["use_bias"], options.get("reset_after", True))
    sides = ["forward", "backward"] if direction == "both" else [""]
    weights = {side: cell_weights(random, kind, inputs, units, *own) for side in sides}
    entry = layer_entry(kind, "layer", units, go_backwards=direction == "backward", **options)
    if direction == "both":
        entry = bidirectional(entry, "layer")
    filters: dict[str, str | bool] = (
        {} if packed == "none" else {"compression": "gzip", "shuffle": True, "fletcher32": True}
    )
    layout = f"keras{version[0]} model"
    save_h5(h5py, path, {"layer": weights}, layout, sequential(entry), version, filters)
    x = random.standard_normal((batch, steps, inputs)).astype(np.float32)
    ours = imported(path, x, "layer", batch_first=True)
    functions = options["activation"], options.get("recurrent_activation", "sigmoid")
    backwards = [side == "backward" or direction == "backward" for side in sides]
    results = [
        keras_cell(kind, weights[side], x, *functions, back, version[0], own[1])
        for side, back in zip(sides, backwards, strict=True)
    ]
    assert close(ours["output"], np.concatenate([output for output, _ in results], axis=2))
    assert close(ours["h_n"], np.stack([h for _, h in results]))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("both", [False, True])
def test_every_layout_of_the_file(h5py: ModuleType, tmp_path: Path, layout: str, kind: str, both: bool) -> None:
    """Without a configuration, too, and then with a note that Keras' defaults are taken."""
    random = np.random.default_rng(3)
    sides = ["forward", "backward"] if both else [""]
    weights = {side: cell_weights(random, kind, 3, 4) for side in sides}
    path = save_h5(h5py, tmp_path / "m.h5", {"rnn": weights}, layout)
    found = find_layers(path)
    (layer,) = found.layers
    assert layer.name.startswith("rnn")
    assert layer.batch_first
    assert layer.notes[0].startswith("the file has no configuration: Keras' defaults are taken (")
    assert found.rest == "1 other tensor"
    x = random.standard_normal((2, 5, 3)).astype(np.float32)
    want = [keras_cell(kind, weights[side], x, backwards=side == "backward")[0] for side in sides]
    assert close(imported(path, x, layer.name, batch_first=True)["output"], np.concatenate(want, axis=2))


def functional(entries: list[Json], inbound: list[list[Any]]) -> Json:
    """A functional model as Keras 2 (a name each) or Keras 3 (the history of a tensor) writes it."""
    for entry, node in zip(entries, inbound, strict=True):
        entry["name"] = entry["config"]["name"]
        entry["inbound_nodes"] = node
    return {"class_name": "Functional", "config": {"name": "model", "layers": entries}}


def history(name: str) -> list[Json]:
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 5, 3], "keras_history": [name, 0, 0]}}
    return [{"args": [tensor], "kwargs": {"training": False}}]


@pytest.mark.parametrize("form", ["sequential", "keras2 functional", "keras3 functional"])
def test_a_chain_of_layers_is_one_workload(h5py: ModuleType, tmp_path: Path, form: str) -> None:
    random = np.random.default_rng(5)
    forward, backward = (cell_weights(random, "LSTM", 3, 4) for _ in range(2))
    top = cell_weights(random, "GRU", 8, 2)
    simple = (
        {"class_name": "InputLayer", "config": {"name": "in"}},
        {"class_name": "Dropout", "config": {"name": "drop"}},
    )
    low = bidirectional(layer_entry("LSTM", "lstm", 4), "bi")
    entries = [simple[0], low, simple[1], layer_entry("GRU", "gru", 2, return_sequences=False)]
    entries.append({"class_name": "Dense", "config": {"name": "dense"}})
    if form == "sequential":
        config = sequential(*entries)
    elif form == "keras2 functional":
        config = functional(entries, [[], *([[[name, 0, 0, {}]]] for name in ("in", "bi", "drop", "gru"))])
    else:
        config = functional(entries, [[], *(history(name) for name in ("in", "bi", "drop", "gru"))])
    path = tmp_path / "m.h5"
    save_h5(h5py, path, {"bi": {"forward": forward, "backward": backward}, "gru": top}, "keras2 model", config, "2.9.0")
    assert [layer.name for layer in select(find_layers(path), "all")] == ["bi", "gru"]
    x = random.standard_normal((2, 5, 3)).astype(np.float32)
    sides = [keras_cell("LSTM", w, x, backwards=back)[0] for w, back in ((forward, False), (backward, True))]
    want = keras_cell("GRU", top, np.concatenate(sides, axis=2))[0]
    assert close(imported(path, x, batch_first=True)["output"], want)


@pytest.mark.parametrize(
    ("low", "between", "words"),
    [
        ({"return_sequences": False}, [], "top is fed by the output of LSTM 'low', which gives its last step alone"),
        ({"go_backwards": True}, [], "top is fed by the output of LSTM 'low', last step first"),
        ({}, [{"class_name": "Dense", "config": {"name": "d"}}], "top is fed by the output of Dense 'd'"),
    ],
)
def test_layers_that_do_not_connect_are_said(
    h5py: ModuleType, tmp_path: Path, low: dict[str, bool], between: list[dict[str, str | dict[str, str]]], words: str
) -> None:
    random = np.random.default_rng(1)
    config = sequential(layer_entry("LSTM", "low", 4, **low), *between, layer_entry("LSTM", "top", 4))
    weights = {"low": cell_weights(random, "LSTM", 3, 4), "top": cell_weights(random, "LSTM", 4, 4)}
    path = save_h5(h5py, tmp_path / "m.h5", weights, "keras3 model", config, "3.1.0")
    with pytest.raises(WorkloadError) as caught:
        select(find_layers(path), "all")
    assert words in str(caught.value)


def test_a_bidirectional_layer_that_does_not_connect_is_said(h5py: ModuleType, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    low, top = layer_entry("LSTM", "low", 4, return_sequences=False), bidirectional(layer_entry("LSTM", "l", 4), "top")
    sides = {side: cell_weights(random, "LSTM", 4, 4) for side in ("forward", "backward")}
    weights: dict[str, list[np.ndarray] | dict[str, list[np.ndarray]]]
    weights = {"low": cell_weights(random, "LSTM", 3, 4), "top": sides}
    found = find_layers(save_h5(h5py, tmp_path / "m.h5", weights, "keras3 model", sequential(low, top), "3.1.0"))
    with pytest.raises(WorkloadError, match="top is fed by the output of LSTM 'low', which gives its last step alone"):
        select(found, "all")


def refusals() -> Iterator[tuple[str, Json, str | None, str]]:
    lstm = layer_entry("LSTM", "layer", 4)
    yield "selu", layer_entry("LSTM", "layer", 4, activation="selu"), "3.0", "its activation 'selu' is not supported"
    yield "own", layer_entry("LSTM", "layer", 4, activation={"class_name": "f"}), "3.0", "its activation"
    yield (
        "hard",
        layer_entry("LSTM", "layer", 4, recurrent_activation="hard_sigmoid"),
        None,
        "hard_sigmoid, which depends",
    )
    yield "units", layer_entry("LSTM", "layer", 5), "3.0", "has 5 units in the configuration, but weights for 4"
    yield (
        "kind",
        layer_entry("GRU", "layer", 4),
        "3.0",
        "is gru in the configuration, but its weights are those of lstm",
    )
    yield (
        "bias",
        layer_entry("LSTM", "layer", 4, use_bias=False),
        "3.0",
        "use_bias in the configuration and its weights",
    )
    yield "merge", bidirectional(lstm, "layer", merge_mode=None), "3.0", "its merge_mode is null, expected"
    yield "conv", layer_entry("ConvLSTM2D", "layer", 4), "3.0", "Keras' 'ConvLSTM2D' is not one of LSTM, GRU, SimpleRNN"
    yield "stack", {"class_name": "RNN", "config": {"name": "layer", "cell": {"class_name": "StackedRNNCells"}}}, "3.0", \
        "Keras' 'RNN of StackedRNNCells' is not one of"  # fmt: skip
    yield "inside", {"class_name": "TimeDistributed", "config": {"name": "layer", "layer": lstm}}, "3.0", \
        "a recurrent layer inside Keras' 'TimeDistributed'"  # fmt: skip
    yield "missing", layer_entry("LSTM", "elsewhere", 4), "3.0", "the file has no weights for it"


@pytest.mark.parametrize("case", list(refusals()), ids=lambda case: case[0])
def test_an_unsupported_layer_is_named(
    h5py: ModuleType, tmp_path: Path, case: tuple[str, Json, str | None, str]
) -> None:
    _, entry, version, message = case
    weights = {"layer": cell_weights(np.random.default_rng(0), "LSTM", 3, 4)}
    path = save_h5(h5py, tmp_path / "m.h5", weights, "keras3 model", sequential(entry), version)
    reasons = [one.reason for one in find_layers(path).unsupported]
    assert any(reason.startswith(message) or message in reason for reason in reasons), reasons


def test_an_rnn_of_a_cell_is_its_layer_and_masks_and_states_are_noted(h5py: ModuleType, tmp_path: Path) -> None:
    entry = layer_entry("LSTMCell", "cell", 4)
    wrapped = {"class_name": "RNN", "config": {"name": "layer", "cell": entry, "return_sequences": True}}
    mask = {"class_name": "Masking", "config": {"name": "mask"}}
    inbound = [[], [[["mask", 0, 0, {}], ["h", 0, 0, {}], ["c", 0, 0, {}]]]]
    weights = {"layer": cell_weights(np.random.default_rng(0), "LSTM", 3, 4)}
    path = save_h5(h5py, tmp_path / "m.h5", weights, "keras3 model", functional([mask, wrapped], inbound), "3.0")
    (layer,) = find_layers(path).layers
    assert layer.notes == (
        "the model masks time steps (Masking 'mask'): the workload computes all",
        "the model gives it an initial state: the workload starts at 0",
    )


def test_weights_that_fit_nothing_are_named(h5py: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    random = np.random.default_rng(0)
    good = cell_weights(random, "LSTM", 3, 4)
    for weights, message in (
        ([good[0], good[1][:, :10]], "its kernels have shapes [3, 16] and [4, 10], which is no LSTM, GRU or SimpleRNN"),
        (
            [good[0][:, :8], good[1][:, :8]],
            "its kernels have shapes [3, 8] and [4, 8], which is no LSTM, GRU or SimpleRNN",
        ),
        ([good[0], good[1], np.stack([good[2]] * 2)], "its bias has shape [2, 16], expected [16]"),
        ([good[0], good[1], good[2][:8]], "its bias has shape [8], expected [16]"),
        ([good[0], good[1] * np.nan], "weight_hh: 64 of 64 numbers are not finite in float32"),
    ):
        with h5py.File(path, "w") as file:
            for name, tensor in zip(("kernel", "recurrent_kernel", "bias"), weights, strict=False):
                file[f"a/cell/{name}"] = tensor
        (entry,) = find_layers(path).unsupported
        assert (entry.name, entry.reason) == ("a", message)


def test_links_out_of_the_file_and_unknown_filters_are_refused(h5py: ModuleType, tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    good = cell_weights(np.random.default_rng(0), "LSTM", 3, 4)
    save_h5(h5py, secret, {"layer": good})
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["soft"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink(str(secret), "/")
        file["a/cell/kernel"], file["a/cell/recurrent_kernel"] = good[:2]
        layout = h5py.VirtualLayout(shape=(16,), dtype="f4")
        layout[:] = h5py.VirtualSource(str(secret), "layer/bias", shape=(16,))
        file.create_virtual_dataset("a/cell/bias", layout)
        file.create_dataset("b/cell/kernel", (3, 16), "f4", external=[(str(tmp_path / "raw"), 0, 192)])
        file["b/cell/recurrent_kernel"] = good[1]
    found = find_layers(path)
    reasons = {entry.name: entry.reason for entry in found.unsupported}
    assert reasons["soft"] == reasons["outside"] == "is a link to another place or file, which is not followed"
    assert reasons["a/cell/bias"] == "has its numbers in other files"
    assert reasons["b/cell/kernel"] == "has its numbers in other files"


def test_claims_larger_than_the_file_are_refused(h5py: ModuleType, tmp_path: Path) -> None:
    """A dataset that was never written claims any size; one of zeros packs a thousandfold."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a/cell/kernel", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))
        file.create_dataset("a/cell/recurrent_kernel", (1 << 18, 1 << 20), "f4", chunks=(1024, 1024))
    with pytest.raises(
        WorkloadError, match=r"its tensors claim [\d,]+ bytes, more than the [\d,]+ that its size allows"
    ):
        find_layers(path)


def test_files_that_are_none(h5py: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    for content in (b"", b"nonsense" * 50, b"\x89HDF\r\n\x1a\n" + b"\0" * 500):
        path.write_bytes(content)
        with pytest.raises(WorkloadError, match=r"m.h5: not a valid HDF5 file: "):
            find_layers(path)
    save_h5(h5py, path, {})
    with pytest.raises(WorkloadError, match="m.h5: has no recurrent layer, only 1 other tensor"):
        find_layers(path)
    good = {"layer": cell_weights(np.random.default_rng(0), "LSTM", 3, 4)}
    nonsense: list[Json | list[Json]] = [
        [],
        {"config": {"layers": [3]}},
        {"config": {"layers": [{"class_name": "LSTM", "config": 3}]}},
    ]
    for config in nonsense:
        save_h5(h5py, path, good, config=config)
        with pytest.raises(
            WorkloadError, match="not a valid Keras file: model_config has no layers as Keras writes them"
        ):
            find_layers(path)


def test_a_library_that_breaks_down_or_hangs_is_an_error(
    h5py: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is read by another process: a crash there is one line here."""
    path = save_h5(h5py, tmp_path / "m.h5", {"layer": cell_weights(np.random.default_rng(0), "LSTM", 3, 4)})
    real = subprocess.run

    def crash(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return real([sys.executable, "-c", "import os; os.abort()"], **options)

    monkeypatch.setattr(subprocess, "run", crash)
    with pytest.raises(WorkloadError, match=r"the HDF5 library broke down over it \(signal 6\)"):
        find_layers(path)

    def wait(command: list[str], **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    def compute(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        limit = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))"
        return real([sys.executable, "-c", f"{limit}\nwhile True: pass"], **options)

    for hang in (wait, compute):
        monkeypatch.setattr(subprocess, "run", hang)
        with pytest.raises(WorkloadError, match="the HDF5 library came to no end with it in 5 s"):
            find_layers(path)


def test_chunks_of_a_mebibyte_more_than_the_dataset_are_refused(h5py: ModuleType, tmp_path: Path) -> None:
    """A reader would have to make room for a whole chunk."""
    path = tmp_path / "m.h5"
    good = cell_weights(np.random.default_rng(0), "LSTM", 3, 4)
    for rows, refused in ((250_000, False), (300_000, True)):
        with h5py.File(path, "w") as file:
            file["a/cell/kernel"] = good[0]
            file["a/cell/recurrent_kernel"] = good[1]
            file.create_dataset("a/cell/bias", data=good[2], chunks=(rows,), maxshape=(None,))
        found = find_layers(path)
        reasons = {entry.name: entry.reason for entry in found.unsupported}
        assert reasons == ({"a/cell/bias": "has chunks larger than itself"} if refused else {})


def test_chunks_of_a_large_dataset_may_be_twice_as_large_and_a_mebibyte(h5py: ModuleType, tmp_path: Path) -> None:
    """300 x 1,200 numbers of 4 bytes are 1.44 MB: chunks up to 3.93 MB; 600 rows are 2.88 MB, 900 rows 4.32 MB."""
    path = tmp_path / "m.h5"
    kernel, recurrent, bias = cell_weights(np.random.default_rng(0), "LSTM", 300, 300)
    for rows, refused in ((600, False), (900, True)):
        with h5py.File(path, "w") as file:
            file.create_dataset("a/cell/kernel", data=kernel, chunks=(rows, 1200), maxshape=(None, 1200))
            file["a/cell/recurrent_kernel"] = recurrent
            file["a/cell/bias"] = bias
        reasons = {entry.name: entry.reason for entry in find_layers(path).unsupported}
        assert reasons.get("a/cell/kernel") == ("has chunks larger than itself" if refused else None)
        assert bool(reasons) == refused
