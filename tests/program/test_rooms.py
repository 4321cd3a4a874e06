"""Buffers that lie in one place one after the other: when each is used, and what room is left to them, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from archsim.program.ir import Buffer, Phase, PhaseKind, Region
from archsim.program.rooms import Span, needed_bytes, spans, taking_turns
from tests.laws.generic_ops import Mix, buffer

WORD_BYTES = 8


def held(name: str, entries: int = 1, *, cleared: bool = False, is_input: bool = False) -> Buffer:
    return replace(buffer(name, entries), is_cleared=cleared, is_input=is_input)


def phases(*used: Sequence[Buffer]) -> list[Phase]:
    """Phases, in each of which one op reads those buffers."""
    ops = [Mix(unit="u", label="op", inputs=tuple(Region(buffer, 0, 1) for buffer in buffers)) for buffers in used]
    return [Phase(str(number), PhaseKind.BODY, 1, (op,), ((),)) for number, op in enumerate(ops)]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (Span(1, 3), Span(4, 4), True),
        (Span(1, 3), Span(3, 4), False),  # a phase that uses both
        (Span(1, 3), Span(0, 0), True),
        (Span(1, 3), Span(0, 1), False),
        (Span(1, 3), Span(2, 2), False),
        (Span(1, 3), Span(0, 9), False),
    ],
)
def test_spans_are_apart_if_no_phase_is_in_both(one: Span, other: Span, apart: bool) -> None:
    assert one.apart(other) is apart
    assert other.apart(one) is apart


def test_a_buffer_is_used_from_its_first_phase_to_its_last_or_from_the_start_if_it_is_filled() -> None:
    made, filled, cleared = held("made"), held("filled", is_input=True), held("cleared", cleared=True)
    late = held("late")
    found = spans(phases([late], [made], [filled, cleared], [], [made]))
    assert found == {"late": Span(0, 0), "made": Span(1, 4), "filled": Span(0, 2), "cleared": Span(0, 2)}


def test_what_is_never_apart_from_another_takes_no_turns() -> None:
    early, late, always, unused = held("early"), held("late"), held("always"), held("unused")
    used = phases([early, always], [late, always])
    assert taking_turns([early, late, always, unused], used) == {"early": Span(0, 0), "late": Span(1, 1)}
    assert taking_turns([early, always, unused], used) == {}, "the one that it could share with lies elsewhere"


def test_the_room_of_those_that_take_turns_is_that_of_the_most_that_are_used_at_once() -> None:
    """Words of 8 bytes. `always` (5 words) lies apart from all others.

    `one` (2) and `two` (3) are used in phase 0: two begins where one ends, and ends at word 5. `three` (4) is used in
    phase 1, where neither is, and lies at 0 to 4. `four` (2) is used in phases 1 and 2, beside three alone: 4 to 6.
    `five` (1), of phase 2, is beside four alone and begins where that ends, though words 0 to 4 are free then: 6 to 7.
    So the turns take 7 words, and all of it 12. `six` (3), of phase 0, begins behind two, the later end of one and two.
    """
    always, one, two, three, four, five = (
        held(name, entries)
        for name, entries in [("always", 5), ("one", 2), ("two", 3), ("three", 4), ("four", 2), ("five", 1)]
    )
    six = held("six", 3)
    used = phases([always, one, two, six], [always, three, four], [always, four, five])
    everything = [always, one, two, three, four, five]
    assert needed_bytes(everything, used) == (5 + 7) * WORD_BYTES
    assert needed_bytes([always, one, two, three], used) == (5 + 5) * WORD_BYTES
    assert needed_bytes([one, two, six, three], used) == (2 + 3 + 3) * WORD_BYTES
    assert needed_bytes([one, three], used) == 4 * WORD_BYTES
    assert needed_bytes([one, two], used) == (2 + 3) * WORD_BYTES, "side by side, as both are used at once"
    assert needed_bytes([], used) == 0
