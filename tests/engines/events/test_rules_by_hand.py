"""The machine's rules one by one, on programs of a few ops without data: each at exactly the cycle it says.

Job("a1", 3, 4) is an op of unit "a" with occupancy 3 and depth 4. Times are (start, free, done).
"""

from __future__ import annotations

from typing import Any

import pytest

from archsim.errors import DeadlockError
from archsim.program.ir import After, PhaseKind, Wait
from tests.engines.events.by_hand import Job, Token, run_jobs

Times = dict[tuple[int, int, str], tuple[int, int, int]]
"""Start, free and done by phase, repetition and op."""


def times_of(*body: Job, **options: Any) -> dict[str, tuple[int, int, int]]:
    """The times of the ops of one phase that runs once."""
    times, _ = run_jobs(body, **options)
    return {label: found for (_, _, label), found in times.items()}


def starts_of(times: Times, label: str) -> list[int]:
    """The start of an op in every repetition."""
    return [start for (_, _, name), (start, _, _) in sorted(times.items()) if name == label]


class TestUnits:
    def test_free_after_the_occupancy_done_after_the_latency(self) -> None:
        """Two ops of one unit follow each other at the occupancy; the depth overlaps."""
        assert times_of(Job("a1", 3, 4), Job("a2", 2, 4)) == {"a1": (0, 3, 7), "a2": (3, 5, 9)}

    def test_depth_zero(self) -> None:
        """Without a pipeline the result is there when the unit is free, and its reader starts in that cycle."""
        found = times_of(Job("a1", 3), Job("b1", 1, 0, [Token("a1")]))
        assert found == {"a1": (0, 3, 3), "b1": (3, 4, 4)}

    def test_ops_retire_in_order(self) -> None:
        """a2 would be done at 2, but a1, before it on the unit, is done at 11: so is a2, and its reader starts then.

        c1 waits for a2 to have read its operands alone (free, 2).
        """
        found = times_of(
            Job("a1", 1, 10),
            Job("a2", 1, 0),
            Job("b1", 1, 0, [Token("a2")]),
            Job("c1", 1, 0, [Token("a2", After.FREE)]),
        )
        assert found == {"a1": (0, 1, 11), "a2": (1, 2, 11), "b1": (11, 12, 12), "c1": (2, 3, 3)}

    def test_results_pass_the_write_port_one_after_the_other(self) -> None:
        """a1 is done at 11: its last beat is in cycle 10. The beats of a2 and a3 come behind: 11 and 12, then 13.

        a2 would be done at 2 by itself; two beats after 11 are 13. a3 has one beat more: 14. a4 comes out at
        3 + 1 + 12 = 16 by its own depth, and nothing is in its way.
        """
        jobs = Job("a1", 1, 10, write=1), Job("a2", 1, 0, write=2), Job("a3", 1, 0, write=1), Job("a4", 1, 12, write=1)
        found = times_of(*jobs)
        assert found == {"a1": (0, 1, 11), "a2": (1, 2, 13), "a3": (2, 3, 14), "a4": (3, 4, 16)}

    def test_ops_start_in_order(self) -> None:
        """a1 waits for c1 (done 10); a2 needs nothing, but stands behind it."""
        found = times_of(Job("c1", 4, 6), Job("a1", 1, 0, [Token("c1")]), Job("a2", 1))
        assert found == {"c1": (0, 4, 10), "a1": (10, 11, 11), "a2": (11, 12, 12)}

    def test_a_dependency_on_the_same_unit_waits_for_the_result(self) -> None:
        """Unlike a2 above, which follows at 3, an op that reads a1's result starts at 7."""
        assert times_of(Job("a1", 3, 4), Job("a2", 2, 4, [Token("a1")]))["a2"] == (7, 9, 13)

    def test_the_last_token_counts(self) -> None:
        """b1 needs a1 (done 7) and c1 (done 5)."""
        found = times_of(Job("a1", 3, 4), Job("c1", 5, 0), Job("b1", 1, 0, [Token("a1"), Token("c1")]))
        assert found["b1"] == (7, 8, 8)


