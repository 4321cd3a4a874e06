"""Each kind of hazard on two ops that share an entry, by hand: what is reported, and what orders it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from archsim.program.hazards import Hazard
from archsim.program.ir import After, Dep, Phase, PhaseKind, Region, Wait
from archsim.program.verifier import find_hazards
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
