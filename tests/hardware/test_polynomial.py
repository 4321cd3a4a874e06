"""Sigmoid and tanh from cubic pieces: how far off, where exact, what is refused, what it is built of."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import simulate
from archsim.cli.main import main
from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.load import load_arch
from archsim.formats import Bfloat16, Encoding, Float16, Float32, FloatFormat, Formats
from archsim.hardware.functions.polynomial import PIECES, Polynomial, coefficients, make_polynomial
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.hardware.operators import Operator, OperatorKind, table_of
from archsim.workload import CellKind, FunctionSpec, load_workload
from tests.hardware.tables import SIGMOID, TANH
from tests.present import present
from tests.rings import exhaustive
from tests.strategies import network

Single = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
F32 = Encoding(Float32())
WITHIN = 2.0**-23


def evaluated(function: FunctionSpec, x: Single, target: FloatFormat | None = None) -> Single:
    """The method's results, stored in a format."""
    overflows = Overflows()
    into = F32 if target is None else Encoding(target)
    found, beyond = Polynomial().evaluator(function, F32, into, overflows)(x)
    assert (beyond, overflows.overflowed) == (0, {})
    assert found.dtype == np.float32
    return found


def real(function: FunctionSpec, x: Single) -> Double:
    """The function in float64."""
    wide = x.astype(np.float64)
    if function is TANH:
        return np.tanh(wide)
    power = np.exp(-np.abs(wide))
    found: Double = np.where(wide >= 0, 1, power) / (1 + power)
    return found


def worst(function: FunctionSpec, x: Single) -> float:
    """The largest error, as a part of the bound."""
    return float(np.abs(evaluated(function, x) - real(function, x)).max() / WITHIN)


def near_the_ends_of_pieces() -> Single:
    """The numbers on which pieces of tanh and of sigmoid begin, and three on each side of them."""
    ends = np.concatenate([np.arange(-PIECES, PIECES + 1) / 16, np.arange(-PIECES, PIECES + 1) / 8]).astype(np.float32)
    return np.concatenate([ends + step * np.spacing(ends) for step in range(-3, 4)])


@pytest.mark.parametrize("function", [SIGMOID, TANH])
def test_the_error_everywhere(function: FunctionSpec) -> None:
    """At every multiple of 2^-14 in [-20, 20], around the ends of pieces, and from 2^-149 to 2^-14: within 2^-23.

    Chebyshev's points leave 2.0e-8 of the cubic, a sixth of the bound; c0 is rounded by up to 2^-25, half a place below
    1, and so is the result, a quarter of the bound each. What is added to c0 is below 1/16, and so is what its
    rounding adds, 2^-28 in all. Sigmoid halves all that and is rounded once more.
    """
    every = (np.arange(-20 * 2**14, 20 * 2**14 + 1) / 2**14).astype(np.float32)
    small = np.float32(2.0) ** np.arange(-149, -13, dtype=np.float32)
    for x in (every, near_the_ends_of_pieces(), small, -small):
        assert worst(function, x) <= 1


@exhaustive
@pytest.mark.parametrize("function", [SIGMOID, TANH])
@pytest.mark.parametrize("exponent", range(-6, 5))
def test_the_error_of_every_float32(function: FunctionSpec, exponent: int) -> None:
    """All 2^24 numbers from 2^exponent to twice that, of either sign."""
    start = int(np.float32(2.0**exponent).view(np.int32))
    for first in range(start, start + 2**23, 2**20):
        x = np.arange(first, first + 2**20, dtype=np.int32).view(np.float32)
        assert worst(function, x) <= 1
        assert worst(function, -x) <= 1


def test_odd_and_where_it_ends() -> None:
    """tanh(-x) = -tanh(x) in every bit, 0 keeps its sign; beyond 16 it is 1. sigmoid(0) = 1/2. NaN stays."""
    x = np.concatenate([near_the_ends_of_pieces(), np.float32(2.0) ** np.arange(-149, 128, dtype=np.float32)])
    assert np.array_equal(evaluated(TANH, -x).view(np.int32), (-evaluated(TANH, x)).view(np.int32))
    zeros = np.array([0.0, -0.0], np.float32)
    assert np.array_equal(evaluated(TANH, zeros).view(np.int32), zeros.view(np.int32))
    assert evaluated(SIGMOID, zeros).tolist() == [0.5, 0.5]
    far = np.array([16, 20, 1e38, np.inf], np.float32)
    assert evaluated(TANH, far).tolist() == [1.0] * 4
    assert evaluated(TANH, -far).tolist() == [-1.0] * 4
    assert evaluated(SIGMOID, 2 * far).tolist() == [1.0] * 4
    assert evaluated(SIGMOID, -2 * far).tolist() == [0.0] * 4
    for function in (SIGMOID, TANH):
        assert np.isnan(evaluated(function, np.array([np.nan, -np.nan], np.float32))).all()
        for shape in ((0, 3), (5, 1), (2, 3)):
            assert evaluated(function, np.zeros(shape, np.float32)).shape == shape


