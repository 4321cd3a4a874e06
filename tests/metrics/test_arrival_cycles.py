"""The cycle at which each frame is there, and what arrivals and ends make of a stream's latencies."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from archsim.config import parse_override
from archsim.metrics.arrivals import (
    Served,
    apart_us,
    arrival_cycles,
    latencies_of,
    mean_period_us,
    percentile,
    spread_of,
)
from archsim.workload import load_workload
from archsim.workload.config import WorkloadConfig


def cycles(*sets: str) -> tuple[int, ...]:
    work = load_workload("lstm:3,2,t=6,streaming=1", [parse_override(text) for text in sets])
    found = arrival_cycles(work.config, Fraction(100))
    assert found is not None
    return found


def test_a_frame_is_late_by_up_to_the_jitter_and_never_early() -> None:
    """At 100 MHz a period of 5 us is 500 cycles, and a jitter of 2 us up to 200 more, in the order that is drawn."""
    late = np.random.Generator(np.random.PCG64(7)).random(6)
    found = cycles("period_us=5", "jitter_us=2", "jitter_seed=7")
    assert found == tuple(-int(-(500 * frame + 200 * share) // 1) for frame, share in enumerate(late))
    assert all(500 * frame <= cycle <= 500 * frame + 200 for frame, cycle in enumerate(found))
    assert cycles("period_us=5") == (0, 500, 1000, 1500, 2000, 2500)


def config(*sets: str) -> WorkloadConfig:
    return load_workload("lstm:3,2,t=6,streaming=1", [parse_override(text) for text in sets]).config


def test_streams_come_in_turn() -> None:
    """100 cycles a us. Three streams share a period of 6 us: 2 us apart unless an offset says 0.5 us."""
    assert cycles("period_us=6", "streams=3") == (0, 200, 400, 600, 800, 1000)
    assert cycles("period_us=6", "streams=3", "offset_us=0.5") == (0, 50, 100, 600, 650, 700)
    assert cycles("period_us=6", "streams=2", "offset_us=0") == (0, 0, 600, 600, 1200, 1200)


def test_a_frame_is_there_with_the_first_whole_cycle() -> None:
    """0.101 us are 10.1 cycles, so it is there at 11; 0.07 us are 7, which 0.07 * 100 in binary would overshoot."""
    assert cycles("arrivals_us=[0, 0.07, 0.101, 0.11, 2, 2]") == (0, 7, 11, 11, 200, 200)
    assert arrival_cycles(config(), Fraction(100)) is None


def test_the_mean_period_and_the_distance_of_frames() -> None:
    """Six frames from 1 to 11 us lie 2 us apart; of two streams in turn each has a period of 4."""
    times = "arrivals_us=[1, 1.5, 4, 5, 6, 11]"
    wanted = {("period_us=6", "streams=3"): [6, 2], (times,): [2, 2], (times, "streams=2"): [4, 2]}
    for sets, (period, apart) in wanted.items():
        assert mean_period_us(config(*sets)) == period
        assert apart_us(config(*sets)) == apart
    for nothing in (config(), config("steps=1", "arrivals_us=[3]"), config("arrivals_us=[3,3,3,3,3,3]")):
        assert mean_period_us(nothing) is apart_us(nothing) is None
    assert mean_period_us(config("steps=2", "arrivals_us=[3, 10]")) == 7


def test_nearest_rank() -> None:
    """Of 20 the 10th, 19th and, since 19.8 is not whole, 20th; of 4 the 2nd, and 4th twice; of one that one."""
    twenty = np.arange(20, 0, -1)
    assert [percentile(twenty, percent) for percent in (1, 5, 50, 51, 95, 96, 99, 100)] == [
        1,
        1,
        10,
        11,
        19,
        20,
        20,
        20,
    ]
    assert [percentile(np.array([7, 1, 5, 3]), percent) for percent in (25, 26, 50, 95)] == [1, 3, 3, 7]
    assert percentile(np.array([8]), 50) == 8
    found = spread_of(np.array([10, 20, 60, 30]))
    assert (found.frames, found.mean_cycles, found.p50_cycles, found.max_cycles) == (4, 30.0, 20, 60)
    many = spread_of(np.arange(1, 101))
    assert (many.p50_cycles, many.p95_cycles, many.p99_cycles, many.max_cycles) == (50, 95, 99, 100)


def test_a_deadline_is_missed_by_what_comes_later_only() -> None:
    """0.305 us at 100 MHz are 30.5 cycles: 30 is in time, 31 is not; with 0.3 us 30 is in time all the same."""
    latencies = np.array([29, 30, 31, 32])
    for deadline, missed in ((0.305, 2), (0.3, 2), (0.31, 1), (0.29, 3)):
        assert latencies_of(latencies, deadline, Fraction(100)).missed_deadlines == missed
    without = latencies_of(latencies, None, Fraction(100))
    assert (without.deadline_us, without.missed_deadlines) == (None, None)
    hundred = latencies_of(np.arange(1, 101), 0.5, Fraction(100))
    assert (hundred.frames, hundred.deadline_us, hundred.missed_deadlines) == (100, 0.5, 50)
    assert (hundred.p50_cycles, hundred.p95_cycles, hundred.p99_cycles, hundred.max_cycles) == (50, 95, 99, 100)


def served(arrived: list[int], out: list[int], done: list[int] | None = None, behind: int = 0) -> Served:
    return Served(np.array(arrived), np.array(out), np.array(out if done is None else done), behind)


def test_the_latencies_of_each_stream_and_of_all() -> None:
    """Frames 0, 2, 4 are the first stream's, with latencies 10, 30, 50; the others' are 200, 100 and 150.

    The period of 1 us, 100 cycles, is the deadline if none is given: 200 and 150 miss it, and with 0.25 us 30 does too.
    """
    found = served([0, 50, 100, 150, 200, 250], [10, 250, 130, 250, 250, 400])
    assert found.latencies.tolist() == [10, 200, 30, 100, 50, 150]
    two = config("period_us=1", "streams=2")
    all_of_them = found.arrivals(two, Fraction(100))
    assert (all_of_them.frames, all_of_them.missed_deadlines, all_of_them.p50_cycles) == (6, 2, 50)
    first, second = all_of_them.streams
    assert (first.frames, first.missed_deadlines, first.p50_cycles, first.max_cycles) == (3, 0, 30, 50)
    assert (second.frames, second.missed_deadlines, second.p50_cycles, second.max_cycles) == (3, 2, 150, 200)
    assert found.arrivals(config("period_us=1"), Fraction(100)).streams == ()
    tight = found.arrivals(config("period_us=1", "streams=2", "deadline_us=0.25"), Fraction(100))
    assert (tight.deadline_us, tight.missed_deadlines) == (0.25, 5)


def test_cycles_in_which_nothing_is_to_be_done() -> None:
    """A period of 1 us is 100 cycles: behind frames done at 40, 150 and 290 come the next at 100, 200 and 300.

    So 60, 50 and 10 cycles, 40 in the mean; with the second done at 210, the 50 become none. Of frames at given times
    the last one has no next one: 60 and 50. What is done before is not begun anew: an earlier frame done at 180 counts.
    """
    period, given = config("steps=3", "period_us=1"), config("steps=3", "arrivals_us=[0,1,2]")
    arrived, clock = [0, 100, 200], Fraction(100)
    assert served(arrived, [40, 150, 290]).idle_cycles(period, clock) == 40
    assert served(arrived, [40, 210, 290]).idle_cycles(period, clock) == Fraction(70, 3)
    assert served(arrived, [40, 150, 290]).idle_cycles(given, clock) == 55
    assert served(arrived, [1, 1, 1], [40, 150, 290]).idle_cycles(given, clock) == 55, "all that is done counts"
    assert served(arrived, [180, 150, 290]).idle_cycles(given, clock) == Fraction(20, 2)
    one = config("steps=1", "arrivals_us=[0]")
    assert served([0], [40]).idle_cycles(one, clock) is None
    assert served([0], [40]).idle_cycles(config("steps=1", "period_us=1"), clock) == 60


def test_whole_turns_count_and_what_comes_before_the_last_layer_works_does_not() -> None:
    """Five frames of two streams, 50 cycles apart, done 10, 20, 30, 40 and 45 cycles later: 40, 30, 20, 10 and 5 idle.

    Two whole turns are the first four, 25 in the mean. With the last layer one frame behind, the first turn of two is
    left out: 15. With three behind nothing would be left, so all count.
    """
    two = config("steps=5", "period_us=1", "streams=2")
    arrived = [0, 50, 100, 150, 200]
    done = [start + busy for start, busy in zip(arrived, (10, 20, 30, 40, 45), strict=True)]
    wanted = {0: Fraction(25), 1: Fraction(15), 2: Fraction(15), 3: Fraction(25), 4: Fraction(25)}
    for behind, cycles_of_each in wanted.items():
        assert served(arrived, done, behind=behind).idle_cycles(two, Fraction(100)) == cycles_of_each, behind
    alone = config("steps=5", "period_us=0.5")
    assert served(arrived, done, behind=1).idle_cycles(alone, Fraction(100)) == Fraction(30 + 20 + 10 + 5, 4)
