"""The most tokens of an edge, counted by hand: neither fewer than there can be nor more (docs/program_json.md)."""

from __future__ import annotations

from itertools import product

import pytest

from archsim.program.ir import After, Dep, Phase, PhaseKind, Wait
from archsim.program.token_bounds import TokenWindow, most_tokens
from tests.engines.recurrence.generic_phases import Nothing, phase_of

TAKEN = Dep(0, 0, After.DONE, Wait.OPERAND)


@pytest.mark.parametrize(
    ("depth", "repeat", "most"), [(1, 9, 2), (2, 9, 3), (5, 9, 6), (5, 4, 4), (5, 6, 6), (5, 7, 6), (5, 10**9, 6)]
)
def test_the_queue_of_the_receiver_bounds_what_its_sender_may_be_ahead(depth: int, repeat: int, most: int) -> None:
    """a of repetition r is issued behind b of r - 1, and that one when b of r - 1 - depth has started.

    So when a of r is done, tokens of b's repetitions r - depth to r are under way at most: depth + 1, or as many as
    there are repetitions.
    """
    assert most_tokens(phase_of("a:u0 b:u1", {"b": [TAKEN]}, repeat), depth) == ((), (most,))


@pytest.mark.parametrize("repeat", [30, 31, 10**9])
def test_what_some_repetitions_leave_out_is_no_matter_in_long_runs(repeat: int) -> None:
    """a leaves out the first 2 repetitions, b the last 3, and b waits for a of 4 before.

    So 6 tokens are there from the start. a of r is issued behind b of r - 1, and that one when b of r - 3 has started,
    from a queue of 2. When a of r is done, tokens for b's repetitions r - 2 to r + 4 are under way at most: 7.
    """
    a = Nothing(unit="u0", label="a", skip_first=2)
    b = Nothing(unit="u1", label="b", skip_last=3)
    deps = ((), (Dep(0, 4, After.DONE, Wait.OPERAND),))
    found = most_tokens(Phase("by hand", PhaseKind.BODY, repeat, (a, b), deps), 2)
    assert found == ((), (7,))


@pytest.mark.parametrize(("lag", "most"), [(0, 1), (1, 2)])
@pytest.mark.parametrize("repeat", [30, 10**9])
def test_what_begins_late_counts_though_all_is_regular_before(repeat: int, lag: int, most: int) -> None:
    """b leaves out the first 6 repetitions, in which a has the unit for itself, and each is like the one before it.

    Afterwards a of r is done before b of r and after b of r - 1, on one unit. So the token for b of r + lag is under
    way then, and with a lag of 1 that for b of r is, too.
    """
    a, b = Nothing(unit="u0", label="a"), Nothing(unit="u0", label="b", skip_first=6)
    deps = ((), (Dep(0, lag, After.DONE, Wait.OPERAND),))
    assert most_tokens(Phase("by hand", PhaseKind.BODY, repeat, (a, b), deps), 3) == ((), (most,))


def test_a_receiver_of_the_same_unit_has_started_but_for_one() -> None:
    """A unit is in order: when a of r is done, b of r - 1 has started, and b of r has not, so one token is there."""
    assert most_tokens(phase_of("a:u0 b:u0", {"b": [TAKEN]}, 9), 5) == ((), (1,))


def test_what_the_sender_waits_for_bounds_its_tokens() -> None:
    """a of r waits for b of r - 2, whatever the queue's depth: tokens of b's repetitions r - 1 and r at most.

    And b's tokens for a: when b of r is done, a of r has started, so of those for a of r + 1 and r + 2 both may be
    there. Before the phase there are as many, for a of repetitions 0 and 1.
    """
    back = Dep(1, 2, After.DONE, Wait.OPERAND)
    assert most_tokens(phase_of("a:u0 b:u1", {"a": [back], "b": [TAKEN]}, 9), 7) == ((2,), (2,))


SKIPS = tuple(product(range(3), range(3)))


@pytest.mark.parametrize("repeat", [1, 2, 4, 7])
def test_the_window_of_an_edge_is_that_of_its_tokens_one_by_one(repeat: int) -> None:
    """Every receiver of repetition r waits for the sender of r - lag, unless that one is left out at the end.

    If that one lies before the phase, or is left out at its beginning, the token is there when the phase starts; all
    others are sent. After the event of repetition s those are under way that have come so far and are not taken.
    """
    for sends, takes, lag in product(SKIPS, SKIPS, (0, 1, 2, 5)):
        sender = Nothing(unit="a", label="a", skip_first=sends[0], skip_last=sends[1])
        receiver = Nothing(unit="b", label="b", skip_first=takes[0], skip_last=takes[1])
        window = TokenWindow.of(Dep(0, lag, After.DONE, Wait.OPERAND), sender, receiver, repeat)
        waits = [r for r in range(takes[0], repeat - takes[1]) if r - lag < repeat - sends[1]]
        sent = [r - lag for r in waits if r - lag >= sends[0]]
        assert list(range(takes[0], window.take_until)) == waits
        assert list(range(window.send_from, window.send_until)) == sent
        assert window.initial == len(waits) - len(sent)
        for event, started in product(sent, range(-1, repeat)):
            left = [r for r in waits if started < r <= event + lag]
            assert max(0, window.under_way(receiver, event, started, lag)) == len(left)
