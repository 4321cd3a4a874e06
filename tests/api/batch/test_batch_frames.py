"""A batch says of a frame on each design what is found of it by itself, in every figure, with the machine's times."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from archsim.api.batch import BatchEvaluator, Designs, evaluate_frames
from archsim.api.evaluate import Evaluator
from archsim.api.frames import measure_frames
from archsim.config import parse_override
from archsim.errors import ArchsimError
from archsim.families.load import Arch, load_arch
from archsim.families.machine_config import MachineConfig
from archsim.families.schedules import find_schedule
from archsim.workload import Workload, load_workload
from tests.api.batch.test_batch_figures import variants
from tests.families.gemv.test_frames import STREAMING, streams
from tests.rings import examples, exhaustive, few, law
from tests.strategies import Case, cases

ARRIVALS: tuple[dict[str, object], ...] = (
    {},
    {"period_us": 3.0, "jitter_us": 1.5},
    {"period_us": 0.2, "deadline_us": 0.5},
    {"period_us": 4.0, "streams": 2, "offset_us": 0.0},
)
DRAWN = cases(streams(), STREAMING).flatmap(
    lambda case: st.tuples(st.just(case), variants(case, 8), st.sampled_from(ARRIVALS))
)
EXAMPLES, PARTS = 200, 5


@exhaustive
@law
@pytest.mark.parametrize("part", few(range(PARTS), 1))
def test_a_batch_is_what_its_designs_are(part: int) -> None:
    seen: Counter[str] = Counter()

    @seed(part)
    @settings(max_examples=examples(EXAMPLES // PARTS), derandomize=False)
    @given(DRAWN)
    def compare(drawn: tuple[Case, list[MachineConfig], dict[str, object]]) -> None:
        case, configs, arrivals = drawn
        arrivals = arrivals if case.spec.steps > 1 else {}
        check(with_arrivals(case, arrivals), configs, seen)

    compare()
    assert seen["evaluated"] > seen["left"]


def with_arrivals(case: Case, arrivals: dict[str, object]) -> Case:
    config = case.workload.config.model_copy(update=arrivals)
    return replace(case, workload=replace(case.workload, config=config))


def check(case: Case, configs: list[MachineConfig], seen: Counter[str]) -> None:
    designs = Designs.from_configs(configs, [case.schedule] * len(configs))
    found = evaluate_frames(BatchEvaluator(Evaluator().programs), designs, case.workload)
    for design, frames in found.frames.items():
        assert frames == replace(by_itself(configs[design], case.workload, case.schedule), latency_stack={})
        seen["evaluated"] += 1
    for rows, error in found.refused:
        for design in rows.tolist():
            assert str(by_itself(configs[design], case.workload, case.schedule)) == str(error)
            seen["refused"] += 1
    for rows, why in found.left:
        assert not why.startswith("a batch failed"), why
        seen["left"] += len(rows)
    told = [*found.frames, *(row for rows, _ in (*found.refused, *found.left) for row in rows.tolist())]
    assert sorted(told) == list(range(len(configs)))


def by_itself(config: MachineConfig, workload: Workload, schedule: str) -> Any:
    try:
        return measure_frames(Arch("drawn", config), workload, find_schedule(schedule), Evaluator())
    except ArchsimError as error:
        return error


@pytest.mark.parametrize(
    ("schedule", "latency"),
    [
        ("fused", (49, 61, 49)),  # DRAM's latency is paid for x and for y: 4 -> 10 are 12 cycles more
        ("fused_wavefront", (49, 61, 49)),
    ],
)
def test_frames_on_tiny_2x2(schedule: str, latency: tuple[int, ...]) -> None:
    """49 cycles, as tests/families/gemv/test_frames.py has it; and at twice the clock half of them in us."""
    work = load_workload("lstm:3,2,t=4,streaming=1")
    sets: tuple[tuple[str, ...], ...] = ((), ("dram.latency_cycles=10",), ("clock_mhz=200",))
    configs = [load_arch("tiny_2x2", [parse_override(text) for text in texts]).config for texts in sets]
    designs = Designs.from_configs(configs, [schedule] * 3)
    found = evaluate_frames(BatchEvaluator(Evaluator().programs), designs, work)
    assert tuple(found.frames[design].frame_latency_cycles for design in range(3)) == latency
    assert found.frames[2].frame_latency_us == found.frames[0].frame_latency_us / 2 == 0.49 / 2
