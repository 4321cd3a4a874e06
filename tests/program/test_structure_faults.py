"""Faults that are seen without the order of ops, at the edges: the last that is allowed, and the first that is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from archsim.program.hazards import structure_faults
from archsim.program.ir import After, Buffer, Dep, Phase, PhaseKind, Region, Wait
from tests.laws.generic_ops import Mix, buffer

WORD = Region(buffer("word", 4), 0, 4)
FIFO = Region(replace(buffer("fifo", 4), stream=True), 0, 4)


def faults(ops: Sequence[Mix], deps: Sequence[Sequence[Dep]] = (), repeat: int = 3) -> list[tuple[str, str, str]]:
    """Of each fault the op, the other op, and what is said of them."""
    made = tuple(map(tuple, deps)) or ((),) * len(ops)
    found = structure_faults(Phase("body", PhaseKind.BODY, repeat, tuple(ops), made))
    assert all((fault.kind, fault.phase) == ("structure", "body") for fault in found)
    return [(fault.first, fault.second, fault.where) for fault in found]


def op(label: str, reads: Sequence[Region] = (), writes: Sequence[Region] = (), skips: tuple[int, int] = (0, 0)) -> Mix:
    first, last = skips
    return Mix(unit="u", label=label, inputs=tuple(reads), outputs=tuple(writes), skip_first=first, skip_last=last)


def waits(other: int, lag: int, after: After = After.DONE) -> Dep:
    return Dep(other, lag, after, Wait.OPERAND)


@pytest.mark.parametrize(
    ("dep", "where"),
    [
        (waits(0, 0), ""),
        (waits(0, 5), ""),
        (waits(1, 1), ""),  # the op itself, a repetition before
        (waits(2, 1), ""),  # the last op there is
        (waits(1, 0), "waits for op 1, which comes after it: a deadlock"),
        (waits(2, 0), "waits for op 2, which comes after it: a deadlock"),
        (waits(3, 1), "depends on op 3 at lag 1, which does not exist"),
        (waits(-1, 1), "depends on op -1 at lag 1, which does not exist"),
        (waits(0, -1), "depends on op 0 at lag -1, which does not exist"),
    ],
)
def test_a_dependency_names_an_op_that_has_come_before(dep: Dep, where: str) -> None:
    """Of three ops the one in the middle waits for another."""
    found = faults([op("a"), op("b"), op("c")], [(), (dep,), ()])
    assert found == ([("b", "", where)] if where else [])


@pytest.mark.parametrize(
    ("of_source", "of_reader", "lag", "fits"),
    [
        ((0, 0), (0, 0), 0, True),
        ((1, 2), (1, 2), 0, True),
        ((1, 2), (2, 3), 0, True),  # words that nobody takes are in nobody's way
        ((0, 0), (0, 0), 1, False),
        ((1, 0), (0, 0), 0, False),
        ((1, 0), (0, 9), 0, False),
        ((0, 1), (0, 0), 0, False),
        ((0, 1), (9, 0), 0, False),
    ],
)
def test_an_op_follows_another_in_repetitions_that_have_both(
    of_source: tuple[int, int], of_reader: tuple[int, int], lag: int, fits: bool
) -> None:
    ops = [op("source", writes=[FIFO], skips=of_source), op("reader", reads=[FIFO], skips=of_reader)]
    found = faults(ops, [(), (waits(0, lag, After.FIRST),)], repeat=20)
    assert found == ([] if fits else [("reader", "", "follows 'source', which is not always of the same repetition")])


@pytest.mark.parametrize("read", [WORD, replace(FIFO, stop=3), replace(FIFO, encoding="another")])
def test_an_op_takes_the_very_words_of_the_one_that_it_follows(read: Region) -> None:
    """Neither a part of them will do, nor words that both have in common but that are no FIFO's."""
    ops = [op("source", writes=[FIFO, WORD]), op("reader", reads=[read])]
    where = "follows 'source', but does not read the words that it writes"
    assert faults(ops, [(), (waits(0, 0, After.FIRST),)]) == [("reader", "", where)]


@pytest.mark.parametrize(
    ("start", "stop", "inside"),
    [(0, 4, True), (3, 4, True), (-1, 2, False), (2, 2, False), (0, 5, False), (4, 4, False)],
)
def test_a_region_has_entries_and_lies_in_its_buffer(start: int, stop: int, inside: bool) -> None:
    region = replace(WORD, start=start, stop=stop)
    wrong = [] if inside else [("a", "", f"memory.word[{start}:{stop}] is outside the buffer")]
    assert faults([op("a", reads=[region])]) == wrong
    assert faults([op("a", writes=[region])]) == wrong
    assert faults([op("a", reads=[region], writes=[region])]) == 2 * wrong