def test_the_cubics_pass_through_tanh() -> None:
    """At the four Chebyshev points of each piece the table's cubic is tanh, but for its rounding to float32.

    c0 is up to 1 and rounded by up to 2^-25; c1 is up to 1/16 and so on, so that twice that bounds them all. The first
    piece has its c0, 2e-9, set to 0: at 0 tanh is 0.
    """
    table = coefficients()
    assert table.shape == (PIECES, 4)
    points = (1 + np.cos(np.pi * np.array([1, 3, 5, 7]) / 8)) / 2
    c0, c1, c2, c3 = table.astype(np.float64).T[:, :, None]
    cubics = c0 + points * (c1 + points * (c2 + points * c3))
    found = np.abs(cubics - np.tanh((np.arange(PIECES)[:, None] + points) / 16))
    assert found.max() <= 2.0**-24
    assert table[0, 0] == 0
    ends = np.abs(table[:-1].astype(np.float64).sum(axis=1) - table[1:, 0])
    assert ends.max() <= 2 * 2.0e-8 + 2.0**-24, "pieces meet: each is off by 2.0e-8 at most, and rounded"


def test_every_coefficient_is_the_nearest_float32() -> None:
    """Lagrange's polynomials in 60 decimal digits, where the table is from Newton's differences in 40: the same bits.

    With float64 instead, whose tanh differs between libraries in the last place, 429 of the 1,024 would be others.
    """
    with localcontext(Context(prec=60)):
        cosines = [(2 + Decimal(2).sqrt()).sqrt() / 2, (2 - Decimal(2).sqrt()).sqrt() / 2]
        points = [(1 + cosine) / 2 for cosine in (*cosines, *(-cosine for cosine in cosines))]
        bases = []
        for here in points:
            a, b, c = (other for other in points if other != here)
            scale = 1 / ((here - a) * (here - b) * (here - c))
            bases.append([scale * term for term in (-a * b * c, a * b + b * c + c * a, -(a + b + c), Decimal(1))])
        table = []
        for piece in range(PIECES):
            powers = [(2 * (piece + point) / 16).exp() for point in points]
            values = [(power - 1) / (power + 1) for power in powers]
            columns = zip(*bases, strict=True)
            table.append([float(sum(map(Decimal.__mul__, values, column), Decimal(0))) for column in columns])
    table[0][0] = 0.0
    assert np.array_equal(np.array(table).astype(np.float32), coefficients())


@pytest.mark.parametrize(("target", "half_place"), [(Float16(), 2.0**-12), (Bfloat16(), 2.0**-9)])
@pytest.mark.parametrize("function", [SIGMOID, TANH])
def test_narrower_results(function: FunctionSpec, target: FloatFormat, half_place: float) -> None:
    """The float32 result, rounded to the format once: below 1 half its last place off, and what the float32 was off.

    float16 has 10 fraction bits, so that a place between 1/2 and 1 is 2^-11; bfloat16 has 7: 2^-8.
    """
    x = (np.arange(-20 * 2**8, 20 * 2**8 + 1) / 2**8).astype(np.float32)
    found = evaluated(function, x, target)
    assert np.array_equal(target.rounded(found)[0], found), "numbers of the format"
    assert np.array_equal(target.rounded(evaluated(function, x))[0], found)
    assert np.abs(found - real(function, x)).max() <= half_place + WITHIN


def test_other_functions_of_lines_stay_what_they_are() -> None:
    """relu and affine are computed as themselves; of curves there are two."""
    x = np.array([-1.5, 0.25, 3.0], np.float32)
    assert evaluated(FunctionSpec("relu"), x).tolist() == [0.0, 0.25, 3.0]
    assert evaluated(FunctionSpec("affine", 2.0, 1.0), x).tolist() == [-2.0, 1.5, 7.0]
    assert Polynomial().unsupported(frozenset({"sigmoid", "tanh", "relu", "softsign", "elu"})) == ("elu", "softsign")


