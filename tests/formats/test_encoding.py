"""What a buffer stores of numbers, and what stored numbers stand for; ranges and sizes of formats by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.formats import Bit, Encoding, Fixed, FloatFormat, Formats, IntegerFormat, Rounding, Scaled, parse_format
from archsim.formats.rounding import WIDE_LIMIT, limited, power_of_two, rounded


def wide(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("bits", "kind"),
    [(2, np.int8), (8, np.int8), (9, np.int16), (16, np.int16), (17, np.int32), (32, np.int32), (33, np.int64)],
)
def test_codes_are_stored_in_the_narrowest_type(bits: int, kind: npt.DTypeLike) -> None:
    encoding = Encoding(Scaled(bits), zero=1)
    assert encoding.stored_type is kind
    zeros = encoding.zeros((2, 3))
    assert (zeros.dtype, zeros.tolist()) == (kind, [[1] * 3] * 2)


def test_what_is_stored_of_other_formats() -> None:
    """Of 0 a zero of the type: real numbers are float32 in every width, and enables are bytes."""
    for name in ("float32", "bfloat16", "bfp8"):
        encoding = Encoding(parse_format(name))
        assert (encoding.stored_type, encoding.is_integer) == (np.float32, False)
        assert encoding.zeros((2,)).dtype == np.float32
        assert not encoding.zeros((2,)).any()
        assert encoding.decoded(np.array([1.5], np.float32)).tolist() == [1.5]
    bits = Encoding(Bit())
    assert (bits.stored_type, bits.is_integer, bits.zeros((3,)).tolist()) == (np.uint8, False, [0, 0, 0])
    stored, beyond = bits.encoded(np.array([0.0, -2.0, 0.25, 1.0]))
    assert (stored.tolist(), beyond) == ([0, 1, 1, 1], 0)
    assert bits.decoded(stored).tolist() == [0.0, 1.0, 1.0, 1.0]


def test_codes_of_a_scale_and_a_zero_point() -> None:
    """int8, a code is 1/4 and 0 stands at 10: 2.6 is 10.4 codes, so 10 and 20; 29.25 is 117, so the last code, 127.

    29.5 is one beyond, and so are -34.75 (-139 + 10 = -129) and 1e300.
    """
    encoding = Encoding(Scaled(8, asymmetric=True), 0.25, 10)
    codes, beyond = encoding.encoded(np.array([0.0, 2.6, 29.25, -34.5, 29.5, -34.75, 1e300, -1e300]))
    assert (codes.tolist(), beyond) == ([10, 20, 127, -128, 127, -128, 127, -128], 4)
    assert encoding.decoded(codes[:4]).tolist() == [0.0, 2.5, 29.25, -34.5]
    narrow, beyond = encoding.narrowed(wide(117, 118, -138, -139, 0))
    assert (narrow.tolist(), beyond) == ([127, 127, -128, -128, 10], 2)


def test_a_scale_for_each_entry() -> None:
    """6 is 6, 3 and 2 codes of 1, 2 and 3; rows 1 to 2 have the last two scales."""
    encoding = Encoding(Scaled(8), np.array([[1.0], [2.0], [3.0]]))
    codes, _ = encoding.encoded(np.full((3, 2), 6.0))
    assert codes.tolist() == [[6, 6], [3, 3], [2, 2]]
    assert encoding.decoded(codes).tolist() == [[6.0, 6.0]] * 3
    assert encoding.rows(1, 3).encoded(np.full((2, 1), 6.0))[0].tolist() == [[3], [2]]
    assert encoding.rows(0, 1).encoded(np.full((1, 1), 6.0))[0].tolist() == [[6]]
    one = Encoding(Scaled(8), 2.0)
    assert one.rows(1, 3) is one


def integer(name: str) -> IntegerFormat:
    found = parse_format(name)
    assert isinstance(found, IntegerFormat)
    return found


def test_beyond_the_range() -> None:
    """int4 has -8 to 7; of those beyond 8 becomes -8, -9 becomes 7 and 23 = 16 + 7 becomes 7 where they wrap."""
    values = wide(-9, -8, 0, 7, 8, 23)
    for name, wanted in (("int4", [-8, -8, 0, 7, 7, 7]), ("int4/wrap", [7, -8, 0, 7, -8, 7])):
        found, beyond = integer(name).narrowed(values)
        assert (found.tolist(), beyond) == (wanted, 3)
        assert integer(name).narrowed(values[1:4])[0].tolist() == [-8, 0, 7]
    assert (integer("q3.5").lowest, integer("q3.5").highest, parse_format("q3.5").bits) == (-128, 127, 8)


def test_bits_of_a_vector() -> None:
    """A block's exponent has 8 bits: 16 numbers of bfp5 have 16 x 5 + 8, one more begins a second block."""
    sizes = {"float32": 17 * 32, "float16": 17 * 16, "int7": 17 * 7, "q3.2": 17 * 5, "bfp5": 17 * 5 + 2 * 8}
    for name, bits in (sizes | {"bfp5/block4": 17 * 5 + 5 * 8, "bfp5/block17": 17 * 5 + 8}).items():
        assert parse_format(name).vector_bits(17) == bits, name
    assert [parse_format("bfp5").vector_bits(count) for count in (0, 1, 16)] == [0, 13, 88]
    assert (Bit().bits, Bit().vector_bits(5)) == (1, 5)


