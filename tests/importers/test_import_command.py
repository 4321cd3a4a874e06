"""archsim import as a user meets it: the listing, the files written, one line for each error."""

from __future__ import annotations

import builtins
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import archsim.importers.onnx.onnx_layer
from archsim.config import load_document, validate
from archsim.errors import WorkloadError
from archsim.workload import load_tensors, load_workload
from archsim.workload.config import WorkloadConfig
from tests.arrays import save_npz
from tests.float_machines import FLOAT_16X16
from tests.importers.conftest import Command
from tests.importers.import_runs import close, onnx_node, onnx_run, onnx_save, onnx_stored, onnx_weights, torch_shaped
from tests.optional import need


def state_dict(
    kind: int = 4, inputs: int = 3, hidden: int = 4, prefix: str = "", seed: int = 0, cells: Sequence[str] = ("_l0",)
) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    tensors = {}
    for suffix in cells:
        size = inputs if suffix.startswith("_l0") else hidden * (2 if "_l0_reverse" in cells else 1)
        tensors[f"{prefix}weight_ih{suffix}"] = random.standard_normal((kind * hidden, size)).astype(np.float32) / 2
        tensors[f"{prefix}weight_hh{suffix}"] = random.standard_normal((kind * hidden, hidden)).astype(np.float32) / 2
    return tensors


def saved_outputs() -> dict[str, np.ndarray]:
    """What the run in the folder res has written."""
    with np.load("res/outputs.npz") as file:
        return dict(file)


@pytest.fixture
def model(tmp_path: Path) -> str:
    save_npz(tmp_path / "model.npz", **state_dict(prefix="rnn."), other=np.ones(3, np.float32))
    return "model.npz"


def test_the_listing(archsim: Command, tmp_path: Path) -> None:
    both = ("_l0", "_l0_reverse", "_l1", "_l1_reverse")
    tensors = (
        state_dict(prefix="deep.", cells=both) | state_dict(1, prefix="tail.") | {"b.weight_ih": np.zeros((4, 3), "f4")}
    )
    save_npz(tmp_path / "m.npz", **tensors, x=np.ones(3, np.float32))
    ended = archsim("import", "m.npz")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "m.npz: 2 recurrent layers\n"
        "\n"
        "  name  kind  I -> H  layers  direction  weights  options\n"
        "  deep  lstm  3 -> 4       2  both           608  no bias\n"
        "  tail  rnn   3 -> 4       1  forward         28  no bias\n"
        "  tail: note: a state_dict does not say whether it is tanh or relu; taken as tanh (--nonlinearity relu)\n"
        "\n"
        "not supported:\n"
        "  b: weight_hh is missing\n"
        "\n"
        "not recurrent: 1 other tensor\n"
    )


def test_options_in_the_listing(archsim: Command, tmp_path: Path) -> None:
    onnx = need("onnx")
    weights = onnx_weights(np.random.default_rng(0), "LSTM", 3, 4, P=(1, 12), initial_h=(1, 2, 4))
    weights["sequence_lens"] = np.array([2, 1], np.int32)
    options: dict[str, Any] = {
        "activations": ["HardSigmoid", "Tanh", "Affine"],
        "activation_alpha": [0.25],
        "clip": 3.0,
    }
    node = onnx_node(onnx, "LSTM", weights, hidden_size=4, direction="reverse", input_forget=1, **options)
    onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), (5, 2, 3))
    row = archsim("import", "m.onnx").out.splitlines()[3]
    assert row.split("reverse")[1].split(None, 1)[1] == (
        "activations hardsigmoid(0.25, 0.5), tanh, affine(1, 0), clip 3, input_forget, peepholes, sequence_lens 2, 1, "
        "initial state in the file"
    )


