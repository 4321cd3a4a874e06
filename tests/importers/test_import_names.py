"""Weights under others' names: known layouts, --rename and --map, against the modules that they come from."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import find_layers, load_naming
from tests.arrays import save_npz
from tests.importers.conftest import Command
from tests.importers.import_runs import imported, run_workload

T, B, I, H = 5, 2, 3, 4
GATES = {"LSTM": "ifgo", "GRU": "rzn"}
Arrays = dict[str, np.ndarray]


@pytest.fixture(params=["LSTM", "GRU"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def module(torch: ModuleType, kind: str) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """The weights of a torch module, an input, and its output."""
    torch.manual_seed(4)
    rnn, x = getattr(torch.nn, kind)(I, H), torch.randn(T, B, I)
    with torch.no_grad():
        return {name: t.numpy() for name, t in rnn.state_dict().items()}, x.numpy(), rnn(x)[0].numpy()


def per_gate(arrays: Arrays, kind: str) -> dict[str, Arrays]:
    """The weights by tensor and gate."""
    blocks = {name: dict(zip(GATES[kind], np.split(a, len(GATES[kind])), strict=True)) for name, a in arrays.items()}
    return {name.removesuffix("_l0"): each for name, each in blocks.items()}


def layouts(arrays: Arrays, kind: str) -> dict[str, Arrays]:
    """The same weights as others keep them."""
    gates = per_gate(arrays, kind)
    both = {"ih": "i", "hh": "h"}
    linear = {f"W_{s}{g}.weight": m for of, s in both.items() for g, m in gates[f"weight_{of}"].items()}
    linear |= {f"W_{s}{g}.bias": b for of, s in both.items() for g, b in gates[f"bias_{of}"].items()}
    bare = {f"W_x{g}": m.T for g, m in gates["weight_ih"].items()}
    bare |= {f"W_h{g}": m.T for g, m in gates["weight_hh"].items()}
    flax = {f"cell/{s}{g}/kernel": m.T for of, s in both.items() for g, m in gates[f"weight_{of}"].items()}
    flax |= {f"cell/{s}{g}/bias": b for of, s in both.items() for g, b in gates[f"bias_{of}"].items()}
    return {
        "short": {f"enc_{name.replace('weight', 'w').replace('bias', 'b').removesuffix('_l0')}": a
                  for name, a in arrays.items()},
        "fused": {"cell.x2h.weight": arrays["weight_ih_l0"], "cell.h2h.weight": arrays["weight_hh_l0"],
                  "cell.x2h.bias": arrays["bias_ih_l0"], "cell.h2h.bias": arrays["bias_hh_l0"]},
        "linear": linear,
        "bare": bare,
        "flax": flax,
    }  # fmt: skip


@pytest.mark.parametrize("layout", ["short", "fused", "linear", "bare", "flax"])
def test_known_layouts(torch: ModuleType, tmp_path: Path, kind: str, layout: str) -> None:
    arrays, x, want = module(torch, kind)
    if layout == "bare":  # d2l's: no second bias, so none at all here
        arrays = {name: np.zeros_like(a) if name.startswith("bias") else a for name, a in arrays.items()}
        rnn = getattr(torch.nn, kind)(I, H)
        rnn.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})
        with torch.no_grad():
            want = rnn(torch.from_numpy(x))[0].numpy()
    save_npz(tmp_path / "m.npz", **layouts(arrays, kind)[layout], other=np.ones(3, np.float32))
    found = find_layers(tmp_path / "m.npz")
    assert (len(found.layers), found.unsupported, found.rest) == (1, (), "1 other tensor")
    np.testing.assert_allclose(imported(tmp_path / "m.npz", x)["output"], want, rtol=0, atol=1e-6)


def tf1_lstm(kernel: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    """BasicLSTMCell of TensorFlow 1 by its formula: i, j, f, o = [x, h] kernel + bias; c' = c s(f + 1) + s(i) tanh(j)."""

    def s(z: np.ndarray) -> np.ndarray:
        made: np.ndarray = 1 / (1 + np.exp(-z))
        return made

    h = c = np.zeros((x.shape[1], kernel.shape[1] // 4))
    outputs = []
    for step in x:
        i, j, f, o = np.split(np.concatenate([step, h], axis=1) @ kernel + bias, 4, axis=1)
        c = c * s(f + 1.0) + s(i) * np.tanh(j)
        h = np.tanh(c) * s(o)
        outputs.append(h)
    made: np.ndarray = np.stack(outputs)
    return made


def tf1_gru(gates: Arrays, candidate: Arrays, x: np.ndarray) -> np.ndarray:
    """GRUCell of TensorFlow 1: r, u = s([x, h] K + b); c = tanh([x, r h] K' + b'); h' = u h + (1 - u) c."""
    h = np.zeros((x.shape[1], candidate["kernel"].shape[1]))
    outputs = []
    for step in x:
        both = 1 / (1 + np.exp(-(np.concatenate([step, h], axis=1) @ gates["kernel"] + gates["bias"])))
        r, u = np.split(both, 2, axis=1)
        new = np.tanh(np.concatenate([step, r * h], axis=1) @ candidate["kernel"] + candidate["bias"])
        h = u * h + (1 - u) * new
        outputs.append(h)
    made: np.ndarray = np.stack(outputs)
    return made


def test_tensorflow_1(tmp_path: Path, random: np.random.Generator) -> None:
    def draw(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / 2).astype(np.float32)

    x = draw(T, B, I)
    low, top = (draw(size + H, 4 * H) for size in (I, H))
    biases = draw(4 * H), draw(4 * H)
    prefix = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell"
    tensors = {f"{prefix.format(n)}/kernel": k for n, k in enumerate((low, top))}
    tensors |= {f"{prefix.format(n)}/bias": b for n, b in enumerate(biases)}
    np.savez(tmp_path / "lstm.npz", **{**tensors, f"{prefix.format(0)}/kernel/Adam": low})  # type: ignore[arg-type]
    want = tf1_lstm(top, biases[1], tf1_lstm(low, biases[0], x))
    np.testing.assert_allclose(imported(tmp_path / "lstm.npz", x)["output"], want, rtol=0, atol=1e-6)
    gates, new = {"kernel": draw(I + H, 2 * H), "bias": draw(2 * H)}, {"kernel": draw(I + H, H), "bias": draw(H)}
    parts = {"gates": gates, "candidate": new}
    tensors = {f"rnn/gru_cell/{part}/{what}": a for part, of in parts.items() for what, a in of.items()}
    np.savez(tmp_path / "gru.npz", **tensors)  # type: ignore[arg-type]
    np.testing.assert_allclose(imported(tmp_path / "gru.npz", x)["output"], tf1_gru(gates, new, x), rtol=0, atol=1e-6)


def test_renames_and_maps(archsim: Command, torch: ModuleType, kind: str) -> None:
    """A file whose names say nothing, gates in another order, matrices transposed: renamed, then mapped."""
    arrays, x, want = module(torch, kind)
    np.save("x.npy", x)
    save_npz(Path("plain.npz"), **{f"p_{name.replace('_', '')}": a for name, a in arrays.items()})
    refused = archsim("import", "plain.npz")
    units = f"p_weighthhl0 has {len(GATES[kind])} rows a column, as weight_hh of"
    assert "only 4 other tensors: p_weightihl0 [" in refused.err
    assert units in refused.err
    assert "--rename 'p_weighthhl0=rnn.weight_hh_l0'" in refused.err
    renames = [f"--rename=p_{what}{of}l0=rnn.{what}_{of}_l0" for what in ("weight", "bias") for of in ("ih", "hh")]
    assert archsim("import", "plain.npz", "--out", "a.yaml", "--input", "x.npy", *renames).code == 0
    order = GATES[kind][::-1]
    gates = per_gate(arrays, kind)
    mixed = {name: np.concatenate([gates[name][gate] for gate in order]) for name in gates}
    save_npz(Path("mixed.npz"), a=mixed["weight_ih"].T, b=mixed["weight_hh"].T, c=mixed["bias_ih"], d=mixed["bias_hh"])
    Path("map.yaml").write_text(
        f"layers:\n  enc:\n    kind: {kind.lower()}\n    gates: [{', '.join(order)}]\n    weight_ih: a\n    weight_hh: b\n"
        "    bias_ih: c\n    bias_hh: d\n    transposed: true\n"
    )
    assert archsim("import", "mixed.npz", "--out", "b.yaml", "--input", "x.npy", "--map", "map.yaml").code == 0
    for path in ("a.yaml", "b.yaml"):
        np.testing.assert_allclose(run_workload(Path(path))["output"], want, rtol=0, atol=1e-6)


WRONG = {
    "kind: lstm": "layers.enc: give either weight, or both weight_ih and weight_hh",
    "kind: lstm, weight: w, gates: [i, f, g]": "layers.enc: gates: expected i, f, g, o in the file's order",
    "kind: gru, weight: w, forget_bias: 1": "layers.enc: a cell of kind gru has no forget_bias",
    "kind: lstm, weight: [w, null]": "layers.enc: only a bias may be null",
    "kind: lstm, weight: w, bias: b, bias_ih: b": "layers.enc: give either bias, or bias_ih and bias_hh",
    "kind: lstm, weights: w": "weights",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_map_that_says_nothing_sensible_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(f"layers: {{enc: {{{text}}}}}\n")
    with pytest.raises(WorkloadError) as caught:
        load_naming((), path)
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("weight_ih: a, weight_hh: x", "there is no tensor x"),
        ("weight_ih: a, weight_hh: c", "c has shape [16], expected two dimensions"),
        ("weight_ih: a, weight_hh: a", "its recurrent matrix is 16 x 3, which does not fit 4 units"),
        ("weight_ih: a, weight_hh: b, bias: d", "its biases have 5 numbers, expected 16"),
        ("weight: d", "d has shape [5], expected two dimensions"),
    ],
)
def test_tensors_that_do_not_go_together_are_named(tmp_path: Path, text: str, reason: str) -> None:
    shapes = {"a": (16, 3), "b": (16, 4), "c": (16,), "d": (5,)}
    save_npz(tmp_path / "m.npz", **{name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    (tmp_path / "map.yaml").write_text(f"layers: {{enc: {{kind: lstm, {text}}}}}\n")
    (entry,) = find_layers(tmp_path / "m.npz", naming=load_naming((), tmp_path / "map.yaml")).unsupported
    assert (entry.name, entry.reason) == ("enc", reason)


def test_all_tensors_are_listed_where_nothing_fits(archsim: Command, random: np.random.Generator) -> None:
    """Names, shapes and types on stdout, escaped and at most 200; the one line on stderr; what it says to type works."""
    arrays = {"enc/U": random.standard_normal((4, 16)), "enc/W\x1b[31m": random.standard_normal((3, 16))}
    save_npz(Path("odd.npz"), **arrays, ids=np.arange(9), **{f"x{number:03}": np.zeros(3) for number in range(210)})
    ended = archsim("import", "odd.npz")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    rows = [line.split("  ") for line in ended.out.splitlines()]
    assert rows[0] == ["odd.npz: no recurrent layer; 213 tensors"]
    assert [part.strip() for part in rows[3] if part] == ["enc/U", "[4, 16]", "float64"]
    assert [part.strip() for part in rows[4] if part] == ["enc/W\\x1b[31m", "[3, 16]", "float64"]
    assert [part.strip() for part in rows[5] if part] == ["ids", "[9]", "int64"]
    assert (len(rows), rows[-1]) == (3 + 200 + 1, ["", "and 13 more"])
    as_json = json.loads(archsim("import", "odd.npz", "--json").out)
    assert (as_json["layers"], len(as_json["tensors"]), as_json["tensors_in_file"]) == ([], 200, 213)
    assert as_json["tensors"][1] == {"name": "enc/W\\x1b[31m", "shape": [3, 16], "dtype": "float64"}
    save_npz(Path("two.npz"), u=arrays["enc/U"], w=arrays["enc/W\x1b[31m"], b=np.zeros(16))
    hint = json.loads(archsim("import", "two.npz", "--json").out)["nearest"]
    assert hint.startswith("u has 4 columns a row, as Keras' recurrent_kernel of an LSTM of 4 units: --map FILE with ")
    Path("map.yaml").write_text(hint.partition("with ")[2])
    assert archsim("import", "two.npz", "--map", "map.yaml", "--out", "a.yaml").code == 0


def test_datasets_are_listed_where_nothing_fits(archsim: Command, h5py: ModuleType) -> None:
    with h5py.File("m.h5", "w") as file:
        file["dense/kernel"] = np.zeros((3, 4), np.float32)
    ended = archsim("import", "m.h5")
    assert (ended.code, ended.err) == (2, "archsim: error: m.h5: has no recurrent layer, only 1 other tensor\n")
    assert ended.out.splitlines()[-1].split("  ") == ["", "dense/kernel", "[3, 4]", "float32"]