class TestSequencer:
    @pytest.mark.parametrize(("issue_cycles", "starts"), [(0, (0, 0, 0)), (1, (1, 2, 3)), (3, (3, 6, 9))])
    def test_one_op_every_issue_cycles(self, issue_cycles: int, starts: tuple[int, int, int]) -> None:
        """The first op is there `issue_cycles` after the start of the phase, the others follow at that interval."""
        found = times_of(Job("a1", 1), Job("b1", 1), Job("c1", 1), issue_cycles=issue_cycles)
        assert tuple(start for start, _, _ in found.values()) == starts

    @pytest.mark.parametrize(
        ("issue_cycles", "occupancy", "starts"), [(3, 1, [3, 6, 9]), (3, 3, [3, 6, 9]), (3, 5, [3, 8, 13])]
    )
    def test_the_slower_of_issue_and_unit(self, issue_cycles: int, occupancy: int, starts: list[int]) -> None:
        """Three ops of one unit: at the issue interval, or at the occupancy if that is longer."""
        times, _ = run_jobs([Job("a1", occupancy)], repeat=3, issue_cycles=issue_cycles)
        assert starts_of(times, "a1") == starts  # type: ignore[arg-type]

    # a1, a2, a3 (occupancy 5) and b1 on another unit. Issue times t; an op leaves its queue when it starts.
    #
    #   issue 1, depth 1: t(a1) = 1, start 1. t(a2) = max(1, 1) + 1 = 2, start 6. t(a3): the place is free when a2
    #                     starts: max(2, 6) + 1 = 7, start 11. t(b1) = 8.
    #   issue 1, depth 2: t(a3): a1 has left one of two places at 1: max(2, 1) + 1 = 3. t(b1) = 4.
    #   issue 1, depth 3: the same, a3 never waited for a place.
    #   issue 0, depth 1: t(a1) = t(a2) = 0; t(a3) = 5, when a2 starts; b1 at once: 5.
    #   issue 0, depth 2: a1 leaves at 0, a2 and a3 have places: t(b1) = 0.
    #   issue 3, depth 1: t(a1) = 3; t(a2) = max(3, 3) + 3 = 6, start 8; t(a3) = max(6, 8) + 3 = 11, start 13;
    #                     t(b1) = 14.
    #   issue 3, depth 2: t(a2) = 6; t(a3) = max(6, 3) + 3 = 9; t(b1) = 12.
    @pytest.mark.parametrize(
        ("issue_cycles", "queue_depth", "starts"),
        [
            (1, 1, {"a1": 1, "a2": 6, "a3": 11, "b1": 8}),
            (1, 2, {"a1": 1, "a2": 6, "a3": 11, "b1": 4}),
            (1, 3, {"a1": 1, "a2": 6, "a3": 11, "b1": 4}),
            (0, 1, {"a1": 0, "a2": 5, "a3": 10, "b1": 5}),
            (0, 2, {"a1": 0, "a2": 5, "a3": 10, "b1": 0}),
            (3, 1, {"a1": 3, "a2": 8, "a3": 13, "b1": 14}),
            (3, 2, {"a1": 3, "a2": 8, "a3": 13, "b1": 12}),
        ],
    )
    def test_a_full_queue_holds_everything_behind_it(
        self, issue_cycles: int, queue_depth: int, starts: dict[str, int]
    ) -> None:
        found = times_of(
            *(Job(label, 5) for label in ("a1", "a2", "a3")),
            Job("b1", 1),
            issue_cycles=issue_cycles,
            queue_depth=queue_depth,
        )
        assert {label: start for label, (start, _, _) in found.items()} == starts

    def test_an_op_that_waits_for_its_token_keeps_its_place(self) -> None:
        """Depth 1: a1 waits for c1 until 9 in the queue, so a2 is issued at 10 and b1 at 11.

        c1 is issued at 1 and runs from 1 to 9; a1 is issued at 2.
        """
        found = times_of(
            Job("c1", 8),
            Job("a1", 1, 0, [Token("c1")]),
            Job("a2", 1),
            Job("b1", 1),
            issue_cycles=1,
            queue_depth=1,
        )
        assert {label: start for label, (start, _, _) in found.items()} == {
            "c1": 1,
            "a1": 9,
            "a2": 10,
            "b1": 11,
        }

    def test_the_next_repetition_follows_in_program_order(self) -> None:
        """Issue 2: a1 b1 a1 b1 a1 b1 at 2, 4, 6, 8, 10, 12."""
        times, _ = run_jobs([Job("a1", 1), Job("b1", 1)], repeat=3, issue_cycles=2)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([2, 6, 10], [4, 8, 12])  # type: ignore[arg-type]

    def test_passing_over_what_a_repetition_leaves_out_takes_an_interval(self) -> None:
        """Issue 2, and the last of three repetitions leaves a1 out: a1 2, b1 4; a1 6, b1 8; 10 passes, b1 12.

        So b1 comes no earlier than if a1 were there. With queues of one place the sequencer passes over a1 though
        unit a, busy until 102, has no place for it: a1 of the first repetition starts at 2, that of the second is
        issued at 6 and waits.
        """
        body = [Job("a1", 1, skip_last=1), Job("b1", 1)]
        times, _ = run_jobs(body, repeat=3, issue_cycles=2)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([2, 6], [4, 8, 12])  # type: ignore[arg-type]
        body[0] = Job("a1", 100, skip_last=1)
        times, _ = run_jobs(body, repeat=3, issue_cycles=2, queue_depth=1)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([2, 102], [4, 8, 12])  # type: ignore[arg-type]


