"""What the program's ops and phases say of time steps and repetitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.program.ir import Phase, PhaseKind
from tests.engines.events.by_hand import Job, job_phase


def test_a_time_step_is_the_stride_times_the_repetition_and_an_offset() -> None:
    op = job_phase("body", [Job("a1", 1)]).ops[0]
    assert [op.step(repetition) for repetition in range(3)] == [0, 1, 2]
    unrolled = replace(op, step_stride=2, step_offset=1)
    assert [unrolled.step(repetition) for repetition in range(3)] == [1, 3, 5]
    backwards = replace(op, step_stride=-1, step_offset=2)
    assert [backwards.step(repetition) for repetition in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("steps", "unroll", "window", "repetitions"),
    [
        (None, 1, (1, 3), range(1, 3)),
        (None, 1, (2, 99), range(2, 4)),
        (8, 2, (3, 5), range(1, 3)),  # steps 2 and 3, then 4 and 5
        (7, 2, (0, 2), range(2)),  # the first repetition has step 0 alone, the second 1 and 2
        (0, 1, (1, 2), range(4)),
        (None, 1, (0, 4), range(4)),
        (None, 1, (0, 1), range(1)),
        (None, 1, (3, 4), range(3, 4)),
        (None, 1, (-3, 2), range(2)),
        (None, 1, (-3, -1), range(0)),
        (8, 2, (1, 2), range(1)),
        (8, 2, (1, 3), range(2)),
        (7, 2, (1, 2), range(1, 2)),  # step 1 is the first of the second repetition
        (7, 2, (0, 1), range(1)),
        (10, 3, (1, 2), range(1, 2)),  # the first of four repetitions has step 0 alone: 10 = 1 + 3 * 3
        (10, 3, (3, 5), range(1, 3)),
        (0, 3, (1, 2), range(4)),
    ],
)
def test_the_repetitions_of_some_time_steps(
    steps: int | None, unroll: int, window: tuple[int, int], repetitions: range
) -> None:
    ops, deps = job_phase("body", [Job("a1", 1)]).ops, ((),)
    phase = Phase("body", PhaseKind.BODY, 4, ops, deps, steps, unroll)
    assert phase.repetitions_of(*window) == repetitions
