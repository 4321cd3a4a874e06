"""Order of ops, critical cycles and stacks of bodies that are written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
import pytest

from archsim.critical import CAUSES, Cause, CriticalCycle, Instance, Link, Rules, Segment, critical_cycle, latency_stack
from archsim.critical.ratio import Edge, Event, Node
from archsim.critical.stack import links, step_stack
from archsim.critical.times import Order, last_op
from archsim.hardware.unit import Service, Units, Work
from archsim.program.ir import After, Dep, Op, Phase, PhaseKind, Program, Region, Wait


@dataclass(frozen=True, kw_only=True)
class Job(Op):
    """An op without data."""

    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


def body(ops: Sequence[Op], deps: Mapping[int, Sequence[Dep]] | None = None, repeat: int = 3) -> Phase:
    given = deps or {}
    return Phase("body", PhaseKind.BODY, repeat, tuple(ops), tuple(tuple(given.get(n, ())) for n in range(len(ops))))


def after(op: int, lag: int, kind: After = After.DONE) -> Dep:
    return Dep(op, lag, kind, next(iter(Wait)))


ORDERED = body(
    [
        Job(unit="a", label="0"),
        Job(unit="b", label="1", skip_first=1),
        Job(unit="a", label="2", joined=True),
        Job(unit="b", label="3", skip_last=1),
        Job(unit="c", label="4", skip_first=2, joined=True),
    ]
)
"""On a: 0 and 2. On b: 3 | 1, 3 | 1. On c: the last repetition's 4."""


@pytest.mark.parametrize(
    ("repetition", "op", "back", "found"),
    [
        (0, 0, 1, None),
        (0, 2, 1, (0, 0)),
        (1, 0, 1, (0, 2)),
        (1, 0, 2, (0, 0)),
        (1, 0, 3, None),
        (2, 2, 4, (0, 2)),
        (0, 3, 1, None),
        (1, 1, 1, (0, 3)),
        (1, 3, 1, (1, 1)),
        (2, 1, 1, (1, 3)),
        (2, 1, 2, (1, 1)),
        (2, 1, 3, (0, 3)),
        (2, 1, 4, None),
        (2, 4, 1, None),
    ],
)
def test_what_a_unit_takes_before_an_op(repetition: int, op: int, back: int, found: tuple[int, int] | None) -> None:
    """Ops that are left out of a repetition are passed over."""
    assert Order(ORDERED).on_unit(repetition, op, back) == found


@pytest.mark.parametrize(
    ("repetition", "op", "found"),
    [
        (0, 0, (None, 0)),
        (0, 2, ((0, 0), 1)),  # 1 is left out
        (0, 3, ((0, 2), 0)),
        (1, 0, ((0, 3), 0)),  # 4 is left out, but joined: it would not be issued for itself
        (1, 1, ((1, 0), 0)),
        (2, 0, ((1, 3), 0)),
        (2, 4, ((2, 2), 1)),  # 3 is left out
    ],
)
def test_what_is_issued_before_an_op(repetition: int, op: int, found: tuple[tuple[int, int] | None, int]) -> None:
    """And how many are passed over between, which take their turn of the sequencer."""
    assert Order(ORDERED).issued_before(repetition, op) == found


def test_the_first_of_the_latest_ops() -> None:
    assert last_op(np.array([[3, 9, 1], [2, 9, 9]])) == (0, 1)
    assert last_op(np.array([[3, 8, 1], [2, 9, 9]])) == (1, 1)


def rules(*services: Service, issue: int = 0, queue: int = 8, latency: int = 3) -> Rules:
    return Rules((services,), issue, queue, latency)


ALONE = [Job(unit="a", label="0")]
PAIR = [Job(unit="a", label="0"), Job(unit="b", label="1")]


