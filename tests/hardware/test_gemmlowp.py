"""gemmlowp's sigmoid and tanh: the unit and the reference in every code, what they are built of, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.load import load_arch
from archsim.formats import Encoding, Fixed, parse_format
from archsim.golden import gemmlowp as golden
from archsim.hardware.functions.gemmlowp import MOST_INTEGER_BITS, Gemmlowp
from archsim.hardware.numerics import Overflows
from archsim.hardware.operators import Operator, OperatorKind
from archsim.workload import FunctionSpec, load_workload
from tests.hardware.tables import SIGMOID, TANH
from tests.present import present
from tests.rings import few

CODES = np.arange(-32768, 32768)
SETS = ("activation.method=gemmlowp", "formats=tflite_int8")


def encoding(name: str, scale: float | None = None) -> Encoding:
    """The encoding of a q format, or of another with a scale."""
    found = parse_format(name)
    return Encoding(found, present(found.scale if isinstance(found, Fixed) else scale))


def evaluated(function: FunctionSpec, source: str, target: str = "q1.15", scale: float | None = None) -> np.ndarray:
    """The unit's results for all 65,536 arguments."""
    found, _ = Gemmlowp().evaluator(function, encoding(source, scale), encoding(target), Overflows())(CODES)
    return found


@pytest.mark.parametrize("function", [SIGMOID, TANH], ids=str)
@pytest.mark.parametrize("bits", range(MOST_INTEGER_BITS + 1))
def test_unit_and_reference_agree_in_every_code(function: FunctionSpec, bits: int) -> None:
    """Two codes of their own, over all 65,536 arguments, with every number of integer bits."""
    want = {"sigmoid": golden.sigmoid, "tanh": golden.tanh}[function.name](CODES, bits)
    assert np.array_equal(evaluated(function, f"q{bits + 1}.{15 - bits}"), want)


@pytest.mark.parametrize(
    ("function", "exact", "worst"),
    [(SIGMOID, lambda v: 1 / (1 + np.exp(-v)), 7), (TANH, np.tanh, 12)],
    ids=["sigmoid", "tanh"],
)
def test_how_near_it_is_to_the_functions(function: FunctionSpec, exact: Any, worst: int) -> None:
    """Over all arguments in q4.12 and results in q1.15, in codes; measured 6.4 and 11.8."""
    error = np.abs(evaluated(function, "q4.12") - exact(CODES / 4096) * 32768).max()
    assert worst - 1 < error < worst


def test_values_by_hand() -> None:
    """sigmoid(0) is 1/2, code 2^14, and tanh(0) 0. -8 in q4.12 is -1/4 less 7.75, so that all factors from exp(-1/4) to
    exp(-4) come: exp(-8) is 11 of 2^15, and so is sigmoid(-8), within the 7 codes that gemmlowp is off at most."""
    middle, low = 32768, 0
    sigmoid = evaluated(SIGMOID, "q4.12")
    assert sigmoid[middle] == 1 << 14
    assert evaluated(TANH, "q4.12")[middle] == 0
    assert abs(sigmoid[low] - 11) < 7


def test_scales_beyond_the_algorithm_are_brought_into_it() -> None:
    """2^-20 is 2^-5 of the steps of q1.15: 3,200 of them are 100. 2^0 is 8 of the steps of q13.3: 4,096 and more
    saturate there at 4,095.875."""
    scaled = "int16/power_of_two/gemmlowp"
    small = evaluated(TANH, scaled, scale=2.0**-20)
    assert small[32768 + 3200] == evaluated(TANH, "q1.15")[32768 + 100]
    assert small[32768 + 16] == evaluated(TANH, "q1.15")[32768 + 1]  # half a step goes away from 0
    large = evaluated(SIGMOID, scaled, scale=1.0)
    assert large[32768 + 2] == evaluated(SIGMOID, "q13.3")[32768 + 16]
    assert large[-1] == evaluated(SIGMOID, "q13.3")[-1]


def test_what_a_lane_is_built_of() -> None:
    """By the algorithm 5 + 7 + 1 + 2 * 3 multipliers, 1 + 2 + 5 + 1 + 1 + 2 * 3 + 1 adders, 2 comparators: 16 bits."""
    found = Gemmlowp().resources(parse_format("q1.15")).inventory
    assert +found == {
        Operator(OperatorKind.MULTIPLY, 16, 16): 19,
        Operator(OperatorKind.ADD, 16): 17,
        Operator(OperatorKind.COMPARE, 16): 2,
    }


RUNS = [
    (workload, schedule, sets)
    for workload in ("lstm:9,7,t=4,b=2", "lstm:9,7,t=4,proj=3", "gru:9,7,t=4,layers=2", "rnn:9,7,t=4,bidirectional=1")
    for schedule in ("fused", "split_gate_major", "hoisted")
    for sets in ((), ("formats.activation=int8", "formats.cell=q4.12"), ("formats.gate=q6.10/half_up",))
]


@pytest.mark.parametrize(("workload", "schedule", "sets"), few(RUNS, 5))
def test_a_machine_is_the_integer_reference(workload: str, schedule: str, sets: tuple[str, ...]) -> None:
    machine = load_arch("edge_16x16", [parse_override(text) for text in (*SETS, *sets)])
    found = simulate(machine, load_workload(workload), schedule)
    assert found.validation.passed
    assert found.validation.bitwise


def test_stages_count_unless_the_machine_has_its_own() -> None:
    """edge_16x16 says its lines are 4 deep; without a number it is the method's 22. Of the chain of a step three
    activations are one behind the other with the cell between: gates (the last group's) and tanh(c): 2 * 18 cycles."""
    cycles = {}
    for own in ("null", "4"):
        sets = (*SETS, f"activation.latency_cycles={own}", "activation.lanes=64")
        machine = load_arch("edge_16x16", [parse_override(text) for text in sets])
        cycles[own] = simulate(machine, load_workload("lstm:4,4,t=9"), timing_only=True).stats.cycles_per_step
    assert cycles["null"] - cycles["4"] == 2 * (22 - 4)


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ("formats.gate=q4.10", "formats.gate is q4.10; it computes on 16 bits with a power of two as scale"),
        ("formats.cell=int16", "formats.cell is int16; it computes on 16 bits with a power of two as scale"),
        ("formats=float32", "formats.gate is float32; it computes on 16 bits"),
        ("formats.activation=float32", "formats.activation is float32; it computes integers, as q1.15"),
    ],
)
def test_other_formats_are_refused(formats: str, message: str) -> None:
    with pytest.raises(ArchError, match=message.replace(".", r"\.")):
        load_arch("edge_16x16", [parse_override(text) for text in (*SETS, formats)])
