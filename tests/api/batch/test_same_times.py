"""Designs whose units take the same time for each op are timed once, and those that differ in any of it are not."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.api.batch import BatchEvaluator, Designs, times
from archsim.api.evaluate import Evaluator
from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.engines.recurrence import BatchTiming, BatchTrace, execute_batch
from archsim.explore.run.evaluation import stats_outputs
from archsim.families.load import load_arch
from archsim.workload import load_workload

WORK = load_workload("lstm:8,12,t=5")
CHANGES = {
    "nothing": ([], 1),
    "the clock": (["clock_mhz=100", "clock_mhz=333.5"], 1),
    "lanes": (["activation.lanes=1", "activation.lanes=2"], 3),
    "the sequencer": (["sequencer.queue_depth=1", "sequencer.issue_cycles=2", "sequencer.token_latency_cycles=5"], 4),
    "ports": (["weight_sram.port_bits=8", "clock_mhz=123"], 2),
}


@pytest.mark.parametrize("what", CHANGES)
def test_designs_are_timed_once_for_all_that_have_the_same_times(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[int] = []

    def counted(phases: object, timing: BatchTiming, shapes: object) -> BatchTrace:
        timed.append(timing.designs)
        trace = execute_batch(phases, timing, shapes)  # type: ignore[arg-type]
        return BatchTrace(trace.phases, np.ones_like(trace.alone))

    monkeypatch.setattr(times, "execute_batch", counted)
    overrides, distinct = CHANGES[what]
    arches = [load_arch("edge_16x16", [parse_override(text)] if text else []) for text in ("", *overrides, "")]
    designs = Designs.from_configs([arch.config for arch in arches], ["fused"] * len(arches))
    became = BatchEvaluator(ProgramCache(4)).evaluate(designs, WORK.spec)
    (found,) = became.figures
    assert sum(timed) == became.alone == distinct
    assert found.designs.tolist() == list(range(len(arches)))
    evaluator = Evaluator()
    for row, arch in enumerate(arches):
        outputs = stats_outputs(evaluator.evaluate(arch, WORK, "fused", "fast").stats)
        assert {name: column.value(row) for name, column in found.columns.items()} == outputs
