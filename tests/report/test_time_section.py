"""Latency, steps and throughput in the report, of figures that are written by hand and all differ."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.config.run_files import TableKind, TraceKind
from archsim.export.run_streams import Streams
from archsim.report.text.sections.roofline_section import roofline
from archsim.report.text.sections.room_section import room
from archsim.report.text.sections.time_section import latency, step, throughput
from archsim.report.text.sections.traffic_section import traffic
from tests.report.conftest import Run
from tests.report.parts import lines


def changed(simulation: Simulation, **figures: Any) -> Simulation:
    return dataclasses.replace(simulation, stats=dataclasses.replace(simulation.stats, **figures))


def starts(found: list[str], words: int) -> list[str]:
    """The first words of each line."""
    return [" ".join(line.split()[:words]) for line in found]


def test_phases_are_in_cycles_us_and_shares_of_the_run(small: Simulation) -> None:
    """At 800 MHz 400 cycles are half a microsecond. Prologue, steps and epilogue are a half, three eighths and an
    eighth."""
    found = lines(
        *latency(changed(small, prologue_cycles=4000, body_cycles=3000, epilogue_cycles=1000, latency_cycles=8000))
    )
    assert starts(found[2:], 5) == [
        "prologue 4,000 5 50.0 %", "time steps 3,000 3.75 37.5", "epilogue 1,000 1.25 12.5 %",
        "whole run 8,000 10 100.0",
    ]  # fmt: skip
    assert "(T = 4)" in found[3]
    assert len(found) == 6, "no cold start, and no handover without layers"
    cold = lines(*latency(changed(small, prologue_cycles=7000, latency_cycles=8000)))
    assert cold[-1].startswith("This run is a cold start: 87.5 %")


def test_the_handover_between_layers_stands_before_the_epilogue(run: Run) -> None:
    layers = run(workload=("num_layers=2",), timing_only=True)
    found = lines(*latency(changed(layers, handover_cycles=77)))
    assert [line.split()[0] for line in found[2:7]] == ["prologue", "time", "handover", "epilogue", "whole"]
    assert found[4].startswith("handover 77 ")


def test_bounds_stand_from_the_largest_down_with_their_share_of_the_step(small: Simulation) -> None:
    """A step of 200 cycles; the largest binds."""
    bounds = {name: 10.0 * (place + 1) for place, name in enumerate(small.stats.bounds)}
    largest = list(bounds)[-1]
    found = lines(
        *step(changed(small, bounds=bounds, binding_bound=largest, cycles_per_step=200.0), Findings(None, ()))
    )
    assert found[0] == "One time step (in the steady state: 0.25 us)"
    rows = found[2 : 3 + len(bounds)]
    assert starts(rows, 4)[0] == "simulated 200 100.0 %"
    assert starts(rows, 4)[1:] == [
        f"{name} {amount:.0f} {amount / 2:.1f} %" for name, amount in reversed(bounds.items())
    ]  # fmt: skip
    assert ["<-- binds: " in row for row in rows] == [False, True, *[False] * (len(bounds) - 1)]


@pytest.mark.parametrize(("steps", "which"), [(2, "the last one, since there are too few"), (3, "in the steady state")])
def test_two_steps_are_too_few_for_a_steady_state(run: Run, steps: int, which: str) -> None:
    found = run(workload=(f"steps={steps}",), timing_only=True)
    assert lines(*step(found, Findings(None, ())))[0].startswith(f"One time step ({which}")


def test_the_steady_state_is_a_part_of_the_peak(small: Simulation) -> None:
    given = {
        "throughput_gops": 2.0, "steady_state_throughput_gops": 4.0, "peak_throughput_gops": 16.0,
        "mac_utilization": 0.125, "steady_state_mac_utilization": 0.25,
    }  # fmt: skip
    found = lines(*throughput(changed(small, **given)))
    assert found[0] == "Throughput and MAC utilization (steady state: 25.0 % of the peak)"
    assert starts(found[1:], 3) == [
        "throughput 2 GOPS", "steady_state_throughput 4 GOPS", "peak_throughput 16 GOPS", "mac_utilization 12.5 %",
        "steady_state_mac_utilization 25.0 %",
    ]  # fmt: skip
    assert "(steady state: 0 % of the peak)" in lines(*throughput(changed(small, peak_throughput_gops=0.0)))[0]


def test_a_memory_that_moves_nothing_has_no_point_of_a_roofline(small: Simulation) -> None:
    found = small.stats.roofline
    name, first = next(iter(found.ceilings.items()))
    ceiling = dataclasses.replace(
        first,
        bandwidth_gb_per_s=12.0,
        step_ops_per_byte=None,
        step_roof_gops=3.0,
        run_ops_per_byte=0.5,
        run_roof_gops=6.0,
    )
    changed_roof = dataclasses.replace(found, ceilings={name: ceiling}, peak_gops=99.0, step_gops=1.5, run_gops=1.25)
    rows = lines(*roofline(changed(small, roofline=changed_roof)))
    assert rows[2:5] == ["peak - - 99 - 99", f"{name} 12 - 3 0.5 6", "reached 1.5 1.25"]


def test_traffic_is_listed_by_memory_direction_and_kind(small: Simulation) -> None:
    """Of several kinds of one direction the first has its word; a memory that moves nothing has no intensity."""
    moved = {"dram": {"read": {"x": 1500, "h": 2}, "write": {"h": 30}}, "none": {"read": {}, "write": {}}}
    found = changed(
        small,
        traffic_bytes=moved,
        operational_intensity_ops_per_byte={"dram": 0.25, "none": 1.0},
        dram_traffic_ratio=None,
    )
    assert lines(*traffic(found))[2:7] == [
        "dram all 1,532 1.5 KiB 0.25", "read x 1,500 1.5 KiB", "h 2 2 B", "written h 30 30 B", "none all 0 0 B -",
    ]  # fmt: skip
    assert "by phase" not in " ".join(lines(*traffic(found)))


def test_room_is_listed_by_memory_and_buffer_with_the_share_of_its_capacity(small: Simulation) -> None:
    """What buffers take is in stats.json, too; together they take a part of what the memory has."""
    stored = small.stats.stored_bytes
    found = lines(*room(small))
    assert found[1] == "memory buffer slots bytes binary of capacity"
    for memory, buffers in stored.items():
        costing = small.arch.config.costing
        assert costing is not None
        capacity = getattr(costing.memories[memory], "capacity_bytes", None)
        total = sum(buffers.values())
        [row] = [line for line in found if line.startswith(f"{memory} all ")]
        assert row.split()[2] == f"{total:,}"
        if capacity:
            assert row.endswith(" %")
            assert float(row.split()[-2]) == pytest.approx(100 * total / capacity, abs=0.06)
        for name, size in buffers.items():
            slots = next(buffer.slots for buffer in small.program.buffers if buffer.name == name)
            assert any(line.startswith(f"{name} {slots} {size:,} ") for line in found), name


def test_traces_or_tables_are_to_be_written() -> None:
    assert not Streams().any
    assert Streams(traces=(TraceKind.VCD,)).any
    assert Streams(tables=(TableKind.OPS,)).any
