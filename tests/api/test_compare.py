"""Designs beside each other: the order of rows, what differs in their inputs, and figures of streams with deadlines."""

from __future__ import annotations

import pytest

from archsim.api.compare import Comparison, Row, compare
from archsim.api.compare import _largest_loss as largest_loss
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.rings import exhaustive


@exhaustive
def test_each_machine_has_its_workloads_and_each_of_them_its_schedules() -> None:
    works, schedules = ["lstm:3,2,t=2", "gru:3,2,t=2"], ["split", "fused"]
    found = compare(["edge_16x16", "tiny_2x2"], works, schedules)
    assert [(row.arch, row.workload, row.schedule) for row in found.rows] == [
        (arch, work, f"{schedule}_interleaved")
        for arch in ("edge_16x16", "tiny_2x2")
        for work in ("lstm_3_2_t2_b1", "gru_3_2_t2_b1")
        for schedule in schedules
    ]
    assert found.rows[0].answer_us == found.rows[0].latency_us is not None
    fastest = min(found.rows, key=lambda row: row.latency_us or 0.0)
    assert repr(found) == (
        f"<8 designs compared; fastest: {fastest.arch}, {fastest.workload}, {fastest.latency_us:,.4g} us>"
    )


def test_what_differs_is_said_by_field_and_what_there_is_not_with_a_dash() -> None:
    """x has columns of its own in one machine alone; a machine of another family has another section."""
    one = load_arch("tiny_2x2")
    two = load_arch("tiny_2x2", [parse_override("mac_array.x_columns=1"), parse_override("dram.latency_cycles=9")])
    found = compare([one, two], [load_workload("lstm:3,2,t=1")], ["split"])
    names = [row.arch for row in found.rows]
    assert {one.field: [one.values[name] for name in names] for one in found.machines} == {
        "dram.latency_cycles": ["4", "9"],
        "mac_array.x_columns": ["-", "1"],
    }
    assert found.workloads == ()
    with_pes = compare([one, load_arch("edgedrnn")], [load_workload("gru:8,8,t=1,delta=0.1")])
    fields = {one.field: list(one.values.values()) for one in with_pes.machines}
    assert fields["mac_array.rows"] == ["2", "-"]
    assert fields["pe_array.pes"][0] == "-"
    assert fields["family"] == ["gemv", "delta"]


@exhaustive
def test_frames_that_are_late() -> None:
    """49 cycles are 0.49 us: beyond a deadline of 0.48 us are all four, beyond 0.49 none. Without a period no frame is
    late, and nothing is idle."""
    works = [f"lstm:3,2,t=4,streaming=1{more}" for more in (",period_us=2,deadline_us=0.48", ",period_us=2", "")]
    late, timely, without = compare(["tiny_2x2"], works).rows
    assert [(row.p99_latency_cycles, row.missed_deadlines) for row in (late, timely, without)] == [
        (49, 4),
        (49, 0),
        (None, None),
    ]
    assert timely.headroom == pytest.approx(2 / 0.43)
    assert (without.headroom, without.frame_idle_energy_uj) == (None, None)
    assert timely.answer_us == 0.49
    assert timely.latency_us is None
    # A frame each 2 us leaks for longer than one each 0.43 us.
    assert timely.frame_energy_uj is not None
    assert without.frame_energy_uj is not None
    assert timely.frame_energy_uj > without.frame_energy_uj


@pytest.mark.parametrize(
    ("stack", "total", "found"),
    [
        ({"useful": 60, "padding": 10, "idle": 30}, 100, ("idle", 0.3)),
        ({"useful": 60, "padding": 20, "idle": 20}, 100, ("padding", 0.2)),
        ({"useful": 100, "padding": 0}, 100, (None, None)),
        ({}, 0, (None, None)),
    ],
)
def test_the_largest_loss(stack: dict[str, int], total: int, found: tuple[str | None, float | None]) -> None:
    """Of equal ones the first; none where all cycles are useful."""
    assert largest_loss(stack, total) == found


def test_what_cannot_run_is_not_the_fastest() -> None:
    rows = (
        Row("a", "w", "s", misfit="too small"),
        Row("b", "w", "s", latency_us=7.0),
        Row("c", "w", "s", latency_us=3.5),
    )
    assert repr(Comparison((), (), rows)) == "<3 designs compared; fastest: c, w, 3.5 us>"
    assert repr(Comparison((), (), rows[:1])) == "<1 designs compared>"
    assert rows[0].answer_us is None
