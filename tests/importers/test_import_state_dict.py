"""torch modules of random options, saved in every way, against torch; what bare state_dicts do not say; broken files."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select
from tests.arrays import save_npz
from tests.importers.import_runs import close, imported
from tests.rings import examples

SAVERS = (".pt", ".pth", "legacy.pt", ".safetensors", ".npz")

Module = tuple[str, dict[str, Any], int, int, str, str, int]
"""(kind, options, steps, batch, how to save, prefix, seed)."""


@st.composite
def modules(draw: st.DrawFn) -> Module:
    kind = draw(st.sampled_from(["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"]))
    options: dict[str, Any] = {"input_size": draw(st.integers(1, 5)), "hidden_size": draw(st.integers(1, 5))}
    options["bias"] = draw(st.booleans())
    if not kind.endswith("Cell"):
        options |= {"num_layers": draw(st.integers(1, 3)), "bidirectional": draw(st.booleans())}
        options["batch_first"] = draw(st.booleans())
        if kind == "LSTM" and options["hidden_size"] > 1:
            options["proj_size"] = draw(st.integers(0, options["hidden_size"] - 1))
    if kind.startswith("RNN"):
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    saved = draw(st.sampled_from(SAVERS)), draw(st.sampled_from(["", "rnn.", "encoder.rnn.", "module.a b."]))
    return kind, options, draw(st.integers(1, 4)), draw(st.integers(0, 3)), *saved, draw(st.integers(0, 2**31))


def save(torch: ModuleType, tensors: dict[str, Any], path: Path) -> Path:
    """Under the suffix of `path`; legacy.pt is torch's format before 1.6."""
    arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    if path.suffix == ".safetensors":
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization="legacy" not in path.name)
    return path


