"""Files are known by their content, whatever their names; those that are not read are refused with what to type."""

from __future__ import annotations

import importlib
import json
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from archsim.errors import WorkloadError
from archsim.importers import find_layers
from tests.arrays import save_npz
from tests.importers.import_runs import imported, onnx_node, onnx_save, onnx_stored, onnx_weights, run_workload

NAMES = ("model.bin", "model.ckpt", "model.pkl", "model.pth.tar", "model", "model.npz", "model.h5")


def arrays() -> dict[str, np.ndarray]:
    shapes = {"rnn.weight_ih_l0": (16, 3), "rnn.weight_hh_l0": (16, 4)}
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape).astype(np.float32) / 2 for name, shape in shapes.items()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("new", [True, False])
def test_a_torch_file_of_any_name(torch: ModuleType, tmp_path: Path, name: str, new: bool) -> None:
    tensors = {key: torch.from_numpy(array) for key, array in arrays().items()}
    torch.save({"state_dict": tensors}, tmp_path / name, _use_new_zipfile_serialization=new)
    (layer,) = find_layers(tmp_path / name).layers
    np.testing.assert_array_equal(layer.tensors["weight_hh_l0"], arrays()["rnn.weight_hh_l0"])


@pytest.mark.parametrize("name", ["model.bin", "model", "model.pt", "model.onnx"])
def test_other_containers_of_any_name(onnx: ModuleType, h5py: ModuleType, tmp_path: Path, name: str) -> None:
    weights = onnx_weights(np.random.default_rng(0), "LSTM", 3, 4)
    node = onnx_node(onnx, "LSTM", weights, hidden_size=4)
    made = [tmp_path / "a.safetensors", tmp_path / "a.npz", tmp_path / "a.onnx", tmp_path / "a.h5"]
    save_file(arrays(), made[0])
    save_npz(made[1], **arrays())
    onnx_save(onnx, made[2], [node], onnx_stored(onnx, weights), (5, 2, 3))
    with h5py.File(made[3], "w") as file:
        file["lstm/cell/kernel"], file["lstm/cell/recurrent_kernel"] = np.ones((3, 16)), np.ones((4, 16))
    for path in made:
        shutil.copy(path, tmp_path / name)
        assert len(find_layers(tmp_path / name).layers) == 1, path


def test_run_reads_the_same_containers(tmp_path: Path) -> None:
    """A workload's weights in a file whose name says another kind, or nothing."""
    plain = {name.removeprefix("rnn."): array for name, array in arrays().items()}
    save_npz(tmp_path / "w.npz", **plain)
    (tmp_path / "w.npz").rename(tmp_path / "w.safetensors")
    save_file(plain, tmp_path / "weights")
    results = []
    for name in ("w.safetensors", "weights"):
        text = (
            "summary: s\nkind: lstm\nhidden_size: 4\nbias: false\ninput_size: 3\nsteps: 4\nbatch: 1\ninput: {seed: 1}\n"
        )
        (tmp_path / "w.yaml").write_text(f"{text}weights: {{file: {name}}}\n")
        results.append(run_workload(tmp_path / "w.yaml")["output"])
    np.testing.assert_array_equal(results[0], results[1])


def test_what_is_known_and_not_read_says_what_to_type(tmp_path: Path) -> None:
    def refusal(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WorkloadError) as caught:
            find_layers(tmp_path / name)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    pickled = pickle.dumps(arrays(), protocol=4)
    assert "is a Python pickle, and loading it could run any code; if you trust it" in refusal("m.pkl", pickled)
    assert "numpy.savez('weights.npz'" in refusal("m", pickled)
    assert "is a frozen graph of TensorFlow 1, which archsim does not read" in refusal(
        "m.pb", b"\n\x13\n\x01x\x12\x0bPl"
    )
    assert "python -m tf2onnx.convert" in refusal("saved_model.pb", b"\x08\x01\x12\x10")
    assert "is packed by gzip; unpack it" in refusal("m.npz", b"\x1f\x8b" + bytes(20))
    assert "a pointer to a file in Git LFS" in refusal("m.onnx", b"version https://git-lfs.github.com/spec/v1\n")
    assert "its content is none that is known" in refusal("m.dat", b"something else")
    assert "is no model file; a workload is run as it is" in refusal("my.yaml", b"summary: x")
    (tmp_path / "x").write_bytes(b"x")
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        archive.add(tmp_path / "x")
    assert "is a tar archive, as torch wrote them before 0.1.10" in refusal("m.tar", (tmp_path / "t.tar").read_bytes())


def test_weights_of_quantize_dynamic_are_explained(torch: ModuleType, tmp_path: Path) -> None:
    """What the file's pickle names stands for the packed weights, which this test need not make."""

    class Packed:
        def __reduce__(self) -> tuple[type, tuple[()]]:
            return torch.ScriptObject, ()

    torch.save({"rnn.packed": Packed()}, tmp_path / "m.pt")
    with pytest.raises(
        WorkloadError, match=r"holds weights that torch.ao.quantization has packed .* before quantize_dyn"
    ):
        find_layers(tmp_path / "m.pt")


def exported(torch: ModuleType, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A torch.export archive of an LSTM and something else; its input and the LSTM's output."""
    torch.manual_seed(0)
    lstm, head = torch.nn.LSTM(3, 4, 2), torch.nn.Linear(4, 2)

    class Model(torch.nn.Module):  # type: ignore[name-defined,misc]  # the package is optional
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = lstm, head

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0])

    x = torch.randn(5, 2, 3)
    export = importlib.import_module("torch.export")
    export.save(export.export(Model().eval(), (x,)), path)
    with torch.no_grad():
        return x.numpy(), lstm(x)[0].numpy()


@pytest.mark.filterwarnings("ignore")
def test_a_torch_export_archive(torch: ModuleType, tmp_path: Path) -> None:
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 8):
        pytest.skip("torch before 2.8 writes a pickle")
    path = tmp_path / "m.pt2"
    x, want = exported(torch, path)
    found = find_layers(path)
    assert (found.layers[0].name, found.rest) == ("lstm", "2 other tensors")
    np.testing.assert_allclose(imported(path, x)["output"], want, rtol=0, atol=1e-6)
    members = {}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = next(name for name in members if name.endswith("model_weights_config.json"))
    described = json.loads(members[config])
    described["config"]["lstm.weight_hh_l0"]["tensor_meta"]["sizes"][0]["as_int"] = 10**12
    for content, message in (
        (json.dumps(described).encode(), "a member is missing or of another size"),
        (b"{", "not a valid torch.export archive"),
        (b'{"config": {"a": {}}}', "not a valid torch.export archive"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (members | {config: content}).items():
                archive.writestr(name, data)
        with pytest.raises(WorkloadError, match=message):
            find_layers(path)
