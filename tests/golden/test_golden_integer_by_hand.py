"""A tiny integer LSTM worked out with pencil and paper: one input, one unit, two steps, every number derived here.

Formats as TensorFlow Lite's integer LSTM has them, all with gemmlowp's rounding: int8 weights (symmetric), int8 x and h
(asymmetric), int32 accumulators, sums q4.12, activations q1.15, an int16 cell with a scale that is a power of two. The
activation unit has the hard functions, which need no calculator: sigmoid(x) = x / 4 + 1/2 and tanh(x) = x in -1 .. 1.

    scales    W_ih 0.01    W_hh 0.005    x 0.05, zero -10    h 0.008, zero 4    cell 2^-11
    products of x 0.01 * 0.05 = 0.0005, of h 0.005 * 0.008 = 0.00004

    codes     i     f     g     o
    W_ih     50    25    80   -40     0.5  0.25  0.8   -0.4   over 0.01
    W_hh     60   -40    10   100     0.3 -0.2   0.05   0.5   over 0.005
    bias    200  1800   100   400     0.1  0.9   0.05   0.2   over 0.0005 (b_ih + b_hh, that of W_ih x)

    x_1 =  1     : 20 - 10 =  10, less its zero point  20        h_0 = 0.256 : 32 + 4 = 36, less its zero point 32
    x_2 = -0.63  : -12.6 -> -13, -23, less its zero point -13    c_0 = 0.5   : 1024

Sums. From the accumulators of x into q4.12: 0.0005 * 4096 = 2.048 = 0.512 2^2, so e = 2: 2^2 v times 0.512, rounded
half up (m is 31 bits of 0.512, too small an error to be seen). From those of h: 0.00004 * 4096 = 0.16384 =
0.65536 2^-2, so e = -2: u = 0.65536 v rounded half up, then u / 4 rounded, ties away from zero.

    step 1         i      f      g      o
    W_ih x + b  1200   2300   1700   -400      200 + 50 * 20, 1800 + 25 * 20, 100 + 80 * 20, 400 - 40 * 20
    * 2.048     2458   4710   3482   -819      2457.6, 4710.4, 3481.6, -819.2
    W_hh h      1920  -1280    320   3200      times 32
    * 0.65536   1258   -839    210   2097      1258.29, -838.86, 209.72, 2097.15
    / 4          315   -210     53    524      314.5, -209.75, 52.5, 524.25 (g in one go: 52.43 -> 52)
    sums        2773   4500   3535   -295
    activated  21930  25384  28280  15794      2 v + 16384 (v / 4096 / 4 + 1/2 = (2 v + 2^14) / 2^15); g: 8 v

    P(f, c)    25384 * 1024 / 2^15 = 793.25                                -> 793
    P(i, g)    21930 * 28280 / 2^(15 + 15 - 11) = 620180400 / 2^19 = 1182.9  -> 1183
    c_1        1976; tanh(c) = 1976 * 2^(15 - 11) = 31616
    P(o, t)    2^-30 / 0.008 = 125/128 2^-23: u = 15794 * 31616 * 125/128 = 499343104 * 125/128 = 487639750;
               u / 2^23 = 58.13                                            -> 58
    h_1        58 + 4 = 62, which stands for 58 * 0.008 = 0.464

    step 2         i      f      g      o
    W_ih x + b  -450   1475   -940    920      200 - 50 * 13, 1800 - 25 * 13, 100 - 80 * 13, 400 + 40 * 13
    * 2.048     -922   3021  -1925   1884      -921.6, 3020.8, -1925.12, 1884.16
    W_hh h      3480  -2320    580   5800      times 58
    * 0.65536   2281  -1520    380   3801      2280.65, -1520.44, 380.11, 3801.09
    / 4          570   -380     95    950      570.25, -380, 95, 950.25
    sums        -352   2641  -1830   2834
    activated  15680  21666 -14640  22052

    P(f, c)    21666 * 1976 / 2^15 = 42812016 / 2^15 = 1306.52             -> 1307
    P(i, g)    15680 * -14640 / 2^19 = -229555200 / 2^19 = -437.84         -> -438
    c_2        869, which stands for 869 / 2048; tanh(c) = 869 * 16 = 13904
    P(o, t)    u = 22052 * 13904 * 125/128 = 306611008 * 125/128 = 299424812.5 -> 299424813;
               u / 2^23 = 35.69                                            -> 36
    h_2        36 + 4 = 40, which stands for 36 * 0.008 = 0.288
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from archsim.golden import Direction, LstmOptions, LstmWeights
from archsim.golden.integer import Coded, Grid
from archsim.golden.integer_functions import Exact
from archsim.golden.integer_layers import run_integer
from archsim.golden.integer_units import Grids, IntegerMachine
from tests.present import present

WEIGHTS = LstmWeights(
    weight_ih=np.array([[0.5], [0.25], [0.8], [-0.4]]),
    weight_hh=np.array([[0.3], [-0.2], [0.05], [0.5]]),
    bias_ih=np.array([0.0, 1.0, 0.05, 0.1]),
    bias_hh=np.array([0.1, -0.1, 0.0, 0.1]),
)
X = np.array([1.0, -0.63]).reshape(2, 1, 1)


def grid(bits: int, scale: float | np.ndarray, zero: int = 0, *, fixed: bool = False) -> Grid:
    return Grid(bits, scale, zero, rounding="gemmlowp", fixed=fixed)


GRIDS = Grids(
    w_ih=grid(8, 0.01),
    w_hh=grid(8, 0.005),
    x=grid(8, 0.05, -10),
    h=grid(8, 0.008, 4),
    accumulator=grid(32, math.nan),
    gate=grid(16, 2.0**-12, fixed=True),
    activation=grid(16, 2.0**-15, fixed=True),
    cell=grid(16, 2.0**-11),
)


@pytest.mark.parametrize("split", [False, True], ids=["fused", "split"])
@pytest.mark.parametrize("rows", [False, True], ids=["tensor", "row"])
def test_tflite_lstm(split: bool, rows: bool) -> None:
    """Fused or split, one scale or the same one for each row: x and h are accumulations of their own in any case."""
    grids = GRIDS
    if rows:
        four = (np.full(4, 0.01), np.full(4, 0.005))
        grids = Grids(**{**vars(GRIDS), "w_ih": grid(8, four[0]), "w_hh": grid(8, four[1])})
    direction = Direction(WEIGHTS, LstmOptions(), np.array([[0.256]]), np.array([[0.5]]))
    machine = IntegerMachine(columns=16, split=split, method=Exact(hard=True))
    one = run_integer(X[:1], direction, grids, machine)
    assert present(one.c_n).tolist() == [[1976 / 2048]]
    both = run_integer(X, direction, grids, machine)
    assert both.output.ravel().tolist() == [58 * 0.008, 36 * 0.008]
    assert both.h_n.tolist() == [[36 * 0.008]]
    assert present(both.c_n).tolist() == [[869 / 2048]]
    assert both.overflows == {}
    assert run_integer(np.array([10, -23]).reshape(2, 1, 1), direction, grids, machine).h_n == both.h_n


def test_codes_stand_for() -> None:
    assert Coded(np.array([62, 40]), GRIDS.h).values.tolist() == [58 * 0.008, 36 * 0.008]