TIMES = replace(buffer("times", 1, None), length=6)


@pytest.mark.parametrize(
    ("offset", "stride", "skips", "outside"),
    [
        (0, 1, (0, 0), []),  # steps 0 to 3 of 0 to 5
        (2, 1, (0, 0), []),  # 2 to 5
        (3, 1, (0, 0), [6]),  # 3 to 6
        (3, 1, (0, 1), []),  # 3 to 5: the last repetition leaves it out
        (-1, 1, (0, 0), [-1]),
        (-1, 1, (1, 0), []),  # 0 to 2: the first repetition leaves it out
        (5, -1, (0, 0), []),  # 5 to 2
        (6, -1, (0, 0), [6]),
        (-2, 3, (0, 0), [-2, 7]),  # both ends, the lower one first
        (7, -3, (0, 0), [-2, 7]),
        (9, 0, (0, 0), [9]),  # one step in all repetitions is said once
        (9, 0, (2, 1), [9]),  # in one of four repetitions
        (9, 0, (2, 2), []),  # in none
    ],
)
def test_a_time_step_is_one_that_the_buffer_has(
    offset: int, stride: int, skips: tuple[int, int], outside: list[int]
) -> None:
    """Four repetitions, a buffer of six steps: the first and the last repetition with the op decide."""
    region = Region(TIMES, 0, 1, offset, stride)
    want = [("a", "", f"memory.times[0:1] is at time step {step}, outside the buffer's 6") for step in outside]
    assert faults([op("a", reads=[region], skips=skips)], repeat=4) == want
    assert faults([op("a", writes=[region], skips=skips)], repeat=4) == want


def test_steps_of_a_buffer_without_a_length_or_with_slots_that_come_round_are_no_question() -> None:
    free, round_ = replace(TIMES, length=None), replace(TIMES, slots=2, length=1)
    assert faults([op("a", reads=[Region(free, 0, 1, 99, 1), Region(round_, 0, 1, 99, 1)])]) == []


def strided(start: int, stop: int, stride: int, held: Buffer) -> Region:
    return Region(held, start, stop, 0, stride)


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ((0, 2, 1), (2, 4, 2), ""),  # they share no entry
        ((2, 4, 1), (0, 2, 2), ""),
        ((0, 3, 1), (2, 4, 2), "word[0:3], at strides 1 and 2"),
        ((2, 4, 2), (0, 3, 1), "word[0:3], at strides 1 and 2"),  # the slower one is named first
        ((0, 3, 1), (0, 3, 1), ""),
        ((0, 3, 1), (0, 3, 5), ""),  # of four slots 5 is 1 round and 1
    ],
)
def test_what_moves_through_slots_at_two_speeds_is_ordered_by_no_lag(
    one: tuple[int, int, int], other: tuple[int, int, int], where: str
) -> None:
    held = buffer("word", 4, 4)
    writes, reads = op("writes", writes=[strided(*one, held)]), op("reads", reads=[strided(*other, held)])
    names = ("'writes'", "'reads'") if one[2] < other[2] else ("'reads'", "'writes'")
    assert faults([writes, reads]) == ([(*names, f"both move through {where}")] if where else [])
    assert faults([writes, reads], repeat=1) == [], "a single repetition has each slot but once"


def test_two_reads_at_two_speeds_are_in_nobodys_way_and_two_writes_are() -> None:
    held = buffer("word", 4, 4)
    slow, fast = strided(0, 3, 1, held), strided(1, 4, 2, held)
    assert faults([op("a", reads=[slow]), op("b", reads=[fast])]) == []
    assert faults([op("a", reads=[slow]), op("b", writes=[fast])]) == [
        ("'a'", "'b'", "both move through word[0:3], at strides 1 and 2")
    ]
    assert faults([op("a", writes=[slow]), op("b", writes=[fast])]) == [
        ("'a'", "'b'", "both move through word[0:3], at strides 1 and 2")
    ]


def test_strides_through_time_never_come_round() -> None:
    """Of slots that are never used again stride 5 is another one than 1."""
    held = buffer("times", 4, None)
    ops = [op("a", writes=[strided(0, 1, 1, held)]), op("b", reads=[strided(0, 1, 5, held)])]
    assert faults(ops) == [("'a'", "'b'", "both move through times[0:1], at strides 1 and 5")]
