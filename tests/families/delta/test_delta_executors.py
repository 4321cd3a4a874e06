"""The second executor takes recorded activity as data, and agrees with the machine in every op."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.trace import Window
from archsim.workload import Workload, load_workload
from archsim.workload.activity import LayerActivity, StepColumns


def drawn(seed: int, steps: int) -> Workload:
    """A GRU of two layers, I 8, H 16, with drawn activity, some steps of which have nothing at all."""
    chance = random.Random(seed)
    workload = load_workload(f"gru:8,16,layers=2,t={steps}")

    def layer(inputs: int, hidden: int) -> LayerActivity:
        found = []
        for number in range(steps):
            density = chance.choice((0.0, 0.2, 0.9))
            x = [c for c in range(1, inputs + 1) if chance.random() < density]
            h = [c for c in range(inputs + 1, inputs + hidden + 1) if chance.random() < density]
            found.append(StepColumns((*(() if number else (0,)), *x), tuple(h)))
        return LayerActivity(tuple(found))

    return replace(workload, activity=(layer(8, 16), layer(16, 16)))


@pytest.mark.parametrize("change", ["pe_array.pes=8", "index_fifo.entries=2", "sequencer.issue_cycles=3"])
def test_both_executors_give_the_same_trace(change: str) -> None:
    workload, arch = drawn(3, 40), load_arch("edgedrnn", [parse_override(change)])
    runs = [
        simulate(arch, workload, timing_only=True, executor=executor, window=Window(0, 40))
        for executor in ("machine", "fast")
    ]
    machine, fast = (run.trace for run in runs)
    assert runs[1].executor.name == "fast"
    assert fast == machine
    assert runs[0].stats == runs[1].stats
    assert runs[0].step_end_cycles == runs[1].step_end_cycles


def test_a_sweep_over_pes_finds_the_activity_once_and_times_it_on_each_machine() -> None:
    workload, evaluator, totals = load_workload("gru:8,16,t=12,delta=0.1"), Evaluator(), []
    found = []
    for pes in (2, 4, 8):
        arch = load_arch("edgedrnn", [parse_override(f"pe_array.pes={pes}")])
        evaluation = evaluator.evaluate(arch, workload)
        assert evaluation.executor == "fast"
        totals.append(evaluation.stats.latency_cycles)
        found.append(evaluator.activities.kept)
        assert totals[-1] == simulate(arch, workload, timing_only=True, executor="machine").stats.latency_cycles
    assert totals[0] > totals[1] > totals[2]
    assert found == [1, 1, 1]
