"""The answer and the costs of the summary, of figures that are written by hand and all differ."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.api.explain import Findings
from archsim.report.text.summary import _answer, _costs, _losses, change_rows
from tests.report.parts import thing


def run(frames: Any = None, streaming: bool = False, steps: int = 4, **parts: Any) -> Any:
    """At 500 MHz: 1,000 cycles are 2 us."""
    stats = {
        "latency_cycles": 9000, "latency_us": 18.0, "prologue_cycles": 900, "cycles_per_step": 1500.0,
        "body_cycles": 6400, "bounds": {"mac": 1500.0}, "binding_bound": "mac", "mac_utilization": 0.25,
        "steady_state_mac_utilization": 0.5, "energy": None, "area": None, "cycle_stack": {},
    }  # fmt: skip
    spec = {"steps": steps, "streaming": streaming, "runs_in_reverse": False, "lengths": None}
    activity, costing = parts.pop("activity", None), parts.pop("costing", None)
    return thing(
        stats=thing(**(stats | parts)), frames=frames, activity=activity, workload=thing(spec=thing(**spec)),
        arch=thing(config=thing(clock_mhz=500.0, multipliers=thing(unit="mac_array"), family="mine", costing=costing)),
        schedule=thing(streams=True),
    )  # fmt: skip


def frames(**parts: Any) -> Any:
    fields: dict[str, Any] = {
        "frame_latency_cycles": 1200, "frame_latency_us": 2.4, "frame_interval_cycles": 800.5,
        "frame_interval_us": 1.601,
        "differing_frames": None, "headroom": None, "period_us": None, "arrivals": None, "frame_mac_utilization": 0.75,
        "frame_energy_uj": None, "frame_energy_low_uj": 1.0, "frame_energy_high_uj": 4.0, "frame_idle_energy_uj": None,
    }  # fmt: skip
    return thing(**(fields | parts))


NONE = Findings(None, ())


def test_the_answer_of_a_run_is_its_latency_and_a_step() -> None:
    assert list(_answer(run(), NONE)) == [
        ("latency", "9,000 cycles, 18 us; 10.0 % of it loads weights and states"),
        ("a time step", "1,500 cycles, 3 us; mac binds"),
    ]
    cold = list(_answer(run(prologue_cycles=8000), NONE))
    assert [name for name, _ in cold] == ["latency", "cold start", "a time step"]


def test_steps_that_differ_have_the_mean_of_all() -> None:
    """6,400 cycles of 4 steps: 1,600, or 3.2 us."""
    assert list(_answer(run(activity=1), NONE))[-1] == ("steps differ", "mean of all 4: 1,600 cycles, 3.2 us")


def test_the_answer_of_a_stream_is_a_frame_and_the_cold_start_is_another_question() -> None:
    assert list(_answer(run(frames(), True, 1), NONE)) == [
        ("latency", "1,200 cycles a frame, 2.4 us"),
        ("interval", "800.5 cycles, 1.601 us: a frame can come so often"),
        ("cold start", "another question: 9,000 cycles for 1 frame, loading included"),
    ]


def test_of_frames_that_come_in_a_period_headroom_and_lateness_are_said() -> None:
    spread = thing(mean_cycles=1300.25, p95_cycles=1400, max_cycles=1600, frames=3)
    came = thing(missed_deadlines=None, frames=1000, p50_cycles=1500, p99_cycles=2500, max_cycles=3500)
    found = dict(_answer(run(frames(differing_frames=spread, headroom=1.25, period_us=2.0, arrivals=came), True), NONE))
    assert found["frames differ"] == "mean 1,300.2, p95 1,400, max 1,600 cycles of 3 frames"
    assert found["headroom"] == "1.25 times in a period of 2 us"
    assert found["arrivals"] == "p50 1,500, p99 2,500, max 3,500 cycles"
    late = thing(**{**vars(came), "missed_deadlines": 0})
    assert dict(_answer(run(frames(arrivals=late), True), NONE))["arrivals"].endswith("; 0 of 1,000 frames too late")
    for parts in ({"headroom": 1.25}, {"period_us": 2.0}):
        assert "headroom" not in dict(_answer(run(frames(**parts), True), NONE))


ENERGY = thing(pj_per_mac=12.0, power_mw=34.0, total_uj=5.0, total_low_uj=4.0, total_high_uj=6.0)
AREA = thing(area_mm2=7.0, area_low_mm2=6.5, area_high_mm2=8.5)


def test_the_costs_of_a_run() -> None:
    assert list(_costs(run(energy=ENERGY, area=AREA))) == [
        ("utilization", "25.0 % of the multipliers over the run, 50.0 % in the steady state"),
        ("energy", "5 uJ (4 to 6): 12 pJ/MAC, 34 mW on average"),
        ("area", "7 mm2 (6.5 to 8.5)"),
    ]
    assert list(_costs(run()))[1:] == [("energy", "not modelled: machines of the family mine have no prices")]


def test_of_a_machine_with_prices_the_unit_without_a_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    units = {name: thing(has_energy_model=name == "dram") for name in ("dram", "door", "gate")}
    monkeypatch.setattr("archsim.report.text.sections.energy_section.build_units", lambda config: units)
    expected = [("energy", "not modelled: door, gate have no model of energy and area")]
    assert list(_costs(run(costing=thing())))[1:] == expected
    del units["gate"]
    assert dict(_costs(run(costing=thing())))["energy"] == "not modelled: door has no model of energy and area"


@pytest.mark.parametrize(("steps", "where"), [(2, "in the last step"), (3, "in the steady state")])
def test_two_steps_have_no_steady_state(steps: int, where: str) -> None:
    assert dict(_costs(run(steps=steps)))["utilization"].endswith(where)


def test_the_costs_of_a_frame() -> None:
    alone = list(_costs(run(frames(frame_energy_uj=2.0), True, energy=ENERGY, area=AREA)))
    assert alone == [
        ("utilization", "75.0 % of the multipliers, frame behind frame"), ("energy", "2 uJ (1 to 4) a frame"),
        ("area", "7 mm2 (6.5 to 8.5)"),
    ]  # fmt: skip
    idle = dict(_costs(run(frames(frame_energy_uj=2.0, frame_idle_energy_uj=0.5), True, energy=ENERGY)))
    assert idle["energy"] == "2 uJ (1 to 4) a frame; 0.5 uJ of it idle"


def test_the_costs_of_a_delta_network_are_of_what_has_changed() -> None:
    columns = thing(
        multiplied_utilization=0.125,
        skipped_share=0.6,
        dense_latency_cycles=12000,
        skipped_uj=None,
        dense_energy_uj=1.0,
    )
    found = dict(_costs(run(activity=columns)))
    assert found["utilization"] == "12.5 % of the multipliers, on what has changed; 60.0 % of the model is skipped"
    assert found["skipping"] == "saves 3,000 cycles, 25.0 %"


def test_three_losses_are_named_and_the_multipliers_useful_work_is_none() -> None:
    """Of a stream they are parts of a frame's latency, 1,200 cycles."""
    stack = {
        "mac_array": {"useful": 5000, "padding": 90, "drain": 0},
        "dram": {"useful": 600, "token": 30, "drain": 20},
    }
    assert list(_losses(run(), Findings(stack, ()))) == [
        ("losses", "600 cycles, 6.7 %: dram at work"), ("", "90 cycles, 1.0 %: mac_array padding"),
        ("", "30 cycles, 0.3 %: dram token"),
    ]  # fmt: skip
    assert ("losses", "600 cycles, 50.0 %: dram at work") in list(_losses(run(frames(), True), Findings(stack, ())))
    none = {"mac_array": {"useful": 5000, "padding": 0}}
    assert list(_losses(run(), Findings(none, ()))) == []
    whole = list(_losses(run(frames(), True, cycle_stack={"useful": 8000, "idle": 900, "padding": 0}), NONE))
    assert [text.partition(":")[0] for _, text in whole] == ["900 cycles, 10.0 %"]


def test_changes_have_their_name_once() -> None:
    assert change_rows(thing(better=(), left_out="too long")) == [("changes", "not measured here: too long")]
    assert change_rows(thing(better=(), left_out="")) == [
        ("changes", "of a single number, by a notch: none makes it faster")
    ]
