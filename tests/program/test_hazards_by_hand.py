"""Each kind of hazard on two ops that share an entry, by hand: what is reported, and what orders it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from archsim.errors import ScheduleError
from archsim.program.hazards import Hazard
from archsim.program.ir import After, Dep, Phase, PhaseKind, Program, Region, Wait
from archsim.program.verifier import check, find_hazards
from tests.laws.generic_ops import Mix, buffer, one_phase

WORD, INPUT = Region(buffer("word"), 0, 1), Region(buffer("input", is_input=True), 0, 1)

FIRST_WRITES = Mix(unit="u0", label="first", outputs=(WORD,))
FIRST_READS = Mix(unit="u0", label="first", inputs=(INPUT,))
SECOND_READS = Mix(unit="u1", label="second", inputs=(WORD,))
SECOND_WRITES = Mix(unit="u1", label="second", outputs=(WORD,))


def hazards(*ops: Mix, deps: Sequence[Dep] = (), repeat: int = 1) -> list[Hazard]:
    """Those of a phase in which the second op has these dependencies, and the first none."""
    return list(find_hazards(one_phase(Phase("body", PhaseKind.BODY, repeat, ops, ((), tuple(deps))))))


def token(after: After) -> Dep:
    return Dep(0, 0, after, Wait.OPERAND)


@pytest.mark.parametrize(("second", "kind"), [(SECOND_READS, "RAW"), (SECOND_WRITES, "WAW")])
def test_what_was_written_is_there_when_it_is_done(second: Mix, kind: str) -> None:
    """DONE orders both; FREE comes before the result is there, and orders neither."""
    (found,) = hazards(FIRST_WRITES, second)
    assert (found.kind, found.phase, found.first, found.second) == (kind, "body", "'first'", "'second'")
    assert found.where == "both use memory.word[0:1] and nothing orders them"
    assert [hazard.kind for hazard in hazards(FIRST_WRITES, second, deps=[token(After.FREE)])] == [kind]
    assert hazards(FIRST_WRITES, second, deps=[token(After.DONE)]) == []


def test_what_is_read_may_be_overwritten_when_the_reader_is_free() -> None:
    reader, writer = FIRST_READS, Mix(unit="u1", label="second", outputs=(INPUT,))
    (found,) = hazards(reader, writer)
    assert (found.kind, found.first, found.second) == ("WAR", "'first'", "'second'")
    assert hazards(reader, writer, deps=[token(After.FREE)]) == []


def test_a_write_of_the_repetition_before_is_named_so() -> None:
    """Two units write in every repetition: the second behind the first, and the first behind nobody."""
    found = hazards(FIRST_WRITES, SECOND_WRITES, deps=[token(After.DONE)], repeat=2)
    assert [(hazard.kind, hazard.first, hazard.second) for hazard in found] == [
        ("WAW", "'second' 1 repetitions before", "'first'")
    ]


def test_nothing_has_written_what_is_read() -> None:
    (found,) = hazards(SECOND_READS, FIRST_READS)
    assert (found.kind, found.first, found.second) == ("uninitialized", "'second'", "")
    assert found.where == "reads memory.word[0:1] before anything has written it"


@pytest.mark.parametrize(
    ("count", "last"), [(20, "of 19"), (21, "... and 1 more hazards"), (33, "... and 13 more hazards")]
)
def test_of_many_hazards_the_first_twenty_are_shown(count: int, last: str) -> None:
    readers = [Mix(unit="u0", label=f"of {number}", inputs=(WORD,)) for number in range(count)]
    body = Phase("body", PhaseKind.BODY, 1, tuple(readers), ((),) * count)
    with pytest.raises(ScheduleError) as caught:
        check(one_phase(body))
    lines = str(caught.value).splitlines()
    assert len(lines) == min(count, 21)
    assert [f"'of {number}'" in line for number, line in enumerate(lines[:20])] == [True] * 20
    assert last in lines[-1]


def test_a_program_without_a_hazard_passes_the_check() -> None:
    check(one_phase(Phase("body", PhaseKind.BODY, 3, (FIRST_READS,), ((),))))


def test_what_a_phase_has_written_a_later_one_reads() -> None:
    """And behind a fault of structure nothing is looked at any more: what it would say might follow from that one."""
    first = Phase("first", PhaseKind.PROLOGUE, 1, (FIRST_WRITES,), ((),))
    second = Phase("second", PhaseKind.BODY, 1, (SECOND_READS,), ((),))
    assert find_hazards(Program("by hand", (WORD.buffer,), (first, second))) == ()
    (found,) = find_hazards(Program("by hand", (WORD.buffer,), (second, first)))
    assert (found.kind, found.phase) == ("uninitialized", "second")
    wrong = Phase("wrong", PhaseKind.BODY, 1, (FIRST_READS,), ((token(After.DONE),),))
    assert [h.phase for h in find_hazards(Program("by hand", (), (wrong, second)))] == ["wrong"]
    assert [h.phase for h in find_hazards(Program("by hand", (), (second, wrong)))] == ["second", "wrong"]


TIMES = buffer("times", 2, None)


@pytest.mark.parametrize(
    ("read", "there"),
    [
        (Region(TIMES, 0, 1, -1, 1), True),  # what the repetition before has written
        (Region(TIMES, 0, 1, 0, 1), True),
        (Region(TIMES, 0, 2, -1, 1), False),  # of two entries the second is never written
    ],
)
def test_a_time_is_there_if_all_its_entries_have_been_written(read: Region, there: bool) -> None:
    """The writer has one entry a repetition; the reader leaves the first one out."""
    writer = Mix(unit="u0", label="writer", outputs=(Region(TIMES, 0, 1, 0, 1),))
    reader = Mix(unit="u0", label="reader", inputs=(read,), skip_first=1)
    deps = ((), (Dep(0, 0, After.DONE, Wait.OPERAND),))
    found = find_hazards(one_phase(Phase("body", PhaseKind.BODY, 4, (writer, reader), deps)))
    assert [hazard.kind for hazard in found] == ([] if there else ["uninitialized"])


def test_any_time_that_an_earlier_phase_has_written_may_be_read_later() -> None:
    """Of two phases that write an entry each, both are there for the third."""
    first, second = (
        Phase(
            name,
            PhaseKind.BODY,
            9,
            (Mix(unit="u0", label=name, outputs=(Region(TIMES, entry, entry + 1, 0, 1),)),),
            ((),),
        )
        for entry, name in enumerate(("first", "second"))
    )
    last = Phase("last", PhaseKind.BODY, 9, (Mix(unit="u0", label="r", inputs=(Region(TIMES, 0, 2, 0, 1),)),), ((),))
    assert find_hazards(Program("by hand", (TIMES,), (first, second, last))) == ()
    for missing in ((first, last), (second, last)):
        assert [hazard.kind for hazard in find_hazards(Program("by hand", (TIMES,), missing))] == ["uninitialized"]


def test_what_a_window_writes_is_not_ordered_by_what_takes_no_part() -> None:
    """The first reader, which waits for the write, is left out in the last repetition: there nothing orders the second.

    Both are of one unit. Without the window the second starts behind the first, and so behind the write.
    """
    times = [Region(buffer("word", 1, 2), 0, 1, 0, 1)]
    write = Mix(unit="u0", label="write", outputs=tuple(times))
    deps = ((), (token(After.DONE),), ())
    for skip_last, wanted in ((0, []), (1, [("RAW", "'write'", "'second'")])):
        first = Mix(unit="u1", label="first", inputs=tuple(times), skip_last=skip_last)
        second = Mix(unit="u1", label="second", inputs=tuple(times))
        back = Dep(2, 2, After.FREE, Wait.BUFFER)
        phase = Phase("body", PhaseKind.BODY, 7, (write, first, second), ((back,), *deps[1:]))
        found = find_hazards(one_phase(phase))
        assert [(hazard.kind, hazard.first, hazard.second) for hazard in found] == wanted
