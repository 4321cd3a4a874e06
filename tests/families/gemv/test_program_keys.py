"""Schedules that share a key make the same program: of drawn networks and machines, and where weights just fit."""

from __future__ import annotations

import pytest
from hypothesis import given

from archsim.config import parse_override
from archsim.errors import ArchsimError
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.schedules import build_program
from archsim.program.ir import Program
from archsim.workload import NetworkSpec, load_workload
from tests.rings import exhaustive
from tests.strategies import Case, cases

WEIGHTS = 4 * 2 * (3 + 2) * 4
"""Bytes of LSTM(3, 2) in float32; biases have a memory of their own."""


def programs(spec: NetworkSpec, config: GemvConfig) -> dict[str, str]:
    """All of what each schedule makes, as a text, or why it makes nothing. (Buffers are equal to themselves alone.)"""
    found: dict[str, str] = {}
    for schedule in GEMV_SCHEDULES:
        try:
            found[schedule.name] = _text(build_program(schedule, spec, config))
        except ArchsimError as error:
            found[schedule.name] = type(error).__name__
    return found


def _text(program: Program) -> str:
    return repr((program.buffers, program.phases))


def check_keys(spec: NetworkSpec, config: GemvConfig) -> int:
    """How many keys there are; those that make the same program share one, and no others do."""
    made = programs(spec, config)
    first: dict[object, str] = {}
    for schedule in GEMV_SCHEDULES:
        same = first.setdefault(schedule.program_key(spec, config), schedule.name)
        assert made[schedule.name] == made[same], f"{schedule.name} is not {same}"
    return len(first)


@pytest.mark.parametrize(
    ("text", "capacity", "keys"),
    [("lstm:3,2,t=4", WEIGHTS, 8), ("lstm:3,2,t=4", WEIGHTS - 1, 16), ("lstm:3,2,t=4,streaming=1", WEIGHTS, 14)],
)
def test_keys_where_weights_just_fit(text: str, capacity: int, keys: int) -> None:
    """One layer: 4 orders x 2 of gates, twice if they stream; of frames also 3 x 2 as a wavefront."""
    config = load_arch("tiny_2x2", [parse_override(f"weight_sram.capacity_bytes={capacity}")]).config
    assert isinstance(config, GemvConfig)
    assert check_keys(load_workload(text).spec, config) == keys


@exhaustive
@given(case=cases())
def test_keys_of_drawn_machines(case: Case) -> None:
    check_keys(case.spec, case.config)
    tight = case.config.weight_sram.model_copy(
        update={"capacity_bytes": max(1, case.config.weight_sram.capacity_bytes // 2)}
    )
    check_keys(case.spec, case.config.model_copy(update={"weight_sram": tight}))
