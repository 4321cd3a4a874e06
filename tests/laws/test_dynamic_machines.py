"""Networks on machines whose service times are known only at run time: rows in DRAM, and single ports.

The program is the same, and so is every bit, whatever the device, the ports and what else varies; the cycles add up;
bounds are bounds; and what is better in general is so here, with the exceptions that the last tests measure.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.api.machine_spec import machine_spec
from archsim.config import parse_override
from archsim.engines.events.options import Jitter
from archsim.errors import CapacityError
from archsim.families.load import load_arch
from archsim.hardware.dram.ddr_presets import DEVICES, TYPES
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.workload import load_workload
from tests.float_machines import FLOAT_64X64
from tests.rings import examples, exhaustive, few
from tests.strategies import Case, bits, cases, jitters, program_text, tensors

MEMORIES = ("weight_sram", "input_buffer", "state_buffer")
MAPPINGS = ("row_bank_column_group_channel", "row_bank_group_column_channel")

CONTROLLERS = (
    {"kind": "in_order"},
    {"kind": "fr_fcfs"},
    {"kind": "fr_fcfs", "window": 3, "drain_from": 2, "drain_to": 1, "overtaken": 1},
)


@st.composite
def ddr(draw: st.DrawFn) -> dict:  # type: ignore[type-arg]
    """DRAM of kind ddr."""
    return {
        "kind": "ddr",
        "device": draw(st.sampled_from(list(DEVICES))),
        "channels": draw(st.sampled_from([1, 2, 8])),
        "address_mapping": draw(st.sampled_from(MAPPINGS)),
        "controller": draw(st.sampled_from(CONTROLLERS)),
        "controller_latency_cycles": draw(st.sampled_from([0, 1, 40])),
    }


@st.composite
def dynamic_cases(draw: st.DrawFn) -> tuple[Case, Case]:
    """A static machine, and the same with other DRAM, single ports or both."""
    case = draw(cases())
    changes = {f"{memory}.ports": draw(st.sampled_from(["1RW", "1R1W"])) for memory in MEMORIES}
    if changes["state_buffer.ports"] == "1RW":
        case = case.with_fields({"state_buffer.banks": "one"})
    if draw(st.booleans()):
        changes["dram"] = draw(ddr())  # type: ignore[assignment]
        changes["dram_type"] = TYPES[changes["dram"]["device"]]  # type: ignore[index]
        if changes["dram"]["controller"]["kind"] == "fr_fcfs":  # type: ignore[index]
            changes |= {f"{memory}.ports": "1R1W" for memory in MEMORIES}
    return case, case.with_fields(changes)


@settings(max_examples=examples(40))
@given(dynamic_cases(), st.one_of(st.none(), jitters()))
def test_not_a_bit_changes(pair: tuple[Case, Case], jitter: Jitter | None) -> None:
    static, dynamic = pair
    assert program_text(dynamic.program) == program_text(static.program)
    numbers = tensors(static.spec, 3)
    want = bits(static.interpret(numbers))
    assert bits(dynamic.execute(numbers, jitter=jitter)[1]) == want


@settings(max_examples=examples(40))
@given(dynamic_cases())
def test_cycles_add_up_and_bounds_are_bounds(pair: tuple[Case, Case]) -> None:
    """compute_stats raises if a stack does not sum to the run; `cycles` of an op is never more than it took."""
    _, case = pair
    run = case.simulate()
    assert run.validation.passed
    assert max(run.stats.bounds.values()) * case.spec.steps <= run.stats.body_cycles + 1e-6
    trace, _ = case.execute()
    assert trace.total_cycles == run.stats.latency_cycles
    for record in trace.records:
        op = case.program.phases[record.phase].ops[record.op]
        least = case.units[op.unit].cycles(op)
        assert record.free - record.start >= least.occupancy_cycles
        assert record.done - record.start >= least.latency_cycles


@settings(max_examples=examples(20))
@given(dynamic_cases())
def test_the_same_run_twice(pair: tuple[Case, Case]) -> None:
    _, case = pair
    spec = machine_spec(case.program, case.arch, case.units)
    assert spec.static == (case.config.single_ported == () and case.config.dram.kind == "simple")
    first, second = (case.execute(machine_spec=spec)[0] for _ in range(2))
    assert first == second


@settings(max_examples=examples(40))
@given(cases(), st.lists(st.sampled_from(MEMORIES), min_size=1, unique=True))
def test_ports_of_ones_own_are_never_slower(case: Case, single: list[str]) -> None:
    """Not for a single op, if all memories get them."""
    if "state_buffer" in single:
        case = case.with_fields({"state_buffer.banks": "one"})
    shared = case.with_fields({f"{memory}.ports": "1RW" for memory in single})
    faster, slower = case.execute()[0], shared.execute()[0]
    for early, late in zip(faster.records, slower.records, strict=True):
        assert (early.phase, early.repetition, early.op) == (late.phase, late.repetition, late.op)
        assert early.start <= late.start
        assert early.free <= late.free
        assert early.done <= late.done


def test_what_the_device_did_is_in_the_figures() -> None:
    """LSTM(16, 16), T = 2: the bursts of 64 bytes cover all bytes that DRAM moves; nothing on a simple one."""
    ddr4 = load_arch(
        "edge_16x16", [parse_override(f"dram={json.dumps(DDR_EXAMPLE)}"), parse_override("dram_type=ddr4")]
    )
    workload = load_workload("lstm:16,16,t=2")
    stats = simulate(ddr4, workload, timing_only=True).stats
    moved = sum(sum(kinds.values()) for kinds in stats.traffic_bytes["dram"].values())
    assert stats.dram_counts["bursts"] * 64 >= moved
    assert 0 < stats.dram_counts["row_misses"] + stats.dram_counts["row_conflicts"] <= stats.dram_counts["bursts"]
    assert simulate(load_arch("edge_16x16"), workload, timing_only=True).stats.dram_counts == {}


def test_capacity_of_a_device() -> None:
    """A device of 8 banks of 1 row of 2 KB, two channels: 32 KiB. LSTM(16, 64) has 4 * 64 * 80 * 4 bytes of weights."""
    tiny = ["dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 0}"]
    arch = load_arch(FLOAT_64X64, [parse_override(text) for text in (*tiny, "dram.device.rows_per_bank=1")])
    with pytest.raises(CapacityError, match=r"dram: needs .* has 32,768, .*more dram.channels") as caught:
        simulate(arch, load_workload("lstm:16,64,t=2"), timing_only=True)
    assert caught.value.have == 2 * 8 * 2048
    assert caught.value.need > 4 * 64 * 80 * 4


def test_a_device_as_large_as_the_tensors_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    device = "dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 0}"
    arch = load_arch("edge_64x64", [parse_override(text) for text in (device, "dram.device.rows_per_bank=1")])
    workload = load_workload("lstm:16,64,t=2")
    with pytest.raises(CapacityError) as caught:
        simulate(arch, workload, timing_only=True)
    need = caught.value.need
    monkeypatch.setattr(DdrConfig, "capacity_bytes", property(lambda _: need))
    simulate(arch, workload, timing_only=True)
    monkeypatch.setattr(DdrConfig, "capacity_bytes", property(lambda _: need - 1))
    with pytest.raises(CapacityError, match="1 short"):
        simulate(arch, workload, timing_only=True)


def test_single_ports_cost_cycles_and_no_bits() -> None:
    """A machine whose memories have one port each: the same results in more cycles, and more of wait_port."""
    arch = load_arch("edge_16x16")
    texts = ("state_buffer.banks=one", *(f"{memory}.ports=1RW" for memory in MEMORIES))
    shared = load_arch("edge_16x16", [parse_override(text) for text in texts])
    workload = load_workload("lstm:16,16,t=9")
    alone, beside = (simulate(machine, workload) for machine in (arch, shared))
    assert bits(alone.results) == bits(beside.results)
    assert beside.stats.latency_cycles > alone.stats.latency_cycles
    stacks = beside.stats.unit_cycle_stacks, alone.stats.unit_cycle_stacks
    assert sum(stack["wait_port"] for stack in stacks[0].values()) > sum(s["wait_port"] for s in stacks[1].values())


# Where better is slower (docs/microarchitecture/rules.md, "Monotonicity")


def ddr_cycles(*overrides: str) -> int:
    base = "dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 40}"
    arch = load_arch("edge_64x64", [parse_override(text) for text in (base, *overrides)])
    return simulate(arch, load_workload("silero_vad"), timing_only=True).stats.latency_cycles


@exhaustive
@pytest.mark.parametrize(
    ("better", "worse", "cycles"),
    few(
        [
            ("dram.device.trcd_nck=10", "dram.device.trcd_nck=11", (37_391, 37_216)),
            ("dram.controller_latency_cycles=83", "dram.controller_latency_cycles=85", (38_652, 38_638)),
            ("dram.device.trfc_nck=200", "dram.device.trfc_nck=208", (37_708, 37_691)),
        ],
        1,
    ),
)
def test_better_dram_can_be_slower(better: str, worse: str, cycles: tuple[int, int]) -> None:
    """A transfer that comes earlier may run into a refresh that it missed before: refreshes keep to the clock."""
    found = ddr_cycles(better), ddr_cycles(worse)
    assert found == cycles
    assert found[0] > found[1]


@exhaustive
def test_a_shorter_pipeline_behind_a_single_port_can_be_slower() -> None:
    """What comes a cycle earlier takes cycles of the port that others then wait for."""
    single = ("state_buffer.banks=one", "state_buffer.ports=1RW")
    workload = load_workload("silero_vad")
    found = [
        simulate(
            load_arch("edge_64x64", [parse_override(text) for text in (*single, latency)]),
            workload,
            timing_only=True,
        ).stats.latency_cycles
        for latency in ("elementwise.cell_latency_cycles=4", "elementwise.cell_latency_cycles=5")
    ]
    assert found == [53_212, 52_902]


@exhaustive
def test_without_refresh_in_the_way_they_are_not() -> None:
    """The same pairs where a refresh never comes: better is faster."""
    never = "dram.device.trefi_nck=1000000"
    for field, values in (("dram.device.trcd_nck", (10, 11)), ("dram.controller_latency_cycles", (83, 85))):
        better, worse = (ddr_cycles(f"{field}={value}", never) for value in values)
        assert better < worse


def test_machines_say_whether_their_times_are_static() -> None:
    case = Case(load_arch("edge_16x16").config, load_workload("lstm:4,4,t=2"), "fused")  # type: ignore[arg-type]
    assert case.machine_spec().static
    assert all(unit.static for unit in case.units.values())
    for changes in ({"weight_sram.ports": "1RW"}, DDR4):
        assert not case.with_fields(changes).machine_spec().static
    assert not case.with_fields(DDR4).units["dram"].static
    assert replace(case.with_fields({"weight_sram.ports": "1RW"}).machine_spec(), port_uses=()).static


DDR_EXAMPLE = {"kind": "ddr", "device": "ddr4_3200", "channels": 1, "controller_latency_cycles": 1}
DDR4 = {"dram": DDR_EXAMPLE, "dram_type": "ddr4"}