def test_an_input_of_one_step_of_many_sequences_names_the_other_order(archsim: Command, model: str) -> None:
    np.save("x.npy", np.ones((1, 5, 3), np.float32))
    said = archsim("import", model, "--layer", "rnn", "--out", "my.yaml", "--input", "x.npy").out
    assert (
        "  input: 1 steps, batch 5, (T, B, features), as given; --batch-first reads it as 5 steps of 1 sequence\n"
        in said
    )
    said = archsim("import", model, "--layer", "rnn", "--out", "b.yaml", "--input", "x.npy", "--batch-first").out
    assert "  input: 5 steps, batch 1, (B, T, features), as given\n" in said


def test_a_workload_with_an_input_runs_and_has_torch_shapes(archsim: Command, model: str, tmp_path: Path) -> None:
    x = np.random.default_rng(1).standard_normal((5, 2, 3)).astype(np.float32)
    np.save("x.npy", x)
    ended = archsim("import", model, "--layer", "rnn", "--out", "my.yaml", "--input", "x.npy")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "my.yaml: LSTM(3, 4) from model.npz, layer rnn\n"
        "  layers: 1 recurrent layer in the file, written: rnn\n"
        "    rnn: LSTM(3, 4), 112 weights; no bias\n"
        "  left out: 1 other tensor: not recurrent\n"
        "  input: 5 steps, batch 2, (T, B, features), as given\n"
        "  next: archsim run edge_16x16 my.yaml\n"
    )
    assert sorted(os.listdir()) == ["model.npz", "my.safetensors", "my.yaml", "x.npy"]
    assert Path("my.yaml").read_text() == (
        "summary: LSTM(3, 4) from model.npz, layer rnn\n"
        "kind: lstm\nhidden_size: 4\nbias: false\ninput_size: 3\nsteps: 5\nbatch: 2\n"
        "weights:\n  file: my.safetensors\ninput:\n  file: my.safetensors\n  tensor: input\n"
    )
    assert archsim("run", FLOAT_16X16, "my.yaml", "--no-plots", "--out", "res").code == 0
    outputs = saved_outputs()
    assert {name: outputs[name].shape for name in outputs} == {"output": (5, 2, 4), "h_n": (1, 2, 4), "c_n": (1, 2, 4)}
    np.testing.assert_array_equal(load_tensors(load_workload("my.yaml")).x, x)


@pytest.mark.parametrize(
    ("shape", "options", "found"),
    [
        ((2, 5, 3), ["--batch-first"], {"batch_first": True, "batch": 2, "steps": 5, "batched": True}),
        ((2, 5, 3), [], {"batch_first": False, "batch": 5, "steps": 2, "batched": True}),
        ((5, 3), [], {"batch": 1, "steps": 5, "batched": False}),
        ((5, 3), ["--unbatched"], {"batch": 1, "steps": 5, "batched": False}),
    ],
)
def test_the_layout_of_the_input(
    archsim: Command, model: str, shape: tuple[int, ...], options: list[str], found: dict[str, bool | int]
) -> None:
    x = np.random.default_rng(1).standard_normal(shape)
    np.save("x.npy", x)
    assert archsim("import", model, "--layer", "all", "--out", "my.yaml", "--input", "x.npy", *options).code == 0
    workload = load_workload("my.yaml")
    assert {name: getattr(workload.config, name) for name in found} == found
    straight = x[:, None] if len(shape) == 2 else x.swapaxes(0, 1) if options else x
    np.testing.assert_array_equal(load_tensors(workload).x, straight.astype(np.float32))


def test_a_random_input(archsim: Command, model: str) -> None:
    ended = archsim(
        "import", model, "--layer", "rnn", "--out", "a/my.yml", "--steps", "7", "--batch", "2", "--seed", "9"
    )
    assert ended.code == 0
    config = load_workload("a/my.yml").config
    assert (config.steps, config.batch, config.input.seed) == (7, 2, 9)
    assert archsim("import", model, "--layer", "rnn", "--out", "u.yaml", "--steps", "7", "--unbatched").code == 0
    config = load_workload("u.yaml").config
    assert (config.batch, config.batched, config.input.seed) == (1, False, 0)


