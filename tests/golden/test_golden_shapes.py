"""What needs no witness: shapes and states of a stack, what is refused, purity, and the witnesses' own presence."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import archsim.golden
from archsim.golden import (
    Activation,
    Direction,
    GruOptions,
    LstmOptions,
    LstmWeights,
    RnnOptions,
    RnnWeights,
    lstm,
    lstm_direction,
    rnn_direction,
    run_direction,
    run_stack,
)
from tests.golden.golden_onnx import OnnxCase, golden_directions
from tests.present import present


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def lstm_weights(inputs: int, hidden: int) -> LstmWeights:
    rows = 4 * hidden
    return LstmWeights(random(rows, inputs), random(rows, hidden), random(rows), random(rows, seed=1))


def test_golden_imports_numpy_alone() -> None:
    standard = {"__future__", "abc", "collections", "dataclasses", "functools", "types", "typing"}
    allowed = standard | {"archsim.golden", "numpy"}
    for path in Path(archsim.golden.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [present(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("archsim.golden") or name.split(".")[0] in allowed, f"{path.name}: {name}"


def test_lstm_is_one_forward_direction() -> None:
    weights, x, h_0, c_0 = lstm_weights(3, 5), random(4, 2, 3), random(1, 2, 5), random(1, 2, 5, seed=1)
    got = lstm(x, weights.weight_ih, weights.weight_hh, present(weights.bias_ih), present(weights.bias_hh), h_0, c_0)
    output, h_n, c_n = lstm_direction(x, weights, h_0[0], c_0[0], LstmOptions())
    for one, other in zip(got, (output, h_n[None], c_n[None]), strict=True):
        assert np.array_equal(one, other)


def test_linear_rnn_by_hand() -> None:
    """h' = x + 2 h: forwards the sums of a geometric series; backwards from the row's own last step."""
    weights = RnnWeights(np.ones((1, 1)), np.full((1, 1), 2.0))
    options = RnnOptions(Activation("affine"))
    x, h_0, lengths = np.ones((4, 3, 1)), np.zeros((3, 1)), np.array([4, 2, 0])
    output, h_n = rnn_direction(x, weights, h_0, options, lengths)
    assert output[:, :, 0].T.tolist() == [[1, 3, 7, 15], [1, 3, 0, 0], [0, 0, 0, 0]]
    assert h_n[:, 0].tolist() == [15, 3, 0]
    output, h_n = rnn_direction(x, weights, h_0 + 1, replace(options, reverse=True), lengths)
    assert output[:, :, 0].T.tolist() == [[31, 15, 7, 3], [7, 3, 0, 0], [0, 0, 0, 0]]
    assert h_n[:, 0].tolist() == [31, 7, 1]


def test_padding_may_hold_anything() -> None:
    """What stands behind a row's end reaches neither its output nor its state."""
    weights, x = lstm_weights(3, 5), random(4, 2, 3)
    lengths = np.array([2, 4])
    clean = lstm_direction(x, weights, random(2, 5), random(2, 5), LstmOptions(reverse=True), lengths)
    x[2:, 0] = np.nan
    dirty = lstm_direction(x, weights, random(2, 5), random(2, 5), LstmOptions(reverse=True), lengths)
    for one, other in zip(clean, dirty, strict=True):
        assert np.array_equal(one, other)


def test_stack_shapes() -> None:
    """Two layers of two projecting directions, in torch's shapes."""
    projected = replace(lstm_weights(3, 5), weight_hh=random(20, 2), weight_hr=random(2, 5))
    upper = replace(projected, weight_ih=random(20, 4))
    layers = [
        [Direction(weights, LstmOptions(reverse=reverse), random(6, 2), random(6, 5)) for reverse in (False, True)]
        for weights in (projected, upper)
    ]
    output, h_n, c_n = run_stack(random(7, 6, 3), layers)
    assert c_n is not None
    assert (output.shape, h_n.shape, c_n.shape) == ((7, 6, 4), (4, 6, 2), (4, 6, 5))
    assert np.array_equal(output[-1, :, :2], h_n[2])
    assert np.array_equal(output[0, :, 2:], h_n[3])


