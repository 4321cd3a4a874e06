"""Weights that torch modules compute: dropped, normalized, pruned; against the modules themselves."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.importers import find_layers
from tests.importers.import_runs import imported

T, B, I, H = 5, 2, 3, 4


def old_weight_norm(torch: ModuleType, rnn: Any, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.nn.utils.weight_norm(rnn, name)


def weight_norm(torch: ModuleType, rnn: Any, name: str) -> None:
    torch.nn.utils.parametrizations.weight_norm(rnn, name)


def weight_norm_of_columns(torch: ModuleType, rnn: Any, name: str) -> None:
    torch.nn.utils.parametrizations.weight_norm(rnn, name, dim=1)


def old_spectral_norm(torch: ModuleType, rnn: Any, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.nn.utils.spectral_norm(rnn, name)


def spectral_norm(torch: ModuleType, rnn: Any, name: str) -> None:
    torch.nn.utils.parametrizations.spectral_norm(rnn, name)


def pruned(torch: ModuleType, rnn: Any, name: str) -> None:
    importlib.import_module("torch.nn.utils.prune").random_unstructured(rnn, name, 0.5)


WAYS = (old_weight_norm, weight_norm, weight_norm_of_columns, old_spectral_norm, spectral_norm, pruned)


@pytest.mark.parametrize("derive", WAYS)
def test_a_weight_is_what_the_module_computes(
    torch: ModuleType, tmp_path: Path, derive: Callable[[ModuleType, Any, str], None]
) -> None:
    """The lengths g are moved away from the norms of v, as training moves them; both layers, one matrix each."""
    torch.manual_seed(2)
    rnn = torch.nn.LSTM(I, H, 2)
    for name in ("weight_hh_l0", "weight_ih_l1"):
        derive(torch, rnn, name)
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            if name.endswith(("_g", "original0")):
                parameter.mul_(torch.rand_like(parameter) + 0.5)
    rnn.eval()
    x = torch.randn(T, B, I)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the weights are not one piece of memory
        want = rnn(x)[0].numpy()
    torch.save({f"enc.{name}": tensor for name, tensor in rnn.state_dict().items()}, tmp_path / "m.pt")
    (layer,) = find_layers(tmp_path / "m.pt").layers
    assert layer.name == "enc"
    assert [note.split(" ")[0] for note in layer.notes] == ["weight_hh_l0", "weight_ih_l1"]
    np.testing.assert_allclose(imported(tmp_path / "m.pt", x.numpy())["output"], want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("inner", ["module.", ""])
def test_the_trained_matrix_of_a_weight_drop_is_taken(torch: ModuleType, tmp_path: Path, inner: str) -> None:
    """AWD-LSTM: beside the raw matrix the file may have the one under the last mask, which no model uses."""
    torch.manual_seed(2)
    rnn = torch.nn.LSTM(I, H)
    x = torch.randn(T, B, I)
    with torch.no_grad():
        want = rnn(x)[0].numpy()
        tensors = {f"0.rnns.0.{inner}{name}": tensor.clone() for name, tensor in rnn.state_dict().items()}
        raw = tensors[f"0.rnns.0.{inner}weight_hh_l0"]
        tensors["0.rnns.0.weight_hh_l0_raw"] = raw.clone()
        raw.mul_((torch.rand_like(raw) > 0.5) * 2.0)
    torch.save(tensors, tmp_path / "m.pth")
    (layer,) = find_layers(tmp_path / "m.pth").layers
    assert layer.notes == (
        "weight_hh_l0 is the trained matrix, without the mask that weight drop laid over it in training "
        "(weight_hh_l0_raw)",
    )
    np.testing.assert_allclose(imported(tmp_path / "m.pth", x.numpy())["output"], want, rtol=0, atol=1e-6)


def test_parts_that_do_not_fit_are_named_and_a_row_of_zeros_is_not_finite(torch: ModuleType, tmp_path: Path) -> None:
    rnn = torch.nn.LSTM(I, H)
    tensors = {name: tensor for name, tensor in rnn.state_dict().items() if name != "weight_hh_l0"}
    for length, direction, reason in (
        (torch.ones(3, 1), torch.ones(4 * H, H), "weights that the module computes"),
        (torch.ones(4 * H, 1), torch.zeros(4 * H, H), "weight_hh_l0: 64 of 64 numbers are not finite in float32"),
    ):
        torch.save(tensors | {"weight_hh_l0_g": length, "weight_hh_l0_v": direction}, tmp_path / "m.pt")
        found = find_layers(tmp_path / "m.pt")
        assert found.layers == ()
        assert any(reason in entry.reason for entry in found.unsupported)