@pytest.mark.parametrize(
    ("ops", "deps", "given", "ratio"),
    [
        # An op of 5 cycles: its unit takes the next one when it is free. Results 2 later, a token 3 later: 10.
        (ALONE, {}, rules(Service(5, 4, 2)), Fraction(5)),
        (ALONE, {}, rules(Service(4, 6, 2)), Fraction(6)),
        (ALONE, {0: [after(0, 1)]}, rules(Service(5, 4, 2)), Fraction(10)),
        (ALONE, {0: [after(0, 1, After.FREE)]}, rules(Service(5, 4, 2)), Fraction(8)),
        (ALONE, {0: [after(0, 2)]}, rules(Service(5, 4, 2), latency=6), Fraction(13, 2)),
        # Results that pass a write port in 9 cycles, one op's after the other's.
        (ALONE, {}, rules(Service(5, 4, 2, 1, 9)), Fraction(9)),
        # Issued every 7 cycles; two ops every 14, unless the second one is joined to the first.
        (ALONE, {}, rules(Service(5, 4, 2), issue=7), Fraction(7)),
        (PAIR, {}, rules(Service(1, 1, 0), Service(1, 1, 0), issue=7), Fraction(14)),
        (
            [PAIR[0], Job(unit="b", label="1", joined=True)],
            {},
            rules(Service(1, 1, 0), Service(1, 1, 0), issue=7),
            Fraction(7),
        ),
        # b follows a word by word, its first one 4 + 2 cycles after a's start, and ends no earlier than a: a 10 and 2,
        # then a token of 3 back to a, though b works for 1 cycle.
        (
            PAIR,
            {0: [after(1, 1, After.FREE)], 1: [after(0, 0, After.FIRST)]},
            rules(Service(10, 1, 2, 4), Service(1, 1, 0)),
            Fraction(15),
        ),
        (
            PAIR,
            {0: [after(1, 1, After.FREE)], 1: [after(0, 0, After.FIRST)]},
            rules(Service(10, 1, 2, 4), Service(8, 1, 0)),
            Fraction(4 + 2 + 8 + 3),
        ),
    ],
)
def test_the_rate_of_a_body(
    ops: Sequence[Op], deps: Mapping[int, Sequence[Dep]], given: Rules, ratio: Fraction
) -> None:
    found = critical_cycle(body(ops, deps), 0, given)
    assert found is not None
    assert found.ratio == ratio
    assert found.ratio == Fraction(sum(e.cycles for e in found.edges), sum(e.lag for e in found.edges))


def test_a_full_queue_holds_back_what_is_issued_behind_it() -> None:
    """On a two ops of 5 cycles, on b one of 15, whose token (2) the next repetition's first op waits for.

    With one place in a's queue its second op is issued a cycle after the first one starts, and b's a cycle behind it:
    1 + 1 + 15 + 2 = 19. With two places it may be issued before: b's own 15 are left.
    """
    ops = [Job(unit="a", label="0"), Job(unit="a", label="1"), Job(unit="b", label="2")]
    phase, services = body(ops, {0: [after(2, 1)]}), (Service(5, 1, 0), Service(5, 1, 0), Service(15, 1, 0))
    for queue, ratio in ((1, 19), (2, 15)):
        found = critical_cycle(phase, 0, rules(*services, issue=1, queue=queue, latency=2))
        assert found is not None
        assert found.ratio == ratio
    ops[1] = Job(unit="a", label="1", joined=True)  # issued as soon as there is a place for it: a cycle less
    found = critical_cycle(body(ops, {0: [after(2, 1)]}), 0, rules(*services, issue=1, queue=1, latency=2))
    assert found is not None
    assert found.ratio == 18
    alone = critical_cycle(phase, 0, rules(*services, issue=1, queue=1, latency=2), recurrence_alone=True)
    assert alone is None, "op 2 waits for nothing but the sequencer"


def test_nothing_closes_a_cycle_without_units_and_sequencer() -> None:
    assert (
        critical_cycle(
            body(PAIR, {1: [after(0, 0)]}), 0, rules(Service(5, 1, 0), Service(5, 1, 0)), recurrence_alone=True
        )
        is None
    )


