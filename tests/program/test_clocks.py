"""What an op knows to lie behind it, by hand."""

from __future__ import annotations

import numpy as np

from archsim.program.accesses import Accesses
from archsim.program.clocks import At, Clocks
from archsim.program.ir import After, Dep, Phase, PhaseKind, Wait
from tests.laws.generic_ops import Mix


def clocks(deps: tuple[tuple[Dep, ...], ...], units: str, repeat: int = 1, skip_first: int = 0) -> Clocks:
    """Of ops on these units; the last one is left out in the first repetitions."""
    skips = [0] * (len(units) - 1) + [skip_first]
    ops = tuple(Mix(unit=unit, label=unit, skip_first=skip) for unit, skip in zip(units, skips, strict=True))
    return Clocks(Phase("body", PhaseKind.BODY, repeat, ops, deps), Accesses.of(ops), repeat)


def dep(op: int, after: After = After.DONE, lag: int = 0) -> Dep:
    return Dep(op, lag, after, Wait.OPERAND)


def knows(found: Clocks, at: At, instance: int, other: int, *, done: bool) -> bool:
    (known,) = found.know(*(np.array([value]) for value in (at, instance, done, other)))
    return bool(known)


def test_a_unit_starts_behind_f_of_the_op_before_and_ends_behind_its_d() -> None:
    """Ops 0 and 1 of one unit: at its start op 1 knows F of op 0, and D only at its own."""
    found = clocks(((), ()), "aa")
    found.learn()
    assert knows(found, At.START, 1, 0, done=False)
    assert not knows(found, At.START, 1, 0, done=True)
    assert not knows(found, At.FREE, 1, 0, done=True)
    assert knows(found, At.DONE, 1, 0, done=True)


def test_a_dependency_puts_its_event_before_the_start() -> None:
    """After DONE both F and D; after FREE F alone, and D of what that op waited for."""
    found = clocks(((), (dep(0, After.FREE),), (dep(0),)), "abc")
    found.learn()
    assert knows(found, At.START, 1, 0, done=False)
    assert not knows(found, At.DONE, 1, 0, done=True)
    assert knows(found, At.START, 2, 0, done=False)
    assert knows(found, At.START, 2, 0, done=True)


def test_what_is_learnt_goes_one_dependency_further_each_time() -> None:
    """Op 3 waits for 2, 2 for 1, 1 for 0: that 3 lies behind 0 is known after three times, and then all is."""
    found = clocks(((), (dep(0),), (dep(1),), (dep(2),)), "abcd")
    known = []
    for _ in range(3):
        assert found.learn()
        known.append([knows(found, At.START, 3, other, done=True) for other in (2, 1, 0)])
    assert known == [[True, False, False], [True, True, False], [True, True, True]]
    assert not found.learn()


def test_an_op_that_follows_words_starts_behind_the_start_and_is_free_behind_the_end() -> None:
    found = clocks(((), (dep(0, After.FIRST),)), "ab")
    found.learn()
    assert not knows(found, At.START, 1, 0, done=False)
    assert knows(found, At.FREE, 1, 0, done=True)


def test_what_is_left_out_or_before_the_phase_is_not_waited_for() -> None:
    """Op 0 waits for op 1 of the repetition before, which only the second of three has: instances 0 to 5."""
    found = clocks(((dep(1, lag=1),), ()), "ab", repeat=3, skip_first=1)
    found.learn()
    assert not knows(found, At.START, 2, 1, done=True)
    assert knows(found, At.START, 4, 3, done=True)