def forward(torch: ModuleType, module: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    """output, h_n and c_n of a module, or of a cell run step by step."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")  # said once a process
        given = torch.from_numpy(x)
        if not isinstance(module, torch.nn.RNNCellBase):
            output, state = module(given)
            states = state if isinstance(state, tuple) else (state,)
            return {"output": output.numpy(), **{n: s.numpy() for n, s in zip(("h_n", "c_n"), states, strict=False)}}
        state = None
        outputs = []
        for step in given:
            state = module(step, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        cell = {"c_n": state[1][None].numpy()} if isinstance(state, tuple) else {}
        return {"output": torch.stack(outputs).numpy(), "h_n": outputs[-1][None].numpy(), **cell}


@settings(max_examples=examples(60))
@given(case=modules())
def test_every_module_computes_what_torch_computes(
    tmp_path_factory: pytest.TempPathFactory,
    torch: ModuleType,
    case: Module,
) -> None:
    kind, options, steps, batch, suffix, prefix, seed = case
    torch.manual_seed(seed)
    module = getattr(torch.nn, kind)(**options)
    others = {"head.weight": torch.ones(3, 4), "head.bias": torch.ones(3)}
    tensors = {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()} | others
    path = save(torch, tensors, tmp_path_factory.mktemp("torch") / f"model{suffix}")
    shape = (steps, batch, options["input_size"]) if batch else (steps, options["input_size"])
    first = bool(batch) and options.get("batch_first", False)
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    x = np.ascontiguousarray(x.swapaxes(0, 1)) if first else x
    found = find_layers(path)
    (layer,) = found.layers
    assert layer.name == (prefix.rstrip(".") or "state_dict")
    assert found.rest == "2 other tensors"
    assert (layer.config.kind.value, layer.config.hidden_size) == (kind.lower()[:4].rstrip("c"), options["hidden_size"])
    ours = imported(path, x, layer.name, first, options.get("nonlinearity"))
    theirs = forward(torch, module, x)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert close(ours[name], tensor), name


@pytest.mark.parametrize("suffix", [".pt", "legacy.pt"])
def test_checkpoints_with_dictionaries_inside(torch: ModuleType, tmp_path: Path, suffix: str) -> None:
    module = torch.nn.LSTM(3, 4)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.zeros(1, 1, 3))[0].sum().backward()
    optimizer.step()
    tree = {"step": 7, "model": {"rnn": module.state_dict()}, "optimizer": optimizer.state_dict(), "names": ["a"]}
    path = tmp_path / f"checkpoint{suffix}"
    torch.save(tree, path, _use_new_zipfile_serialization=suffix == ".pt")
    found = find_layers(path)
    assert [layer.name for layer in found.layers] == ["model.rnn"]
    assert found.rest == "12 other tensors"
    assert select(found, "rnn") == found.layers


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_types_of_numbers(torch: ModuleType, tmp_path: Path, dtype: str) -> None:
    module = torch.nn.GRU(3, 4).to(getattr(torch, dtype))
    torch.save(module.state_dict(), tmp_path / "m.pt")
    (layer,) = find_layers(tmp_path / "m.pt").layers
    np.testing.assert_array_equal(layer.tensors["weight_ih_l0"], module.weight_ih_l0.detach().float().numpy())


def test_tensors_that_share_or_stride_their_storage(torch: ModuleType, tmp_path: Path) -> None:
    module = torch.nn.LSTM(4, 4)
    shared = {name: tensor.T if tensor.ndim == 2 and tensor.shape[0] == tensor.shape[1] else tensor
              for name, tensor in module.state_dict().items()}  # fmt: skip
    shared["bias_hh_l0"] = shared["bias_ih_l0"]
    torch.save(shared, tmp_path / "m.pt")
    (layer,) = find_layers(tmp_path / "m.pt").layers
    np.testing.assert_array_equal(layer.tensors["bias_hh_l0"], module.bias_ih_l0.detach().numpy())


def test_an_rnn_does_not_say_its_function_and_only_an_rnn_has_none(tmp_path: Path) -> None:
    arrays = {"weight_ih_l0": np.ones((4, 3), np.float32), "weight_hh_l0": np.ones((4, 4), np.float32)}
    save_npz(tmp_path / "rnn.npz", **arrays)
    (layer,) = find_layers(tmp_path / "rnn.npz").layers
    assert layer.notes == ("a state_dict does not say whether it is tanh or relu; taken as tanh (--nonlinearity relu)",)
    (layer,) = find_layers(tmp_path / "rnn.npz", "relu").layers
    assert layer.notes == ()
    assert layer.config.nonlinearity == "relu"
    save_npz(tmp_path / "lstm.npz", **{name: np.concatenate([a] * 4) for name, a in arrays.items()})
    with pytest.raises(WorkloadError, match=r"lstm.npz: has no RNN, so that --nonlinearity says nothing"):
        find_layers(tmp_path / "lstm.npz", "relu")


def zeros(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


LSTM: dict[str, tuple[int, ...]] = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4)}
REFUSED: dict[str, tuple[dict[str, tuple[int, ...]], str]] = {
    "no weight_hh": ({"weight_ih_l0": (16, 3)}, "weight_hh_l0 is missing"),
    "no weight_ih": ({"weight_hh_l0": (16, 4)}, "weight_ih_l0 is missing"),
    "no kind": (LSTM | {"weight_hh_l0": (16, 8)}, "weight_hh_l0 has shape [16, 8], which is no LSTM (4 rows a column), GRU "
                "(3) or RNN (1); an LSTM with a projection needs weight_hr_l0"),
    "projection": ({"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 2), "weight_hr_l0": (2, 4)}, "weight_hh_l0 has 12 rows and "
                   "weight_hr_l0 has shape [2, 4]; a projection fits only an LSTM, of 4 rows a hidden unit"),
    "projected": (LSTM | {"weight_hr_l0": (2, 4)}, "weight_hh_l0 has shape [16, 4], expected [16, 2] for this LSTM"),
    "wide projection": ({"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 6), "weight_hr_l0": (6, 4)},
                        "proj_size must be smaller than hidden_size, as in PyTorch"),
    "one bias": (LSTM | {"bias_ih_l0": (16,)}, "bias_hh_l0 is missing, but the other bias is there"),
    "bias": (LSTM | {"bias_ih_l0": (16,), "bias_hh_l0": (12,)}, "bias_hh_l0 has shape [12], expected [16] for this LSTM"),
    "peephole": (LSTM | {"peephole_l0": (4,)}, "peephole_l0 has shape [4], expected [12] for this LSTM"),
    "dimensions": (LSTM | {"weight_ih_l0": (16, 3, 1)}, "weight_ih_l0 has shape [16, 3, 1], expected 2 dimensions"),
    "empty": (LSTM | {"weight_ih_l0": (16, 0)}, "weight_ih_l0 has shape [16, 0], expected 2 dimensions"),
    "gap": (LSTM | {"weight_ih_l2": (16, 4), "weight_hh_l2": (16, 4)}, "layer l1 is missing, but there is l2"),
    "other size": (LSTM | {"weight_ih_l1": (16, 5), "weight_hh_l1": (16, 4)},
                   "layer 1 is not of the kind or size that follows from layer 0"),
    "other kind": (LSTM | {"weight_ih_l1": (12, 4), "weight_hh_l1": (12, 4)},
                   "layer 1 is not of the kind or size that follows from layer 0"),
    "one direction": (LSTM | {"weight_ih_l1_reverse": (16, 4), "weight_hh_l1_reverse": (16, 4)},
                      "some layers have a reverse direction and others have none"),
    "reverse alone": ({f"{name}_reverse": shape for name, shape in LSTM.items()},
                      "some layers have a reverse direction and others have none"),
    "cell": (LSTM | {"weight_ih": (16, 3), "weight_hh": (16, 4)},
             "has tensors of a cell (weight_ih) and of layers (weight_ih_l0) in one module"),
    "joined": ({"weight_l0": (16, 7)}, "weight_l0 may be one matrix over [x, h] of an LSTM, a GRU or an RNN: write the "
               "workload by hand (kind, input_size and hidden_size say which; its section weights takes this form)"),
    "weight norm": ({"weight_ih_l0_g": (16, 1)},
                    "weight_ih_l0_g: weights that the module computes (normalized or dropped)"),
    "parametrized": ({"parametrizations.weight_ih_l0.original0": (16, 1)}, "parametrizations.weight_ih_l0.original0: "
                     "weights that the module computes (normalized or dropped)"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_does_not_fit_is_named(tmp_path: Path, case: str, suffix: str) -> None:
    shapes, message = REFUSED[case]
    path = tmp_path / f"m{suffix}"
    tensors = {f"enc.{name}": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    save_file(tensors, path) if suffix == ".safetensors" else save_npz(path, **tensors)
    found = find_layers(path)
    assert found.layers == ()
    (entry,) = found.unsupported
    assert entry.name == "enc"
    assert entry.reason.replace("enc.", "") == message
    with pytest.raises(WorkloadError, match="not all layers are supported"):
        select(found, "all")


def test_peepholes_are_three_numbers_a_hidden_unit(tmp_path: Path) -> None:
    """As the files are that archsim itself writes of a layer with peepholes: of i, f and o for each of 4 units."""
    save_npz(tmp_path / "m.npz", **zeros(**LSTM, peephole_l0=(12,)))
    (layer,) = find_layers(tmp_path / "m.npz").layers
    assert (layer.config.peepholes, layer.tensors["peephole_l0"].shape) == (True, (12,))


def test_numbers_that_cannot_be_used_are_named(torch: ModuleType, tmp_path: Path) -> None:
    tensors = zeros(weight_ih_l0=(16, 3), weight_hh_l0=(16, 4))
    tensors["weight_hh_l0"][3, 1] = np.inf
    save_npz(tmp_path / "m.npz", **tensors)
    (entry,) = find_layers(tmp_path / "m.npz").unsupported
    assert entry.reason == "1 of 64 numbers are not finite in float32, the first at (3, 1)"
    for dtype, kind in ((torch.int32, "int32"), (torch.complex64, "complex64")):
        torch.save(
            {name: torch.from_numpy(np.nan_to_num(a)).to(dtype) for name, a in tensors.items()}, tmp_path / "m.pt"
        )
        (entry,) = find_layers(tmp_path / "m.pt").unsupported
        assert entry.reason == f"weight_ih_l0 is {kind}, expected dense floating-point numbers"
    torch.save({"weight_ih": torch.zeros(1, 1).expand(4_000_000, 10_000), "weight_hh": torch.zeros(4_000_000, 1)},
               tmp_path / "m.pt")  # fmt: skip
    (entry,) = find_layers(tmp_path / "m.pt").unsupported
    assert "weight_hh has shape [4,000,000, 1], which is no LSTM" in entry.reason
    torch.save({"weight_ih": torch.zeros(1, 1).expand(4, 1_000_000), "weight_hh": torch.zeros(4, 1)}, tmp_path / "m.pt")
    (entry,) = find_layers(tmp_path / "m.pt").unsupported
    assert entry.reason == "weight_ih claims more numbers than the file has"


def test_several_modules_do_not_say_what_feeds_what(tmp_path: Path) -> None:
    tensors = zeros(weight_ih_l0=(16, 4), weight_hh_l0=(16, 4))
    save_npz(tmp_path / "m.npz", **{f"{side}.{name}": a for side in ("left", "right") for name, a in tensors.items()})
    found = find_layers(tmp_path / "m.npz")
    with pytest.raises(WorkloadError) as caught:
        select(found, "all")
    assert str(caught.value).endswith(
        "m.npz: the layers are no single stack: left is fed by something that a state_dict does not "
        "name; right is fed by something that a state_dict does not name; choose one with --layer NAME"
    )
    assert select(found, "left")[0].name == "left"
    with pytest.raises(WorkloadError, match="m.npz: --layer up: no layer of that name; there are: left, right"):
        select(found, "up")


class Payload:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("how", ["new", "legacy", "plain"])
def test_a_payload_is_refused_and_not_run(torch: ModuleType, tmp_path: Path, how: str) -> None:
    target = tmp_path / "it ran".replace(" ", "_")
    tree = {"weight_ih_l0": torch.zeros(4, 3), "bad": Payload(target)}
    if how == "plain":
        (tmp_path / "m.pt").write_bytes(pickle.dumps(tree["bad"]))
    else:
        torch.save(tree, tmp_path / "m.pt", _use_new_zipfile_serialization=how == "new")
    with pytest.raises(WorkloadError) as caught:
        find_layers(tmp_path / "m.pt")
    assert str(caught.value).startswith(f"{tmp_path}/m.pt: ")
    assert "\n" not in str(caught.value)
    assert not target.exists()
    if how != "plain":
        assert "holds the Python object posix.system, and loading it could run any code; save the weights alone" in str(
            caught.value
        )


def test_environment_variables_do_not_turn_the_check_off(
    torch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save(Payload(tmp_path / "ran"), tmp_path / "m.pt")
    with pytest.raises(WorkloadError, match="could run any code"):
        find_layers(tmp_path / "m.pt")
    assert not (tmp_path / "ran").exists()


def test_torchscript_and_whole_modules_are_refused(torch: ModuleType, tmp_path: Path) -> None:
    """An archive of TorchScript is known by its constants.pkl; the module is what torch.save(model) writes."""
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "version"):
            archive.writestr(f"script/{name}", b"")
    with pytest.raises(
        WorkloadError,
        match=r"script.pt: is a TorchScript archive, which holds code; save its weights alone: torch.save\(torch.jit.load",
    ):
        find_layers(tmp_path / "script.pt")
    torch.save(torch.nn.LSTM(3, 4), tmp_path / "module.pt")
    with pytest.raises(WorkloadError, match="holds the Python object torch.nn.modules.rnn.LSTM"):
        find_layers(tmp_path / "module.pt")


def test_files_that_are_none(torch: ModuleType, tmp_path: Path) -> None:
    for suffix, name in ((".pt", "torch"), (".npz", ".npz"), (".safetensors", "safetensors")):
        path = tmp_path / f"m{suffix}"
        for content in (b"", b"PK\x03\x04 no archive", b"nonsense" * 100):
            path.write_bytes(content)
            with pytest.raises(WorkloadError, match=f"not a valid {name} file"):
                find_layers(path)
    torch.save(torch.zeros(3), tmp_path / "m.pt")
    with pytest.raises(WorkloadError, match="holds a tensor, expected the weights of a model"):
        find_layers(tmp_path / "m.pt")
    torch.save([1, 2], tmp_path / "m.pt")
    with pytest.raises(WorkloadError, match="holds a list, expected the weights of a model"):
        find_layers(tmp_path / "m.pt")
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "m.pt")
    with pytest.raises(
        WorkloadError,
        match=r"has no recurrent layer that its names tell, only 1 other tensor: conv.weight \[3\]; say which",
    ):
        find_layers(tmp_path / "m.pt")


def test_containers_without_end_are_refused(torch: ModuleType, tmp_path: Path) -> None:
    tree = {"w": torch.zeros(1)}
    for _ in range(40):
        tree = {"a": tree, "b": tree}
    torch.save(tree, tmp_path / "m.pt")
    with pytest.raises(WorkloadError, match="too many entries, or too many inside each other"):
        find_layers(tmp_path / "m.pt")


def test_archives_that_expand_or_lie_are_refused(torch: ModuleType, tmp_path: Path) -> None:
    huge = np.zeros((40_000_000,), np.float32)
    np.savez_compressed(tmp_path / "bomb.npz", weight=huge)
    with pytest.raises(WorkloadError, match=r"expand to 160,000,\d+; save it uncompressed"):
        find_layers(tmp_path / "bomb.npz")
    save_npz(tmp_path / "m.npz", **zeros(weight_ih_l0=(16, 3)))
    data = (tmp_path / "m.npz").read_bytes().replace(b"(16, 3)", b"(99, 3)")
    (tmp_path / "m.npz").write_bytes(data)
    with pytest.raises(WorkloadError, match=r"m.npz: (weight_ih_l0.npy: )?not a valid .npz file"):
        find_layers(tmp_path / "m.npz")
    np.savez(
        tmp_path / "object.npz", weight_ih_l0=np.array([{}], dtype=object), weight_hh_l0=np.zeros((4, 1), np.float32)
    )
    (entry,) = find_layers(tmp_path / "object.npz").unsupported
    assert entry.reason == "weight_ih_l0 is missing"
    torch.save({"weight_ih": torch.zeros(4, 3)}, tmp_path / "m.pt")
    with (
        zipfile.ZipFile(tmp_path / "m.pt") as old,
        zipfile.ZipFile(tmp_path / "n.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(WorkloadError, match="not a valid torch file: its tensors are compressed"):
        find_layers(tmp_path / "n.pt")


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        file.truncate((1 << 31) + 1)
    with pytest.raises(WorkloadError, match="m.safetensors: is 2,147,483,649 bytes, more than the 2,147,483,648"):
        find_layers(path)