def test_what_a_multiplier_sees_and_the_largest_number() -> None:
    """Fraction bits of IEEE 754 and the leading 1; of a block the mantissa with its sign, 7 bits of 8 below 2^128."""
    wanted = {"float32": (24, 2.0**128 - 2.0**104), "float16": (11, 65504.0), "bfloat16": (8, 2.0**128 - 2.0**120)}
    for name, (bits, largest) in (wanted | {"bfp8": (8, 2.0**128 - 2.0**121)}).items():
        found = parse_format(name)
        assert isinstance(found, FloatFormat)
        assert (found.significand_bits, found.largest) == (bits, largest), name


def sections(**formats: str) -> Formats:
    return Formats.model_validate({"all": "float32"} | formats)


def test_sums_before_normalization_and_of_a_projection() -> None:
    """With accumulators in their products' scale, sums are integers in the gate's bits, rounded its way.

    A projection's are that where gates have more bits than h: 16 against 8, not 8 against 8 or real numbers.
    """
    ours: dict[str, Any] = {"weight": "int8", "input": "int8", "hidden": "int8", "accumulator": "int32"}
    wider = sections(**ours, gate="q4.12/half_up/wrap")
    assert wider.normalized_sums == wider.projected_sums == Scaled(16, rounding=Rounding.HALF_UP, wraps=True)
    same = sections(**ours, gate="q4.4/truncate")
    assert same.normalized_sums == Scaled(8, rounding=Rounding.TRUNCATE)
    assert same.projected_sums == Fixed(4, 4, Rounding.TRUNCATE)
    real = sections(**ours, gate="bfloat16")
    assert real.normalized_sums == real.projected_sums == parse_format("bfloat16")
    fixed = sections(weight="q2.6", input="q2.6", hidden="q2.6", accumulator="q8.12", gate="q4.12")
    assert fixed.normalized_sums == fixed.projected_sums == Fixed(4, 12)
    of_fixed_h = sections(**(ours | {"hidden": "q1.7"}), gate="q4.12")
    assert (of_fixed_h.normalized_sums, of_fixed_h.projected_sums) == (Scaled(16), Fixed(4, 12))


def test_what_follows_from_the_formats() -> None:
    """W_ih x and W_hh h share accumulators where their products have one scale: q formats of x and h alike, or real."""
    fixed: dict[str, Any] = {"weight": "q2.6", "input": "q2.6", "hidden": "q2.6", "accumulator": "q8.12"}
    assert sections().one_accumulation
    assert sections(**fixed).one_accumulation
    assert not sections(**(fixed | {"hidden": "q1.7"})).one_accumulation
    assert not sections(weight="int8", input="q2.6", hidden="q2.6", accumulator="int32").one_accumulation
    assert not sections(weight="int8", input="int8", hidden="int8", accumulator="int32").one_accumulation
    assert sections(weight="int8", input="int8", hidden="int8").one_accumulation
    assert (sections().converts_sums, sections(gate="float16").converts_sums) == (False, True)
    assert (sections().exact, sections().floating, sections().float32) == (False, True, True)
    mixed = sections(gate="float16", activation="bfloat16")
    assert (mixed.exact, mixed.floating, mixed.float32) == (False, True, False)
    some = sections(cell="q4.12")
    assert (some.exact, some.floating, some.float32) == (False, False, False)
    every = Formats.model_validate("q4.12")
    assert (every.exact, every.floating, every.float32) == (True, False, False)