def test_the_same_import_gives_the_same_bytes(archsim: Command, model: str) -> None:
    written = []
    for name in ("one", "two"):
        os.mkdir(name)
        assert archsim("import", model, "--layer", "rnn", "--out", f"{name}/my.yaml", "--steps", "3").code == 0
        written.append({path.name: path.read_bytes() for path in Path(name).iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == ["my.safetensors", "my.yaml"]


@pytest.mark.parametrize("taken", ["my.yaml", "my.safetensors"])
def test_files_in_the_way_are_not_replaced_without_force(archsim: Command, model: str, taken: str) -> None:
    Path(taken).write_text("mine")
    command = ("import", model, "--layer", "rnn", "--out", "my.yaml", "--steps", "3")
    ended = archsim(*command)
    assert ended.code == 2
    assert ended.err == (f"archsim: error: {taken}: exists already; choose another --out, or replace it with --force\n")
    assert Path(taken).read_text() == "mine"
    assert sorted(os.listdir()) == sorted(["model.npz", taken])
    assert archsim(*command, "--force").code == 0
    assert load_workload("my.yaml").config.steps == 3


def test_the_model_itself_is_never_replaced(archsim: Command) -> None:
    save_file(state_dict(), "my.safetensors")
    ended = archsim("import", "my.safetensors", "--layer", "all", "--out", "my.yaml", "--steps", "3", "--force")
    assert ended.err == "archsim: error: my.safetensors: is the model itself; choose another --out\n"
    assert os.listdir() == ["my.safetensors"]


def test_nothing_half_written_is_left(archsim: Command, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    def full(path: Path) -> Full:
        path.touch()
        return Full()

    monkeypatch.setattr("archsim.config.files.whole_files.open_anew", full)
    ended = archsim("import", model, "--layer", "rnn", "--out", "my.yaml", "--steps", "3")
    assert ended.err == "archsim: error: my.yaml: cannot be written: No space left on device\n"
    assert os.listdir() == ["model.npz"]


def test_constant_initial_states_and_lengths_fix_the_batch(archsim: Command, tmp_path: Path) -> None:
    onnx, runtime = need("onnx"), need("onnxruntime")
    weights = onnx_weights(np.random.default_rng(0), "LSTM", 3, 4, 2, initial_h=(2, 2, 4))
    weights["sequence_lens"] = np.array([5, 2], np.int32)
    node = onnx_node(onnx, "LSTM", weights, hidden_size=4, direction="bidirectional")
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), (5, 2, 3))
    command = ("import", "m.onnx", "--layer", "node", "--out", "my.yaml")
    ended = archsim(*command, "--steps", "5")
    assert ended.err == "archsim: error: m.onnx: its initial state is for a batch of 2, but the input has 1\n"
    assert "sequence_lens: expected 2 numbers" in archsim(*command, "--steps", "4", "--batch", "2").err
    drawn = archsim(*command[:-1], "other.yaml", "--batch", "2").out
    assert "  input: 5 steps, batch 2, " in drawn, "as many steps as the longest sequence has"
    x = np.random.default_rng(1).standard_normal((5, 2, 3)).astype(np.float32)
    np.save("x.npy", x)
    assert archsim(*command, "--input", "x.npy").code == 0
    assert archsim("run", FLOAT_16X16, "my.yaml", "--no-plots", "--out", "res").code == 0
    theirs = onnx_run(runtime, path, x)
    outputs = saved_outputs()
    assert close(outputs["output"], torch_shaped(theirs["Y"]))
    assert close(outputs["c_n"], theirs["Y_c"])


def test_initial_states_without_a_batch_axis(archsim: Command, tmp_path: Path) -> None:
    onnx = need("onnx")
    weights = onnx_weights(np.random.default_rng(0), "GRU", 3, 4, initial_h=(1, 1, 4))
    node = onnx_node(onnx, "GRU", weights, hidden_size=4)
    onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), (5, 1, 3))
    assert archsim("import", "m.onnx", "--layer", "all", "--out", "u.yaml", "--steps", "4", "--unbatched").code == 0
    tensors = load_tensors(load_workload("u.yaml"))
    np.testing.assert_array_equal(tensors.cells[0].h_0, weights["initial_h"][0])


