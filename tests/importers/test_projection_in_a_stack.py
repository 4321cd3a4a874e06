"""A projection in a stack of two, by hand: the second layer takes the projected h, of both directions if there are two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import FaultsError
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.stack import Direction, run_stack
from archsim.importers import InputSequence, find_layers, select, write_workload
from archsim.workload import load_tensors, load_workload

INPUTS, HIDDEN, PROJECTED = 3, 5, 2


def stack(both: bool) -> dict[str, np.ndarray]:
    """Torch's tensors of LSTM(3, 5, num_layers=2, proj_size=2)."""
    random = np.random.default_rng(3)
    sides = ("", "_reverse") if both else ("",)
    tensors: dict[str, np.ndarray] = {}
    for layer, size in enumerate((INPUTS, PROJECTED * len(sides))):
        for side in sides:
            shapes: dict[str, tuple[int, ...]] = {"bias_ih": (20,), "bias_hh": (20,)}
            shapes |= {"weight_ih": (20, size), "weight_hh": (20, PROJECTED), "weight_hr": (PROJECTED, HIDDEN)}
            tensors |= {
                f"{what}_l{layer}{side}": random.standard_normal(shape).astype(np.float32)
                for what, shape in shapes.items()
            }
    return tensors


@pytest.mark.parametrize("both", [False, True])
def test_both_layers_are_read_and_compute_one_after_the_other(tmp_path: Path, both: bool) -> None:
    tensors = stack(both)
    np.savez(tmp_path / "model.npz", **dict[str, Any](tensors))
    found = find_layers(tmp_path / "model.npz")
    [layer] = found.layers
    assert (layer.num_layers, layer.config.proj_size, layer.config.hidden_size) == (2, PROJECTED, HIDDEN)
    write_workload(found, select(found, "all"), InputSequence(4, 2, False, True), tmp_path / "w.yaml")
    workload = load_workload(str(tmp_path / "w.yaml"))
    sizes = [(cell.input_size, cell.recurrent_size, cell.output_size) for cell in workload.spec.cells]
    sides = 2 if both else 1
    assert sizes == [(3, 2, 2)] * sides + [(2 * sides, 2, 2)] * sides
    # 20 rows of weights a direction, and the projection: by hand, for 4 steps of 2 sequences.
    macs = sides * (20 * (3 + 2) + 2 * 5) + sides * (20 * (2 * sides + 2) + 2 * 5)
    assert workload.spec.macs == macs * 4 * 2
    read = load_tensors(workload)
    names = [f"_l{number}{side}" for number in (0, 1) for side in ("", "_reverse")[:sides]]
    for cell, name in zip(read.cells, names, strict=True):
        np.testing.assert_array_equal(cell.weight_hr, tensors[f"weight_hr{name}"])
        np.testing.assert_array_equal(cell.weight_ih, tensors[f"weight_ih{name}"])


def direction(tensors: dict[str, np.ndarray], suffix: str) -> Direction:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    weights = LstmWeights(**{name: tensors[name + suffix] for name in names})
    return Direction(weights, LstmOptions(), np.zeros((1, PROJECTED)), np.zeros((1, HIDDEN)))


def test_the_golden_stack_is_the_formula_written_twice() -> None:
    """h = W_hr (o tanh c) of each layer; the second layer's x is the first one's h."""
    tensors = stack(False)
    x = np.random.default_rng(4).standard_normal((3, 1, INPUTS))
    output, h_n, c_n = run_stack(x, [[direction(tensors, "_l0")], [direction(tensors, "_l1")]])
    values = [step[0] for step in x]
    for layer in (0, 1):
        w = {
            name.removesuffix(f"_l{layer}"): t.astype(np.float64) for name, t in tensors.items() if f"_l{layer}" in name
        }
        h, c, outputs = np.zeros(PROJECTED), np.zeros(HIDDEN), []
        for value in values:
            i, f, g, o = np.split(w["weight_ih"] @ value + w["weight_hh"] @ h + w["bias_ih"] + w["bias_hh"], 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = w["weight_hr"] @ (np.tanh(c) / (1 + np.exp(-o)))
            outputs.append(h)
        assert c_n is not None
        np.testing.assert_allclose(h_n[layer, 0], h, rtol=1e-12)
        np.testing.assert_allclose(c_n[layer, 0], c, rtol=1e-12)
        values = outputs
    np.testing.assert_allclose(output[:, 0], values, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("weight_hr_l1", (3, 5)), ("weight_hr_l1", (2, 4)), ("weight_ih_l1", (20, 5)), ("weight_hr_l1", None)],
)
def test_a_second_layer_that_does_not_fit_is_refused(tmp_path: Path, name: str, shape: tuple[int, ...] | None) -> None:
    """Another projection, one of other units, W_ih of unprojected h, and none at all."""
    tensors = stack(False)
    if shape is None:
        del tensors[name]
    else:
        tensors[name] = np.zeros(shape, np.float32)
    np.savez(tmp_path / "model.npz", **dict[str, Any](tensors))
    try:
        found = find_layers(tmp_path / "model.npz")
    except FaultsError:
        return
    assert not found.layers
    assert found.unsupported
