"""Valid model files of every format, small, with as many features as there are."""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from tests.fuzz.fuzz_onnx import external_seeds, quantized_seeds

Seeds = dict[str, list[bytes]]


def seeds(folder: Path) -> Seeds:
    """Valid files by suffix; those of a package that is missing are left out."""
    made: Seeds = {".safetensors": [], ".npz": []}
    for tensors in (
        state_dict(4, ("_l0", "_l0_reverse", "_l1", "_l1_reverse")),
        state_dict(3, ("",)),
        state_dict(1, ("_l0",)),
        other_layouts(),
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
        (".keras", "h5py", keras_seeds),
        (".pt2", "safetensors", exported_seeds),
        (".tflite", "ai-edge-litert", tflite_seeds),
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


def other_layouts() -> dict[str, np.ndarray]:
    """Weights that are computed or called otherwise: a norm, a drop, two Linears, gates one by one, TensorFlow's kernel."""
    random = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "n.weight_ih_l0": (16, 3),
        "n.weight_hh_l0_g": (16, 1),
        "n.weight_hh_l0_v": (16, 4),
    }
    shapes |= {"d.weight_hh_l0_raw": (12, 4), "d.module.weight_hh_l0": (12, 4), "d.module.weight_ih_l0": (12, 3)}
    shapes |= {"p.weight_ih": (4, 3), "p.parametrizations.weight_hh.original": (4, 4)}
    shapes |= {"p.parametrizations.weight_hh.0._u": (4,), "p.parametrizations.weight_hh.0._v": (4,)}
    shapes |= {
        "e_w_ih": (12, 3),
        "e_w_hh": (12, 4),
        "c.x2h.weight": (16, 3),
        "c.h2h.weight": (16, 4),
        "c.x2h.bias": (16,),
    }
    shapes |= {f"g.W_{side}{gate}": (3 if side == "x" else 4, 4) for side in "xh" for gate in "ifgo"}
    shapes |= {"t/basic_lstm_cell/kernel": (7, 16), "t/basic_lstm_cell/bias": (16,)}
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def tflite_seeds(_folder: Path) -> Iterator[bytes]:
    """LSTMs with real numbers, in 8 bits and in integers alone, and one with two directions."""
    import ai_edge_litert.schema_py_generated  # noqa: F401

    from tests.importers.test_import_tflite import INPUTS, B, H, T, floats, integers
    from tests.importers.tflite_models import Lstm, Tensor, tflite_bytes

    x = {0: Tensor(None, (T, B, INPUTS))}
    yield tflite_bytes(Lstm(x | floats(1, 4, True, False), Tensor(None, (T, B, 4))))
    yield tflite_bytes(Lstm(x | floats(2, 0, True, True), Tensor(None, (T, B, H)), time_major=False))
    yield tflite_bytes(Lstm(x | floats(1, 4, True, True, norm=True), Tensor(None, (T, B, 4))))
    both = floats(3, 0, False, False, both=True) | floats(4, 0, False, False, first=18, both=True)
    yield tflite_bytes(Lstm(x | both, Tensor(None, (T, B, 2 * H)), both=True))
    yield tflite_bytes(integers(5))
    yield tflite_bytes(integers(6, projection=4, peepholes=True, coupled=True))


def onnx_seeds(folder: Path) -> Iterator[bytes]:
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
    yield from written_seeds()
    yield from quantized_seeds()
    yield from external_seeds(folder)


