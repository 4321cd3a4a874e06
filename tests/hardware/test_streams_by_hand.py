"""Streams through ports, taken apart: the step of each value, the words, runs of chunks, and who comes in time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from archsim.hardware.port_streams import (
    NotedPorts,
    Ports,
    Run,
    Stream,
    cut_runs,
    even,
    held_cycles,
    most_words,
    repeated,
    spread,
    write_cycles,
)


@pytest.mark.parametrize(
    ("run", "steps"),
    [
        (Run(5, 7, 3), [0, 0, 0, 1, 1, 1, 2]),  # three a step
        (Run(5, 7, 3, 4), [0, 0, 0, 4, 4, 4, 8]),  # each step's three for four steps
        (Run(5, 4, 2, steps=6), [0, 1, 3, 4]),  # value v in step floor(6 v / 4)
        (Run(5, 5, 2, steps=3), [0, 0, 1, 1, 2]),
        (Run(5, 4, 2, steps=Fraction(5, 2)), [0, 0, 1, 1]),  # floor(5 v / 8)
    ],
)
def test_the_step_of_each_value(run: Run, steps: list[int]) -> None:
    """Counted from the run's first step."""
    places = range(run.values)
    assert [run.taken(place) for place in places] == steps
    assert run.taken_in(np.arange(run.values)).tolist() == steps
    assert Stream(("m",), 8 * run.values, (run,)).needed(8).tolist() == [5 + step for step in steps]


