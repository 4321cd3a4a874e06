"""The integer reference's layers: in wide formats as the float models, in narrow ones as apytypes computes them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.golden import (
    Activation,
    Direction,
    GruOptions,
    GruWeights,
    LstmOptions,
    LstmWeights,
    RnnOptions,
    RnnWeights,
    run_direction,
)
from archsim.golden.integer import Grid, codes_of
from archsim.golden.integer_functions import Exact, Table
from archsim.golden.integer_layers import IntegerResult, run_integer
from archsim.golden.integer_units import Grids, IntegerMachine
from tests.golden.golden_apytypes import FRACTIONS, MODES, Witness
from tests.present import present

STEPS, BATCH, INPUTS, HIDDEN, PROJECTED = 5, 3, 3, 4, 2
Biases = tuple[np.ndarray | None, np.ndarray | None]


def uniform(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(-1.0, 1.0, shape)


def q(bits: int, fraction: int, **options: Any) -> Grid:
    return Grid(bits, 2.0**-fraction, fixed=True, **options)


def grids(data: Grid, accumulator: Grid) -> Grids:
    return Grids(data, data, data, data, accumulator, data, data, data, data, data, data)


WIDE = grids(q(32, 24), q(48, 32))


def lstm(bias: bool = True, projected: bool = False, peephole: bool = False, **options: Any) -> Direction:
    rows, state = 4 * HIDDEN, PROJECTED if projected else HIDDEN
    biases: Biases = (uniform(rows), uniform(rows, seed=1)) if bias else (None, None)
    hr = uniform(PROJECTED, HIDDEN) if projected else None
    weights = LstmWeights(
        uniform(rows, INPUTS), uniform(rows, state), *biases, hr, uniform(3 * HIDDEN) if peephole else None
    )
    return Direction(weights, LstmOptions(**options), uniform(BATCH, state), uniform(BATCH, HIDDEN, seed=1))


def gru(bias: bool = True, **options: Any) -> Direction:
    rows = 3 * HIDDEN
    biases: Biases = (uniform(rows), uniform(rows, seed=1)) if bias else (None, None)
    weights = GruWeights(uniform(rows, INPUTS), uniform(rows, HIDDEN), *biases)
    return Direction(weights, GruOptions(**options), uniform(BATCH, HIDDEN))


def rnn(bias: bool = True, **options: Any) -> Direction:
    biases: Biases = (uniform(HIDDEN), uniform(HIDDEN, seed=1)) if bias else (None, None)
    weights = RnnWeights(uniform(HIDDEN, INPUTS), uniform(HIDDEN, HIDDEN), *biases)
    return Direction(weights, RnnOptions(**options), uniform(BATCH, HIDDEN))


LAYERS = {
    "lstm": lstm(),
    "lstm-reverse": lstm(reverse=True),
    "lstm-no-bias": lstm(bias=False),
    "lstm-projected": lstm(projected=True),
    "lstm-peephole": lstm(peephole=True),
    "lstm-coupled": lstm(input_forget=True, peephole=True),
    "lstm-clip": lstm(clip=0.25),
    "lstm-onnx": lstm(activations=(Activation("hardsigmoid"), Activation("softsign"), Activation("elu"))),
    "lstm-all": lstm(projected=True, peephole=True, clip=0.5, reverse=True),
    "gru": gru(),
    "gru-no-bias": gru(bias=False),
    "gru-reverse-clip": gru(reverse=True, clip=0.25),
    "gru-before": gru(linear_before_reset=False),
    "gru-before-clip": gru(linear_before_reset=False, clip=0.25, bias=False),
    "gru-onnx": gru(activations=(Activation("softsign"), Activation("scaledtanh", 0.5, 1.5))),
    "rnn": rnn(),
    "rnn-no-bias-reverse": rnn(bias=False, reverse=True),
    "rnn-clip-relu": rnn(clip=0.75, activation=Activation("relu")),
}


def off(got: IntegerResult, want: tuple[np.ndarray, np.ndarray, np.ndarray | None]) -> float:
    """The largest difference of output, h_n and c_n."""
    assert (got.c_n is None) == (want[2] is None)
    pairs = zip((got.output, got.h_n, got.c_n), want, strict=True)
    return max(float(np.max(np.abs(a - b))) for a, b in pairs if a is not None and b is not None)


@pytest.mark.parametrize("lengths", [None, (3, 0, 5)], ids=["whole", "lengths"])
@pytest.mark.parametrize("split", [False, True], ids=["fused", "split"])
@pytest.mark.parametrize("name", LAYERS)
def test_wide_fixed_point_is_as_float(name: str, split: bool, lengths: tuple[int, ...] | None) -> None:
    """q8.24 everywhere, q16.32 accumulators."""
    ends = None if lengths is None else np.array(lengths)
    x = uniform(STEPS, BATCH, INPUTS)
    got = run_integer(x, LAYERS[name], WIDE, IntegerMachine(2, split, Exact()), ends)
    assert off(got, run_direction(x, LAYERS[name], ends)) <= 1e-5
    assert got.overflows == {}


def scale_grids(direction: Direction, rounding: str) -> Grids:
    """22-bit data with scales that are no powers of two, x, h and vector with zero points, weights row by row."""
    options: dict[str, Any] = {"rounding": rounding}
    w_ih, w_hh = (np.abs(w).max(1) / 2**21 for w in (direction.weights.weight_ih, present(direction.weights.weight_hh)))
    wide = Grid(26, 1 / 2_800_000, **options)
    hidden = Grid(22, 1 / 750_000, 4567, **options)
    return Grids(
        w_ih=Grid(23, w_ih, **options),
        w_hh=Grid(23, w_hh, **options),
        x=Grid(22, 1 / 1_000_000, -321, **options),
        h=hidden,
        accumulator=Grid(48, math.nan, **options),
        gate=wide,
        activation=Grid(24, 1 / 3_500_000, **options),
        w_hr=Grid(22, 1 / 1_100_000, **options),
        vector=hidden,
        cell=wide,
        peephole=Grid(22, 1 / 1_200_000, **options),
    )


@pytest.mark.parametrize("rounding", ["even", "half_up", "truncate", "gemmlowp"])
@pytest.mark.parametrize("name", LAYERS)
def test_wide_integers_are_as_float(name: str, rounding: str) -> None:
    """Scales, zero points and multipliers all over."""
    direction, x = LAYERS[name], uniform(STEPS, BATCH, INPUTS)
    got = run_integer(x, direction, scale_grids(direction, rounding), IntegerMachine(4, False, Exact()))
    assert off(got, run_direction(x, direction)) <= 4e-5
    assert set(got.overflows) <= {"weight"}, "the code 2^21 of a row's largest weight"


@pytest.mark.parametrize("name", ["lstm", "gru", "gru-before", "rnn", "lstm-all"])
@pytest.mark.parametrize(
    ("method", "error"),
    [
        (Table(4096, 8.0, True, q(24, 18)), 2e-5),
        (Table(4096, 8.0, False, q(24, 18)), 1e-2),
    ],
    ids=["linear", "nearest"],
)
def test_tables_are_as_float(name: str, method: Table, error: float) -> None:
    direction, x = LAYERS[name], uniform(STEPS, BATCH, INPUTS)
    got = run_integer(x, direction, WIDE, IntegerMachine(3, False, method))
    assert off(got, run_direction(x, direction)) <= error


@pytest.mark.parametrize("name", ["lstm", "gru", "gru-before", "rnn"])
def test_codes_are_taken_as_they_are(name: str) -> None:
    """x as codes is x as the real numbers they stand for; narrow formats, in which every rounding shows."""
    narrow_grids = grids(q(8, 5), q(20, 10))
    codes, _ = codes_of(uniform(STEPS, BATCH, INPUTS), narrow_grids.x)
    machine = IntegerMachine(2, False, Exact())
    real = run_integer(codes * 2.0**-5, LAYERS[name], narrow_grids, machine)
    assert np.array_equal(run_integer(codes, LAYERS[name], narrow_grids, machine).output, real.output)


def test_overflows_are_counted_by_kind() -> None:
    """q2.6 holds -2 .. 127/64, the activation q1.7 -1 .. 127/128, the accumulators q3.5 -4 .. 127/32."""
    weights = LstmWeights(np.full((4, 1), 2.5), np.full((4, 1), 0.0), np.array([5.0, 5.0, 0.0, 5.0]))
    direction = Direction(weights, LstmOptions(), np.array([[-3.0]]), np.array([[4.0]]))
    data = q(8, 6)
    formats = replace(grids(data, q(8, 5)), activation=q(8, 7), gate=q(16, 8), cell=data)
    got = run_integer(np.array([[[9.0]]]), direction, formats, IntegerMachine(2, False, Exact(hard=True)))
    # Weights: the four of W_ih. Accumulators: three biases, and after 127/64 * 127/64 = 3.94 and the bias those three
    # (3.97 + 3.94; the rows have one chunk, [x, h]). Activations: all five are 1, i = f = g = o = tanh(c) = 127/128.
    # Cell: c_0, and 127/128 * 127/64 + (127/128)^2 = 2.95.
    assert got.overflows == {"weight": 4, "input": 1, "hidden": 1, "accumulator": 6, "activation": 5, "cell": 2}
    assert present(got.c_n).tolist() == [[127 / 64]]
    assert got.h_n.tolist() == [[63 / 64]], "(127/128)^2 = 0.984, which is 63.004 / 64"


def test_the_cell_is_narrowed_once() -> None:
    """f c = 3 * 1.5 is beyond q2.6, and f c + i g = 4.5 + 3 * -1 = 1.5 is not."""
    weights = LstmWeights(np.zeros((4, 1)), np.zeros((4, 1)), np.array([3.0, 3.0, -1.0, 0.5]))
    affine = Activation("affine")
    direction = Direction(weights, LstmOptions((affine, affine, affine)), np.zeros((1, 1)), np.array([[1.5]]))
    formats = replace(grids(q(16, 6), q(32, 12)), cell=q(8, 6))
    got = run_integer(np.zeros((1, 1, 1)), direction, formats, IntegerMachine(1, False, Exact()))
    assert (present(got.c_n).item(), got.h_n.item(), got.overflows) == (1.5, 0.75, {})


def test_b_hn_has_the_scale_of_its_own_products() -> None:
    """b_hn = 0.75 is 1.5 -> 2 halves (32 * 1/64), that is 1; in quarters as W_in x it would have stayed 0.75.

    r = 1/2 and z = 0, so that h = tanh(1 / 2), which is 1/2 where it is hard. b_z = -8.
    """
    weights = GruWeights(np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, -8.0, 0.0]), np.array([0.0, 0.0, 0.75]))
    direction = Direction(weights, GruOptions(), np.zeros((1, 1)))
    h = Grid(8, 1 / 64)
    formats = Grids(Grid(8, 0.25), Grid(8, 32.0), Grid(8, 1.0), h, Grid(16, math.nan), q(12, 6), q(8, 6))
    got = run_integer(np.zeros((1, 1, 1)), direction, formats, IntegerMachine(1, False, Exact(hard=True)))
    assert got.h_n.item() == 0.5


def test_what_is_refused() -> None:
    x, machine = uniform(STEPS, BATCH, INPUTS), IntegerMachine(2, False, Exact())
    with pytest.raises(TypeError, match="one kind of layer"):
        run_integer(x, replace(lstm(), c_0=None), WIDE, machine)
    with pytest.raises(ValueError, match="another grid of the kind cell"):
        run_integer(x, lstm(), replace(WIDE, cell=None), machine)
    with pytest.raises(ValueError, match="needs weights and vectors in fixed point"):
        run_integer(x, rnn(), replace(WIDE, x=Grid(8, 0.01)), machine)
    with pytest.raises(ValueError, match="clip is a bound"):
        run_integer(x, rnn(clip=-1.0), WIDE, machine)
    with pytest.raises(ValueError, match="each state must have 3 rows"):
        run_integer(x, replace(rnn(), h_0=uniform(1, HIDDEN)), WIDE, machine)
    with pytest.raises(ValueError, match=r"the states must have the shapes \[\(3, 4\), \(3, 4\)\]"):
        run_integer(x, replace(lstm(), c_0=uniform(BATCH, 1)), WIDE, machine)
    with pytest.raises(ValueError, match="6 numbers does not fit a matrix with 7 columns"):
        run_integer(x[:, :, :2], rnn(), WIDE, machine)
    with pytest.raises(ValueError, match=r"lengths must be 3 numbers in 0 \.\. 5"):
        run_integer(x, rnn(), WIDE, machine, np.array([1, 2, 6]))
    with pytest.raises(ValueError, match=r"a bias must have the shape \(4,\)"):
        run_integer(x, replace(rnn(), weights=replace(rnn().weights, bias_ih=uniform(1))), WIDE, machine)


def on_grid(values: np.ndarray | None, fraction: int) -> np.ndarray | None:
    """Values that need no rounding."""
    return None if values is None else np.rint(values * 2.0**fraction) * 2.0**-fraction


@pytest.mark.parametrize("wrap", [False, True], ids=["saturate", "wrap"])
@pytest.mark.parametrize("rounding", MODES)
@pytest.mark.parametrize("split", [False, True], ids=["fused", "split"])
@pytest.mark.parametrize("name", ["lstm-peephole", "gru", "gru-before"])
def test_narrow_fixed_point_is_as_apytypes(name: str, split: bool, rounding: str, wrap: bool) -> None:
    direction, columns = LAYERS[name], 2
    weights = direction.weights
    fields: dict[str, Any] = {
        key: on_grid(value, 10 if key.startswith("bias") else 6) for key, value in vars(weights).items()
    }
    weights = type(weights)(**fields)
    h_0, c_0 = present(on_grid(direction.h_0, 6)), on_grid(direction.c_0, 7)
    x = present(on_grid(1.9 * uniform(STEPS, BATCH, INPUTS), 6))
    grid = {kind: q(*bits, rounding=rounding, wrap=wrap) for kind, bits in FRACTIONS.items()}
    data = grid["data"]
    formats = Grids(data, data, data, data, grid["accumulator"], grid["gate"], grid["activation"])
    formats = replace(formats, vector=data, cell=grid["cell"], peephole=data)
    machine = IntegerMachine(columns, split, Exact(hard=True))
    got = run_integer(x, Direction(weights, direction.options, h_0, c_0), formats, machine)

    witness = Witness(rounding, wrap, columns, split)
    for lane in range(BATCH):
        h = witness.exact(h_0[lane])
        c = None if c_0 is None else witness.exact(c_0[lane])
        for t in range(STEPS):
            x_t = witness.exact(x[t, lane])
            if c is None:
                assert isinstance(weights, GruWeights)
                assert isinstance(direction.options, GruOptions)
                h = witness.gru(weights, direction.options.linear_before_reset, x_t, h)
            else:
                assert isinstance(weights, LstmWeights)
                h, c = witness.lstm(weights, x_t, h, c)
            assert got.output[t, lane].tolist() == h.to_numpy().tolist()
        assert c is None or present(got.c_n)[lane].tolist() == c.to_numpy().tolist()
    assert got.overflows["gate"] > 0, "nothing tried"
