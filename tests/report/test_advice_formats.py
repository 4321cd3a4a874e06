"""What overflows and errors say of formats, of golden values and formats that are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log10, sqrt

import numpy as np
import pytest

from archsim.checking.format_error import OverflowCount
from archsim.formats import Encoding, Fixed, parse_format
from archsim.report.text import advice_formats
from archsim.report.text.advice_formats import (
    _harmless,
    _integer_bits,
    _on_output,
    _on_overflows,
    _wider,
    one_is_beyond,
    output_advice,
    overflow_advice,
)
from archsim.report.text.values import Values
from tests.report.parts import thing


def fixed(text: str) -> Fixed:
    found = parse_format(text)
    assert isinstance(found, Fixed)
    return found


@pytest.mark.parametrize(
    ("kind", "name", "low", "high", "words"),
    [
        # 9 needs five integer bits, up to 16: of q4.4 the eight bits are q5.3, or one more with the same steps.
        ("gate", "q4.4", -3, 9, "beyond its end at 8; q5.3 (as many bits, coarser steps) or q5.4 (the same steps)"),
        ("gate", "q4.4", -9, 3, "beyond its end at -8; q5.3 (as many bits, coarser steps) or q5.4 (the same steps)"),
        ("gate", "q4.4", -8, 7.9, "which it holds; what it does not are partial sums or the machine's errors."),
        # 100 needs eight integer bits: all that q2.6 has. 1,000 needs eleven, which are more.
        ("gate", "q2.6", 0, 100, "beyond its end at 2; q8.0 (as many bits, coarser steps) or q8.6 (the same steps)"),
        ("gate", "q2.6", 0, 1000, "beyond its end at 2; q11.6 (the same steps) would hold that."),
        # A format has 32 bits at most, 48 in an accumulator.
        ("gate", "q4.27", 0, 9, "q5.26 (as many bits, coarser steps) or q5.27 (the same steps) would hold that."),
        ("gate", "q4.28", 0, 9, "beyond its end at 8; q5.27 (as many bits, coarser steps) would hold that."),
        ("accumulator", "q4.28", 0, 9, "q5.27 (as many bits, coarser steps) or q5.28 (the same steps)"),
        ("accumulator", "q4.44", 0, 9, "beyond its end at 8; q5.43 (as many bits, coarser steps) would hold that."),
        ("gate", "q2.28", 0, 2.0**31, "beyond its end at 2; no q format would hold that."),
    ],
)
def test_formats_that_would_hold_what_is_reached(kind: str, name: str, low: float, high: float, words: str) -> None:
    text = _wider(kind, fixed(name), low, high, "it reaches much")
    assert text.startswith(f"{kind} {name}: it reaches much, ")
    assert words in text


def test_no_more_integer_bits_are_looked_for_than_an_accumulator_may_have() -> None:
    assert _integer_bits(0, 2.0**47 - 1) == 48
    assert _integer_bits(0, 2.0**47) == _integer_bits(0, 2.0**90) == 49


def numbers(formats: str = "q4.12", **parts: object) -> object:
    kinds = {"hidden": parse_format(formats), "gate": parse_format(formats), "activation": parse_format(formats)}
    return thing(formats=thing(format=lambda kind: kinds.get(kind, parse_format(formats))), **parts)


def cells(*names: str) -> object:
    """A network whose gates have those functions."""
    return thing(cells=[thing(functions=[thing(name=name) for name in names])])


def test_what_a_saturated_gate_costs_a_sigmoid_and_tanh() -> None:
    """q3.5 ends at 4: 1 / (1 + e^4) = 0.018 are left of a sigmoid, and 2 / (1 + e^8) = 0.00067 of tanh."""
    found = numbers(spec=cells("sigmoid", "tanh"))
    assert (1 / (1 + exp(4)), 2 / (1 + exp(8))) == pytest.approx((0.018, 0.00067), rel=0.01)
    assert _harmless(found, "gate", fixed("q3.5")) == (  # type: ignore[arg-type]
        " At that end a sigmoid is within 1.8e-02 of its limit, tanh within 6.7e-04: only partial sums that saturate "
        "lose more."
    )
    assert _harmless(found, "cell", fixed("q3.5")) == ""  # type: ignore[arg-type]
    assert _harmless(found, "gate", fixed("q3.5/wrap")) == ""  # type: ignore[arg-type]
    assert _harmless(numbers(spec=cells("sigmoid", "relu")), "gate", fixed("q3.5")) == ""  # type: ignore[arg-type]
    assert _harmless(numbers(spec=cells("tanh")), "gate", fixed("q3.5")) != ""  # type: ignore[arg-type]


def test_one_is_beyond_formats_with_a_sign_and_no_other_integer_bit() -> None:
    assert [one_is_beyond(numbers(name)) for name in ("q1.15", "q2.14", "bfloat16", "int8")] == [  # type: ignore[arg-type]
        True, False, False, False,
    ]  # fmt: skip


def said(
    monkeypatch: pytest.MonkeyPatch, formats: str, counts: Sequence[OverflowCount], parts: Sequence[Values]
) -> tuple[list[str], list[str]]:
    """The sentences, and of which kinds values of the golden model were asked for."""
    asked: list[str] = []

    def golden(_: object, kind: str) -> Sequence[Values]:
        asked.append(kind)
        return parts

    monkeypatch.setattr(advice_formats, "golden_values", golden)
    found = numbers(formats, spec=cells("relu"))
    return list(_on_overflows(found, thing(overflows=counts))), asked  # type: ignore[arg-type]


def values(*numbers: float, scale: float = 1.0) -> Values:
    return Values("h", np.array(numbers), Encoding(parse_format("int4"), scale))


def test_kinds_that_overflow_have_a_sentence_but_those_of_which_nothing_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the accumulator the golden model's complete sums, those of the gates, say what it must hold."""
    kinds = ("accumulator", "cell", "activation", "weight", "address")
    counts = [*(OverflowCount(kind, 1, 10) for kind in kinds), OverflowCount("hidden", 0, 10)]
    texts, asked = said(monkeypatch, "q4.4", counts, [values(-9.0, 3.0)])
    assert asked == ["gate", "cell"]
    assert texts[0].startswith("accumulator q4.4: in the golden model sums reach -9, beyond its end at -8;")
    assert texts[1].startswith("cell q4.4: in the golden model cell reaches -9, beyond its end at -8;")
    assert len(texts) == 2