def test_a_cycle_begins_where_it_passes_to_a_later_repetition() -> None:
    """Of two such edges at the first one in program order."""
    found = critical_cycle(
        body(PAIR, {0: [after(1, 1)], 1: [after(0, 1)]}), 0, rules(Service(5, 1, 0), Service(7, 1, 1))
    )
    assert found is not None
    assert (found.cycles, found.lag) == (5 + 3 + 7 + 1 + 3, 2)
    assert found.edges[0].end == Node(0, Event.START)
    assert found.edges[0].lag == 1


def test_what_the_cycles_of_edges_are() -> None:
    """An op of 5 cycles that a port holds for 7: 2 wait for the port. What takes no cycles is left out."""
    node = {(op, event): Node(op, event) for op in (0, 1) for event in Event}
    edges = (
        Edge(node[0, Event.START], node[0, Event.FREE], 7, 0),
        Edge(node[0, Event.FREE], node[0, Event.DONE], 4, 0),
        Edge(node[0, Event.DONE], node[1, Event.DONE], 6, 0),
        Edge(node[1, Event.DONE], node[0, Event.START], 3, 1),
        Edge(node[0, Event.START], node[1, Event.START], 8, 0),
        Edge(node[0, Event.START], node[1, Event.ISSUE], 9, 0),
        Edge(node[1, Event.ISSUE], node[1, Event.START], 0, 0),
        Edge(node[0, Event.DONE], node[1, Event.FREE], 0, 0),
    )
    assert links(CriticalCycle(edges), 0, rules(Service(5, 7, 4), Service(1, 1, 1))) == (
        Link(0, Cause.PORT, 2),
        Link(0, Cause.COMPUTE, 5),
        Link(0, Cause.DRAIN, 4),
        Link(1, Cause.WRITE_PORT, 6),
        Link(0, Cause.TOKEN, 3),
        Link(0, Cause.STREAM, 8),
        Link(1, Cause.ISSUE, 9),
    )


class Worker:
    """What a stack asks of a unit: how many items each op is, by its label, of 4 a cycle."""

    def work(self, op: Op) -> Work:
        return Work(int(op.label), Fraction(4))


def units_of(*names: str) -> Units:
    return cast(Units, {name: Worker() for name in names})


def test_cycles_by_unit_and_cause() -> None:
    """On a: 10 and 3 items of 4 a cycle, the first twice: 5.75 cycles' worth of 9, 5 whole ones; 4 are padding.

    On b 40 items in 6 cycles: more than a cycle's worth each, as DRAM's banks may bring. Issues and waits for frames
    are the sequencer's.
    """
    ops = [Job(unit="a", label="10"), Job(unit="a", label="3"), Job(unit="b", label="40")]
    program = Program("by hand", (), (body(ops),))
    cycles = [
        (0, Cause.COMPUTE, 4),
        (1, Cause.COMPUTE, 1),
        (0, Cause.COMPUTE, 4),
        (0, Cause.TOKEN, 2),
        (0, Cause.PORT, 3),
        (1, Cause.TOKEN, 5),
        (2, Cause.COMPUTE, 6),
        (2, Cause.ISSUE, 7),
        (1, Cause.FRAME, 8),
        (2, Cause.DRAIN, 9),
    ]
    path, at = [], 100
    for op, cause, length in cycles:
        path.append(Segment(at, at + length, cause, Instance(0, 0, op)))
        at += length
    expected = {
        "b": {"useful": 6, "drain": 9},
        "a": {"useful": 5, "padding": 4, "wait_port": 3, "token": 7},
        "sequencer": {"issue": 7, "wait_frame": 8},
    }
    found = latency_stack(path, program, units_of("b", "idle", "a"))
    assert found == expected
    assert list(found) == ["b", "a", "sequencer"], "in the order of the machine, and only what has cycles"
    assert all(list(causes) == [cause for cause in CAUSES if cause in causes] for causes in found.values())
    of_links = step_stack([Link(*one) for one in cycles], program.phases[0], units_of("b", "idle", "a"))
    assert of_links == expected