def test_initial_states_of_different_sizes_cannot_be_stacked(archsim: Command, tmp_path: Path) -> None:
    onnx = need("onnx")
    random = np.random.default_rng(0)
    low = onnx_weights(random, "LSTM", 3, 4, initial_h=(1, 2, 4))
    top = onnx_weights(random, "LSTM", 4, 5)
    nodes = [
        onnx_node(onnx, "LSTM", low, "0", hidden_size=4),
        onnx.helper.make_node("Squeeze", ["Y0", "axes"], ["x"]),
        onnx_node(onnx, "LSTM", top, "1", "x", hidden_size=5),
    ]
    axes = onnx.numpy_helper.from_array(np.array([1]), "axes")
    onnx_save(
        onnx, tmp_path / "m.onnx", nodes, [*onnx_stored(onnx, low, "0"), *onnx_stored(onnx, top, "1"), axes], (5, 2, 3)
    )
    ended = archsim("import", "m.onnx", "--layer", "all", "--out", "my.yaml", "--steps", "4", "--batch", "2")
    assert ended.err == (
        "archsim: error: m.onnx: their initial states are of different sizes and cannot be stacked; choose one with "
        "--layer NAME\n"
    )
    assert archsim("import", "m.onnx", "--layer", "node0", "--out", "my.yaml", "--steps", "4", "--batch", "2").code == 0


WRITE = ("--layer", "rnn", "--out", "my.yaml")
ERRORS = {
    ("nothing.npz",): "nothing.npz: no such file",
    ("folder.npz",): "folder.npz: is a directory, expected a file",
    (
        "model.txt",
    ): "model.txt: expected a file .onnx, .pt, .pth, .pt2, .safetensors, .npz, .h5, .hdf5, .keras, .tflite, got '.txt', and its content is none that is known",
    ("model.npz", "--layer", "rnn"): "--layer: needs --out MY.yaml; without it, layers are listed\n",
    ("model.npz", "--steps", "3"): "--steps: needs --out MY.yaml; without it, layers are listed\n",
    ("model.npz", "--rename", "x"): "--rename: expected PATTERN=NAME, with at most 4 * in PATTERN and no more in NAME",
    ("model.npz", "--rename", "a=b*"): "--rename: expected PATTERN=NAME",
    ("model.npz", "--rename", "y*=z*"): "--rename: 'y*' fits no name in the file: other, rnn.weight_hh_l0, rnn.weight",
    ("model.npz", "--rename", "rnn.*=x"): "--rename: 'rnn.weight_ih_l0' and 'rnn.weight_hh_l0' both become 'x'",
    ("model.npz", "--map", "none.yaml"): "none.yaml: cannot be read: No such file or directory",
    ("model.onnx", "--rename", "a=b"): "model.onnx: says itself what its tensors are; leave out --rename",
    ("model.npz", *WRITE, "--input", "x.npy", "--seed", "1"): "error: --seed: does not go with --input\n",
    (
        "model.npz",
        *WRITE,
        "--steps",
        "3",
        "--batch",
        "2",
        "--unbatched",
    ): "error: --batch: with --unbatched the batch is 1\n",
    ("model.npz", *WRITE, "--input", "none.npy"): "none.npy: cannot be read: No such file or directory",
    ("model.npz", *WRITE, "--input", "model.npz"): "model.npz: not a valid .npy file: the magic string is not correct",
    (
        "model.npz",
        *WRITE,
        "--input",
        "wide.npy",
    ): "wide.npy: has shape (5, 2, 4), expected 3 features last and no empty",
    ("model.npz", *WRITE, "--input", "flat.npy"): "flat.npy: has shape (3,), expected (T, B, I) or (T, I)",
    ("model.npz", *WRITE, "--input", "x.npy", "--unbatched"): "x.npy: has shape (5, 2, 3), expected (T, I)",
    ("model.npz", *WRITE, "--input", "nan.npy"): "nan.npy: holds numbers that are not finite in float32",
    ("model.npz", *WRITE, "--input", "int.npy"): "int.npy: holds int64, expected floating-point numbers",
    ("model.npz", *WRITE, "--input", "object.npy"): "object.npy: holds object, expected floating-point numbers",
    ("model.npz", *WRITE, "--input", "lie.npy"): "bytes are not an array of shape (1000000000, 1000000000)",
    (
        "model.npz",
        "--layer",
        "no",
        "--out",
        "my.yaml",
        "--steps",
        "3",
    ): "model.npz: --layer no: no layer of that name; there are: rnn",
    ("model.npz", "--layer", "rnn", "--out", "my.txt", "--steps", "3"): "my.txt: expected a name that ends with .yaml",
    ("model.npz", *WRITE, "--steps", "3000000"): "steps",
    ("model.npz", "--nonlinearity", "relu"): "model.npz: has no RNN, so that --nonlinearity says nothing",
    ("model.onnx", "--nonlinearity", "relu"): "model.onnx: says itself what its RNNs compute; leave out --nonlinearity",
}


