"""Changes that leave a program as it is, and what is measured where a model does not fit: order, ties and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.api import near_changes as module
from archsim.api import simulate
from archsim.api.change import Change, Measured, notch_changes
from archsim.api.evaluate import Evaluator
from archsim.api.near_changes import NearChanges, fitting, near_changes
from archsim.api.outcome import Outcome
from archsim.config import parse_override
from archsim.engines.choose import MACHINE
from archsim.errors import CapacityError
from archsim.families.load import Arch, load_arch
from archsim.workload import load_workload
from tests.rings import exhaustive

SHARED = [parse_override("state_buffer.ports=1RW"), parse_override("state_buffer.banks=one")]


def test_what_takes_as_long_is_not_better() -> None:
    before = Outcome(100, 20.0, 1.0, 1.0)
    changes = tuple(
        Measured(Change(schedule=name), replace(before, latency_cycles=cycles))
        for name, cycles in (("faster", 99), ("alike", 100), ("slower", 101))
    )
    assert [str(found.change) for found in NearChanges(before, changes).better] == ["--schedule faster"]


@exhaustive
def test_changes_stand_in_the_order_of_latency_energy_area_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine whose times depend on the run as many ops are executed as may be, and not one less is too many."""
    arch, work = load_arch("tiny_2x2", SHARED), load_workload("lstm:3,2,t=2")
    evaluator = Evaluator(executor=MACHINE)
    run = simulate(arch, work, timing_only=True, executor=MACHINE, evaluator=evaluator)
    executed = run.program.op_instances * len(list(notch_changes(arch.config)))
    monkeypatch.setattr(module, "MAX_MACHINE_OPS", executed - 1)
    assert near_changes(run, evaluator).left_out.startswith(f"a run of {run.program.op_instances} ops on a machine")
    monkeypatch.setattr(module, "MAX_MACHINE_OPS", executed)
    found = near_changes(run, evaluator)
    assert found.left_out == ""
    keys = [(m.outcome.latency_cycles, m.outcome.energy_uj, m.outcome.area_mm2, str(m.change)) for m in found.changes]
    assert keys == sorted(keys)
    assert len({key[0] for key in keys}) < len(keys) > 10


def too_small() -> tuple[Arch, CapacityError]:
    arch = load_arch("tiny_2x2", [parse_override("weight_sram.capacity_bytes=100")])
    with pytest.raises(CapacityError) as caught:
        Evaluator().program(arch, load_workload("lstm_3_2_t4").spec, "fused")
    return arch, caught.value


def test_a_model_that_does_not_fit_is_measured_with_enough_memory_and_another_schedule() -> None:
    """160 bytes of weights fit a KiB; of the schedules the first that streams them is the first that fits 100 bytes."""
    arch, error = too_small()
    work, evaluator = load_workload("lstm_3_2_t4"), Evaluator(executor=MACHINE)
    found = list(fitting(error, arch, work, "fused", evaluator))
    larger = load_arch("tiny_2x2", [parse_override("weight_sram.capacity_bytes=1KiB")])
    cycles = evaluator.evaluate(larger, work, "fused").stats.latency_cycles
    streamed = evaluator.evaluate(arch, work, "fused_streamed").stats.latency_cycles
    assert found == [
        f"--set weight_sram.capacity_bytes=1KiB: {cycles:,} cycles",
        f"--schedule fused_interleaved_streamed: {streamed:,} cycles",
    ]


@pytest.mark.parametrize(("most", "measured"), [(10, 2), (9.5, 0)])
def test_of_a_step_that_is_too_long_nothing_is_measured(
    most: float, measured: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 x 2 x (3 + 2) = 40 products a step on 4 multipliers are 10 cycles, of however many steps."""
    arch, error = too_small()
    monkeypatch.setattr(module, "MAX_FITTING_CYCLES", most)
    found = fitting(error, arch, load_workload("lstm_3_2_t4"), "fused", Evaluator(executor=MACHINE))
    assert len(list(found)) == measured
