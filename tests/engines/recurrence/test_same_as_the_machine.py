"""The second executor gives the machine's trace, cycle for cycle: totals, phases, ends of repetitions, waits by cause,
idle time, timelines, and start, free and done of every op."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from archsim.api.evaluate import Evaluator
from archsim.api.machine_spec import machine_spec
from archsim.config import parse_override
from archsim.engines.events.options import MachineSpec
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import Arch, load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.metrics import compute_stats
from archsim.program.ir import Program
from archsim.trace import Trace, Window
from archsim.workload import Workload, load_workload
from tests.engines.recurrence.fast_runs import (
    all_times,
    assert_same,
    assert_same_times,
    check,
    fast,
    generic_runs,
    longer,
    loop_runs,
    machine,
    stream_runs,
)
from tests.rings import every_value, examples, few, law
from tests.strategies import Case, cases

EXAMPLES = 2_000
PARTS = 8
LONG = 8
"""Steps from which on a run is expected to have a period."""

issue_intervals = st.sampled_from([0, 0, 1, 2, 5])
queue_depths = st.sampled_from([1, 1, 2, 3, 16])


@law
@pytest.mark.parametrize("part", few(range(PARTS), 1))
def test_on_drawn_machines_schedules_and_workloads(part: int) -> None:
    """2,000 of them (31 in the fast ring, 1,000 in the exhaustive one), in parts that can run side by side.

    Each runs for few steps and for many: most of the latter are long enough to skip a part.
    """
    skipped = 0

    @seed(part)
    @settings(max_examples=examples(EXAMPLES // PARTS), derandomize=False)
    @given(cases(), st.integers(1, LONG - 1), st.integers(LONG, 60), issue_intervals, queue_depths)
    def compare(case: Case, few_steps: int, many_steps: int, issue_cycles: int, queue_depth: int) -> None:
        nonlocal skipped
        for steps in (few_steps, many_steps):
            other = longer(case, steps, issue_cycles, queue_depth)
            spec = other.machine_spec()
            run = fast(other.program, spec)
            assert_same(run.trace, machine(other.program, spec))
            skipped += any(
                phase.op_instances and evaluated < phase.repeat
                for phase, evaluated in zip(other.program.phases, run.evaluated, strict=True)
            )

    compare()
    assert skipped > examples(EXAMPLES // PARTS) // 2


@settings(max_examples=examples(200))
@given(st.one_of(generic_runs(), loop_runs(), stream_runs()))
def test_the_times_of_all_ops_on_any_dependencies(run: tuple[Program, MachineSpec]) -> None:
    """With a part skipped, and written out; the critical path is found in them."""
    wanted = all_times(*run)
    for skip in (True, False):
        assert_same_times(fast(*run, skip=skip), wanted)


@settings(max_examples=examples(60))
@given(cases(), st.integers(1, 40), issue_intervals, queue_depths)
def test_the_times_of_all_ops(case: Case, steps: int, issue_cycles: int, queue_depth: int) -> None:
    other = longer(case, steps, issue_cycles, queue_depth)
    spec = other.machine_spec()
    assert_same_times(fast(other.program, spec), all_times(other.program, spec))


@settings(max_examples=examples(1_000))
@given(st.one_of(generic_runs(), generic_runs(), loop_runs(), stream_runs()))
def test_on_any_dependencies(run: tuple[Program, MachineSpec]) -> None:
    """Ops that some repetitions leave out, dependencies without a reason, waits that end in the same cycle."""
    check(*run)


@settings(max_examples=examples(80))
@given(cases(), st.integers(1, 40), issue_intervals, queue_depths)
def test_the_figures_are_the_same(case: Case, steps: int, issue_cycles: int, queue_depth: int) -> None:
    """All of Stats, by both executors of an Evaluator; and as they are without what an Evaluator keeps."""
    case = longer(case, steps, issue_cycles, queue_depth)
    evaluator = Evaluator()
    found = [evaluator.evaluate(case.arch, case.workload, case.schedule, name) for name in ("fast", "machine")]
    assert [evaluation.executor for evaluation in found] == ["fast", "machine"]
    trace = machine(case.program, case.machine_spec())
    plain = compute_stats(case.program, trace, case.arch, case.workload, case.units)
    assert found[0].stats == found[1].stats == plain


PRESETS = [
    ("tiny_2x2", "lstm_3_2_t4"),
    ("tiny_2x2", "gru:3,2,t=9,layers=2,bidirectional=1"),
    ("edge_16x16", "lstm:40,64,t=20,layers=2"),
    ("edge_64x64", "silero_vad"),
    ("edge_64x64_q4_12", "lstm:64,64,t=12,b=2"),
    ("cloud_256x256", "rnn:300,500,t=12"),
]


RUNS = [
    (arch, workload, schedule.name)
    for arch, workload in PRESETS
    for schedule in GEMV_SCHEDULES
    if not (schedule.name.endswith("wavefront") and "bidirectional" in workload)  # it runs forward only
]


@every_value
@pytest.mark.parametrize(("arch", "workload", "schedule"), RUNS)
def test_on_presets(arch: str, workload: str, schedule: str) -> None:
    check_preset(load_arch(arch), load_workload(workload), schedule)


@pytest.mark.parametrize("steps", few([1, 2, 3, 70], 2))
def test_on_the_reference(steps: int) -> None:
    arch, workload = load_arch("edge_64x64"), load_workload("lstm_200_1000_t70", [parse_override(f"steps={steps}")])
    check_preset(arch, workload, "fused")


PUBLISHED = [
    ("npu_s10nx", "lstm:512,512,t=8"),
    ("npu_s10nx", "gru:64,64,t=20"),
    ("koios_lstm", "lstm:64,64,t=20"),
    ("npu_s10nx", "lstm:64,64,t=20,layers=2"),
    ("elasticai_lstm", "lstm:1,20,t=40"),
    ("ethos_u55_128", "lstm:12,20,t=40"),
]


@pytest.mark.parametrize(("arch", "workload"), few(PUBLISHED, 2))
def test_on_a_published_machine(arch: str, workload: str) -> None:
    """The NPU's units follow each other's words through FIFOs, and its instructions are issued as one."""
    check_preset(load_arch(arch), load_workload(workload), None)
    evaluator = Evaluator()
    found = [evaluator.evaluate(load_arch(arch), load_workload(workload), None, name) for name in ("fast", "machine")]
    assert found[0].stats == found[1].stats
    assert found[0].executor == "fast"


def check_preset(arch: Arch, workload: Workload, schedule: str | None) -> None:
    """Without records of single ops but in a window of three steps: as a run of `archsim run` has it."""
    program = find_schedule(schedule, arch.config.family).build(workload.spec, arch.config)
    spec = machine_spec(program, arch, build_units(arch.config))
    window = Window(workload.spec.steps // 2, 3)
    assert_same(fast(program, spec, window=window).trace, machine(program, spec, window))


@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(7, 5), Window(38, 9), Window(400, 3)])
def test_a_window_anywhere(window: Window) -> None:
    """In the beginning, in what is skipped, at the end, beyond it; of phases other than bodies all ops are kept."""
    arch, workload = load_arch("tiny_2x2"), load_workload("lstm:3,2,t=40")
    check_window = fast_and_machine(arch, workload, window)
    assert_same(*check_window)


def fast_and_machine(arch: Arch, workload: Workload, window: Window) -> tuple[Trace, Trace]:
    program = find_schedule("fused", "gemv").build(workload.spec, arch.config)
    spec = machine_spec(program, arch, build_units(arch.config))
    return fast(program, spec, window=window).trace, machine(program, spec, window)


def test_without_a_window_there_are_no_records_and_no_timelines() -> None:
    arch, workload = load_arch("tiny_2x2"), load_workload("lstm:3,2,t=40")
    program = find_schedule("fused", "gemv").build(workload.spec, arch.config)
    spec = machine_spec(program, arch, build_units(arch.config))
    found, wanted = fast(program, spec, window=None).trace, machine(program, spec)
    assert_same(found, replace(wanted, records=(), timelines=()))