@pytest.mark.parametrize("op", ["GRU", "RNN"])
def test_no_cell_state(op: str) -> None:
    _, _, c_n = run_stack(random(3, 2, 4), [golden_directions(OnnxCase(op, 3, 2, 4, 5))])
    assert c_n is None


def test_nothing_is_written_to() -> None:
    """Inputs that cannot be written to are enough, and a second run gives the same."""
    case = OnnxCase("LSTM", 4, 2, 3, 5, direction="reverse", peepholes=True, clip=0.5, lengths=(3, 4))
    (direction,) = golden_directions(case)
    x, lengths = case.tensors()["X"], np.array(case.lengths)
    for tensor in (x, lengths, direction.h_0, direction.c_0, *vars(direction.weights).values()):
        if tensor is not None:
            tensor.flags.writeable = False
    for one, other in zip(run_direction(x, direction, lengths), run_direction(x, direction, lengths), strict=True):
        assert np.array_equal(present(one), present(other))


ONE: dict[str, Any] = {"x": random(4, 2, 3), "weights": lstm_weights(3, 5), "h_0": random(2, 5), "c_0": random(2, 5)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": random(4, 3)}, "x .* does not fit"),
        ({"x": random(4, 2, 1)}, "x .* does not fit"),
        ({"h_0": random(1, 5)}, "2 rows"),
        ({"c_0": random(2, 1)}, "c_0 must be"),
        ({"weights": replace(lstm_weights(3, 5), bias_ih=random(1))}, "a bias must"),
        ({"weights": replace(lstm_weights(3, 5), peephole=random(5))}, "peephole must"),
        ({"lengths": np.array([4])}, "2 whole numbers"),
        ({"lengths": np.array([4.0, 2.0])}, "2 whole numbers"),
        ({"lengths": np.array([5, 1])}, "0 .. 4"),
        ({"lengths": np.array([-1, 1])}, "0 .. 4"),
        ({"options": LstmOptions(clip=-1.0)}, "magnitude"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    """Shapes that NumPy would stretch without a word, and numbers without a meaning."""
    with pytest.raises(ValueError, match=message):
        lstm_direction(**{**ONE, "options": LstmOptions(), **changes})


def test_one_kind_each() -> None:
    lstm_layer = Direction(ONE["weights"], LstmOptions(), ONE["h_0"], ONE["c_0"])
    for wrong in (replace(lstm_layer, options=GruOptions()), replace(lstm_layer, c_0=None)):
        with pytest.raises(TypeError, match="one kind of layer"):
            run_direction(ONE["x"], wrong)
    rnn = Direction(RnnWeights(random(5, 5), random(5, 5)), RnnOptions(), ONE["h_0"])
    with pytest.raises(ValueError, match="all must be of one kind"):
        run_stack(ONE["x"], [[lstm_layer], [rnn]])


@pytest.mark.parametrize(("full", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_witness(
    require: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, full: str, outcome: type[BaseException]
) -> None:
    """A skip with the reason on a user's machine; a failure with ARCHSIM_FULL=1."""
    monkeypatch.setenv("ARCHSIM_FULL", full)
    with pytest.raises(outcome, match="no_such_witness"):
        require("no_such_witness")
    assert require("numpy") is np


@pytest.mark.parametrize("lengths", [[-1, 2, 2], [2, 2, 5]])
def test_lengths_beyond_the_sequence_are_refused(lengths: list[int]) -> None:
    weights, options = RnnWeights(np.ones((1, 1)), np.ones((1, 1))), RnnOptions()
    with pytest.raises(ValueError, match=r"lengths must lie in 0 \.\. 4"):
        rnn_direction(np.ones((4, 3, 1)), weights, np.zeros((3, 1)), options, np.array(lengths))
