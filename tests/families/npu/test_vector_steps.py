"""The steps of the multi-function units on single numbers, by hand: in integers, and in float32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from archsim.families.npu.config import NpuConfig
from archsim.families.npu.evrf import Evrf, Ones
from archsim.families.npu.vector_steps import AddTo, Function, OneMinus, Settle, Step, Times
from archsim.families.registry import build_units
from archsim.formats import Encoding, Fixed, parse_format
from archsim.hardware.constants import AddStep, ConstantConstants, DifferenceStep, SettleStep, TimesStep
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.functions.methods import Method
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload.network import FunctionSpec
from tests.families.npu.machines import machine


@dataclass
class Registers:
    """Registers of three numbers with encodings of their own."""

    numerics: Numerics = field(default_factory=lambda: Numerics({}))
    encodings: dict[str, Encoding] = field(default_factory=dict)

    def add(self, name: str, text: str, scale: float | None = None, zero: int = 0) -> Region:
        number_format = parse_format(text)
        own = number_format.scale if isinstance(number_format, Fixed) and scale is None else scale or 1.0
        self.encodings[name] = Encoding(number_format, float(own), zero)
        self.numerics = Numerics(self.encodings)
        return Region(Buffer(name, "mfu0_add", DataKind.GATE, 3, 1, number_format, format_kind=name), 0, 3)

    def run(self, step: Step, words: Sequence[float], operand: Sequence[float] | None = None) -> list[float]:
        """The words behind the step, as stored."""
        kind = np.float32 if not self.numerics.encoding_of(step.regions[-1]).is_integer else np.int64
        columns = [None if given is None else np.array(given, kind).reshape(-1, 1) for given in (words, operand)]
        assert columns[0] is not None
        found = step.bind(self.numerics, method())(columns[0], columns[1])
        return [value.item() for value in found.reshape(-1)]


def method() -> Method:
    config = machine().config
    assert isinstance(config, NpuConfig)
    return make_method(config.mfu, config.formats)


IDENTITY = FunctionSpec("identity")


def test_words_are_bounded_before_the_function() -> None:
    """A bound of 0.5 in q4.12 is 2048 codes. Words are wider than the format: 40,000 stands for 9.8. Results in q1.15:
    0.5 is 16384, and 0.25, 1024 codes, 8192."""
    of = Registers()
    step = Function(function=IDENTITY, source=of.add("from", "q4.12"), result=of.add("into", "q1.15"), clip=0.5)
    assert of.run(step, [40_000, -3000, 1024]) == [16384, -16384, 8192]
    assert of.numerics.overflows.values == {"into": 3}
    assert of.numerics.overflows.overflowed == {}


def test_without_a_bound_the_format_of_the_result_is_the_bound() -> None:
    of = Registers()
    step = Function(function=IDENTITY, source=of.add("from", "q4.12"), result=of.add("into", "q1.15"))
    assert of.run(step, [8192, -8192, 1024]) == [32767, -32768, 8192]
    assert of.numerics.overflows.overflowed == {"into": 2}


@pytest.mark.parametrize(("clip", "bound"), [(7.5, 30720), (7.9998, 32767), (100.0, 32767), (0.0001, 0)])
def test_a_bound_is_the_nearest_number_and_at_most_the_largest(clip: float, bound: int) -> None:
    """In q4.12: 7.5 x 4096; 7.9998 x 4096 = 32767.2; 100 has no number; 0.0001 x 4096 = 0.4 is 0."""
    of = Registers()
    step = Function(function=IDENTITY, source=of.add("from", "q4.12"), result=of.add("into", "q12.12"), clip=clip)
    assert of.run(step, [1 << 20, -(1 << 20), 0]) == [bound, -bound, 0]
    constants = step.constants(of.numerics, method())
    assert getattr(constants, "clip") == bound  # noqa: B009
    free = Function(function=IDENTITY, source=step.source, result=step.result)
    assert getattr(free.constants(of.numerics, method()), "clip", 0) is None


def test_a_sum_is_brought_into_the_format_of_its_register() -> None:
    """The register has a zero point of 3, the result one of -2: 10 stands for 7, and 7 + 5 is stored as 10."""
    of = Registers()
    step = AddTo(register=of.add("sums", "int8", 0.5, 3), result=of.add("into", "int8", 0.5, -2))
    assert of.run(step, [5, 200, -200], [10, 3, 3]) == [10, 127, -128]
    assert of.numerics.overflows.overflowed == {"into": 2}
    assert step.constants(of.numerics, method()) == AddStep(3)
    assert (step.stage, step.operand, step.regions) == (1, step.register, (step.register, step.result))


def test_a_bias_is_brought_into_the_format_first() -> None:
    """Biases in steps of 1/16, sums in quarters: 10/16 is 2.5 quarters, to even 2. In 8 bits 600/16, 150 quarters, is
    127 before 100 words are taken off it."""
    of = Registers()
    into, bias = of.add("into", "int8", 0.25), of.add("bias", "int16", 0.0625)
    assert of.run(Settle(result=into, bias=bias), [1, -100, -300], [10, 600, 0]) == [3, 27, -128]
    assert of.numerics.overflows.values == {"into": 6}
    assert of.numerics.overflows.overflowed == {"into": 2}
    found = Settle(result=into, bias=bias).constants(of.numerics, method())
    assert isinstance(found, SettleStep)
    assert found.bias is not None
    assert (found.bias.multipliers, found.bias.shifts) == ((1,), (2,))
    assert Settle(result=into).constants(of.numerics, method()) == SettleStep(None)
    assert of.run(Settle(result=into), [1, 128, -129]) == [1, 127, -128]
    assert (Settle(result=into).operand, Settle(result=into).regions) == (None, (into,))
    assert Settle(result=into, bias=bias).regions == (bias, into)


def test_one_minus_is_the_largest_number_minus() -> None:
    """In q1.15 there is no 1: 32767 stands for it. With a register the words are that constant."""
    of = Registers()
    gate = of.add("gate", "q1.15")
    assert of.run(OneMinus(like=gate), [0, 32767, 1000]) == [32767, 0, 31767]
    assert of.run(OneMinus(like=gate, register=gate), [32767] * 3, [0, 32767, 1000]) == [32767, 0, 31767]
    assert OneMinus(like=gate).constants(of.numerics, method()) == DifferenceStep(32767)
    wider = of.add("wider", "q2.14")
    assert of.run(OneMinus(like=wider), [0, 16384, 1000]) == [16384, 0, 15384]


def test_a_product_has_the_scale_of_its_result() -> None:
    """A gate of 0.5 times 6, zero point 4: 6.0 in steps of 1/64 is 384 codes and 4. In steps of 1/16: 48 codes; 7/64 x
    0.5 is 0.875 sixteenths, 1. Beyond 8 bits, 0.5 x 20, it is 160 until it is brought into the format."""
    of = Registers()
    register, gate, into = of.add("h", "int16", 1 / 64, 4), of.add("gate", "q1.15"), of.add("into", "int8", 1 / 16)
    words, values = [16384] * 3, [384 + 4, 7 + 4, 1280 + 4]
    wide = Times(register=register, like=gate, result=into)
    assert of.run(wide, words, values) == [48, 1, 160]
    assert of.numerics.overflows.values == {}
    narrow = Times(register=register, like=gate, result=into, narrow=True)
    assert of.run(narrow, words, values) == [48, 1, 127]
    assert of.numerics.overflows.overflowed == {"into": 1}
    found = [step.constants(of.numerics, method()) for step in (wide, narrow)]
    for constants, narrows in zip(found, (False, True), strict=True):
        assert isinstance(constants, TimesStep)
        assert constants.narrow is narrows
        product = constants.product
        # 2^-15 / 64 to 1/16 is 2^-17.
        assert (product.a_zero, product.b_zero, product.rescale.multipliers, product.rescale.shifts) == (
            0,
            4,
            (1,),
            (17,),
        )
    assert wide.regions == (gate, register, into)


def test_in_floating_point() -> None:
    """float32, with bfloat16 (8 bits of a significand) where a format is named: 1 + 2^-8 is 1, to even."""
    of = Registers()
    wide, narrow = of.add("wide", "float32"), of.add("narrow", "bfloat16")
    assert of.run(AddTo(register=wide, result=narrow), [2.0**-8, 0.5, 0.0], [1.0, 1.0, 3.0]) == [1.0, 1.5, 3.0]
    assert of.run(Times(register=wide, like=wide, result=wide), [0.5, 2.0, -1.0], [3.0, 3.0, 3.0]) == [1.5, 6.0, -3.0]
    assert of.run(OneMinus(like=wide), [0.25, 1.0, 0.0]) == [0.75, 0.0, 1.0]
    clipped = Function(function=IDENTITY, source=wide, result=wide, clip=0.75)
    assert of.run(clipped, [2.0, -2.0, 0.5]) == [0.75, -0.75, 0.5]
    assert of.run(Settle(result=wide, bias=wide), [1.0, 2.0, 3.0], [0.5, 0.5, -0.5]) == [1.5, 2.5, 2.5]


def test_a_constant_register_of_ones() -> None:
    """A 1 for each number of its source, whatever that holds: 32767 in q1.15, 16384 in q2.14, 1.0 in float32."""
    of = Registers()
    unit = build_units(machine().config)["evrf"]
    assert isinstance(unit, Evrf)
    for text, one in (("q1.15", 32767), ("q2.14", 16384), ("float32", 1.0)):
        op = Ones(unit="evrf", label="one", source=of.add("gate", text), targets=(of.add("a", text), of.add("b", text)))
        results = unit.kernel(op, of.numerics).effect(())
        assert [found.tolist() for found in results] == [[[one]] * 3] * 2
        assert op.reads == ()
        if text != "float32":
            assert unit.constants(op, of.numerics) == ConstantConstants(int(one))


def test_stages() -> None:
    """Activation, addition, multiplication."""
    of = Registers()
    one = of.add("one", "q4.12")
    steps = [
        Function(function=IDENTITY, source=one, result=one),
        AddTo(register=one, result=one),
        Settle(result=one),
        OneMinus(like=one),
        Times(register=one, like=one, result=one),
    ]
    assert [step.stage for step in steps] == [0, 1, 1, 1, 2]
    assert [step.operand is None for step in steps] == [True, False, True, True, False]