def test_what_a_lane_is_built_of() -> None:
    """256 pieces of 4 coefficients of 32 bits; three products and, with the half that sigmoid adds, four sums of 24-bit
    significands; a comparator for the magnitude's 32 bits. It computes in float32, whatever its results."""
    expected = LaneInventory(256 * 4 * 32, ((24, 24),) * 3, (24,) * 4, (32,), floating=True, read_bits=4 * 32)
    method = Polynomial()
    assert method.resources(Float32()) == method.resources(Bfloat16()) == expected
    tally = method.evaluation(TANH, Float32())
    assert tally[Operator(OperatorKind.MULTIPLY, 24, 24, floating=True)] == 3
    assert tally[Operator(OperatorKind.ADD, 24, floating=True)] == 4
    assert tally[Operator(OperatorKind.COMPARE, 32)] == 1
    assert tally[table_of(256, 128)] == 1
    assert method.latency_cycles == 9


def test_a_machine_without_a_depth_of_its_own_has_nine_stages() -> None:
    sets = ["activation.method=polynomial", "activation.latency_cycles=null", "formats=float32"]
    arch = load_arch("edge_64x64", [parse_override(text) for text in sets])
    stats = simulate(arch, load_workload("lstm:3,2,t=2"), "fused", timing_only=True).stats
    nine = load_arch("edge_64x64", [parse_override(text) for text in (*sets, "activation.latency_cycles=9")])
    assert stats.latency_cycles == simulate(nine, load_workload("lstm:3,2,t=2"), timing_only=True).stats.latency_cycles


def formats_of(*overrides: str) -> Formats:
    """float32 but for some kinds."""
    sets = ["activation.method=exact", "formats=float32", *(f"formats.{text}" for text in overrides)]
    return load_arch("edge_16x16", [parse_override(text) for text in sets]).config.formats


def test_arguments_and_results_must_be_floating_point() -> None:
    """Weights and sums before them need not be."""
    for formats in (formats_of("gate=bfloat16", "activation=float16"), formats_of("weight=int8", "hidden=q1.15")):
        assert isinstance(make_polynomial(formats), Polynomial)
    for kind, name in (("gate", "q4.12"), ("cell", "q8.8"), ("activation", "q1.15")):
        with pytest.raises(ValueError, match=rf"^formats\.{kind} is {name}; it computes in floating"):
            make_polynomial(formats_of(f"{kind}={name}"))


def test_refused_with_integers_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["archsim", "run", "edge_16x16", "--set", "activation.method=polynomial"])
    with pytest.raises(SystemExit) as caught:
        main()
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("archsim: error: ")
    assert "activation: method polynomial: formats.gate is q4.12" in line
    assert "as float32 or bfloat16 (for integers: method table or piecewise_linear)" in line


def test_other_curves_are_refused_in_one_line() -> None:
    functions = [{"name": name} for name in ("softsign", "tanh", "tanh")]
    work = network(kind=CellKind.LSTM, input_size=3, hidden_size=2, activations=tuple(functions))
    with pytest.raises(ArchError) as caught:
        simulate(load_arch("tiny_2x2"), work)
    (line,) = str(caught.value).splitlines()
    assert "polynomial stands for sigmoid and tanh; the workload needs softsign" in line


@pytest.mark.parametrize(("arch", "workload"), [("tiny_2x2", "lstm_3_2_t4"), ("cloud_256x256", "gru:7,9,t=5,b=3")])
def test_the_golden_model_judges_a_machine_in_float32(arch: str, workload: str) -> None:
    """No machine of integers or narrower numbers is judged so; the tolerance is that of any float32 machine, 1e-5."""
    machine = load_arch(arch)
    assert machine.config.function_unit.method.name == "polynomial"
    found = simulate(machine, load_workload(workload))
    assert found.validation.passed is True
    assert found.validation.not_judged == ""
    exact = simulate(load_arch(arch, [parse_override("activation.method=exact")]), load_workload(workload))
    mine, theirs = (present(run.results).output for run in (found, exact))
    assert 0 < np.abs(mine - theirs).max() < 5e-6, (
        "other bits than the functions themselves, by as little as they may be"
    )
    narrow = simulate(load_arch(arch, [parse_override("formats=bfloat16")]), load_workload(workload))
    assert narrow.validation.passed is None
