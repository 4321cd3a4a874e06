"""Valid model files of every format, small, with as many features as there are."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

Seeds = dict[str, list[bytes]]


def seeds(folder: Path) -> Seeds:
    """Valid files by suffix; those of a package that is missing are left out."""
    made: Seeds = {".safetensors": [], ".npz": []}
    for tensors in (
        state_dict(4, ("_l0", "_l0_reverse", "_l1", "_l1_reverse")),
        state_dict(3, ("",)),
        state_dict(1, ("_l0",)),
    ):
        made[".safetensors"].append(save(tensors))
        for write in (np.savez, np.savez_compressed):
            data = io.BytesIO()
            arrays: dict[str, Any] = dict(tensors)
            write(data, **arrays)
            made[".npz"].append(data.getvalue())
    for suffix, package, more in (
        (".onnx", "onnx", onnx_seeds),
        (".pt", "torch", torch_seeds),
        (".h5", "h5py", h5_seeds),
    ):
        try:
            made[suffix] = list(more(folder))
        except ModuleNotFoundError:
            if os.environ.get("CI") == "true":
                raise
            print(f"{suffix}: left out, the package {package} is missing")
    return made


def state_dict(gates: int, cells: tuple[str, ...], inputs: int = 3, hidden: int = 4) -> dict[str, np.ndarray]:
    random = np.random.default_rng(gates)
    tensors = {"head.weight": random.standard_normal((2, hidden)).astype(np.float32)}
    for suffix in cells:
        size = inputs if suffix in ("", "_l0", "_l0_reverse") else 2 * hidden
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (gates * hidden, size),
            "weight_hh": (gates * hidden, hidden),
        }
        shapes |= {"bias_ih": (gates * hidden,), "bias_hh": (gates * hidden,)}
        tensors |= {f"rnn.{what}{suffix}": random.standard_normal(s).astype(np.float32) for what, s in shapes.items()}
    return tensors


def onnx_seeds(_folder: Path) -> Iterator[bytes]:
    """A chain of an LSTM with every input, a GRU and an RNN; and an LSTM in an If whose weights pass through operators."""
    import onnx

    random, make, value = np.random.default_rng(0), onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def stored(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)

    lens = onnx.numpy_helper.from_array(np.array([5, 3], np.int32), "lens")
    ints = {"axes": [1], "shape": [0, 0, -1], "zero": [0]}
    tensors = [onnx.numpy_helper.from_array(np.array(numbers, np.int64), name) for name, numbers in ints.items()]
    tensors += [stored("W", 2, 16, 3), stored("R", 2, 16, 4), stored("B", 2, 32), stored("h", 2, 2, 4)]
    tensors += [stored("c", 2, 2, 4), stored("P", 2, 12), stored("W1", 1, 9, 8), stored("R1", 1, 9, 3), lens]
    functions = ["HardSigmoid", "Tanh", "Elu"] * 2
    options: dict[str, Any] = {
        "activation_alpha": [0.2, 0.9, 0.3, 1.0],
        "activation_beta": [0.4, 0.6],
        "clip": 2.0,
        "input_forget": 1,
    }
    nodes = [
        make("LSTM", ["X", "W", "R", "B", "lens", "h", "c", "P"], ["Y"], name="low", hidden_size=4,
             direction="bidirectional", activations=functions, **options),
        make("Transpose", ["Y"], ["T"], perm=[0, 2, 1, 3]),
        make("Reshape", ["T", "shape"], ["F"]),
        make("GRU", ["F", "W1", "R1", "", "lens"], ["Y1"], name="top", hidden_size=3, linear_before_reset=1),
    ]  # fmt: skip
    graph = onnx.helper.make_graph(nodes, "chain", [value("X", 1, (5, 2, 3))], [value("Y1", 1, None)], tensors)
    yield onnx.helper.make_model(graph).SerializeToString()
    inner = [
        make("Concat", ["Wa", "Wb"], ["W2"], axis=0),
        make("Unsqueeze", ["W2", "zero"], ["W"]),
        make("Constant", [], ["R"], value=stored("", 1, 4, 4)),
        make("RNN", ["X", "W", "R"], ["Y"], name="in", hidden_size=4, activations=["Relu"]),
    ]
    body = onnx.helper.make_graph(inner, "body", [], [value("Y", 1, None)], [stored("Wa", 2, 3), stored("Wb", 2, 3)])
    other = onnx.helper.make_graph([make("Identity", ["X"], ["Z"])], "other", [], [value("Z", 1, None)])
    choice = make("If", ["yes"], ["out"], name="if", then_branch=body, else_branch=other)
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    graph = onnx.helper.make_graph(
        [choice], "g", [value("X", 1, (5, 2, 3))], [value("out", 1, None)], [yes, tensors[2]]
    )
    yield onnx.helper.make_model(graph).SerializeToString()


def torch_seeds(folder: Path) -> Iterator[bytes]:
    """A state_dict and a checkpoint, each in torch's zip format and in the one before 1.6."""
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in state_dict(4, ("_l0", "_l0_reverse")).items()}
    for tree in (tensors, {"step": 3, "model": {"a": tensors, "b": [1, "x"]}, "half": {"w": torch.ones(3).half()}}):
        for new in (True, False):
            torch.save(tree, folder / "seed.pt", _use_new_zipfile_serialization=new)
            yield (folder / "seed.pt").read_bytes()


def h5_seeds(folder: Path) -> Iterator[bytes]:
    """A model with its configuration, old and new file format, plain and packed; and weights alone as in Keras 3."""
    import h5py

    random = np.random.default_rng(0)
    cell = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}
    layer = {"class_name": "LSTM", "config": {"name": "lstm", "units": 4, "return_sequences": True}}
    both = {"class_name": "Bidirectional", "config": {"name": "bi", "layer": layer, "merge_mode": "concat"}}
    config = json.dumps({"class_name": "Sequential", "config": {"layers": [both]}})
    for version in ("earliest", "latest"):
        for packed in (
            {},
            {"compression": "gzip", "shuffle": True, "chunks": True},
            {"compression": "lzf", "chunks": True},
        ):
            with h5py.File(folder / "seed.h5", "w", libver=version) as file:
                file.attrs["model_config"], file.attrs["keras_version"] = config, "2.9.0"
                for side in ("forward", "backward"):
                    for what, shape in cell.items():
                        name = f"model_weights/bi/bi/{side}_lstm/lstm_cell/{what}:0"
                        file.create_dataset(name, data=random.standard_normal(shape).astype(np.float32), **packed)
            yield (folder / "seed.h5").read_bytes()
    with h5py.File(folder / "seed.h5", "w") as file:
        for number, shape in enumerate([(3, 12), (4, 12), (2, 12)]):
            file[f"layers/gru/cell/vars/{number}"] = random.standard_normal(shape)
    yield (folder / "seed.h5").read_bytes()
