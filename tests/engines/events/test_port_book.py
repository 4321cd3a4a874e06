"""The cycles of one port, taken and free: bit by bit against a set, and what an op gets of it by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.engines.events.clock import Clock
from archsim.engines.events.ports import Arbiter, PortBook, SharedPorts
from archsim.hardware.unit import PortUse, Service


def test_the_first_free_cycles_are_taken() -> None:
    """Of cycles 3 to 5 taken, three from 2 on are 2, 6 and 7; then one from 4 on is 8, and one from 9 on is 9."""
    book = PortBook()
    assert book.take_each(3, 3) == [3, 4, 5]
    assert book.take_each(3, 2) == [2, 6, 7]
    assert book.take(1, 4) == 8
    assert book.take(1, 9) == 9
    book.advance(5)
    assert book.take_each(2, 5) == [10, 11]
    book.advance(40)
    assert book.take_each(2, 40) == [40, 41], "what lies behind is free"


def test_a_free_cycle_in_front_of_a_taken_one_is_the_first() -> None:
    book = PortBook()
    assert book.take(2, 4) == 5
    assert (book.take(1, 3), book.take(1, 3), book.take(1, 0), book.take(3, 0)) == (3, 6, 0, 7)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(1, 5), st.booleans()), max_size=12))
def test_a_book_is_a_set_of_cycles(asked: list[tuple[int, int, int, bool]]) -> None:
    """Time goes on by some cycles, and so many are taken from some cycle of then on."""
    book, now, taken = PortBook(), 0, set[int]()
    for later, ahead, cycles, each in asked:
        now += later
        book.advance(now)
        free = [cycle for cycle in range(now + ahead, 200) if cycle not in taken][:cycles]
        assert (book.take_each(cycles, now + ahead) if each else [book.take(cycles, now + ahead)]) == (
            free if each else free[-1:]
        )
        taken.update(free)


def granted(ports: SharedPorts, uses: list[PortUse], now: int, retired: int, compute: int, depth: int) -> Service:
    return ports.grant(uses, Service(compute, 0, depth), now, retired)


def test_reads_hold_an_op_until_its_last_word_and_what_follows_it() -> None:
    """An op of 4 cycles that starts at 10 and reads 2 words: at 10 and 11, so that nothing waits.

    The next one, of the same cycle, has 12, 13 and 14: with nothing behind the last it is free at 15, 5 cycles on. If 4
    cycles follow its first word, counted from that one on, it is free 12 + 4 - 10 = 6 cycles on.
    """
    ports = SharedPorts(["m"])
    assert granted(ports, [PortUse("m", 2, 0)], 10, 0, 4, 3).occupancy_cycles == 4
    assert granted(ports, [PortUse("m", 3, 0)], 10, 0, 4, 3).occupancy_cycles == 5
    other = SharedPorts(["m"])
    granted(other, [PortUse("m", 2, 0)], 10, 0, 4, 3)
    assert granted(other, [PortUse("m", 3, 0, (4, 2, 1))], 10, 0, 4, 3).occupancy_cycles == 6


def test_lines_are_written_as_they_come_out_of_the_pipeline() -> None:
    """An op of 4 cycles and depth 3 from 10 on writes 2 lines: they are there at 10 + 3 + 2 - 1 = 14 and at 16.

    Its results pass from 0, where the op before was done, until 17. Another one from 11 on would write at 15 and 17,
    both free; one that starts with it at 11 has 18 for 15 and 19 for 17: 2 cycles late, so it is held for 6.
    """
    ports = SharedPorts(["m"])
    use = [PortUse("m", 0, 2)]
    first = granted(ports, use, 10, 0, 4, 3)
    assert (first.occupancy_cycles, first.write_cycles) == (4, 17)
    second = granted(ports, use, 11, 0, 4, 3)
    assert (second.occupancy_cycles, second.write_cycles) == (4, 18)
    third = granted(ports, use, 11, 0, 4, 3)
    assert (third.occupancy_cycles, third.write_cycles) == (6, 20)


def test_lines_come_behind_the_results_of_the_op_before() -> None:
    """That one is done at 30: two lines pass at 30 and 31, two cycles on; the unit is not held up for it."""
    found = granted(SharedPorts(["m"]), [PortUse("m", 0, 2)], 10, 30, 4, 3)
    assert (found.occupancy_cycles, found.write_cycles) == (4, 2)


def test_each_memory_has_its_own_port() -> None:
    ports = SharedPorts(["a", "b"])
    granted(ports, [PortUse("a", 5, 0)], 0, 0, 1, 0)
    assert granted(ports, [PortUse("b", 2, 0)], 0, 0, 1, 0).occupancy_cycles == 2
    assert granted(ports, [PortUse("a", 2, 0), PortUse("b", 1, 0)], 0, 0, 1, 0).occupancy_cycles == 7


@pytest.mark.parametrize("asked", [["a", "b", "c"], ["c", "a", "b"], ["b", "c"]])
def test_units_of_one_cycle_begin_in_the_order_of_their_names_list(asked: list[str]) -> None:
    """Named b, c, a: whoever asks first. Those of a later cycle come later."""
    clock, began = Clock(), list[tuple[int, str]]()
    arbiter = Arbiter(clock, ["b", "c", "a"])
    order = [name for name in ("b", "c", "a") if name in asked]

    def ask(name: str) -> None:
        granted = arbiter.request(name)
        assert granted.callbacks is not None
        granted.callbacks.append(lambda _: began.append((clock.now, name)))

    for cycle in (3, 5):
        for name in asked:
            clock.after(cycle, ask, name)
    clock.run()
    assert began == [(cycle, name) for cycle in (3, 5) for name in order]
