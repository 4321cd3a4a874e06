"""float16, bfloat16 and block floating point: rounding against witnesses and literal definitions, and whole runs.

Rounding is to the nearest, ties to the even one; what rounds beyond the largest finite number saturates and is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.engines.events.options import Jitter
from archsim.formats import KINDS, Encoding, Float32, FloatFormat, parse_format
from archsim.hardware.numerics import Numerics
from archsim.hardware.products import TileShape, product_kernel
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import CellKind
from tests.checking.exact_runs import run_machine, run_untimed, small_case
from tests.checking.format_draws import float_formats, in_formats
from tests.optional import need
from tests.rings import examples, exhaustive, law
from tests.strategies import Case, bits, cases, jitters, seeds, tensors

LARGEST = {"float16": 65504.0, "bfloat16": 2.0**127 * (2 - 2.0**-7), "float32": 2.0**127 * (2 - 2.0**-23)}
DIGITS = {"float16": (11, -14), "bfloat16": (8, -126), "float32": (24, -126)}
"""Significant bits, and the exponent of the smallest normal number."""
narrow = st.sampled_from(("float16", "bfloat16"))


def rounded(name: str, values: np.ndarray) -> tuple[np.ndarray, int]:
    found = parse_format(name)
    assert isinstance(found, FloatFormat)
    return found.rounded(values)


def nearest(name: str, value: float) -> tuple[float, bool]:
    """By definition: the multiple of the last place that is nearest, the even one of two; whether it is too large."""
    digits, smallest = DIGITS[name]
    exponent = max(math.frexp(value)[1] - 1, smallest)
    place = Fraction(2) ** (exponent - digits + 1)
    found = round(Fraction(value) / place) * place
    largest = LARGEST[name]
    return math.copysign(float(min(abs(found), Fraction(largest))), value), abs(found) > largest


def numbers_of(name: str) -> st.SearchStrategy[float]:
    """float64: any, near a tie, near the subnormal numbers and their half, near the largest."""
    digits, smallest = DIGITS[name]
    nudges = st.sampled_from([0.0, 2.0**-52, -(2.0**-52), 2.0**-30, -(2.0**-30)])
    ties = st.builds(
        lambda code, power, nudge: (code + 0.5) * 2.0**power * (1 + nudge),
        st.integers(-(2**digits), 2**digits),
        st.integers(smallest - digits - 3, 20 if name == "bfloat16" else 4),
        nudges,
    )
    large = st.builds(lambda part, nudge: LARGEST[name] * part * (1 + nudge), st.floats(-1.01, 1.01), nudges)
    return st.floats(allow_nan=False, allow_infinity=False) | ties | large


@law
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_rounding_by_definition(name: str) -> None:
    """From float64, at once: also those that are near a tie of the narrow format by less than float32 can see."""

    @settings(max_examples=examples(400))
    @given(numbers_of(name))
    @example(LARGEST[name])
    @example(math.nextafter(LARGEST[name], math.inf))
    @example(LARGEST[name] * (1 + 2.0 ** -DIGITS[name][0] / 2))
    @example(2.0 ** (DIGITS[name][1] - DIGITS[name][0]))
    @example(-0.0)
    def check(value: float) -> None:
        found, beyond = rounded(name, np.array([value]))
        want, saturated = nearest(name, value)
        assert (found.dtype, found.tolist(), beyond) == (np.float32, [want], int(saturated))  # type: ignore[comparison-overlap]
        assert math.copysign(1, found[0]) == math.copysign(1, value)

    check()


def test_saturation_begins_half_a_place_beyond_the_largest() -> None:
    """float16: 65504 + 16 is a tie, and would be 65536, as 65504 is odd; all below is 65504, and no overflow."""
    below = math.nextafter(65520.0, 0.0)
    found, beyond = rounded("float16", np.array([65504.0, below, 65520.0, 1e300, -65520.0]))
    assert (found.tolist(), beyond) == ([65504.0, 65504.0, 65504.0, 65504.0, -65504.0], 3)
    most = LARGEST["bfloat16"]
    half = 2.0**119
    found, beyond = rounded("bfloat16", np.array([most, math.nextafter(most + half, 0.0), most + half, -1e300]))
    assert (found.tolist(), beyond) == ([most, most, most, -most], 2)


def test_float64_is_not_rounded_twice() -> None:
    """1 + 2^-8 + 2^-40: float32 makes 1 + 2^-8 of it, a tie between 1 and 1 + 2^-7, and the even one is 1."""
    value = np.array([1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-8, 1 + 2.0**-8 - 2.0**-40, 1 + 3 * 2.0**-8 - 2.0**-40])
    assert rounded("bfloat16", value.astype(np.float32))[0].tolist() == [1.0, 1.0, 1.0, 1 + 2.0**-6]
    assert rounded("bfloat16", value)[0].tolist() == [1 + 2.0**-7, 1.0, 1.0, 1 + 2.0**-7]
    assert rounded("bfloat16", -value)[0].tolist() == [-1 - 2.0**-7, -1.0, -1.0, -1 - 2.0**-7]
    half = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11])
    assert rounded("float16", half)[0].tolist() == [1 + 2.0**-10, 1.0]
    assert rounded("float16", half.astype(np.float32))[0].tolist() == [1.0, 1.0]


def singles() -> np.ndarray:
    """float32: random bits, ties of both formats, subnormal numbers, those around the largest."""
    random = np.random.default_rng(5)
    words = random.integers(0, 2**32, 200_000, dtype=np.uint32)
    upper = random.integers(0, 2**16, 20_000, dtype=np.uint32) << np.uint32(16)
    ties = np.concatenate([upper + np.uint32(offset) for offset in (0x7FFF, 0x8000, 0x8001)])
    found = np.concatenate([words, ties]).view(np.float32)
    small = (random.integers(-(2**12), 2**12, 20_000) * 2.0**-26).astype(np.float32)
    halves = random.integers(-(2**12), 2**12, 20_000).astype(np.float32) * np.float32(2.0**4)
    context = np.nextafter(np.float32(65520.0), np.float32([0, 1e9]))  # type: ignore[arg-type]
    return np.concatenate([found[np.isfinite(found)], small, halves, context, np.float32([0.0, -0.0, 65504, 65520])])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_as_torch_casts(name: str) -> None:
    """Bit for bit, the zeros' signs too; torch has infinity where this saturates."""
    torch = need("torch")
    values = singles()
    theirs = torch.from_numpy(values).to(getattr(torch, name)).to(torch.float32).numpy()
    got, beyond = rounded(name, values)
    most = np.float32(LARGEST[name])
    assert beyond == np.count_nonzero(np.isinf(theirs)) > 0
    assert np.array_equal(got.view(np.uint32), np.clip(theirs, -most, most).view(np.uint32))