class TestTokenLatency:
    def test_a_token_of_done_and_one_of_free(self) -> None:
        """a1 is free at 3 and done at 7: 2 cycles later b1 and c1 know of it. The phase's first token comes at 2."""
        jobs = Job("a1", 3, 4), Job("b1", 1, 0, [Token("a1")]), Job("c1", 1, 0, [Token("a1", After.FREE)])
        found = times_of(*jobs, token_latency_cycles=2)
        assert found == {"a1": (2, 5, 9), "b1": (11, 12, 12), "c1": (7, 8, 8)}

    def test_ops_of_a_unit_need_no_token_to_follow_each_other(self) -> None:
        assert times_of(Job("a1", 3, 4), Job("a2", 2, 4), token_latency_cycles=5) == {
            "a1": (5, 8, 12),
            "a2": (8, 10, 14),
        }

    def test_a_recurrence_pays_for_each_token(self) -> None:
        """a 2, its token 1, b 1 + depth 1, its token 1: 6 instead of 4 (see TestRepetitions), from 1 on."""
        body = [Job("a1", 2, 0, [Token("b1", lag=1)]), Job("b1", 1, 1, [Token("a1")])]
        times, _ = run_jobs(body, repeat=3, token_latency_cycles=1)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([1, 7, 13], [4, 10, 16])  # type: ignore[arg-type]

    def test_a_phase_begins_with_a_token(self) -> None:
        """The phase before is over at 2 + 4 = 6; that is known at 8; issue takes 1 more."""
        times, trace = run_jobs([Job("a1", 3)], [Job("b1", 1)], issue_cycles=1, token_latency_cycles=2)
        assert times["0", 0, "a1"] == (3, 6, 6)
        assert times["1", 0, "b1"] == (9, 10, 10)
        assert [(phase.start, phase.end) for phase in trace.phases] == [(0, 6), (6, 10)]


class TestRepetitions:
    def test_a_dependency_of_lag_0_pipelines(self) -> None:
        """a runs ahead at its own rate: 0, 2, 4; b one occupancy later."""
        times, _ = run_jobs([Job("a1", 2), Job("b1", 1, 0, [Token("a1")])], repeat=3)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([0, 2, 4], [2, 4, 6])  # type: ignore[arg-type]

    def test_a_dependency_of_lag_1_is_a_recurrence(self) -> None:
        """a waits for b of the repetition before (none in the first): period 2 + 1 + depth 1 = 4."""
        body = [Job("a1", 2, 0, [Token("b1", lag=1)]), Job("b1", 1, 1, [Token("a1")])]
        times, _ = run_jobs(body, repeat=3)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == ([0, 4, 8], [2, 6, 10])  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("after", "producer", "consumer"),
        [(After.FREE, [0, 1, 5, 9], [1, 5, 9, 13]), (After.DONE, [0, 1, 8, 12], [1, 5, 9, 13])],
    )
    def test_a_double_buffer(self, after: After, producer: list[int], consumer: list[int]) -> None:
        """a fills one of two slots (1 cycle), b reads it (4 cycles, depth 3); a waits for b of two repetitions ago.

        b runs at 1, 5, 9, 13 in both cases. FREE, as a write after a read asks for: a of repetition 2 starts when b of
        repetition 0 has read, at 5, and of repetition 3 at 9. DONE: at 1 + 4 + 3 = 8 and 12.
        """
        body = [Job("a1", 1, 0, [Token("b1", after, lag=2)]), Job("b1", 4, 3, [Token("a1")])]
        times, _ = run_jobs(body, repeat=4)
        assert (starts_of(times, "a1"), starts_of(times, "b1")) == (producer, consumer)  # type: ignore[arg-type]


