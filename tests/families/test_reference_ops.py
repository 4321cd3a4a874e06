"""The integer reference judges programs of ops that it knows, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.cells.activation import Activate
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.order import STEP_BY_STEP, Compute, StepPhases, WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.gemv.split import split
from archsim.families.load import load_arch
from archsim.families.registry import FAMILIES
from archsim.program.ir import Op, Phase
from archsim.workload import load_workload

RUNS = {
    "gemv": ("edge_16x16", ("lstm:5,6,t=4,proj=3", "gru:5,6,t=4,layers=2", "rnn:5,6,t=4,bidirectional=1")),
    "npu": ("npu_s10nx", ("lstm:5,6,t=4", "gru:5,6,t=4,layers=2", "rnn:5,6,t=4,bidirectional=1")),
    "delta": ("edgedrnn", ("lstm:8,16,t=4", "gru:8,16,t=4,layers=2", "rnn:8,16,t=4")),
    "systolic": ("tpu_v1", ("lstm:5,6,t=4,proj=3", "gru:5,6,t=4,layers=2", "rnn:5,6,t=4,bidirectional=1")),
}


NOT_JUDGED = {"serial", "ethosu"}
"""Families whose arithmetic the integer reference does not have: none of their ops is claimed."""


def test_families_that_are_not_judged_claim_no_op() -> None:
    assert (
        {name for name, family in FAMILIES.items() if not family.reference_ops} == NOT_JUDGED == FAMILIES.keys() - RUNS
    )


@pytest.mark.parametrize("family", RUNS)
def test_every_op_of_a_family_s_own_schedules_is_known(family: str) -> None:
    machine, workloads = RUNS[family]
    config = load_arch(machine).config
    seen: set[type[Op]] = set()
    for schedule in FAMILIES[family].schedules:
        for text in workloads:
            if not (schedule.name.endswith("wavefront") and "bidirectional" in text):
                program = schedule.build(load_workload(text).spec, config)
                seen |= {type(op) for phase in program.phases for op in phase.ops}
    assert seen <= FAMILIES[family].reference_ops


@dataclass(frozen=True, kw_only=True)
class Approximate(Activate):
    """An activation that a package may compute in another way."""


def _approximate(op: Op) -> Op:
    return Approximate(**{field.name: getattr(op, field.name) for field in fields(op)})


def _phases(cells: Sequence[GemvCell], compute: Compute, suffix: str) -> list[Phase]:
    phases = STEP_BY_STEP.phases(cells, compute, suffix)
    return [
        replace(phase, ops=tuple(_approximate(op) if isinstance(op, Activate) else op for op in phase.ops))
        for phase in phases
    ]


STRANGE = gemv_schedule(
    WorkOrder("strange", True, split, splits_sums=True, phases=StepPhases(STEP_BY_STEP.first_inputs, _phases)),
    "split with activations of its own",
)


def test_a_program_with_another_op_is_not_judged_on_integers() -> None:
    """Though it is derived from one that the reference knows. In float32 the golden model's bound holds for any op."""
    workload = load_workload("lstm_3_2_t4")
    integers = [parse_override(text) for text in ("formats=q4.12", "activation.method=table")]
    found = simulate(load_arch("tiny_2x2", integers), workload, STRANGE).validation
    assert found.passed is None
    assert found.checks == ()
    assert found.not_judged == "the integer reference does not know the op Approximate"
    assert simulate(load_arch("tiny_2x2"), workload, STRANGE).validation.passed