def written_seeds() -> Iterator[bytes]:
    """An LSTM of three steps in elementary operators, and the same in a Scan; a Reshape by a Shape; a learned state."""
    import onnx

    random, make, value = np.random.default_rng(0), onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def stored(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)

    def step(x: str, h: str, c: str, n: str) -> list[Any]:
        names = [f"{gate}{n}" for gate in "igfo"]
        return [
            make("Gemm", [x, "K", "b"], [f"k{n}"]), make("MatMul", [h, "R"], [f"r{n}"]),
            make("Add", [f"k{n}", f"r{n}"], [f"s{n}"]),
            make("Split", [f"s{n}"], [f"{name}_" for name in names], axis=1, num_outputs=4),
            *(make("Tanh" if name[0] == "g" else "Sigmoid", [f"{name}_"], [name]) for name in names),
            make("Mul", [f"f{n}", c], [f"fc{n}"]), make("Mul", [f"i{n}", f"g{n}"], [f"ig{n}"]),
            make("Add", [f"fc{n}", f"ig{n}"], [f"c{n}"]), make("Tanh", [f"c{n}"], [f"t{n}"]),
            make("Mul", [f"o{n}", f"t{n}"], [f"h{n}"]),
        ]  # fmt: skip

    ints = {"to": [1, 2, 4], "axes": [1], **{f"at{n}": n for n in range(3)}}
    tensors = [onnx.numpy_helper.from_array(np.array(numbers, np.int64), name) for name, numbers in ints.items()]
    tensors += [stored("K", 3, 16), stored("R", 4, 16), stored("b", 16), stored("hs", 2, 4), stored("cs", 2, 4)]
    nodes = []
    for n in range(3):
        nodes.append(make("Gather", ["X", f"at{n}"], [f"x{n}"], axis=0))
        nodes += step(f"x{n}", f"h{n - 1}" if n else "hs", f"c{n - 1}" if n else "cs", str(n))
    graph = onnx.helper.make_graph(nodes, "w", [value("X", 1, (3, 2, 3))], [value("h2", 1, None)], tensors)
    yield onnx.helper.make_model(graph).SerializeToString()
    body = onnx.helper.make_graph(
        step("x", "h", "c", "1"), "body", [value("h", 1, (2, 4)), value("c", 1, (2, 4)), value("x", 1, (2, 3))],
        [value("h1", 1, (2, 4)), value("c1", 1, (2, 4))])  # fmt: skip
    scan = make("Scan", ["hs", "cs", "X"], ["hn", "cn"], name="scan", body=body, num_scan_inputs=1)
    graph = onnx.helper.make_graph([scan], "s", [value("X", 1, (3, 2, 3))], [value("hn", 1, None)], tensors)
    yield onnx.helper.make_model(graph).SerializeToString()
    nodes = [
        make("Expand", ["h", "to"], ["h_0"]), make("LSTM", ["X", "W", "R1", "", "", "h_0"], ["Y"], hidden_size=4),
        make("Transpose", ["Y"], ["T"], perm=[0, 2, 1, 3]), make("Shape", ["T"], ["sizes"]),
        make("Slice", ["sizes", "at0", "at1"], ["two"]), make("Concat", ["two", "last"], ["shape"], axis=0),
        make("Reshape", ["T", "shape"], ["F"]), make("GRU", ["F", "W2", "R2"], ["Y2"], hidden_size=3),
    ]  # fmt: skip
    numbers = {"at0": [0], "at1": [2], "last": [-1], "to": [1, 2, 4]}
    tensors = [onnx.numpy_helper.from_array(np.array(n, np.int64), name) for name, n in numbers.items()]
    shapes = {"W": (1, 16, 3), "R1": (1, 16, 4), "h": (1, 1, 4), "W2": (1, 9, 4), "R2": (1, 9, 3)}
    tensors += [stored(name, *shape) for name, shape in shapes.items()]
    graph = onnx.helper.make_graph(nodes, "r", [value("X", 1, (3, 2, 3))], [value("Y2", 1, None)], tensors)
    yield onnx.helper.make_model(graph).SerializeToString()


def torch_seeds(folder: Path) -> Iterator[bytes]:
    """A state_dict and a checkpoint, each in torch's zip format and in the one before 1.6; packed by quantize_dynamic."""
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in state_dict(4, ("_l0", "_l0_reverse")).items()}
    for tree in (tensors, {"step": 3, "model": {"a": tensors, "b": [1, "x"]}, "half": {"w": torch.ones(3).half()}}):
        for new in (True, False):
            torch.save(tree, folder / "seed.pt", _use_new_zipfile_serialization=new)
            yield (folder / "seed.pt").read_bytes()
    model = torch.nn.Sequential(torch.nn.GRU(3, 4, 2), torch.nn.LSTMCell(3, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantization: Any = torch.ao.quantization
        packed = quantization.quantize_dynamic(model, {torch.nn.GRU, torch.nn.LSTMCell}, dtype=torch.qint8)
        torch.save(packed.state_dict(), folder / "seed.pt")
    yield (folder / "seed.pt").read_bytes()


def keras_seeds(folder: Path) -> Iterator[bytes]:
    """Archives of a bidirectional layer below another one, plain and packed."""
    import h5py

    random = np.random.default_rng(0)
    layer = {"class_name": "LSTM", "config": {"name": "lstm", "units": 4, "return_sequences": True}}
    both = {"class_name": "Bidirectional", "config": {"name": "bi", "layer": layer, "merge_mode": "sum"}}
    top = {"class_name": "GRU", "config": {"name": "top", "units": 2, "return_sequences": True}}
    config = json.dumps({"class_name": "Sequential", "config": {"layers": [both, top]}})
    with h5py.File(folder / "seed.h5", "w") as file:
        for side in ("forward", "backward"):
            for number, shape in enumerate([(3, 16), (4, 16), (16,)]):
                file[f"layers/bidirectional/{side}_layer/cell/vars/{number}"] = random.standard_normal(shape)
        for number, shape in enumerate([(8, 6), (2, 6), (2, 6)]):
            file[f"layers/gru/cell/vars/{number}"] = random.standard_normal(shape)
    for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", packed) as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.1.0"}')
            archive.writestr("config.json", config)
            archive.write(folder / "seed.h5", "model.weights.h5")
        yield made.getvalue()


def exported_seeds(_folder: Path) -> Iterator[bytes]:
    """A torch.export archive as torch 2.8 and later write it, its graph left out."""
    made = io.BytesIO()
    config: dict[str, Any] = {}
    with zipfile.ZipFile(made, "w") as archive:
        for number, (name, array) in enumerate(state_dict(4, ("_l0", "_l0_reverse")).items()):
            sizes = [{"as_int": size} for size in array.shape]
            strides = [{"as_int": stride // 4} for stride in array.strides]
            meta = {"dtype": 7, "sizes": sizes, "strides": strides, "storage_offset": {"as_int": 0}}
            config[name] = {"path_name": f"weight_{number}", "use_pickle": False, "tensor_meta": meta}
            archive.writestr(f"m/data/weights/weight_{number}", array.tobytes())
        archive.writestr("m/data/weights/model_weights_config.json", json.dumps({"config": config}))
        archive.writestr("m/archive_format", "pt2")
        archive.writestr("m/models/model.json", "{}")
    yield made.getvalue()


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
