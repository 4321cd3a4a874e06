"""The rule which executor times a run: every case of it, with a recurrence that says what the test wants."""

from __future__ import annotations

import pytest

from archsim.engines.choose import AUTO, FAST, MACHINE, Executor, choose
from archsim.errors import ExecutorError


def never() -> int | str:
    """A recurrence that must not be asked."""
    raise AssertionError("the second executor was tried")


def test_the_machine_if_it_was_asked_for() -> None:
    assert choose(MACHINE, never) == (None, Executor("machine", ""))
    assert choose(MACHINE, never, "the run is short") == (None, Executor("machine", ""))


def test_the_second_executor_wherever_it_can() -> None:
    for executor in (AUTO, FAST):
        assert choose(executor, lambda: 17) == (17, Executor("fast", ""))


def test_a_timing_that_is_false_is_a_timing() -> None:
    assert choose(AUTO, lambda: 0) == (0, Executor("fast", ""))


def test_auto_has_a_reason_to_take_the_machine() -> None:
    assert choose(AUTO, never, "the run is short") == (None, Executor("machine", "the run is short"))


def test_by_name_the_second_executor_is_taken_for_a_short_run_too() -> None:
    assert choose(FAST, lambda: 17, "the run is short") == (17, Executor("fast", ""))


def test_what_the_recurrence_cannot_time() -> None:
    assert choose(AUTO, lambda: "ports are shared") == (None, Executor("machine", "ports are shared"))
    with pytest.raises(ExecutorError) as caught:
        choose(FAST, lambda: "ports are shared")
    assert str(caught.value) == "--executor fast: ports are shared; --executor machine can time it"