@pytest.mark.parametrize("arguments", ERRORS)
def test_every_error_is_one_line(archsim: Command, model: str, arguments: tuple[str, ...]) -> None:
    os.mkdir("folder.npz")
    for name in ("model.txt", "model.onnx"):
        Path(name).write_text("x")
    x = np.ones((5, 2, 3), np.float32)
    bad = x.copy()
    bad[1, 1, 1] = np.nan
    arrays: dict[str, np.ndarray] = {
        "x": x,
        "wide": np.ones((5, 2, 4)),
        "flat": np.ones(3),
        "nan": bad,
        "int": x.astype(np.int64),
    }
    for name, array in arrays.items():
        np.save(f"{name}.npy", array)
    np.save("object.npy", np.array([{}], dtype=object), allow_pickle=True)
    with open("lie.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**9)})
    before = set(os.listdir())
    ended = archsim("import", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("archsim: error: ")
    assert ended.err.count("\n") == 1
    assert ERRORS[arguments] in ended.err
    assert set(os.listdir()) == before


@pytest.mark.parametrize(("suffix", "package", "extra"), [("onnx", "onnx", "onnx"), ("pt", "torch", "torch"),
                                                          ("h5", "h5py", "keras")])  # fmt: skip
def test_a_missing_package_is_one_line(
    archsim: Command, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str, extra: str
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> ModuleType:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module: ModuleType = real(name, *rest)
        return module

    Path(f"m.{suffix}").write_bytes(b"something")
    monkeypatch.setattr("importlib.import_module", lambda name: without(name))
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    ended = archsim("import", f"m.{suffix}")
    assert (ended.code, ended.err) == (
        2,
        f"archsim: error: m.{suffix}: reading .{suffix} files needs the package {package}: "
        f'pip install "archsim[{extra}]"\n',
    )


def test_names_that_would_break_lines_do_not(archsim: Command, tmp_path: Path) -> None:
    tensors = state_dict(prefix="evil\nname: [x\x1b[31m.") | state_dict(prefix="é" * 500 + ".")
    save_npz(tmp_path / "m.npz", **tensors)
    out = archsim("import", "m.npz").out
    assert "evil\\nname: [x\\x1b[31m" in out
    assert max(map(len, out.splitlines())) < 400
    name = "evil\\nname: [x\\x1b[31m"
    ended = archsim("import", "m.npz", "--layer", name, "--out", "my.yaml", "--steps", "2")
    assert (ended.code, ended.err) == (0, "")
    config = validate(WorkloadConfig, load_document(Path("my.yaml"), WorkloadError), (), WorkloadError)
    assert config.summary == f"LSTM(3, 4) from m.npz, layer {name}"
    ended = archsim("import", "m.npz", "--layer", "é" * 297 + "...", "--out", "long.yaml", "--steps", "2")
    assert len(load_workload("long.yaml").config.summary) == 200


def test_layers_of_one_name_are_numbered_and_ends_must_be_clear(archsim: Command, tmp_path: Path) -> None:
    save_npz(tmp_path / "m.npz", **state_dict(prefix="a.rnn."), **state_dict(prefix="b.rnn."))
    ended = archsim("import", "m.npz", "--layer", "rnn", "--out", "my.yaml", "--steps", "2")
    assert ended.err == "archsim: error: m.npz: --layer rnn: several layers have that name: a.rnn, b.rnn\n"
    onnx = need("onnx")
    weights = onnx_weights(np.random.default_rng(0), "RNN", 3, 4)
    nodes = [onnx_node(onnx, "RNN", weights, hidden_size=4) for _ in range(3)]
    for number, node in enumerate(nodes):
        del node.output[:]
        node.output.append(f"out{number}")
    nodes[1].name = nodes[2].name = "node"
    onnx_save(onnx, tmp_path / "m.onnx", nodes, onnx_stored(onnx, weights), (5, 2, 3))
    names = [line.split()[0] for line in archsim("import", "m.onnx").out.splitlines()[3:6]]
    assert names == ["node", "node#2", "node#3"]


@pytest.mark.parametrize("wrong", [(0, 1, 2, 3), (2, 0, 3, 1), (0, 2, 1, 3)])
def test_another_gate_order_is_noticed(
    archsim: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[int, int, int, int]
) -> None:
    onnx, runtime = need("onnx"), need("onnxruntime")
    weights = onnx_weights(np.random.default_rng(0), "LSTM", 3, 4)
    node = onnx_node(onnx, "LSTM", weights, hidden_size=4)
    x = np.random.default_rng(1).standard_normal((5, 2, 3)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), x.shape)
    np.save("x.npy", x)
    monkeypatch.setitem(archsim_gates(), "lstm", wrong)
    assert archsim("import", "m.onnx", "--layer", "all", "--out", "my.yaml", "--input", "x.npy").code == 0
    assert archsim("run", FLOAT_16X16, "my.yaml", "--no-plots", "--out", "res").code == 0
    want = torch_shaped(onnx_run(runtime, path, x)["Y"])
    assert np.abs(saved_outputs()["output"] - want).max() > 1e-3


def archsim_gates() -> dict[str, tuple[int, ...]]:
    return archsim.importers.onnx.onnx_layer.TORCH_GATES  # type: ignore[return-value]


def test_the_summary_as_json_and_what_was_left_out(archsim: Command, model: str) -> None:
    listed = json.loads(archsim("import", model, "--json").out)
    assert [layer["name"] for layer in listed["layers"]] == ["rnn"]
    assert "written" not in listed
    written = json.loads(archsim("import", model, "--out", "my.yaml", "--json").out)["written"]
    assert written["left_out"] == ["1 other tensor: not recurrent"]
    assert (written["workload"], written["weights"], written["steps"]) == ("my.yaml", "my.safetensors", 16)
    assert archsim("run", FLOAT_16X16, "my.yaml", "--no-plots", "--out", "res").code == 0


def test_without_layer_several_that_are_no_stack_are_refused(archsim: Command, tmp_path: Path) -> None:
    save_npz(tmp_path / "m.npz", **state_dict(prefix="a."), **state_dict(prefix="b."))
    ended = archsim("import", "m.npz", "--out", "my.yaml")
    assert ended.code == 2
    assert "the layers are no single stack" in ended.err
    assert "choose one with --layer NAME" in ended.err