def test_what_is_reached_is_the_end_of_larger_magnitude(monkeypatch: pytest.MonkeyPatch) -> None:
    for numbers_of, reached in (((-9.0, 9.5), "9.5"), ((-9.0, 8.5), "-9"), ((-9.0, 9.0), "9")):
        texts, _ = said(monkeypatch, "q4.4", [OverflowCount("cell", 1, 10)], [values(*numbers_of)])
        assert f"cell reaches {reached}, " in texts[0]


@pytest.mark.parametrize(
    ("parts", "inside"),
    [
        ([values(-8.0, 7.0)], True),  # -8 .. 7, both ends are in it
        ([values(-8.1, 7.0)], False),
        ([values(-8.0, 7.1)], False),
        ([values(-8.0, 7.0), values(-8.0, 7.0, scale=0.5)], False),  # each in its own range
        ([values(-8.0, 7.0), values(-4.0, 3.5, scale=0.5)], True),
    ],
)
def test_calibrated_ranges_hold_the_golden_values_or_do_not(
    parts: list[Values], inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, _ = said(monkeypatch, "int4", [OverflowCount("hidden", 1, 10), OverflowCount("accumulator", 1, 9)], parts)
    assert len(texts) == 1, "the accumulator of integers has no range from calibration"
    assert texts[0].startswith("hidden int4: ")
    assert ("the golden model stays within that range" in texts[0]) is inside
    assert ("beyond the range that calibration chose" in texts[0]) is not inside


def test_of_floating_point_that_overflows_nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, "float16", [OverflowCount("hidden", 1, 10)], [values(-8.0, 7.0)])[0] == []


def output(
    sqnr: float | None, lengths: tuple[int, ...] | None = None, golden: object = None, hidden: str = "q4.2"
) -> list[str]:
    """q4.2 rounds to quarters: 1.1 to 1, 0.4 to 0.5; two sequences of two steps."""
    spec = thing(steps=2, batch=2, lengths=lengths)
    both = np.array([[[1.1], [2.0]], [[0.4], [7.1]]]) if golden is None else golden
    found = numbers(
        hidden, spec=spec, golden=thing(output=both), encodings={"dram.output": Encoding(parse_format("q4.2"), 0.25)}
    )
    return list(_on_output(found, thing(tensors=[thing(sqnr_db=sqnr)])))  # type: ignore[arg-type]


def test_the_noise_of_rounding_alone_is_that_of_steps_within_their_sequences() -> None:
    """Without step 1 of the second sequence: signal 1.1^2 + 2^2 + 0.4^2 = 5.37, noise 0.1^2 + 0 + 0.1^2 = 0.02.

    That is 10 lg 268.5 = 24.3 dB; a run of 21.3 dB, 3 dB less, has 10^0.3 = 1.995 times the noise: about a half.
    """
    alone = 10 * log10(5.37 / 0.02)
    assert alone == pytest.approx(24.29, abs=0.01)
    [text] = output(alone - 10 * log10(2), (2, 1))
    assert text == (
        "Rounding the golden output to hidden q4.2, and nothing else, gives an SQNR of 24.3 dB: that is 50.0 % of the "
        "output's noise."
    )
    [text] = output(alone + 3, (2, 1))
    assert "that is 100.0 % of" in text, "never more than all"
    # With 7.1, which becomes 7: signal 55.78, noise 0.03.
    assert f"{10 * log10(55.78 / 0.03):.1f} dB" in output(20.0)[0]


def test_nothing_is_said_without_noise_or_signal() -> None:
    assert output(None) == []
    assert output(20.0, hidden="bfp8") == [], "numbers of a block do not round by themselves"
    assert output(20.0, golden=np.array([[[1.0], [2.0]], [[0.5], [7.0]]])) == [], "rounding changes nothing"
    assert output(20.0, golden=np.zeros((2, 2, 1))) == []
    assert sqrt(0.02 / 3) < 0.25, "of the other test: errors are below a step"


def test_a_run_without_numbers_or_accuracy_has_no_advice() -> None:
    for run in (thing(numbers=None, accuracy=1), thing(numbers=1, accuracy=None)):
        assert overflow_advice(run) == output_advice(run) == []
