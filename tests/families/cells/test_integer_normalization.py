"""Layer normalization in integers: by hand, the machine's against the reference's, and in whole cells."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import simulate
from archsim.cli.options import load_inputs
from archsim.families.cells.normalize import Normalize
from archsim.families.cells.normalize_integers import IntegerNormalization
from archsim.families.cells.normalize_integers import inverse_root as machine_root
from archsim.formats import Encoding, Fixed, Scaled
from archsim.formats.rounding import Rounding
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_norm import inverse_root, normalize
from archsim.program.ir import Buffer, DataKind, Region
from tests.present import present
from tests.rings import few

Codes = npt.NDArray[np.int64]
Q = Fixed(4, 12, Rounding.GEMMLOWP)
WIDE = Scaled(32, rounding=Rounding.GEMMLOWP)
GAMMA = 1 / 4000


def machine(sums: Codes, gamma: Codes, scale: float, bias: Codes | None) -> Codes:
    """The codes of q4.12 that the machine makes of sums (n, B), gamma (n) of a scale, and a bias (n) in 1,024ths."""
    n = len(sums)
    weights = Encoding(Scaled(16), np.full((n, 1), scale))
    of_bias = None if bias is None else Encoding(WIDE, np.full((n, 1), scale / 1024))
    method = IntegerNormalization(weights, of_bias, Encoding(Q, Q.scale))
    return Encoding(Q, Q.scale).narrowed(method(sums, gamma[:, None], None if bias is None else bias[:, None]))[0]


def reference(sums: Codes, gamma: Codes, scale: float, bias: Codes | None) -> Codes:
    """The same from the reference."""
    scales = np.full(len(sums), scale)
    late = None if bias is None else Coded(bias, Grid(32, scales / 1024, rounding="gemmlowp"))
    target = Target("gate", Grid(16, Q.scale, rounding="gemmlowp", fixed=True), Counter())
    made = normalize(Coded(sums.T, Grid(16, 1.0)), Coded(gamma, Grid(16, scales)), late, target)
    return made.codes.T


@pytest.mark.parametrize("normalized", [machine, reference])
@pytest.mark.parametrize(
    ("sums", "bias", "want"),
    [
        # M = 1024 * 400 / 2 = 204,800. V = (100,000 * 2^19 - M^2) / 2^20 = 10,000, its root 100. d = -+102,400 / 100 =
        # -+1,024; times gamma's code 2,000, + 300 * 1024, / 1024: -1,700 and 2,300; times 1.024: -1,740.8, 2,355.2.
        ([100, 300], 300 * 1024, [-1741, 2355]),
        # M = 1024 * 21 / 4 = 5,376. V = (111 * 2^18 - M^2) / 2^20 = 0.19: 10,000 gamma's scale = 2.5, so 2. d = -256
        # and 768, / 1.41421: -181 and 543; * 2,000 / 1024: -353.5 and 1,060.5, which are -354 and 1,061; times 1.024.
        ([5, 5, 6, 5], None, [-362, -362, 1086, -362]),
        # M = -1024 * 31 / 3 = -10,581.3, towards 0. V is below 1. d = 341 and -683, / 1.41421: 241 and -483; 471 and
        # -943 behind gamma; times 1.024. From -10,582 it would be 242, 473 and 484.
        ([-10, -10, -11], None, [482, 482, -966]),
    ],
)  # fmt: skip
def test_by_hand(normalized: object, sums: list[int], bias: int | None, want: list[int]) -> None:
    assert callable(normalized)
    late = None if bias is None else np.full(len(sums), bias)
    found = normalized(np.array(sums)[:, None], np.full(len(sums), 2000), GAMMA, late)
    assert found[:, 0].tolist() == want


def test_the_inverse_root_of_both() -> None:
    """Equal in every bit, and within 1.3e-6 of the root.

    Steps begin with z = x sqrt(y) = sqrt(y) for y in 1/4 .. 1, and z becomes z (1.5 - z^2 / 2). From 1/2 on: 0.6875,
    0.8688, 0.9753, 0.99910, 1 - 1.23e-6; from there up it is nearer. The bits on the way cost some 2^-27.
    """
    random = np.random.default_rng(3)
    variances = np.unique(
        [*range(1, 300), *(2 ** random.uniform(0, 30, 2000)).astype(np.int64), 2**29, 2**30, 2**30 - 1]
    )
    root, shift = machine_root(variances)
    assert [inverse_root(int(variance)) for variance in variances] == list(zip(root, shift, strict=True))
    error = root * 2.0 ** -(31 + shift) * np.sqrt(variances.astype(np.float64)) - 1
    assert 1.2e-6 < np.abs(error).max() < 1.3e-6


def test_drawn_normalizations_are_the_references() -> None:
    """Of any number of units, with sums that fill 16 bits, are all alike, or have one that stands out."""
    random = np.random.default_rng(4)
    for _ in range(60):
        n, lanes = int(random.integers(1, 70)), int(random.integers(1, 4))
        most = int(random.choice([1, 2, 50, 3000, 32767]))
        sums = random.integers(-most - 1, most, (n, lanes), endpoint=True)
        sums[0, 0] = random.choice([sums[0, 0], -32768, 32767])
        gamma, scale = random.integers(-32768, 32767, n, endpoint=True), float(2 ** random.uniform(-20, -5))
        bias = random.choice([0, 1]) * random.integers(-(2**31), 2**31 - 1, n, endpoint=True)
        assert np.array_equal(machine(sums, gamma, scale, bias), reference(sums, gamma, scale, bias))


@pytest.mark.parametrize(
    ("units", "sequences", "lanes", "stages", "cycles"),
    [
        # ceil(8 / 4) = 2 turns, 4 additions: 8. A tree of 3 and the product before it, 3 + 1; the mean 3, the variance
        # 1, 5 steps of 3 products and one more: 4 + 4 + 16 = 24 of 2 stages, 48. The second sum and the leading bit: 2.
        (8, 1, 4, 2, 58),
        # 6 turns: 24. No tree: 1 + 4 + 16 = 21 of 1 stage, 2, and the second sequence 1.
        (3, 2, 1, 1, 48),
        # 2 turns: 8. Units without stages: all between the passes takes no time but 2.
        (4, 1, 2, 0, 10),
    ],
)
def test_cycles_of_the_op(units: int, sequences: int, lanes: int, stages: int, cycles: int) -> None:
    sums = Region(Buffer("sums", "accumulators", DataKind.PARTIAL_SUM, units, sequences, Q, 1), 0, units)
    weights = Region(Buffer("layer_norm", "weight_sram", DataKind.LAYER_NORM, units, 1, Scaled(16)), 0, units)
    op = Normalize(unit="elementwise", label="norm", sums=sums, weights=weights, bias=None, target=sums)
    assert op.compute_cycles(lanes, stages) == cycles
    assert op.last_pass(lanes, stages) == (cycles - 2 * -(-units * sequences // lanes), 2)


CASES = [
    (arch, schedule, options)
    for arch in ("edge_16x16", "edge_64x64", "edge_64x64_q4_12")
    for schedule in ("fused", "split", "hoisted", "ahead", "fused_gate_major")
    for options in ((), ("peepholes=true", "bidirectional=true"), ("input_forget=true", "proj_size=3"), ("bias=false",))
]


@pytest.mark.parametrize("case", few(((case,) for case in CASES), 7))
def test_in_every_bit_the_integer_reference(case: tuple[str, str, tuple[str, ...]]) -> None:
    """Also of models of real numbers, whose sums take scales from what is seen: 30 dB and more of tflite_int8.

    A scale for all gates, or that of q4.12, would cost some; the scale of another gate costs nearly all.
    """
    arch, schedule, options = case
    found = simulate(*load_inputs(arch, "lstm:5,9,t=4,b=2", ["layer_norm=true", *options]), schedule)
    assert found.validation.passed
    assert found.validation.bitwise
    golden = present(found.numbers).golden.output
    error = present(found.results).output - golden
    assert 10 * np.log10((golden**2).sum() / (error**2).sum()) > (5 if "q4_12" in arch else 30)