def test_widths_that_only_some_kinds_may_have() -> None:
    """33 bits and more are for accumulators, zero points of up to 16 bits for x and h."""
    assert sections(weight="q2.30").weight.bits == 32
    with pytest.raises(ValueError, match=r"weight q2.31: more than 32 bits; only an accumulator may have them"):
        sections(weight="q2.31")
    fixed: dict[str, Any] = {"weight": "q2.6", "input": "q2.6", "hidden": "q2.6"}
    assert sections(**fixed, accumulator="q8.40").accumulator.bits == 48
    assert sections(input="int16/asymmetric").input.bits == 16
    with pytest.raises(ValueError, match="input int17/asymmetric: only up to 16 bits have a zero point"):
        sections(input="int17/asymmetric")
    with pytest.raises(ValueError, match="gate int8/asymmetric: only input and hidden have a zero point"):
        sections(gate="int8/asymmetric")


def test_real_numbers_are_rounded_to_whole_ones() -> None:
    """Ties to even, up, down to the floor whatever is left, and away from 0; just below a tie nothing goes up."""
    below = 0.49999999999999994
    values = np.array([0.5, 1.5, -0.5, -1.5, 2.75, -2.75, below, -below])
    wanted = {
        Rounding.EVEN: [0, 2, 0, -2, 3, -3, 0, 0],
        Rounding.HALF_UP: [1, 2, 0, -1, 3, -3, 0, 0],
        Rounding.TRUNCATE: [0, 1, -1, -2, 2, -3, 0, -1],
        Rounding.GEMMLOWP: [1, 2, -1, -2, 3, -3, 0, 0],
    }
    assert {how: rounded(values, how).tolist() for how in Rounding} == wanted


def test_the_exponent_of_a_power_of_two() -> None:
    cases = {1.0: 0, 2.0: 1, 0.125: -3, 2.0**62: 62, 3.0: None, 0.1: None, 1 + 2.0**-52: None}
    assert {value: power_of_two(value) for value in cases} == cases


def test_real_numbers_beyond_all_codes_are_at_the_end() -> None:
    """2^62 codes is where a wide number ends: with a zero point on top it is still the last code."""
    encoding = Encoding(Scaled(48), 1.0, 5)
    codes, beyond = encoding.encoded(np.array([float(WIDE_LIMIT), 2.0**70, -(2.0**70), 2.0**47 - 6, 2.0**47 - 5]))
    last = 2**47 - 1
    assert (codes.tolist(), beyond) == ([last, last, -last - 1, last, last], 4)


EXTREME = (0.0, -0.0, 0.5, -0.5, 127.4, 127.5, -128.5, -128.6, 2.0**31, -(2.0**40), 1e300, -1e300)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize(("bits", "zero"), [(8, 0), (8, -3), (32, 7), (33, 7)])
def test_codes_of_few_bits_are_those_of_the_long_way(bits: int, zero: int, rounding: Rounding) -> None:
    """Limited to 62 bits, the zero point added, then narrowed: the same codes and as many beyond, at any value."""
    encoding = Encoding(Scaled(bits, asymmetric=True, rounding=rounding), 1.0, zero)
    values = np.array([*EXTREME, 2.0**31 - 1 - zero, 2.0**31 - zero, -(2.0**31) - zero, -(2.0**31) - 1 - zero])
    whole = np.clip(rounded(values, rounding), -(2.0**62), 2.0**62).astype(np.int64)
    codes, beyond = encoding.encoded(values)
    longer = encoding.narrowed(limited(whole))
    assert codes.tolist() == longer[0].tolist()
    assert beyond == longer[1]
    assert codes.dtype == np.int64
