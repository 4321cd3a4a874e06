"""The delta network of the golden model: by hand, and the ordinary cell where every change is passed on."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.golden.delta import delta_direction
from archsim.golden.functions import Activation
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.stack import Direction, run_direction


def test_a_step_by_hand() -> None:
    """h = relu(x + h / 2 + 1/4) of what was sent, thresholds 0.2 and 0.5, x = 1, 1.1, 1.5.

    1: x is sent, M = 1/4 + 1 = 1.25 = h. 2: x has changed by 0.1, not sent; h by 1.25, sent: M = 1.25 + 0.625 = 1.875.
    3: x has changed by 1.5 - 1 = 0.5 since it was sent: M = 2.375; h by 1.875 - 1.25 = 0.625: M = 2.375 + 0.3125.
    """
    weights = RnnWeights(np.array([[1.0]]), np.array([[0.5]]), np.array([0.25]), None)
    direction = Direction(weights, RnnOptions(activation=Activation("relu")), np.zeros((1, 1)))
    found = delta_direction(np.array([[[1.0]], [[1.1]], [[1.5]]]), direction, 0.2, 0.5)
    assert found.output.ravel().tolist() == [1.25, 1.875, 2.6875]
    assert found.sent_x.ravel().tolist() == [1, 0, 1]
    assert found.sent_h.ravel().tolist() == [0, 1, 1]


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_with_thresholds_0_it_is_the_ordinary_cell(kind: str) -> None:
    random = np.random.default_rng(7)
    gates = {"gru": 3, "lstm": 4, "rnn": 1}[kind]
    arrays = [random.normal(size=size) for size in ((gates * 5, 3), (gates * 5, 5), gates * 5, gates * 5)]
    h_0, c_0 = random.normal(size=(1, 5)), random.normal(size=(1, 5))
    direction = {
        "gru": Direction(GruWeights(*arrays), GruOptions(), h_0),
        "lstm": Direction(LstmWeights(*arrays), LstmOptions(), h_0, c_0),
        "rnn": Direction(RnnWeights(*arrays), RnnOptions(), h_0),
    }[kind]
    x = random.normal(size=(12, 1, 3))
    output, h_n, c_n = run_direction(x, direction)
    found = delta_direction(x, direction, 0.0, 0.0)
    assert np.allclose(found.output, output, rtol=0, atol=1e-12)
    assert np.allclose(found.h_n, h_n, rtol=0, atol=1e-12)
    assert (found.c_n is None) if c_n is None else np.allclose(np.asarray(found.c_n), c_n, rtol=0, atol=1e-12)
    assert not np.allclose(delta_direction(x, direction, 0.5, 0.5).output, output, rtol=0, atol=1e-3)


def test_in_reverse_and_projected_with_thresholds_0_it_is_the_ordinary_cell() -> None:
    random = np.random.default_rng(7)
    arrays = [random.normal(size=size) for size in ((20, 3), (20, 2), 20, 20, (2, 5))]
    states = random.normal(size=(1, 2)), random.normal(size=(1, 5))
    x = random.normal(size=(12, 1, 3))
    for reverse in (False, True):
        direction = Direction(LstmWeights(*arrays), LstmOptions(reverse=reverse), *states)
        output, h_n, _ = run_direction(x, direction)
        found = delta_direction(x, direction, 0.0, 0.0)
        assert np.allclose(found.output, output, rtol=0, atol=1e-12)
        assert np.allclose(found.h_n, h_n, rtol=0, atol=1e-12)
        assert found.sent_h.shape == (12, 1, 2)


def test_reverse_by_hand() -> None:
    """The step above from the last time to the first: x = 1.5, 1.1, 1 in that order in time."""
    weights = RnnWeights(np.array([[1.0]]), np.array([[0.5]]), np.array([0.25]), None)
    options = RnnOptions(activation=Activation("relu"), reverse=True)
    found = delta_direction(
        np.array([[[1.5]], [[1.1]], [[1.0]]]), Direction(weights, options, np.zeros((1, 1))), 0.2, 0.5
    )
    assert found.output.ravel().tolist() == [2.6875, 1.875, 1.25]
    assert found.sent_x.ravel().tolist() == [1, 0, 1]
    assert found.h_n.ravel().tolist() == [2.6875]
