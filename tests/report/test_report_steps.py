"""The cycle stacks of the time steps alone, and what the report says about the bound that binds."""

from __future__ import annotations

import dataclasses

import pytest

from archsim.api import Simulation
from archsim.families.gemv.family import GEMV
from archsim.report.text.binding import binding_sentence, excess, gap_sentence
from archsim.report.text.steps import STEP_BUCKETS, busy_cycles, step_stacks
from tests.report.conftest import Run


def test_stacks_of_the_steps_fill_the_steps(small: Simulation, long: Simulation) -> None:
    for simulation in (small, long):
        busy = busy_cycles(simulation)
        for name, stack in step_stacks(simulation).items():
            assert tuple(stack) == STEP_BUCKETS
            assert sum(stack.values()) == simulation.stats.body_cycles
            assert stack["useful"] + stack["padding"] + stack["wait_port"] == busy[name]


def test_a_unit_that_works_in_the_steps_alone_has_the_buckets_of_the_run(small: Simulation) -> None:
    stacks = step_stacks(small)
    for name in ("mac_array", "activation", "elementwise"):
        run = small.stats.unit_cycle_stacks[name]
        assert stacks[name] == {bucket: run[bucket] for bucket in STEP_BUCKETS}


def test_what_dram_does_before_and_after_the_steps_is_taken_out(small: Simulation) -> None:
    run, steps = small.stats.unit_cycle_stacks["dram"], step_stacks(small)["dram"]
    outside = [record for record in small.trace.records if record.phase != 1]
    held = sum(record.free - record.start for record in outside)
    work = ("useful", "padding", "wait_port")
    assert sum(run[bucket] - steps[bucket] for bucket in work) == held
    # The only waits outside: the first op of prologue and of epilogue is issued after a cycle.
    assert run["wait_issue"] - steps["wait_issue"] == 2
    assert all(run[bucket] == steps[bucket] for bucket in STEP_BUCKETS if bucket not in (*work, "wait_issue"))


def test_the_distance_to_the_bound_has_a_direction(small: Simulation) -> None:
    stats = small.stats
    bound = stats.bounds[stats.binding_bound]
    for step, words in ((bound, "exactly at it"), (1.25 * bound, "25.0 % above it"), (0.5 * bound, "50.0 % below it")):
        moved = dataclasses.replace(stats, cycles_per_step=step)
        assert words in binding_sentence(moved)
    assert binding_sentence(moved).endswith("second half, whose last steps load no more x.")
    assert binding_sentence(moved, steps_differ=True).endswith("second half, where other columns change.")
    assert not gap_sentence(dataclasses.replace(stats, cycles_per_step=bound), "MAC array", GEMV.explained)


def test_the_gap_names_the_largest_loss_that_the_bound_does_not_explain(run: Run) -> None:
    # On the full array x is loaded two steps ahead, but its load waits in DRAM's queue behind the store of h: from an h
    # on, the burst of the store (4 cycles), that of x (4, and 80 until it is there) and a step (35) make a chain that
    # closes after three steps.
    stats = run((), ("steps=9",)).stats
    assert stats.binding_bound == "recurrence"
    assert stats.bounds["recurrence"] == 35
    assert stats.cycles_per_step == (4 + 4 + 80 + 35) / 3
    assert excess(stats) == pytest.approx(6 / 35)
    assert "loses most by wait_input (waits for x from DRAM)" in gap_sentence(stats, "MAC array", GEMV.explained)
    waiting = dataclasses.replace(stats, cycle_stack={**stats.cycle_stack, "wait_recurrence": 10**6})
    assert gap_sentence(waiting, "MAC array", GEMV.explained) == gap_sentence(stats, "MAC array", GEMV.explained)
