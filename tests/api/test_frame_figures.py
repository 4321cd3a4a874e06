"""The figures of a frame from what was measured of it, each by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from archsim.api.frame_figures import FrameFacts, RunEnergy, frame_dynamic, frame_figures
from archsim.api.frame_run import of_length, wavefront_gap
from archsim.config import parse_override
from archsim.metrics.arrivals import Served
from archsim.metrics.frames import Frames
from archsim.technology.spread import Range
from archsim.workload import load_workload
from archsim.workload.config import WorkloadConfig
from tests.present import present

FACTS = FrameFacts(
    latency_cycles=120,
    interval_cycles=40.5,
    macs=324,
    macs_per_cycle=16,
    clock_mhz=Fraction(200),
    dynamic_uj=Range(2.0, 1.0, 4.0),
    leakage_mw=Range(10.0, 5.0, 30.0),
)
"""0.6 us a frame and 0.2025 us between two, at 200 MHz; 324 of the 16 x 40.5 = 648 products that there could be."""


def config(*sets: str) -> WorkloadConfig:
    return load_workload("lstm:3,2,t=4,streaming=1", [parse_override(text) for text in sets]).config


def ends(frames: Frames, stem: str) -> tuple[float | None, ...]:
    return tuple(getattr(frames, f"{stem}{end}_uj") for end in ("", "_low", "_high"))


def test_frames_one_behind_the_other() -> None:
    """10 mW over 0.2025 us are 0.002025 uJ, which are added to the 2 uJ that a frame switches; so the low and high."""
    found = frame_figures(FACTS, config(), {}, None)
    assert (found.frame_latency_cycles, found.frame_interval_cycles, found.frame_macs) == (120, 40.5, 324)
    assert (found.frame_latency_us, found.frame_interval_us, found.frame_mac_utilization) == (0.6, 0.2025, 0.5)
    assert ends(found, "frame_dynamic_energy") == (2.0, 1.0, 4.0)
    assert ends(found, "frame_leakage_energy") == pytest.approx((0.002025, 0.0010125, 0.006075))
    assert ends(found, "frame_energy") == pytest.approx((2.002025, 1.0010125, 4.006075))
    assert ends(found, "frame_idle_energy") == (None, None, None)
    assert (found.period_us, found.real_time_factor, found.headroom) == (None, None, None)
    assert (found.differing_frames, found.arrivals) == (None, None)


@pytest.mark.parametrize(
    ("sets", "period", "factor", "headroom", "leaks_us"),
    [
        (("period_us=1",), 1.0, 0.6, 1 / 0.2025, 1.0),
        (("period_us=0.1",), 0.1, 6.0, 0.1 / 0.2025, 0.2025),
        (("period_us=0.2025",), 0.2025, 0.6 / 0.2025, 1.0, 0.2025),
        (("period_us=1", "streams=2"), 1.0, 0.6, 0.5 / 0.2025, 0.5),
        (("arrivals_us=[0.5, 1, 2, 3.5]",), 1.0, 0.6, 1 / 0.2025, 1.0),
    ],
)
def test_frames_as_they_come(
    sets: tuple[str, ...], period: float, factor: float, headroom: float, leaks_us: float
) -> None:
    """A frame leaks until the next of any stream comes, or can be taken, which is later. Latency over period is of one
    stream, and headroom of all: two streams of 1 us bring a frame each 0.5 us. 0.5 to 3.5 us are three times 1 us."""
    found = frame_figures(FACTS, config(*sets), {}, None)
    assert (found.period_us, found.real_time_factor) == pytest.approx((period, factor))
    assert found.headroom == pytest.approx(headroom)
    assert ends(found, "frame_leakage_energy") == pytest.approx((0.01 * leaks_us, 0.005 * leaks_us, 0.03 * leaks_us))


def test_of_frames_that_differ_the_slowest_must_be_in_time() -> None:
    """The median is the latency; 150 cycles are 0.75 us of a period of 1 us."""
    found = frame_figures(replace(FACTS, differing=np.array([120, 150, 100])), config("period_us=1"), {}, None)
    assert (found.frame_latency_us, found.real_time_factor) == (0.6, 0.75)
    spread = present(found.differing_frames)
    assert (spread.frames, spread.p50_cycles, spread.max_cycles) == (3, 120, 150)
    assert spread.mean_cycles == pytest.approx(370 / 3)


def test_idle_energy_is_leakage_while_nothing_is_to_be_done() -> None:
    """Frames come 200 cycles apart; all is done after 150 of them, so that 50, 0.25 us, are idle: 0.0025 uJ."""
    arrived = np.arange(4) * 200
    served = Served(arrived, arrived + 120, arrived + 150, 0)
    found = frame_figures(FACTS, config("period_us=1", "deadline_us=0.55"), {}, served)
    assert ends(found, "frame_idle_energy") == pytest.approx((0.0025, 0.00125, 0.0075))
    arrivals = present(found.arrivals)
    assert (arrivals.p99_cycles, arrivals.missed_deadlines, arrivals.frames) == (120, 4, 4)


@pytest.mark.parametrize("lacking", ["dynamic_uj", "leakage_mw"])
def test_without_a_model_of_energy_there_is_none(lacking: str) -> None:
    facts = replace(FACTS, dynamic_uj=None) if lacking == "dynamic_uj" else replace(FACTS, leakage_mw=None)
    found = frame_figures(facts, config("period_us=1"), {}, None)
    assert ends(found, "frame_energy") == ends(found, "frame_leakage_energy") == (None, None, None)
    assert ends(found, "frame_dynamic_energy")[0] == (None if lacking == "dynamic_uj" else 2.0)


def test_the_energy_of_a_run_is_read_by_its_names() -> None:
    """Each figure another number; one that there is not is 0."""
    names = (
        *("dynamic_uj", "active_uj", "static_mw", "total_uj", "total_low_uj", "total_high_uj"),
        *("part_uj.leakage", "part_low_uj.leakage", "part_high_uj.leakage"),
    )
    figures = {f"energy.{name}": float(number) for number, name in enumerate(names, 1)}
    found = RunEnergy.of(7.5, lambda name: figures.get(name, 0.0))
    assert found == RunEnergy(7.5, 1, 2, 3, Range(4, 5, 6), Range(7, 8, 9), Range())


RUN = RunEnergy(10.0, 3.0, 5.0, 40.0, Range(10.0, 6.0, 18.0), Range(0.2, 0.1, 0.4), Range(2.0, 1.0, 6.0))
"""10 us; 3 uJ switched, and 2 that DRAM takes more while at work; 40 mW all the time, of which 0.2 uJ / 10 us leak."""


def three(found: Range) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def test_the_power_all_the_time_and_the_energy_beside_it() -> None:
    """20 mW leak, half to twice as many by the sources, and 20 mW of DRAM are half to three times as many.

    Beside that are 5 uJ; at the low 6 - 0.1 - 1 and half of DRAM's 2, at the high 18 - 0.4 - 6 and three times 2.
    """
    assert three(RUN.static) == pytest.approx((40.0, 10 + 10, 40 + 60))
    assert three(RUN.active) == pytest.approx((5.0, 4.9 + 1, 11.6 + 6))


def test_without_dram_s_power_there_is_leakage_alone() -> None:
    """Rounding may put the leakage above all power, and what is switched above what is active: nothing is below 0."""
    run = replace(RUN, background=Range(), static_mw=19.999, active_uj=2.999)
    assert three(run.static) == pytest.approx((19.999, 10.0, 40.0))
    assert three(run.active) == pytest.approx((2.999, 5.9, 17.6))
    neither = replace(run, leakage=Range(), static_mw=20.0, active_uj=5.0)
    assert three(neither.static) == (20.0, 20.0, 20.0)
    assert three(neither.active) == (5.0, 8.0, 20.0)


def test_a_frame_takes_what_one_more_adds() -> None:
    """Of 1 and of 1 + 4 frames: a quarter of 13 - 5, of 7.9 - 5.9 and of 29.6 - 17.6; no end is beyond the value."""
    many = replace(RUN, active_uj=13.0, dynamic_uj=11.0, total=Range(20.0, 8.0, 30.0))
    assert three(frame_dynamic(RUN, many, 4)) == pytest.approx((2.0, 0.5, 3.0))
    odd = replace(RUN, active_uj=6.0, dynamic_uj=4.0, total=Range(20.0, 14.0, 18.0))
    assert three(frame_dynamic(RUN, odd, 4)) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(
    ("sets", "gap"),
    [
        ((), 41),
        (("period_us=1",), 200),
        (("period_us=0.1",), 41),
        (("period_us=0.206",), 42),
        (("period_us=1", "streams=2"), 100),
    ],
)
def test_frames_of_a_wavefront_are_a_period_apart_or_as_fast_as_they_can_be(sets: tuple[str, ...], gap: int) -> None:
    """Whole cycles at 200 MHz: 40.5 of the interval are 41, 41.2 of a period 42; 0.1 us are 20, less than 41."""
    assert wavefront_gap(config(*sets), 40.5, Fraction(200)) == gap


def test_another_number_of_frames_that_are_all_there_at_once() -> None:
    work = load_workload(
        "lstm:3,2,t=4,streaming=1",
        [parse_override(text) for text in ("period_us=5", "jitter_us=2", "deadline_us=3", "streams=2", "offset_us=1")],
    )
    found = of_length(work, 9).config
    assert (found.steps, found.streams) == (9, 2)
    times = (found.period_us, found.jitter_us, found.offset_us, found.arrivals_us, found.deadline_us)
    assert times == (None, 0.0, None, None, None)
    assert work.config.steps == 4
