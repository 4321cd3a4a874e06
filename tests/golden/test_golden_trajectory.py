"""Traces: the same run in every bit, and internals that satisfy the layers' equations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.golden import (
    Activation,
    Direction,
    DirectionTrace,
    GruOptions,
    LstmOptions,
    LstmWeights,
    RnnOptions,
    apply,
    run_direction,
    run_stack,
    trace_direction,
    trace_stack,
)
from tests.golden.golden_onnx import OnnxCase, golden_directions
from tests.golden.golden_onnx_draws import onnx_cases
from tests.present import present


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def lengths_of(case: OnnxCase) -> np.ndarray | None:
    return None if case.lengths is None else np.array(case.lengths)


def valid_steps(case: OnnxCase) -> np.ndarray:
    """(T, B, 1): whether a row has that time step."""
    lengths = np.array(case.lengths or [case.steps] * case.batch)
    return (np.arange(case.steps)[:, None] < lengths)[:, :, None]


def before(states: np.ndarray, initial: np.ndarray, reverse: bool) -> np.ndarray:
    """The state (T, B, P) that each step starts from."""
    start = np.asarray(initial, np.float64)[None]
    return np.concatenate([states[1:], start] if reverse else [start, states[:-1]])


def summed(x: np.ndarray, weight: np.ndarray, *biases: np.ndarray | None) -> np.ndarray:
    product: np.ndarray = np.asarray(x, np.float64) @ np.asarray(weight, np.float64).T
    return np.asarray(product + sum(b for b in biases if b is not None))


def check_equations(case: OnnxCase, direction: Direction, trace: DirectionTrace) -> None:
    """Every internal from the ones before it, by the equations of the ONNX operators."""
    valid = valid_steps(case)
    w, options = direction.weights, direction.options
    x, pre, gates = case.tensors()["X"], trace.pre, trace.gates
    h = before(trace.h, direction.h_0, options.reverse)
    clip = np.inf if options.clip is None else options.clip
    bias_ih, bias_hh = (np.zeros(len(w.weight_ih)) if b is None else b for b in (w.bias_ih, w.bias_hh))
    recurrent = present(w.weight_hh)
    blocks = len(w.weight_ih) // recurrent.shape[1] if case.op != "LSTM" else 4
    w_ih, w_hh, b_ih, b_hh = (np.split(part, blocks) for part in (w.weight_ih, recurrent, bias_ih, bias_hh))

    def sums(place: int) -> np.ndarray:
        return np.asarray(summed(x, w_ih[place], b_ih[place]) + summed(h, w_hh[place], b_hh[place]))

    def same(got: np.ndarray, want: np.ndarray) -> None:
        np.testing.assert_allclose(np.where(valid, got, 0.0), np.where(valid, want, 0.0), rtol=1e-12, atol=1e-12)
        assert not got[~valid[:, :, 0]].any(), "beyond a row's length everything is 0"

    def activated(function: Activation, name: str) -> None:
        same(gates[name], apply(function, np.clip(pre[name], -clip, clip)))

    if isinstance(options, RnnOptions):
        assert case.op == "RNN"
        assert set(pre) == {"h"}
        assert not gates
        assert trace.c is trace.tanh_c is trace.vector is None
        same(pre["h"], sums(0))
        same(np.where(valid, trace.h, 0.0), apply(options.activation, np.clip(pre["h"], -clip, clip)))
        return
    if isinstance(options, GruOptions):
        assert case.op == "GRU"
        gate, candidate = options.activations
        for place, name in enumerate("rz"):
            same(pre[name], sums(place))
            activated(gate, name)
        if options.linear_before_reset:
            assert set(pre) == {"r", "z", "n", "n_x", "n_h"}
            assert trace.vector is None
            same(pre["n_x"], summed(x, w_ih[2], b_ih[2]))
            same(pre["n_h"], summed(h, w_hh[2], b_hh[2]))
            same(pre["n"], pre["n_x"] + gates["r"] * pre["n_h"])
        else:
            assert set(pre) == {"r", "z", "n"}
            same(present(trace.vector), gates["r"] * h)
            same(pre["n"], summed(x, w_ih[2], b_ih[2]) + summed(present(trace.vector), w_hh[2], b_hh[2]))
        activated(candidate, "n")
        same(np.where(valid, trace.h, 0.0), (1 - gates["z"]) * gates["n"] + gates["z"] * h)
        return
    assert isinstance(w, LstmWeights)
    gate, candidate, hidden = options.activations
    c = before(present(trace.c), present(direction.c_0), options.reverse)
    seen = {"i": c, "f": c, "o": present(trace.c)}
    peepholes = {} if w.peephole is None else dict(zip("ifo", np.split(w.peephole, 3), strict=True))
    names = [name for name in "ifgo" if not (options.input_forget and name == "f")]
    assert set(pre) == {*names, *(f"{name}_sum" for name in names if name in peepholes)}
    for name in names:
        at = "ifgo".index(name)
        peephole = peepholes[name] * seen[name] if name in peepholes else 0.0
        same(pre[name], sums(at) + peephole)
        if name in peepholes:
            same(pre[f"{name}_sum"], sums(at))
        activated(candidate if name == "g" else gate, name)
    if options.input_forget:
        same(gates["f"], 1 - gates["i"])
    same(np.where(valid, present(trace.c), 0.0), gates["f"] * c + gates["i"] * gates["g"])
    same(present(trace.tanh_c), np.where(valid, apply(hidden, present(trace.c)), 0.0))
    product = gates["o"] * present(trace.tanh_c)
    if w.weight_hr is None:
        assert trace.vector is None
        same(np.where(valid, trace.h, 0.0), product)
    else:
        same(present(trace.vector), product)
        same(np.where(valid, trace.h, 0.0), summed(product, w.weight_hr))


def check(case: OnnxCase) -> None:
    x, lengths = case.tensors()["X"], lengths_of(case)
    valid = valid_steps(case)
    for direction in golden_directions(case):
        trace = trace_direction(x, direction, lengths)
        for one, other in zip((trace.output, trace.h_n, trace.c_n), run_direction(x, direction, lengths), strict=True):
            assert (one is None) == (other is None)
            assert one is None or np.array_equal(one, present(other))
        assert np.array_equal(np.where(valid, trace.h, 0.0), trace.output), "h is the output, at the time of its input"
        last = 0 if direction.options.reverse else -1
        assert np.array_equal(trace.h[last], trace.h_n)
        assert trace.c is None or np.array_equal(trace.c[last], present(trace.c_n))
        check_equations(case, direction, trace)


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
@given(data=st.data())
def test_any_layer(op: str, data: st.DataObject) -> None:
    check(data.draw(onnx_cases(op)))


@pytest.mark.parametrize(
    "case",
    [
        OnnxCase("LSTM", 5, 3, 2, 4, "bidirectional", peepholes=True, input_forget=True, clip=0.3, lengths=(5, 1, 3)),
        OnnxCase("LSTM", 5, 3, 2, 4, "reverse", peepholes=True, lengths=(2, 5, 3)),
        OnnxCase("GRU", 5, 3, 2, 4, "bidirectional", linear_before_reset=True, clip=0.3, lengths=(5, 1, 3)),
        OnnxCase("GRU", 5, 3, 2, 4, "bidirectional", lengths=(5, 1, 3)),
        OnnxCase("RNN", 5, 3, 2, 4, "bidirectional", clip=0.3, lengths=(5, 1, 3)),
    ],
    ids=lambda case: f"{case.op} {case.direction}",
)
def test_all_options_at_once(case: OnnxCase) -> None:
    check(case)


def projecting(inputs: int, reverse: bool) -> Direction:
    weights = LstmWeights(random(20, inputs), random(20, 2), random(20), random(20, seed=1), random(2, 5))
    return Direction(weights, LstmOptions(reverse=reverse), random(3, 2), random(3, 5))


def test_a_projection_keeps_the_vector_before_it() -> None:
    case = OnnxCase("LSTM", 6, 3, 3, 5, lengths=(6, 2, 4))
    for reverse in (False, True):
        direction = projecting(3, reverse)
        trace = trace_direction(case.tensors()["X"], direction, lengths_of(case))
        assert trace.vector is not None
        assert (trace.h.shape, trace.vector.shape) == ((6, 3, 2), (6, 3, 5))
        check_equations(case, direction, trace)


def test_a_stack_is_run_stack_in_every_bit() -> None:
    layers = [[projecting(inputs, reverse) for reverse in (False, True)] for inputs in (3, 4)]
    x, lengths = random(7, 3, 3), np.array([7, 3, 5])
    traces = trace_stack(x, layers, lengths)
    output, h_n, c_n = run_stack(x, layers, lengths)
    assert np.array_equal(np.concatenate([trace.output for trace in traces[-1]], axis=2), output)
    flat = [trace for layer in traces for trace in layer]
    assert np.array_equal(np.stack([trace.h_n for trace in flat]), h_n)
    assert np.array_equal(np.stack([present(trace.c_n) for trace in flat]), present(c_n))


def test_a_stack_of_different_kinds() -> None:
    (gru,), (rnn,) = (golden_directions(OnnxCase(op, 4, 3, size, 2)) for op, size in (("GRU", 3), ("RNN", 2)))
    ((below,), (above,)) = trace_stack(random(4, 3, 3), [[gru], [rnn]])
    assert np.array_equal(above.output, run_direction(below.output, rnn)[0])


def test_a_row_without_steps_and_padding_that_is_no_number() -> None:
    """A row of length 0 keeps its states at all times; what stands behind a row's end reaches nothing."""
    direction, x, lengths = projecting(3, reverse=True), random(4, 3, 3), np.array([0, 4, 2])
    clean = trace_direction(x, direction, lengths)
    assert np.array_equal(clean.h[:, 0], np.broadcast_to(direction.h_0[0], (4, 2)))
    assert not clean.output[:, 0].any()
    x[:, 0] = x[2:, 2] = np.nan
    dirty = trace_direction(x, direction, lengths)
    for name in ("output", "h_n", "c_n", "h", "c", "vector", "tanh_c"):
        assert np.array_equal(getattr(clean, name), getattr(dirty, name)), name
    for name in ("gates", "pre"):
        for key, part in getattr(clean, name).items():
            assert np.array_equal(part, getattr(dirty, name)[key]), (name, key)


