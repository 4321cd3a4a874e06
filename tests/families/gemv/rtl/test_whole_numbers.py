"""The generated files carried out in Python, without Verilator: all codes and all cycles are the simulation's."""

from __future__ import annotations

from collections import defaultdict

import pytest

from archsim.rtl.expected import Expected
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.clocked import Clocked
from tests.families.gemv.rtl.planted import DEEP, FUSED, GRU, LSTM, PROJECTED, WIDE, SmallCase
from tests.families.gemv.rtl.test_words import TINY
from tests.families.gemv.rtl.whole_numbers import Machine
from tests.rings import few
from tools.rtl_random import draw

FEWER_LINES = SmallCase(
    "lstm:4,5,t=3",
    "split_interleaved",
    (
        "formats=tflite_int8",
        "activation.method=piecewise_linear",
        "activation.address_format=q6.2",
        "activation.piecewise_linear.segments=12",
        "activation.piecewise_linear.span=2.0",
        "accumulators.entries=32",
    ),
)
"""12 segments where an address has 16 places within the span, so that each function needs 8: the last one fills up."""

CASES = {
    "tiny": TINY,
    "lstm": LSTM,
    "fused": FUSED,
    "wide": WIDE,
    "gru": GRU,
    "deep": DEEP,
    "projected": PROJECTED,
    "fewer lines": FEWER_LINES,
}


def check_codes(expected: Expected) -> None:
    """Every op is carried out as often, and what it writes are the same codes in the order of writing."""
    found: defaultdict[int, list[list[int]]] = defaultdict(list)
    for retired in Machine(expected.design.files).run():
        found[retired.op].append(retired.codes)
    for number, op in enumerate(expected.design.ops):
        if op is None:  # room of a unit without ops
            assert number not in found
            continue
        tile = expected.program.phases[op.phase].ops[op.index].unit == "mac_array"
        wanted = [(codes.T if tile else codes).reshape(-1).tolist() for codes in expected.codes[op]]
        assert found[number] == wanted, expected.name(op, 0)
    assert sum(map(len, expected.codes.values())) > 10


def check_cycles(expected: Expected) -> None:
    """Every op starts, is free and is done in the same cycles; the last token is underway for a cycle or more."""
    clocked = Clocked(Machine(expected.design.files))
    latency = clocked.machine.c["TOKEN_LATENCY"]
    assert clocked.run(expected.last_cycle + latency + 1) == expected.last_cycle + latency
    for number, op in enumerate(expected.design.ops):
        times = [] if op is None else [(found.start, found.free, found.done) for found in expected.times[op]]
        found = [clocked.events[event, number] for event in "sfd"]
        assert found == [list(cycles) for cycles in zip(*times, strict=True)] or not (times or any(found)), number


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_small_machines(case: SmallCase) -> None:
    """The cases whose RTL the faults are planted in."""
    check_codes(expected_of(case))
    check_cycles(expected_of(case))


@pytest.mark.parametrize("number", few(range(40), 8))
def test_random_machines(number: int) -> None:
    """Those that Verilator runs in the exhaustive ring."""
    _, expected = draw(number)
    check_codes(expected)
    check_cycles(expected)
