"""State_dicts after quantize_dynamic: the codes that torch packed, against torch's own numbers of them."""

from __future__ import annotations

import math
import warnings
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import Refused, find_layers
from archsim.importers.torch.packed_weights import PackedObject, codes_of, unpacked
from tests.importers.import_runs import imported
from tests.optional import skip
from tests.rings import exhaustive

T, B, I, H = 5, 2, 3, 4


def quantized(torch: ModuleType, model: Any, path: Path, each: str = "matrix", dtype: str = "qint8") -> Any:
    """Save the state_dict of the model with its recurrent layers quantized, as a user does."""
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 6):
        skip("needs torch 2.6, which takes a stand-in for the packed objects")
    quantization = torch.ao.quantization
    kinds = {torch.nn.LSTM, torch.nn.GRU, torch.nn.LSTMCell}
    config = quantization.per_channel_dynamic_qconfig
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways = kinds if each == "matrix" else dict.fromkeys(kinds, config)
        made = quantization.quantize_dynamic(model, ways, dtype=getattr(torch, dtype))
        torch.save(made.state_dict(), path)
    return made


CASES = [
    ("LSTM", 2, True, "matrix"),
    ("GRU", 3, False, "row"),
    *(
        pytest.param(*case, marks=exhaustive)
        for case in product(("LSTM", "GRU"), (1, 2), (False, True), ("matrix", "row"))
    ),
]


@pytest.mark.parametrize(("kind", "layers", "both", "each"), CASES)
def test_packed_weights_are_those_of_torch(
    torch: ModuleType, tmp_path: Path, kind: str, layers: int, both: bool, each: str
) -> None:
    """A float layer of torch with the weights that torch unpacks gives what archsim gives; the codes are torch's."""
    torch.manual_seed(1)
    model = torch.nn.Sequential()
    model.rnn = getattr(torch.nn, kind)(I, H, layers, bidirectional=both)
    model.head = torch.nn.Linear(H, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantized tensors are deprecated
        made = quantized(torch, model, tmp_path / "m.pt", each)
        names = [f"_l{n}{way}" for n in range(layers) for way in (("", "_reverse") if both else ("",))]
        want, codes = getattr(torch.nn, kind)(I, H, layers, bidirectional=both), {}
        for suffix, packed in zip(names, made.rnn._all_weight_values, strict=True):
            state = packed.param.__getstate__()[0]
            for what, matrix in zip(("weight_ih", "weight_hh"), state[4], strict=True):
                weight, bias = matrix.__getstate__()[0]
                codes[what + suffix] = weight.int_repr().numpy()
                getattr(want, what + suffix).data = weight.dequantize()
                getattr(want, what.replace("weight", "bias") + suffix).data = bias
        (layer,) = find_layers(tmp_path / "m.pt").layers
        assert {name: found.values.tolist() for name, found in layer.codes.items()} == {
            name: found.tolist() for name, found in codes.items()
        }
        assert layer.notes[0].startswith(f"weights are int8 with a scale for each {each}, and stay so")
        x = torch.randn(T, B, I)
        got = imported(tmp_path / "m.pt", x.numpy())["output"]
        with torch.no_grad():
            assert np.abs(got - want(x)[0].numpy()).max() < 2e-6
            assert np.abs(got - made.rnn(x)[0].numpy()).max() < 0.05, "torch's own, which rounds x and h besides"


def test_a_packed_cell_and_weights_of_16_bits(torch: ModuleType, tmp_path: Path) -> None:
    cell = torch.nn.Sequential()
    cell.low = torch.nn.LSTMCell(I, H)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized(torch, cell, tmp_path / "c.pt")
        (layer,) = find_layers(tmp_path / "c.pt").layers
        assert sorted(layer.codes) == ["weight_hh_l0", "weight_ih_l0"]
        half = torch.nn.Sequential()
        half.low = torch.nn.LSTM(I, H)
        want = half.low.weight_ih_l0.detach().half().float().numpy()
        quantized(torch, half, tmp_path / "h.pt", dtype="float16")
        (layer,) = find_layers(tmp_path / "h.pt").layers
        assert not layer.codes
        assert np.array_equal(layer.tensors["weight_ih_l0"], want)


def test_two_layers_that_may_be_two_directions(torch: ModuleType, tmp_path: Path) -> None:
    model = torch.nn.Sequential()
    model.rnn = torch.nn.LSTM(H, H, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized(torch, model, tmp_path / "m.pt")
        with pytest.raises(WorkloadError, match="may be two layers or two directions, .* before quantize_dynamic"):
            find_layers(tmp_path / "m.pt")


@pytest.mark.parametrize("state", [None, (), ((1, 2), "x"), (("k", [], [], [], []), "x"), "text"])
def test_packed_objects_that_are_not_torchs(torch: ModuleType, state: object) -> None:
    """Whatever state the file gives: a line, and nothing of the state is called."""
    packed = PackedObject()
    packed.__setstate__(state)
    for name in ("rnn._all_weight_values.0.param", "_packed_weight_ih"):
        with pytest.raises(Refused, match="is packed in a way that is not known"):
            unpacked({name: packed}, torch)


@pytest.mark.parametrize("scale", [math.inf, math.nan, 0.0, -1.0])
def test_scales_that_no_code_can_have_are_refused(torch: ModuleType, scale: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantized tensors are deprecated
        whole = torch._make_per_tensor_quantized_tensor(torch.ones(4, 3, dtype=torch.int8), scale, 0)
        rows = torch._make_per_channel_quantized_tensor(
            torch.ones(4, 3, dtype=torch.int8),
            torch.tensor([1.0, scale, 1.0, 1.0]),
            torch.zeros(4, dtype=torch.int64),
            0,
        )
        for tensor in (whole, rows):
            with pytest.raises(Refused, match="^w has scales that are not above 0, or not one for each row$"):
                codes_of("w", tensor, torch, 1000)
