"""Spaces of streaming workloads: what is asked is asked of a frame, and a cold start is named where it is meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import SpaceError
from archsim.explore import Space, Status, explore
from archsim.explore.results.table import points_table
from archsim.explore.results.write_results import study_text
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.explore.conftest import Write

WORKLOAD = """\
summary: a frame every 2 us
kind: lstm
input_size: 3
hidden_size: 2
steps: 4
streaming: true
period_us: PERIOD
weights: {seed: 0}
input: {seed: 1}
"""
SPACE = """\
summary: frames of LSTM(3, 2)
architecture: tiny_2x2
workloads: [stream.yaml]
parameters:
  dram.latency_cycles: [4, 5, 6, 7]
  schedule: [SCHEDULE]
constraints: [arrivals.missed_deadlines == 0]
objectives:
  - minimize: latency
  - maximize: headroom
  - minimize: edp
  - minimize: energy
  - minimize: latency_cycles
"""
OneSpace = Callable[..., Space]


@pytest.fixture
def space(tmp_path: Path) -> OneSpace:
    """Writes SPACE with some texts replaced, and its workload."""

    def made(*changes: tuple[str, str], period_us: float = 1, schedule: str = "fused") -> Space:
        (tmp_path / "stream.yaml").write_text(WORKLOAD.replace("PERIOD", str(period_us)))
        text = SPACE.replace("SCHEDULE", schedule)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "space.yaml").write_text(text)
        return Space.load(tmp_path / "space.yaml")

    return made


@pytest.mark.parametrize("schedule", ["fused", "fused_wavefront"])
def test_a_space_of_streams_answers_of_frames(space: OneSpace, schedule: str) -> None:
    """A frame takes 49 cycles, the next one comes 43 later; DRAM's latency is paid for x and for y, and once each more.

    The interval has it once: x of the next frame is loaded behind y of the one before, whose latency is no part of it.
    """
    found = space(schedule=schedule)
    study = explore(found, workers=1)
    assert [point.status for point in study.points] == [Status.EVALUATED] * 4
    assert not study.alone, "in a batch"
    for more, point in enumerate(study.points):
        assert point.objectives is not None
        assert point.outputs is not None
        latency_us, headroom, edp, energy_uj, cold_cycles = point.objectives
        outputs = point.outputs["stream"]
        assert latency_us == (49 + 2 * more) / 100
        assert headroom == pytest.approx(100 / (43 + more))
        assert (outputs["frame_latency_cycles"], outputs["frame_interval_cycles"]) == (49 + 2 * more, 43 + more)
        assert energy_uj == outputs["frame_energy_uj"]
        assert edp == energy_uj * latency_us
        assert cold_cycles > 4 * 43
        assert outputs["arrivals.p50_cycles"] == outputs["arrivals.max_cycles"] == 49 + 2 * more
    assert [objective.name for objective in found.objectives] == [
        "latency",
        "headroom",
        "edp",
        "energy",
        "latency_cycles (cold start)",
    ]
    assert "of a frame on a machine that is on" in study_text(study)


def test_a_batch_and_one_by_one_write_the_same(space: OneSpace) -> None:
    """Those of the machine, which times each op as an event, too."""
    found = space()
    together, alone = explore(found, workers=1), explore(found, workers=1, executor="machine")
    assert [(p.objectives, p.outputs) for p in together.points] == [(p.objectives, p.outputs) for p in alone.points]
    [point, *_] = together.points
    assert point.outputs is not None
    sets = [parse_override("period_us=1")]
    simulated = simulate(
        load_arch("tiny_2x2"), load_workload("lstm:3,2,t=4,streaming=1", sets), "fused", timing_only=True
    ).frames
    assert simulated is not None
    assert point.outputs["stream"]["frame_idle_energy_uj"] == simulated.frame_idle_energy_uj


def test_a_few_streams_go_in_a_batch_too(space: OneSpace) -> None:
    """One by one each frame would be an execution of the machine."""
    study = explore(space(("[4, 5, 6, 7]", "[4, 5]")), workers=1)
    assert (len(study.points), study.alone) == (2, {})


def test_deadlines_are_constraints(space: OneSpace) -> None:
    """A period of 0.5 us is 50 cycles, of which a frame with a DRAM latency of 4 takes 49 and with 5 already 51."""
    study = explore(space(period_us=0.5), workers=1)
    assert [point.status is Status.EVALUATED for point in study.points] == [True, False, False, False]
    assert {point.reason.what for point in study.points if point.reason} == {"arrivals.missed_deadlines == 0"}


def test_columns_say_which_figures_are_of_a_cold_start(space: OneSpace) -> None:
    study = explore(space(), workers=1)
    table = points_table(study, study.points)
    columns = table.columns
    assert table.cells("frame_latency_cycles") == [49, 51, 53, 55]
    assert "cold start latency_cycles" in columns
    assert "cold start energy.total_uj" in columns
    assert not {"latency_cycles", "latency_us", "energy.total_uj", "mac_utilization"} & columns.keys()
    assert "area.area_mm2" in columns


def test_a_constraint_on_a_cold_start_says_so(space: OneSpace) -> None:
    study = explore(space(("arrivals.missed_deadlines == 0", "latency_cycles < 1")), workers=1)
    assert {point.reason.what for point in study.points if point.reason} == {"latency_cycles < 1 (cold start)"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("minimize: latency\n", "minimize: frame_latncy_us\n"), "did you mean frame_latency_us?"),
        (("headroom", "arrivals"), "arrivals has several entries; write arrivals.ENTRY"),
    ],
)
def test_what_frames_do_not_have_is_one_line(space: OneSpace, change: tuple[str, str], said: str) -> None:
    with pytest.raises(SpaceError) as error:
        space(change)
    assert said in str(error.value)


def test_frames_are_asked_of_streams_alone(write: Write) -> None:
    with pytest.raises(SpaceError) as error:
        Space.load(write(("minimize: body_us", "minimize: frame_latency_us")))
    assert "frame_latency_us is a figure of a frame, and lstm_3_4_t3_b1 is no stream (streaming: true)" in str(
        error.value
    )
    with pytest.raises(SpaceError) as error:
        Space.load(write(("lstm:3,4,t=3", "lstm:3,4,t=3,streaming=1"), ("body_us", "arrivals.p99_cycles")))
    assert "arrivals.p99_cycles needs frames that come at some time" in str(error.value)
    with pytest.raises(SpaceError) as error:
        Space.load(write(("lstm:3,4,t=3", "lstm:3,4,t=3,streaming=1"), ("body_us", "differing_frames.p95_cycles")))
    assert "differing_frames.p95_cycles is of frames that differ, and those of" in str(error.value)


def test_words_of_other_spaces_stay(write: Write) -> None:
    [first, _] = Space.load(write(("minimize: body_us", "minimize: latency"))).objectives
    assert (first.name, first.expression.text) == ("latency", "latency_us")
