"""Which programs the second executor refuses: dependencies on what does not come before, and on words of before."""

from __future__ import annotations

import pytest

from archsim.engines.recurrence.refusal import length_refusal, program_refusal, refusal_of
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, Program, Wait
from tests.engines.recurrence.generic_phases import phase_of

BEFORE = "waits for an op that does not come before it"
WORDS = "follows the words of an op of an earlier repetition"


@pytest.mark.parametrize(
    ("waits", "op", "lag", "after", "why"),
    [
        ("b", 0, 0, After.DONE, ""),  # the first op, of this repetition
        ("c", 1, 0, After.DONE, ""),
        ("c", 0, 0, After.FIRST, ""),
        ("a", 0, 1, After.DONE, ""),  # itself and later ops, of the repetition before
        ("a", 2, 1, After.DONE, ""),
        ("b", 2, 2, After.FREE, ""),
        ("a", 0, 0, After.DONE, BEFORE),
        ("b", 1, 0, After.DONE, BEFORE),
        ("a", 2, 0, After.DONE, BEFORE),
        ("b", 0, -1, After.DONE, BEFORE),
        ("c", 0, -2, After.DONE, BEFORE),
        ("b", -1, 0, After.DONE, BEFORE),
        ("b", -1, 1, After.DONE, BEFORE),
        ("a", 3, 1, After.DONE, BEFORE),  # there are three ops
        ("a", 4, 1, After.DONE, BEFORE),
        ("c", 0, 1, After.FIRST, WORDS),
    ],
)
def test_what_may_be_waited_for(waits: str, op: int, lag: int, after: After, why: str) -> None:
    phase = phase_of("a:u0 b:u0 c:u1", {waits: [Dep(op, lag, after, Wait.OPERAND)]}, 3)
    found = program_refusal(Program("by hand", (), (phase,)))
    assert found == (f"'{waits}' {why}" if why else "")


def test_units_that_remember_are_named_before_ports_that_are_shared() -> None:
    assert refusal_of([], []) == ""
    assert refusal_of(["dram", "link"], ["state"]) == "service times of dram, link depend on what was before"
    asked = "in the order in which they ask"
    assert refusal_of([], ["weights", "state"]) == f"units are granted the one port of state, weights {asked}"


def test_no_time_of_a_run_is_beyond_62_bits() -> None:
    """2^20 ops of 2^41 cycles of occupancy, 2^40 of depth and 2^40 until the next are 2^62: one of them less will do.

    Of an op's two occupancies the longer one counts, and of all services each as often as it is executed.
    """
    most, times = Service(1, 1 << 41, 1 << 40), 1 << 20
    assert length_refusal([most], [times], 1 << 40) == (f"the run may take {1 << 62:,} cycles, beyond 64-bit integers")
    assert length_refusal([most], [times], (1 << 40) - 1) == ""
    one = Service(1 << 61, 5, 0)
    assert length_refusal([one, one], [1, 1], 0) != ""
    assert length_refusal([one, Service((1 << 61) - 1, 0, 0)], [1, 1], 0) == ""
    assert length_refusal([one, one], [1, 0], 99) == ""
