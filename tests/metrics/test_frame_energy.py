"""The energy of a frame of a stream has a low and a high, which are those of the runs that it follows from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.api.frame_figures import RunEnergy, frame_dynamic
from archsim.api.frame_run import run_frame
from archsim.api.frames import figures_of_frame, measure_frames
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.families.schedules import find_schedule
from archsim.metrics import Stats
from archsim.metrics.beside import UJ_PER_MW_US, dram_power
from archsim.metrics.frames import Frames
from archsim.technology import Technology, load_technology
from archsim.technology.spread import Range
from archsim.technology.write import technology_text
from archsim.workload import load_workload
from tests.present import present

HWCOMPONENTS = Path(__file__).resolve().parents[2] / "examples" / "hwcomponents_45nm.yaml"
ENDS = ("", "_low", "_high")
CLOSE = 1e-9

MACHINES = {
    "tiny": ("tiny_2x2", ()),
    "wavefront": ("tiny_2x2", ("energy_model.dram_idle=power_down",)),
    "edge": ("edge_16x16", ("technology=node_7nm", "energy_model.gating=unused_banks")),
    "without_dram_power": ("edge_16x16", ("energy_model.dram_idle=off",)),
    "self_refresh": ("edge_16x16", ("dram_type=hbm2", "energy_model.dram_idle=self_refresh")),
}
WORKLOAD = "lstm:6,5,t=6,layers=2,streaming=1"


def machine(name: str, *more: str) -> Arch:
    preset, sets = MACHINES[name]
    return load_arch(preset, [parse_override(text) for text in (*sets, *more)])


def three(frames: Frames, stem: str) -> tuple[float, float, float]:
    value, low, high = (present(getattr(frames, f"{stem}{end}_uj")) for end in ENDS)
    return value, low, high


@pytest.mark.parametrize("period", [(), ("period_us=50",)])
@pytest.mark.parametrize("name", MACHINES)
def test_parts_sum_to_the_whole_and_lie_in_order(name: str, period: Sequence[str]) -> None:
    """What a frame switches and what is taken all the time are all of it, at the value, the low and the high; idle time
    is a part of the second."""
    schedule = find_schedule("fused_wavefront" if name == "wavefront" else "fused")
    work = load_workload(WORKLOAD, [parse_override(text) for text in period])
    frames = measure_frames(machine(name), work, schedule)
    whole, switched, always = (three(frames, f"frame_{part}energy") for part in ("", "dynamic_", "leakage_"))
    assert whole == tuple(a + b for a, b in zip(switched, always, strict=True))
    found = [whole, switched, always]
    if period:
        idle = three(frames, "frame_idle_energy")
        found.append(idle)
        assert all(a <= b for a, b in zip(idle, always, strict=True))
    else:
        assert frames.frame_idle_energy_low_uj is frames.frame_idle_energy_high_uj is None
    assert all(0 <= low <= value <= high for value, low, high in found)
    assert whole[1] < whole[0] < whole[2]


@pytest.mark.parametrize("name", MACHINES)
def test_the_ends_are_those_of_runs(name: str) -> None:
    """One frame more in a run adds to its total what it switches, and the power all the time while the run gets longer:
    so it is at the value, and at both ends. Power is leakage, and DRAM's by its own rule."""
    arch, work = machine(name), load_workload(WORKLOAD)
    run = run_frame(arch, work, find_schedule("fused_wavefront" if name == "wavefront" else "fused"))
    frames = figures_of_frame(arch, work, run)
    power = always_mw(arch, run.alone)
    longer_us = (run.many.latency_us - run.alone.latency_us) / (run.frames - 1)
    switched = three(frames, "frame_dynamic_energy")
    for place, end in enumerate(ENDS):
        one, many = (getattr(present(stats.energy), f"total{end}_uj") for stats in (run.alone, run.many))
        more = switched[place] + power[place] * longer_us * UJ_PER_MW_US
        assert more == pytest.approx((many - one) / (run.frames - 1), rel=CLOSE)
        per_us = three(frames, "frame_leakage_energy")[place] / frames.frame_interval_us
        assert per_us == pytest.approx(power[place] * UJ_PER_MW_US, rel=CLOSE)


