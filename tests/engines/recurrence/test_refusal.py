"""Which programs the second executor refuses: dependencies on what does not come before, and on words of before."""

from __future__ import annotations

import pytest

from archsim.engines.recurrence.refusal import program_refusal
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
