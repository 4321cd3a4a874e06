"""Functions at their corners, and what a lane of each simple method is built of, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.formats import Encoding, Fixed, Formats, parse_format
from archsim.hardware.constants import RealFunction
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.methods import Exact, Hard, address_format
from archsim.hardware.numerics import Overflows
from archsim.hardware.operators import Operator, OperatorKind, table_of
from archsim.workload.network import FunctionSpec


@pytest.mark.parametrize(
    ("function", "x", "y"),
    [
        (FunctionSpec("relu"), [-1, 0, 2], [0, 0, 2]),
        (FunctionSpec("affine", 0.5, 3.0), [-2, 0, 4], [2, 3, 5]),
        (FunctionSpec("leakyrelu", 0.25), [-4, 0, 0.5, 4], [-1, 0, 0.5, 4]),
        (FunctionSpec("thresholdedrelu", 1.5), [1, 1.5, 2, -3], [0, 1.5, 2, 0]),
        (FunctionSpec("hardsigmoid", 0.25, 0.5), [-3, -2, 0, 1, 2, 3], [0, 0, 0.5, 0.75, 1, 1]),
        (FunctionSpec("softsign"), [-3, 0, 1], [-0.75, 0, 0.5]),
        (FunctionSpec("sigmoid"), [-200, 0, 200], [0, 0.5, 1]),
        (FunctionSpec("tanh"), [-50, 0, 50], [-1, 0, 1]),
        (FunctionSpec("scaledtanh", 1.5, 0.0), [3], [0]),
        (FunctionSpec("scaledtanh", 1.5, 2.0), [-50, 50], [-1.5, 1.5]),
        (FunctionSpec("elu", 0.5), [-100, 0, 0.5, 3], [-0.5, 0, 0.5, 3]),
        (FunctionSpec("softplus"), [-200, 100], [0, 100]),
        (FunctionSpec("identity"), [-3, 4], [-3, 4]),
    ],
    ids=lambda value: str(value) if isinstance(value, FunctionSpec) else "",
)
def test_functions_at_their_corners(function: FunctionSpec, x: list[float], y: list[float]) -> None:
    given = np.array(x, np.float32)
    found = evaluate(function, given)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(y, abs=1e-30)
    assert given.tolist() == x


def test_small_values_of_sigmoid_are_not_lost() -> None:
    """exp(-80) for -80: 1 / (1 + exp(80)) to all places of float32, and 1 - that of the same magnitude is 1."""
    found = evaluate(FunctionSpec("sigmoid"), np.array([-80.0, -1.0, 1.0], np.float32))
    assert found[0] == pytest.approx(np.exp(-80.0), rel=1e-6)
    assert found[1] + found[2] == pytest.approx(1.0, abs=1e-7)
    log3 = np.log(np.array([1 / 3, 2.0, 3.0], np.float32))
    assert evaluate(FunctionSpec("sigmoid"), log3).tolist() == pytest.approx([1 / 4, 2 / 3, 3 / 4])
    assert evaluate(FunctionSpec("softplus"), np.array([-80.0], np.float32))[0] == pytest.approx(
        np.exp(-80.0), rel=1e-6
    )


Q = Fixed(4, 4)


def test_the_hard_functions_are_three_lines() -> None:
    """In sixteenths: x / 4 + 1/2 from -2 to 2, and x from -1 to 1."""
    encoding = Encoding(Q, Q.scale)
    codes = np.array([-128, -32, -16, 0, 16, 31, 32, 127])
    made = Hard()
    sigmoid, _ = made.evaluator(FunctionSpec("sigmoid"), encoding, encoding, Overflows())(codes)
    tanh, _ = made.evaluator(FunctionSpec("tanh"), encoding, encoding, Overflows())(codes)
    one = np.array([0, 4, 16])
    relu, _ = made.evaluator(FunctionSpec("relu"), Encoding(Q, 0.25), encoding, Overflows())(one - 4)
    moved, beyond = made.evaluator(FunctionSpec("identity"), Encoding(Q, 0.25), encoding, Overflows())(one * 4)
    assert relu.tolist() == [0, 0, 48], "quarters become sixteenths: 12 are 48"
    assert (moved.tolist(), beyond) == ([0, 64, 127], 1)
    assert sigmoid.tolist() == [0, 0, 4, 8, 12, 16, 16, 16]  # 31 is 31/4 + 8 = 15.75
    assert tanh.tolist() == [-16, -16, -16, 0, 16, 16, 16, 16]
    assert (made.latency_cycles, Exact().latency_cycles) == (1, 6)
    assert made.unsupported(frozenset({"tanh", "elu", "softsign", "relu"})) == ("elu", "softsign")


def test_arguments_and_results_have_scales_of_their_own() -> None:
    """A code c stands for (c - 3) quarters: of 5 and 1 the halves 0.5 and -0.5. Results are eighths.

    The hard sigmoid of 0.5 is 0.625 and tanh 0.5 itself, five eighths and four; sigmoid(0.5) = 0.622 is five, too, and
    tanh(0.5) = 0.462 four.
    """
    source, target = Encoding(parse_format("int8/asymmetric"), 0.25, 3), Encoding(parse_format("int8"), 0.125)
    codes = np.array([5, 1])
    for method, name, results in (
        (Hard(), "sigmoid", [5, 3]),
        (Hard(), "tanh", [4, -4]),
        (Exact(), "sigmoid", [5, 3]),
        (Exact(), "tanh", [4, -4]),
    ):
        function = FunctionSpec(name)
        found, beyond = method.evaluator(function, source, target, Overflows())(codes)
        assert (found.tolist(), beyond) == (results, 0)
        constants = method.constants(function, source, target)
        assert isinstance(constants, RealFunction)
        assert (constants.function, constants.method) == (function, "hard" if isinstance(method, Hard) else "exact")
        assert (constants.source_zero, constants.source_scale, constants.target_scale) == (3, 0.25, 0.125)
    lines = Hard().constants(FunctionSpec("relu"), source, target)
    assert isinstance(lines, RealFunction)
    assert (lines.method, lines.source_scale, lines.target_scale) == ("exact", 0.25, 0.125)


MULTIPLY, ADD, COMPARE = OperatorKind.MULTIPLY, OperatorKind.ADD, OperatorKind.COMPARE


def test_what_lanes_are_built_of() -> None:
    """The hard one of an adder and two comparators; the exact one of 2 multipliers, 3 adders and a table of 64 words.

    Of float16 numbers multipliers and adders have 11 bits, comparators and words 16.
    """
    half = parse_format("float16")
    assert +Hard().resources(Q).inventory == {Operator(ADD, 8): 1, Operator(COMPARE, 8): 2}
    assert +Exact().resources(Q).inventory == {
        Operator(MULTIPLY, 8, 8): 2,
        Operator(ADD, 8): 3,
        table_of(64, 8): 1,
    }
    assert +Exact().resources(half).inventory == {
        Operator(MULTIPLY, 11, 11, floating=True): 2,
        Operator(ADD, 11, floating=True): 3,
        table_of(64, 16): 1,
    }


def test_what_one_value_switches() -> None:
    """All of a lane for a curve, for lines a comparator, a multiplier and an adder, and for the identity nothing."""
    half = parse_format("float16")
    assert Exact().evaluation(FunctionSpec("tanh"), Q) == Exact().resources(Q).evaluation
    assert Exact().evaluation(FunctionSpec("relu"), Q) == {
        Operator(COMPARE, 8): 1,
        Operator(MULTIPLY, 8, 8): 1,
        Operator(ADD, 8): 1,
    }
    assert Exact().evaluation(FunctionSpec("relu"), half) == {
        Operator(COMPARE, 16): 1,
        Operator(MULTIPLY, 11, 11, floating=True): 1,
        Operator(ADD, 11, floating=True): 1,
    }
    assert Exact().evaluation(FunctionSpec("identity"), Q) == {}


def test_an_address_is_a_q_format_of_at_most_32_bits() -> None:
    """The section's own, or else that of gates."""
    formats = Formats.model_validate("q4.12")
    assert address_format(FunctionConfig.model_validate({"lanes": 1, "method": "table"}), formats) == Fixed(4, 12)
    own = FunctionConfig.model_validate({"lanes": 1, "method": "table", "address_format": "q8.24"})
    assert address_format(own, formats) == Fixed(8, 24)
    with pytest.raises(ValueError, match=r"a q format of up to 32 bits, as q4\.12; address_format is int8"):
        address_format(
            FunctionConfig.model_validate({"lanes": 1, "method": "table", "address_format": "int8"}), formats
        )