def test_rates_beyond_64_bits_are_exact() -> None:
    """The last of 3 values that are spread over 2^62 + 1 steps: floor(2 (2^62 + 1) / 3), and so one of 2^61 / 3."""
    long = Run(0, 3, 1, steps=(1 << 62) + 1)
    assert long.taken_in(np.arange(3)).tolist() == [place * ((1 << 62) + 1) // 3 for place in range(3)]
    broken = Run(0, 3, 1, steps=Fraction((1 << 62) + 1, 2))
    assert broken.taken_in(np.arange(3)).tolist() == [place * ((1 << 62) + 1) // 6 for place in range(3)]


def test_words_of_bits_beyond_64_bits_are_exact() -> None:
    """2^61 - 1 bits of 3 values in words of a bit less: 2 words end behind 3 values, the first just before."""
    bits = (1 << 61) - 1
    stream = Stream(("m",), bits, even(3, 1))
    assert stream.last_values(bits - 1).tolist() == [2, 2]
    assert stream.last_values(bits // 2).tolist() == [1, 2, 2]
    assert stream.last_words(bits // 2).tolist() == [0, 1, 2]


def test_a_run_cut_into_what_each_step_takes() -> None:
    """7 values, 3 a step, for two steps each, from step 5 on: 3 in step 5, 3 in step 7 and 1 in step 9."""
    assert Run(5, 7, 3, 2).chunks == (Run(5, 3, 3, 2), Run(7, 3, 3, 2), Run(9, 1, 3, 2))
    assert Run(5, 6, 3).chunks == (Run(5, 3, 3), Run(6, 3, 3))


def test_words_and_the_values_at_their_ends() -> None:
    """5 values of 6 bits are 30 bits: words of 8 end in values 1, 2 and 3 and behind 4, and each value's last bit is
    bit 5, 11, 17, 23 or 29."""
    stream = Stream(("m", "bank"), 30, even(5, 2))
    assert (stream.memory, stream.values, stream.words(8), stream.words(30), stream.words(31)) == ("m", 5, 4, 1, 1)
    assert stream.last_values(8).tolist() == [1, 2, 3, 4]
    assert stream.last_words(8).tolist() == [0, 1, 2, 2, 3]
    assert stream.needed(8).tolist() == [0, 0, 1, 2], "bits 0, 8, 16 and 24 are of values 0, 1, 2 and 4"
    assert stream.made(8).tolist() == [0, 1, 1, 2]


def test_bits_that_values_share_are_spread_over_them() -> None:
    """3 values of 22 bits together: words of 8 end behind 8, 16 and 22 bits, that is 12/11, 24/11 and 3 values."""
    stream = Stream(("m",), 22, even(3, 1))
    assert stream.last_values(8).tolist() == [1, 2, 2]
    assert stream.last_words(8).tolist() == [0, 1, 2], "values end behind 7 1/3, 14 2/3 and 22 bits"
    assert stream.needed(8).tolist() == [0, 1, 2], "words begin with bits 0, 8 and 16, in values 0, 1 and 2"


@pytest.mark.parametrize(
    ("runs", "width", "in_time"),
    [
        (even(8, 2), 16, True),  # two values of 8 bits a step, a word of 16
        (even(8, 2), 15, False),
        (even(8, 3), 24, True),
        ((Run(0, 8, 2, 2),), 16, False),  # held for two steps
        ((Run(0, 4, 2), Run(5, 4, 2)), 16, False),  # in two runs
        (spread(8, 4), 16, True),
        (spread(8, 3), 16, False),  # three values in some steps
    ],
)
def test_what_comes_in_time_makes_no_more_than_a_word_a_step(runs: tuple[Run, ...], width: int, in_time: bool) -> None:
    assert Stream(("m",), 8 * 8, runs).comes_in_time(width) is in_time


@pytest.mark.parametrize(
    ("values", "per_step", "width", "until"),
    [
        (8, 2, 16, 4),  # a word in each of four steps
        (7, 2, 16, 4),
        (9, 3, 32, 4),  # 72 bits: words end in values 3, 7 and 8, steps 1, 2 and 2; the last one waits
        (9, 3, 24, 3),
        (11, 3, 40, 5),  # 5 values a word: words end in values 4, 9 and 10, steps 1, 3 and 3; the last one waits
        (3, 1, 64, 3),  # one word alone
    ],
)
def test_when_the_last_word_is_written_of_what_comes_in_time(
    values: int, per_step: int, width: int, until: int
) -> None:
    stream = Stream(("m",), 8 * values, even(values, per_step))
    assert stream.comes_in_time(width)
    assert stream.alone_until(width) == until
    later = Stream(("m",), 8 * values, (Run(3, values, per_step),))
    assert later.alone_until(width) == until + 3
    steps = -(-values // per_step)
    assert max(steps, write_cycles([stream], {"m": width}, steps)) == until


def test_what_is_written_evenly_over_steps_ends_with_the_last_value() -> None:
    """4 values of 8 bits over 10 steps are made in steps 0, 2, 5 and 7; words of 16 end with 2 and 7, of 32 with 7."""
    stream = Stream(("m",), 32, spread(4, 10))
    assert [stream.alone_until(width) for width in (8, 16, 32, 64)] == [8, 8, 8, 8]
    assert stream.made(16).tolist() == [2, 7]


@pytest.mark.parametrize(("values", "steps", "per_step"), [(8, 4, 2), (9, 4, 3), (1, 4, 1), (8, Fraction(7, 2), 3)])
def test_values_that_are_spread_over_steps(values: int, steps: int | Fraction, per_step: int) -> None:
    """At most ceil(values / steps) of them a step."""
    assert spread(values, steps) == (Run(0, values, per_step, steps=steps),)


@pytest.mark.parametrize(
    ("times", "lanes", "runs"),
    [
        (1, 3, (Run(0, 5, 3),)),
        (3, 3, (Run(0, 5, 1),)),
        (6, 3, (Run(0, 5, 1, 2),)),
        (3, 6, (Run(0, 5, 2),)),
        (3, 2, (Run(0, 1, 1), Run(1, 1, 1), Run(3, 1, 1), Run(4, 1, 1), Run(6, 1, 1))),  # elements 0, 3, 6, 9 and 12
        (2, 5, (Run(0, 3, 3), Run(1, 2, 2))),  # elements 0, 2, 4; 6 and 8
    ],
)
def test_five_values_that_are_taken_for_several_elements(times: int, lanes: int, runs: tuple[Run, ...]) -> None:
    assert repeated(5, times, lanes) == runs


@pytest.mark.parametrize(
    ("start", "entries", "fields", "runs"),
    [
        (0, 8, {}, (Run(0, 8, 4),)),
        (0, 9, {}, (Run(0, 8, 4), Run(2, 1, 1))),
        (3, 9, {}, (Run(0, 1, 1), Run(1, 8, 4))),  # the rest of chunk 0, chunks 1 and 2
        (5, 2, {}, (Run(1, 2, 2),)),  # within chunk 1
        (5, 9, {"first_step": 7}, (Run(8, 3, 3), Run(9, 4, 4), Run(10, 2, 2))),
        (3, 9, {"lanes": 2}, (Run(0, 2, 1), Run(2, 16, 4))),  # a chunk takes two steps, with 4 values each
        (3, 9, {"each": 2, "hold": 3}, (Run(0, 2, 2, 3), Run(3, 16, 8, 3))),  # 2 rows of weights for 3 vectors
        (0, 0, {}, ()),
    ],
)
def test_entries_in_chunks_of_four(start: int, entries: int, fields: dict[str, int], runs: tuple[Run, ...]) -> None:
    assert cut_runs(start, entries, 4, **fields) == runs


def test_the_busiest_port_binds() -> None:
    """Words of two banks of one memory, and of another one that is wider: 3 and 2, 4, and 1."""
    streams = [
        Stream(("a", "x"), 24, even(3, 1)),
        Stream(("a", "y"), 20, even(2, 1)),
        Stream(("a", "x"), 8, even(1, 1)),
        Stream(("b",), 60, even(2, 1)),
        Stream(("free",), 999, even(2, 1)),
        Stream(("b",), 0, ()),
    ]
    widths = {"a": 8, "b": 64, "free": None}
    assert most_words(streams, widths) == 3 + 1
    assert most_words(streams[1:2], widths) == 3
    assert most_words(streams[3:], widths) == 1
    assert most_words(streams[4:5], widths) == 0
    assert most_words([], widths) == 0


def test_where_nothing_waits_for_operands_results_alone_hold_the_op() -> None:
    """Operands of a word a step in 4 steps; results of two words a step take 8 cycles, and without any it is 4."""
    operands = [Stream(("a",), 32, even(4, 1))]
    results = [Stream(("b",), 64, even(4, 1))]
    assert held_cycles(operands, [], {"a": 8, "b": 8}, 4) == 4
    assert held_cycles(operands, results, {"a": 8, "b": 8}, 4) == 8
    assert held_cycles([], results, {"a": 8, "b": 8}, 4) == 8
    assert held_cycles(operands, results, {"a": 8, "b": None}, 4) == 4


def test_a_memory_is_looked_for_without_asking_for_its_width() -> None:
    noted = NotedPorts(Ports({"a": 8}))
    assert ("a" in noted, "b" in noted, noted.asked) == (True, False, {})