def test_as_ml_dtypes_casts() -> None:
    ml_dtypes = need("ml_dtypes")
    values = singles()
    with np.errstate(over="ignore"):
        theirs = values.astype(ml_dtypes.bfloat16).astype(np.float32)
    got, beyond = rounded("bfloat16", values)
    most = np.float32(LARGEST["bfloat16"])
    assert beyond == np.count_nonzero(np.isinf(theirs))
    assert np.array_equal(got.view(np.uint32), np.clip(theirs, -most, most).view(np.uint32))


# Block floating point.


def blocks_by_definition(values: list[float], bits: int, block: int) -> list[float]:
    """Blocks from the first number on; exponent of the largest magnitude in [2^(e-1), 2^e), e >= -126.

    Mantissas are multiples of 2^(e - bits + 1), to the nearest, ties to the even one, in two's complement.
    """
    found: list[float] = []
    for first in range(0, len(values), block):
        numbers = values[first : first + block]
        exponent = -126
        while max(map(abs, numbers)) >= Fraction(2) ** exponent:
            exponent += 1
        place = Fraction(2) ** (exponent - bits + 1)
        for number in numbers:
            mantissa = min(max(round(Fraction(number) / place), -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
            found.append(float(mantissa * place))
    return found


magnitudes = st.builds(
    lambda code, power: code * 2.0**power, st.integers(-(2**12), 2**12), st.integers(-20, 20)
) | st.floats(-1e30, 1e30)


@settings(max_examples=examples(200))
@given(st.lists(magnitudes, min_size=1, max_size=20), st.integers(2, 24), st.sampled_from((2, 3, 8, 16, 128)))
@example([0.0, -0.0, 0.0], 4, 2)
@example([1e-44, 1.0, 2.0**-140, 3e-39], 8, 2)
@example([-1.0, 1.0, -0.5, 0.5], 4, 4)
@example([7.75, -7.75, 0.25], 6, 8)
def test_blocks(values: list[float], mantissa_bits: int, block: int) -> None:
    name = f"bfp{mantissa_bits}/block{block}"
    found, beyond = rounded(name, np.array(values))
    assert (found.tolist(), beyond) == (blocks_by_definition(values, mantissa_bits, block), 0)
    columns, _ = rounded(name, np.stack([values, np.ones(len(values)), values], axis=1))
    assert columns[:, 0].tolist() == columns[:, 2].tolist() == found.tolist(), "each column has blocks of its own"
    again, _ = rounded(name, found)
    assert again.tolist() == blocks_by_definition(found.tolist(), mantissa_bits, block)


def test_blocks_by_hand() -> None:
    """4 bits, two to a block. 5.0 lies in [4, 8): last place 1; -0.3 is 0. 0.75 in [1/2, 1): last place 1/8.

    7.6 would be 8, which 4 bits do not hold: it is 7. -7.6 is -8.
    """
    assert rounded("bfp4/block2", np.array([5.0, -0.3, 0.75, 0.3, 7.6, -7.6]))[0].tolist() == [
        5.0,
        0.0,
        0.75,
        0.25,
        7.0,
        -8.0,
    ]


def test_blocks_beyond_the_largest() -> None:
    most = 2.0**127 * (2 - 2.0**-6)  # the largest mantissa of 8 bits, 127, in a block with exponent 128
    found, beyond = rounded("bfp8", np.array([1e300, -1e300, 1.0]))
    assert (found.tolist(), beyond) == ([most, -most, 0.0], 2)


def test_bits_of_a_vector() -> None:
    """Mantissas, and 8 bits of exponent for each block that is begun."""
    assert parse_format("bfp8").vector_bits(16) == 16 * 8 + 8
    assert parse_format("bfp8").vector_bits(17) == 17 * 8 + 2 * 8
    assert parse_format("bfp5/block8").vector_bits(24) == 24 * 5 + 3 * 8
    assert parse_format("bfp5/block8").vector_bits(1) == 5 + 8
    assert [parse_format(name).vector_bits(3) for name in ("float32", "bfloat16", "int5", "q4.9")] == [96, 48, 15, 39]


# The accumulators of a tile.


@settings(max_examples=examples(60))
@given(
    st.sampled_from(("float16", "bfloat16")), st.integers(1, 4), st.integers(1, 9), st.booleans(), st.integers(0, 999)
)
def test_accumulators_round_chunk_by_chunk(name: str, columns: int, inputs: int, biased: bool, seed: int) -> None:
    """Numbers whose chunk sums float32 holds exactly, so that nothing depends on the order within a chunk."""
    random = np.random.default_rng(seed)
    weights, x = (random.integers(-99, 99, shape).astype(np.float32) for shape in ((3, inputs), (inputs, 2)))
    bias = random.integers(-999, 999, (3, 1)).astype(np.float32)
    accumulator, gate = parse_format(name), Float32()
    found = {buffer: Encoding(gate) for buffer in ("W", "x", "bias", "sums")}

    def region(buffer: str, entries: int, width: int) -> Region:
        return Region(Buffer(buffer, "m", DataKind.X, entries, width, gate, format_kind="gate"), 0, entries)

    tile = TileShape(
        (region("W", 3, inputs),),
        (region("x", inputs, 2),),
        region("bias", 3, 1) if biased else None,
        region("sums", 3, 2),
        True,
        (columns,),
        True,
        accumulator,
    )
    (got,) = product_kernel(tile, Numerics(found)).effect([weights, x, *([bias] if biased else [])])
    for row, lane in np.ndindex(3, 2):
        total = float(bias[row, 0]) if biased else 0.0
        for first in range(0, inputs, columns):
            part = float(weights[row, first : first + columns] @ x[first : first + columns, lane])
            total = nearest(name, total + nearest(name, part)[0])[0]
        assert got[row, lane] == total


# Whole runs.

NARROW = {name: dict.fromkeys(KINDS, name) for name in ("float16", "bfloat16")}
"""All kinds in one format."""


@settings(max_examples=examples(40))
@given(cases(), float_formats(), seeds, st.none() | jitters())
def test_the_machine_computes_what_the_interpreter_does(
    case: Case, formats: dict[str, str], seed: int, jitter: Jitter | None
) -> None:
    """Blocks are those of what an op writes, so that its bits do not depend on when it runs."""
    case = in_formats(case, formats)
    numbers = case.numbers(tensors(case.spec, seed))
    assert bits(run_machine(case, numbers, jitter=jitter).results()) == bits(run_untimed(case, numbers).results())


FLOAT32 = dict.fromkeys(("accumulator", "gate", "activation", "cell"), "float32")


def output_sqnr(formats: dict[str, str]) -> float:
    """10 log10(signal / noise) of an LSTM's output: 20 steps of 4 sequences, H = 24."""
    case = small_case(
        "fused_interleaved", formats, kind=CellKind.LSTM, input_size=16, hidden_size=24, steps=20, batch=4
    )
    accuracy = case.simulate().accuracy
    assert accuracy is not None
    found = accuracy.tensors[0]
    assert found.name == "output"
    assert found.sqnr_db is not None
    return found.sqnr_db


VARIED: dict[str, tuple[Callable[[int], dict[str, str]], range]] = {
    "bfp": (lambda n: FLOAT32 | dict.fromkeys(("weight", "input", "hidden"), f"bfp{n}"), range(4, 15)),
    "q": (lambda n: dict.fromkeys(KINDS, f"q4.{n}"), range(5, 16)),
    "int": (lambda n: FLOAT32 | dict.fromkeys(("weight", "input", "hidden"), f"int{n}"), range(4, 15)),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", VARIED)
def test_a_bit_more_is_6_decibels(kind: str) -> None:
    """Each bit halves the last place, and with it all rounding errors: the noise falls by 20 log10 2 = 6.02 dB.

    That holds of the expected noise; measured is that of one draw of rounding errors. The errors of the output's 1,920
    numbers are not independent, as the same rounded weights make all of them. If they are worth 100 independent ones,
    their mean square scatters by sqrt(2 / 100) = 14 %, 0.6 dB, and a step, the difference of two, by 0.85 dB: three
    times that is 2.5 dB. In the mean over ten steps the ends alone count, 0.085 dB: three times that is 0.26 dB, and
    with few bits the errors are not small against the numbers.
    """
    formats, widths = VARIED[kind]
    found = [output_sqnr(formats(n)) for n in widths]
    steps = np.diff(found)
    assert (np.abs(steps - 6.02) < 2.5).all(), steps
    assert abs(steps.mean() - 6.02) < 0.3, steps


@exhaustive
def test_float16_has_three_bits_more_than_bfloat16() -> None:
    """11 and 8 significant bits: 18 dB, by the same reasoning within 2.5."""
    found = {name: output_sqnr(formats) for name, formats in NARROW.items()}
    assert abs(found["float16"] - found["bfloat16"] - 3 * 6.02) < 2.5
