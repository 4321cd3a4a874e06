"""Who takes part in which repetition, what is passed over before, and how many tokens each op waits for, by hand."""

from __future__ import annotations

from dataclasses import replace

from archsim.engines.events.token_tables import TokenTables
from archsim.program.codes import CAUSE_CODES
from archsim.program.ir import After, Dep, Phase, PhaseKind, Wait
from tests.engines.recurrence.generic_phases import Nothing

OPERAND, BUFFER = CAUSE_CODES[Wait.OPERAND], CAUSE_CODES[Wait.BUFFER]


def dep(op: int, lag: int = 0, after: After = After.DONE, cause: Wait = Wait.OPERAND) -> Dep:
    return Dep(op, lag, after, cause)


def tables(windows: str, deps: dict[int, list[Dep]], repeat: int, joined: str = "") -> TokenTables:
    """Ops with those windows ("02" leaves the last two repetitions out); those of `joined` are of the op before."""
    ops = [
        Nothing(unit="u", label=str(k), skip_first=int(w[0]), skip_last=int(w[1]), joined=str(k) in joined)
        for k, w in enumerate(windows.split())
    ]
    of_ops = tuple(tuple(deps.get(k, ())) for k in range(len(ops)))
    return TokenTables(Phase("body", PhaseKind.BODY, repeat, tuple(ops), of_ops))


def test_tokens_turned_round() -> None:
    """Op 2 waits for 0 (done), for 1 of the repetition before (free) and for 1's first word; op 0 for 2 two before."""
    found = tables(
        "00 00 00",
        {
            2: [dep(0), dep(1, 1, After.FREE, Wait.BUFFER), dep(1, 0, After.FIRST)],
            0: [dep(2, 2, cause=Wait.BUFFER)],
        },
        9,
    )
    assert found.done_same == [((2, OPERAND),), (), ()]
    assert found.done_later == [(), (), ((0, 2, BUFFER),)]
    assert found.free_same == [(), (), ()]
    assert found.free_later == [(), ((2, 1, BUFFER),), ()]
    assert found.first_same == [(), ((2, OPERAND),), ()]
    assert found.followed == [(), (), (1,)]


def test_ops_that_take_part() -> None:
    """Of 6 repetitions op 0 leaves the first out, op 2 the last two; op 1 none."""
    found = tables("10 00 02", {}, 6)
    assert [found.active(r) for r in range(6)] == [(1, 2), (0, 1, 2), (0, 1, 2), (0, 1, 2), (0, 1), (0, 1)]
    assert found.conditional == (True, False, True)


def test_tokens_that_come() -> None:
    """Op 1 waits for op 0 of this repetition and of two before, op 0 for op 2 of the one before.

    Of 7 repetitions op 0 leaves the first out, and op 2 the last two: what is left out sends nothing.
    """
    found = tables("10 00 02", {0: [dep(2, 1)], 1: [dep(0), dep(0, 2)]}, 7)
    assert [found.pending(r) for r in range(7)] == [
        [0, 0, 0],  # op 0 is left out, and nothing lies before
        [1, 1, 0],
        [1, 1, 0],  # two before op 0 was left out
        [1, 2, 0],
        [1, 2, 0],
        [1, 2, 0],  # op 2 of repetition 4 was there
        [0, 2, 0],  # and that of repetition 5 was not
    ]
    first = found.pending(3)
    first[0] = 99
    assert found.pending(3) == [1, 2, 0], "each repetition counts its own down"


def test_instructions_that_are_passed_over() -> None:
    """Ops 0 to 4, of which 2 is part of 1's instruction; 1 and 2 leave the first repetition out, 4 the last.

    Before op 3 one instruction is passed over then, 1 with 2; and behind op 3 one in the last.
    """
    found = tables("00 10 10 00 01", {}, 4, joined="2")
    assert found.left_out_before(0) == (0, 1, 0, 0)
    assert found.left_out_before(1) == (0, 0, 0, 0, 0, 0)
    assert found.left_out_before(3) == (0, 0, 0, 0, 1)
    nobody = tables("10 10", {}, 3)
    assert (nobody.active(0), nobody.left_out_before(0)) == ((), (2,))
    first = tables("10 10 00", {}, 3)
    assert first.left_out_before(0) == (2, 0)
    assert replace(first.phase, repeat=3).op_instances == 2 + 2 + 3
