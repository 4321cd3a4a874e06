"""How schedules are asked for by name, and what is said of networks and machines that they are not for."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import ScheduleError
from archsim.families.load import load_arch
from archsim.families.registry import FAMILIES, build_units
from archsim.families.schedules import build_program, check_units, find_schedule
from archsim.workload import load_workload


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("split_interleaved", "split_interleaved"),
        ("split", "split_interleaved"),
        ("interleaved_split", "split_interleaved"),
        (" split ", "split_interleaved"),
        ("gate_major_split", "split_gate_major"),
        ("split-gate/major", "split_gate_major"),
        ("major.gate_split", "split_gate_major"),
    ],
)
def test_words_of_a_name_in_any_order(asked: str, found: str) -> None:
    """Joined by any of _ - / and .; `interleaved` may be left out, and other words may not."""
    assert find_schedule(asked).name == found


@pytest.mark.parametrize("asked", ["split_gate", "split_split", "splitinterleaved", "", "split_interleaved_twice"])
def test_other_words_are_no_schedule(asked: str) -> None:
    with pytest.raises(ScheduleError, match=f"^--schedule {asked}: no such schedule"):
        find_schedule(asked)


def test_a_long_name_is_cut_in_the_message() -> None:
    """After 60 characters."""
    with pytest.raises(ScheduleError) as caught:
        find_schedule("x" * 100)
    assert str(caught.value).startswith(f"--schedule {'x' * 60}: no such schedule; allowed: ")


def test_what_is_no_name_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="a schedule is asked for by its name or given as a Schedule, not as int"):
        find_schedule(7)  # type: ignore[arg-type]


def built(schedule: str, family: str, arch: str, workload: str, *fields: str) -> str:
    """Why a schedule builds no program."""
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    with pytest.raises(ScheduleError) as caught:
        build_program(find_schedule(schedule, family), spec, load_arch(arch).config)
    return str(caught.value)


def test_who_takes_frames_is_said() -> None:
    """Up to four of a family's schedules are named; a family may have none that does."""
    takes = [schedule.name for schedule in FAMILIES["gemv"].schedules if schedule.streams]
    none = next(schedule.name for schedule in FAMILIES["gemv"].schedules if not schedule.streams)
    assert len(takes) > 4
    found = built(none, "gemv", "tiny_2x2", "lstm:3,2,t=2,streaming=1")
    others = ", ".join(takes[:4])
    assert found == f"--schedule {none}: takes no frames one at a time (streaming: true); those that do: {others}, ..."
    found = built("columns", "delta", "edgedrnn", "gru:8,8,t=2,streaming=1")
    assert found.endswith("(streaming: true); no schedule of its family of machines does")


def test_who_skips_columns_is_said() -> None:
    found = built("weight_stationary", "systolic", "tpu_v1", "gru:8,8,t=2,delta=0.5")
    assert found == "--schedule weight_stationary: skips no columns, and so takes no thresholds (delta)"
    work = load_workload("gru:8,8,t=2,delta=0.5")
    others = ", ".join(schedule.name for schedule in FAMILIES["gemv"].schedules if schedule.sends_deltas(work.spec))
    found = built("fused", "gemv", "tiny_2x2", "gru:8,8,t=2,delta=0.5")
    begin = (
        f"--schedule fused_interleaved: skips no columns, and so takes no thresholds (delta); those that do: {others}"
    )
    assert found.startswith(f"{begin}, with --set ")
    found = built("split", "gemv", "tiny_2x2", "gru:8,8,t=2,delta=0.5")
    begin = "--schedule split_interleaved: skips nothing on a machine that has no section delta_encoder: --set "
    assert found.startswith(begin)


def test_units_that_a_machine_lacks_are_named_once() -> None:
    config = load_arch("tiny_2x2").config
    program = find_schedule(None).build(load_workload("lstm:3,2,t=2").spec, config)
    units = build_units(config)
    check_units(program, units)
    left = [name for name in units if name not in ("activation", "dram")]
    with pytest.raises(ScheduleError) as caught:
        check_units(program, left)
    assert str(caught.value) == (
        f"schedule {program.schedule}: needs the unit dram, activation, which this machine does not have; it has "
        f"{', '.join(left)}"
    )
