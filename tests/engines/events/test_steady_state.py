"""Between which repetitions the steady state is measured, and that a DRAM-bound step is not understated by it."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.program.ir import Phase
from archsim.workload import load_workload
from tests.engines.events.by_hand import Job, job_phase, run, run_jobs
from tests.float_machines import FLOAT_64X64
from tests.rings import few


def phase_of(repeat: int, *skip_last: int) -> Phase:
    """A phase with an op for each number of last repetitions that it leaves out."""
    return job_phase("by hand", [Job(f"a{n}", 1, skip_last=skip) for n, skip in enumerate(skip_last)], repeat)


# b = repeat - 1 - skip_last, the last repetition with every op, or repeat - 1 where that is below 1; a = b // 2.
@pytest.mark.parametrize(
    ("repeat", "skip_last", "steady"),
    [
        # one repetition: measured from the start of the phase
        (1, 0, (0, 0)),
        (1, 1, (0, 0)),
        (1, 3, (0, 0)),
        # two: from the end of the first to the end of the second, whatever is left out
        (2, 0, (0, 1)),
        (2, 1, (0, 1)),
        (2, 2, (0, 1)),
        (2, 9, (0, 1)),
        # three: b = 2; 1; 0, so 2; -1, so 2
        (3, 0, (1, 2)),
        (3, 1, (0, 1)),
        (3, 2, (1, 2)),
        (3, 3, (1, 2)),
        # four: b = 3; 2; 1; 0, so 3
        (4, 0, (1, 3)),
        (4, 1, (1, 2)),
        (4, 2, (0, 1)),
        (4, 3, (1, 3)),
        # many: b = 69, 67, 66, 1
        (70, 0, (34, 69)),
        (70, 2, (33, 67)),
        (70, 3, (33, 66)),
        (70, 68, (0, 1)),
        (70, 69, (34, 69)),
    ],
)
def test_steady_repetitions(repeat: int, skip_last: int, steady: tuple[int, int]) -> None:
    """The machine keeps the ends of these repetitions: op a1 takes a cycle, so that repetition r ends at r + 1."""
    always, sometimes = Job("a1", 1), Job("b1", 1, skip_last=skip_last)
    _, trace = run_jobs([always, sometimes], repeat=repeat)
    (phase,) = trace.phases
    marked = sorted({0, *steady, repeat - 1})
    assert list(phase.ends) == [(repetition, repetition + 1) for repetition in marked]
    assert phase_of(repeat, 0, skip_last).steady_repetitions == steady


def test_the_op_that_is_left_out_most_counts() -> None:
    """Of 10 repetitions the ops skip 2, 4 and 0: repetition 5 is the last with all of them."""
    assert phase_of(10, 2, 4, 0).steady_repetitions == (2, 5)


def test_a_phase_without_ops() -> None:
    assert phase_of(5).steady_repetitions == (2, 4)


def test_repetitions_that_leave_an_op_out_do_not_count() -> None:
    """a1 (5 cycles, not in the last two of 6) and a2 (3): they end at 8, 16, 24, 32, and then at 35, 38.

    b = 3, a = 1: (32 - 16) / 2 = 8, the full repetition.
    """
    _, trace = run_jobs([Job("a1", 5, skip_last=2), Job("a2", 3)], repeat=6)
    assert list(trace.phases[0].ends) == [(0, 8), (1, 16), (3, 32), (5, 38)]


class TestStepsBehindASlowDram:
    # 0.5 bytes a cycle: x (16 bytes of bursts) takes 32 cycles, h (8) 16, a full step 48; prefetch_steps = 1. From
    # test_2x2_fused_interleaved_behind_a_slow_dram, which counts from the token that starts the body, a cycle after its
    # start: "store h" of a step that is followed by others is done at 56, 104, 152; of the last step, which loads no x,
    # 34 (to hidden[1]) + 1 (token) + 16 + 5 = 56 after its first tile, which starts at 0, 38, 89, 137.
    #
    #   T = 1   a = b = 0              1 + 56
    #   T = 2   b = 0, so 1; a = 0     38 + 56 - 56 = 38: the only step that is left loads no x
    #   T = 3   b = 1, a = 0           104 - 56 = 48
    #   T = 4   b = 2, a = 1           152 - 104 = 48; up to step 3 it would be 137 + 56 - 152 = 41
    @pytest.mark.parametrize(("steps", "cycles_per_step"), [(1, 57), (2, 38), (3, 48), (4, 48), (9, 48)])
    def test_by_hand(self, steps: int, cycles_per_step: int) -> None:
        simulation = run("fused_interleaved", f"lstm:3,2,t={steps}", "dram.bandwidth_bytes_per_cycle=0.5")
        assert simulation.stats.cycles_per_step == cycles_per_step

    @pytest.mark.parametrize("schedule", few([schedule.name for schedule in GEMV_SCHEDULES], 4))
    def test_a_step_takes_what_dram_needs_for_x_and_h(self, schedule: str) -> None:
        """silero_vad (I = H = 128) in float32 with 4 bytes a cycle: x and h are 512 bytes, 128 cycles each.

        Everything else of a step passes in less than 256 cycles beside it. The bound is a mean over all T = 310 steps,
        the last two of which load no x: 256 - 2 * 128 / 310. In blocks of 4 steps the first block has two, whose x is
        loaded before the steps.
        """
        sets = ("dram.bandwidth_bytes_per_cycle=4", "state_buffer.hoist_steps=4", "state_buffer.capacity_bytes=256KiB")
        arch = load_arch(FLOAT_64X64, [parse_override(text) for text in sets])
        stats = simulate(arch, load_workload("silero_vad"), schedule, timing_only=True).stats
        assert stats.binding_bound == "dram"
        assert stats.bounds["dram"] == pytest.approx(256 - 256 / 310)
        assert stats.cycles_per_step == 128 + 128

    @pytest.mark.parametrize(
        ("steps", "cycles_per_step"), [(4, 2 + (13 + 1 + 5 + 5 + 5 + 3) + 5), (9, (5 + 5 + 80 + 1 + 39) / 3)]
    )
    def test_the_first_steps_count_in_a_short_sequence(self, steps: int, cycles_per_step: float) -> None:
        """What the document quotes: LSTM(3, 2) on edge_64x64 with a prefetch of 2 steps.

        T = 4: step 1 follows step 0, and x_1 is there: a tile of two accumulations, a chunk each, its tail with tables
        of 4 stages, and 5 tokens: 39. T = 9, steps 4 to 6: from h on, a burst of "store h" (64 bytes at 15.04 a cycle,
        5 cycles), one of x behind it (5 + 80), the token that tells of it and the 39 of a step, and that once in three
        steps.
        """
        stats = simulate(load_arch("edge_64x64"), load_workload(f"lstm:3,2,t={steps}"), "fused", timing_only=True).stats
        assert stats.cycles_per_step == cycles_per_step

    @pytest.mark.parametrize("prefetch", [1, 2, 5])
    @pytest.mark.parametrize("steps", [7, 8, 11, 20])
    def test_never_less_than_dram_needs_however_short_the_sequence(self, prefetch: int, steps: int) -> None:
        """LSTM(3, 2) with 0.5 bytes a cycle: x and h are a burst of 64 bytes, 128 cycles each."""
        overrides = ("dram.bandwidth_bytes_per_cycle=0.5", f"input_buffer.prefetch_steps={prefetch}")
        arch = load_arch(FLOAT_64X64, [parse_override(text) for text in overrides])
        stats = simulate(arch, load_workload(f"lstm:3,2,t={steps}"), "fused", timing_only=True).stats
        assert stats.cycles_per_step >= 128 + 128
        assert stats.cycles_per_step >= stats.bounds["dram"]
