"""Time in whole cycles: what comes when, in which order, and that nothing comes before it is asked for."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import simpy

from archsim.engines.events.clock import Clock


def test_calls_come_in_their_cycle_and_those_of_one_in_the_order_in_which_they_were_asked_for() -> None:
    clock = Clock()
    seen: list[tuple[int, str]] = []
    for cycles, name in ((5, "a"), (2, "b"), (5, "c"), (0, "d")):
        clock.after(cycles, lambda name: seen.append((clock.now, name)), name)
    clock.run()
    assert seen == [(0, "d"), (2, "b"), (5, "a"), (5, "c")]


def test_a_process_pauses_and_waits_until_it_is_told() -> None:
    """Told in cycle 3 to go on 4 cycles later; then it pauses for 2."""
    clock = Clock()
    told = clock.until_told()
    seen: list[int] = []

    def process() -> Generator[simpy.Event, None, None]:
        yield told
        seen.append(clock.now)
        yield clock.pause(2)
        seen.append(clock.now)

    clock.process(process())
    clock.after(3, lambda event: clock.tell(event, 4), told)
    clock.run()
    assert seen == [7, 9]


def test_nothing_comes_before_it_is_asked_for() -> None:
    clock = Clock()
    message = "an event 1 cycles before now"
    with pytest.raises(ValueError, match=message):
        clock.pause(-1)
    with pytest.raises(ValueError, match=message):
        clock.after(-1, print, "")
    with pytest.raises(ValueError, match=message):
        clock.tell(clock.until_told(), -1)
