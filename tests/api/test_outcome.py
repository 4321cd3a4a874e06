"""The few figures by which designs are put in order: ties, figures that there are not, and who is cheaper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.api.evaluate import Evaluator
from archsim.api.frames import measure_frames
from archsim.api.outcome import Outcome, outcome_of
from archsim.api.ranking import BEST, Ranking, best_name, rank_schedules
from archsim.config.aims import By
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.workload import load_workload
from tests.present import present
from tests.rings import exhaustive

BASE = Outcome(100, 20.5, 3.0, 4.0)


def test_what_is_to_become_less() -> None:
    assert [BASE.amount(by) for by in (By.LATENCY, By.STEP, By.ENERGY)] == [100, 20.5, 3.0]
    assert replace(BASE, energy_uj=None).amount(By.ENERGY) == 0.0


def test_ties_are_broken_by_energy_then_area_then_the_name() -> None:
    designs = [
        ("d", replace(BASE, latency_cycles=99, energy_uj=9.0)),
        ("c", replace(BASE, energy_uj=2.0, area_mm2=9.0)),
        ("b", replace(BASE, area_mm2=3.5)),
        ("a", BASE),
        ("e", BASE),
        ("f", replace(BASE, area_mm2=4.5)),
    ]
    assert sorted(set(designs), key=lambda one: one[1].order(By.LATENCY, one[0])) == designs
    assert BASE.order(By.STEP, "x") == (20.5, 3.0, 4.0, "x")
    assert replace(BASE, energy_uj=None, area_mm2=None).order(By.LATENCY, "x") == (100, 0.0, 0.0, "x")


@pytest.mark.parametrize(
    ("other", "no_worse", "cheaper"),
    [
        (BASE, True, False),
        (replace(BASE, energy_uj=2.9), True, True),
        (replace(BASE, area_mm2=3.9), True, True),
        (replace(BASE, latency_cycles=99), True, False),
        (replace(BASE, energy_uj=3.1), False, False),
        (replace(BASE, area_mm2=4.1), False, False),
        (replace(BASE, energy_uj=2.9, area_mm2=4.1), False, False),
        (replace(BASE, energy_uj=2.9, latency_cycles=101), False, False),
        (replace(BASE, energy_uj=2.9, cycles_per_step=20.6), False, False),
        (replace(BASE, energy_uj=None), True, True),
        (replace(BASE, area_mm2=None), True, True),
    ],
)
def test_cheaper_is_less_energy_or_area_and_nothing_more(other: Outcome, no_worse: bool, cheaper: bool) -> None:
    """A figure that a machine does not have counts as 0, so that without a model of both nothing is cheaper."""
    assert (other.no_worse(BASE), other.cheaper(BASE)) == (no_worse, cheaper)
    bare = Outcome(100, 20.5, None, None)
    assert not replace(bare, latency_cycles=99).cheaper(bare)


@exhaustive
def test_the_outcome_of_a_stream_is_that_of_a_frame() -> None:
    """49 cycles a frame and 43 to the next, as LSTM(3, 2) takes them on tiny_2x2, of however many frames."""
    arch, work, schedule = load_arch("tiny_2x2"), load_workload("lstm:3,2,t=4,streaming=1"), find_schedule(None)
    found = outcome_of(arch, work, schedule, Evaluator())
    frames = measure_frames(arch, work, schedule)
    assert (found.latency_cycles, found.cycles_per_step) == (49, 43)
    assert found.energy_uj == frames.frame_energy_uj is not None
    run = load_workload("lstm:3,2,t=4")
    plain, stats = outcome_of(arch, run, schedule, Evaluator()), Evaluator().evaluate(arch, run, schedule).stats
    assert found.area_mm2 == plain.area_mm2 == present(stats.area).area_mm2
    assert plain.latency_cycles == stats.latency_cycles > 4 * 43
    assert (plain.cycles_per_step, plain.energy_uj) == (stats.cycles_per_step, present(stats.energy).total_uj)


def test_others_that_take_as_little_are_named_in_their_order() -> None:
    one, two, three, four = (find_schedule(name.name) for name in GEMV_SCHEDULES[:4])
    ranked = (
        (one, BASE),
        (two, replace(BASE, energy_uj=5.0)),
        (three, replace(BASE, cycles_per_step=10.0)),
        (four, replace(BASE, latency_cycles=101)),
    )
    by_latency, by_step, by_energy = (Ranking(by, ranked, ()) for by in (By.LATENCY, By.STEP, By.ENERGY))
    assert by_latency.best is one
    assert by_latency.tied == (two.name, three.name)
    assert by_step.tied == (two.name, four.name)
    assert by_energy.tied == (three.name, four.name)


def test_each_aim_has_its_name() -> None:
    assert {by: best_name(by) for by in By} == {
        By.LATENCY: "best",
        By.STEP: "best_step",
        By.ENERGY: "best_energy",
    }
    assert len(BEST) == len(By)


@exhaustive
def test_progress_and_programs_of_a_ranking() -> None:
    """Each schedule is told before it is simulated, 0 first. Those of one program are simulated once.

    A layer alone has no later one to delay, so that a wavefront is the schedule without it.
    """
    seen: list[tuple[int, int]] = []
    arch, work, evaluator = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), Evaluator()
    ranking = rank_schedules(arch, work, evaluator=evaluator, progress=lambda *counts: seen.append(counts))
    assert seen == [(number, len(GEMV_SCHEDULES)) for number in range(len(GEMV_SCHEDULES))]
    config = arch.config
    assert isinstance(config, GemvConfig)
    keys = {schedule.program_key(work.spec, config) for schedule in GEMV_SCHEDULES}
    assert evaluator.programs_built == len(keys) < len(GEMV_SCHEDULES)
    assert len(ranking.ranked) == len(GEMV_SCHEDULES)