class TestPhases:
    @pytest.mark.parametrize(("issue_cycles", "begin", "start"), [(0, 10, 10), (1, 11, 12)])
    def test_a_phase_starts_when_everything_before_is_done(self, issue_cycles: int, begin: int, start: int) -> None:
        """a1 is done 1 + 9 cycles after its issue; b, which is free at 2 or 4, waits for that; issue starts anew."""
        before = [Job("a1", 1, 9), Job("b1", 2)]
        times, trace = run_jobs(before, [Job("b1", 1)], issue_cycles=issue_cycles)
        assert times["1", 0, "b1"] == (start, start + 1, start + 1)
        assert [(phase.start, phase.end) for phase in trace.phases] == [(0, begin), (begin, start + 1)]

    def test_the_time_after_the_last_op_is_idle(self) -> None:
        """b is free at 2 of 10 cycles; the idle time ends with the phase and is not booked as a wait afterwards."""
        _, trace = run_jobs([Job("a1", 1, 9), Job("b1", 2)], [Job("b1", 1)])
        unit = trace.units["b"]
        idle = {kind: cycles for kind, cycles in unit.idle.items() if cycles}
        assert (unit.compute_cycles, idle, sum(unit.waits.values())) == (3, {PhaseKind.BODY: 8}, 0)


class TestWhyAUnitWaits:
    """The whole time from the end of the op before is booked on what came last."""

    @staticmethod
    def waits_of_b(first: int, second: int, issue_cycles: int = 0) -> dict[Wait, int]:
        """b1 waits for a1 (cause weights, done at `first`) and c1 (cause input, done at `second`)."""
        tokens = [Token("a1", cause=Wait.WEIGHTS), Token("c1", cause=Wait.INPUT)]
        body = [Job("a1", first), Job("c1", second), Job("b1", 1, 0, tokens)]
        _, trace = run_jobs(body, issue_cycles=issue_cycles)
        return {cause: cycles for cause, cycles in trace.units["b"].waits.items() if cycles}

    def test_the_last_token(self) -> None:
        assert self.waits_of_b(8, 5) == {Wait.WEIGHTS: 8}
        assert self.waits_of_b(5, 8) == {Wait.INPUT: 8}

    def test_of_equals_the_later_in_the_list(self) -> None:
        """recurrence, input, weights, accumulator, operand, buffer: weights comes after input."""
        assert self.waits_of_b(8, 8) == {Wait.WEIGHTS: 8}

    def test_issue_counts_only_if_it_is_later_than_all_tokens(self) -> None:
        """Issue 4: a1 is issued at 4, c1 at 8, b1 at 12.

        a1 done at 12 is a tie, which the token wins; done at 11, it leaves the issue as the last.
        """
        assert self.waits_of_b(8, 1, issue_cycles=4) == {Wait.WEIGHTS: 12}
        assert self.waits_of_b(7, 1, issue_cycles=4) == {Wait.ISSUE: 12}


def test_a_deadlock_names_what_an_op_awaits_of_an_earlier_repetition() -> None:
    """a1 and b1 wait for each other; c1 waits for the a1 of one repetition before, which repetition 0 has not."""
    body = [
        Job("a1", 1, 0, [Token("b1")]),
        Job("b1", 1, 0, [Token("a1")]),
        Job("c1", 1, 0, [Token("a1", lag=1)]),
    ]
    with pytest.raises(DeadlockError) as caught:
        run_jobs(body, repeat=3)
    assert "c: 'c1' of repetition 1 waits for 'a1' of repetition 0 (done)" in str(caught.value)