def always_mw(arch: Arch, stats: Stats) -> tuple[float, float, float]:
    """Leakage of a run over its time, and DRAM's power when it is idle."""
    energy, costing = present(stats.energy), present(arch.config.costing)
    dram = dram_power(arch.prices, costing.dram_type, arch.config.dram_width, costing.counted).always
    leakage = (energy.part_uj["leakage"], energy.part_low_uj["leakage"], energy.part_high_uj["leakage"])
    value, low, high = (uj / (stats.latency_us * UJ_PER_MW_US) + mw for uj, mw in zip(leakage, dram.each, strict=True))
    return value, low, high


def without_ranges(data: Any) -> Any:
    """The data of a technology whose lows and highs are what is taken."""
    if isinstance(data, dict):
        made = {key: without_ranges(value) for key, value in data.items()}
        return made | dict.fromkeys(("low", "high"), made.get("factor", 1.0)) if "low" in made else made
    return [without_ranges(part) for part in data] if isinstance(data, list | tuple) else data


def test_a_technology_without_ranges_gives_none(tmp_path: Path) -> None:
    """Each low and high is the value, and no rounding puts a low above it; wires, whose length has a high, apart."""
    data = without_ranges(load_technology("node_45nm").model_dump(mode="json"))
    path = tmp_path / "sure.yaml"
    path.write_text(technology_text(Technology.model_validate_json(json.dumps(data)), "no ranges"))
    arch = machine("tiny", f"technology={path}", "energy_model.wires=false")
    frames = measure_frames(arch, load_workload(WORKLOAD), find_schedule("fused"))
    for part in ("dynamic_", "leakage_", ""):
        value, low, high = three(frames, f"frame_{part}energy")
        assert low <= value <= high
        assert low == pytest.approx(value, rel=CLOSE)
        assert high == pytest.approx(value, rel=CLOSE)


amounts = st.floats(0.01, 100)
shares = st.floats(0.01, 1)


def test_no_rounding_puts_a_low_above_a_unit_s_energy() -> None:
    """HWComponents' operators have no spread, and a unit's value is added up by kinds, its low operator by operator."""
    arch = load_arch("edge_16x16", [parse_override(f"technology={HWCOMPONENTS}")])
    run = simulate(arch, load_workload("lstm:40,64,t=100,layers=2"), find_schedule("fused"), timing_only=True)
    energy = present(run.stats.energy)
    for part, amount in energy.part_uj.items():
        assert energy.part_low_uj[part] <= amount <= energy.part_high_uj[part]


@given(st.lists(amounts, min_size=4, max_size=4), st.lists(shares, min_size=3, max_size=3), st.integers(2, 9))
def test_ends_of_a_run_that_is_made_up(mw: list[float], lows: list[float], more: int) -> None:
    """What is switched, what leaks, DRAM idle and at work, each with a low of its own, come out as they went in."""
    switched, leaks, idle, busy = mw
    low_switched, low_leaks, low_dram = lows

    def run(frames: int) -> RunEnergy:
        us = 5.0 + 3.0 * frames
        leakage, dram = leaks * us / 1000, (idle * us + busy * frames) / 1000
        ranges = [
            Range(value, value * low, value / low)
            for value, low in ((switched * frames, low_switched), (leakage, low_leaks), (dram, low_dram))
        ]
        total = ranges[0].plus(ranges[1]).plus(ranges[2])
        active = switched * frames + busy * frames / 1000
        return RunEnergy(us, switched * frames, active, leaks + idle, total, ranges[1], ranges[2])

    found, static = frame_dynamic(run(1), run(1 + more), more), run(1).static
    assert found.low == pytest.approx(switched * low_switched + busy / 1000 * low_dram, rel=1e-6)
    assert found.high == pytest.approx(switched / low_switched + busy / 1000 / low_dram, rel=1e-6)
    assert static.low == pytest.approx(leaks * low_leaks + idle * low_dram, rel=1e-6)
    assert static.high == pytest.approx(leaks / low_leaks + idle / low_dram, rel=1e-6)
    assert found.low <= found.value <= found.high