def test_by_hand() -> None:
    """One step of one unit; every weight is 1, no bias; x = 1, h_0 = 0, c_0 = 2."""
    weights = LstmWeights(np.ones((4, 1)), np.ones((4, 1)), peephole=np.array([1.0, -1.0, 0.5]))
    direction = Direction(weights, LstmOptions(clip=2.0), np.zeros((1, 1)), np.full((1, 1), 2.0))
    trace = trace_direction(np.ones((1, 1, 1)), direction)
    got = {name: part.item() for name, part in trace.pre.items()}
    i, f, g = 1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(1.0)), np.tanh(1.0)
    c = f * 2 + i * g
    want = {"i": 3.0, "f": -1.0, "g": 1.0, "o": 1 + c / 2, "i_sum": 1.0, "f_sum": 1.0, "o_sum": 1.0}
    assert got == pytest.approx(want, rel=1e-14)
    assert trace.gates["i"].item() == pytest.approx(i, rel=1e-14)
    assert trace.tanh_c is not None
    assert trace.tanh_c.item() == pytest.approx(np.tanh(c), rel=1e-14)
    coupled = trace_direction(np.ones((1, 1, 1)), replace(direction, options=LstmOptions(input_forget=True)))
    assert "f" not in coupled.pre
    assert "f_sum" not in coupled.pre
    assert coupled.gates["f"].item() == 1 - coupled.gates["i"].item()
