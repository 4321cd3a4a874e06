"""What holds for the energy and area of any machine, network and schedule."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.cells.activation import Activate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.gemv.storages import storages
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.operators import Tally
from archsim.hardware.storage import Sram
from archsim.hardware.unit import Units
from archsim.metrics.actions import Access
from archsim.metrics.energy import (
    Costs,
    Energy,
    RunFacts,
    area_of,
    compute_costs,
    compute_energy,
    dram_parts,
    off_chip,
)
from archsim.metrics.unit_facts import facts_of
from archsim.program.ir import Program
from archsim.report import report_text
from archsim.technology import Prices, Technology, load_technology
from archsim.workload import load_workload
from tests.present import present
from tests.rings import examples, few
from tests.strategies import Case, cases, unit_options

CLOSE = 1e-9


@dataclass(frozen=True)
class Actions:
    """All that a run does: of each unit, and of all together."""

    operators: dict[str, Tally]
    accesses: dict[Access, Counter[int]]


def count_actions(program: Program, units: Units) -> Actions:
    facts = facts_of(program, units)
    accesses: dict[Access, Counter[int]] = {}
    for unit in facts.values():
        for access, sizes in unit.activity.actions.accesses.items():
            accesses.setdefault(access, Counter()).update(sizes)
    return Actions({name: unit.activity.actions.operators for name, unit in facts.items()}, accesses)


def energy_of(case: Case, costs: Costs | None = None) -> Energy:
    """Without running the machine, at 1 us."""
    facts = facts_of(case.program, case.units)
    return compute_energy(facts, costs or costs_of(case), RunFacts(Fraction(1), case.spec.macs))


def costs_of(case: Case) -> Costs:
    """Of the case's machine."""
    return compute_costs(case.arch, facts_of(case.program, case.units))


@given(cases())
def test_the_parts_sum_to_the_total(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    energy, area = present(stats.energy), present(stats.area)
    assert energy.total_uj == pytest.approx(sum(energy.part_uj.values()), rel=CLOSE)
    dram_uj = energy.part_uj.get("dram_background", 0.0)
    assert energy.total_uj == pytest.approx(energy.dynamic_uj + energy.leakage_uj + dram_uj, rel=CLOSE)
    assert energy.part_uj["leakage"] == energy.leakage_uj
    for whole, parts in ((energy.total_low_uj, energy.part_low_uj), (energy.total_high_uj, energy.part_high_uj)):
        assert whole == pytest.approx(sum(parts.values()), rel=CLOSE)
        assert parts.keys() == energy.part_uj.keys()
    for name, amount in energy.part_uj.items():
        assert energy.part_low_uj[name] <= amount * (1 + CLOSE)
        assert amount <= energy.part_high_uj[name] * (1 + CLOSE)
    for whole, parts in ((area.area_low_mm2, area.part_area_low_mm2), (area.area_high_mm2, area.part_area_high_mm2)):
        assert whole == pytest.approx(sum(parts.values()), rel=CLOSE)
    assert area.area_low_mm2 <= area.area_mm2 <= area.area_high_mm2
    assert area.leakage_low_mw <= area.leakage_mw <= area.leakage_high_mw
    for unit, kinds in energy.unit_uj.items():
        accesses = energy.memory_uj.get(unit, {})
        moved = sum(amount for of in accesses.values() for amount in of.values())
        assert energy.part_uj[unit] == pytest.approx(sum(kinds.values()) + moved, rel=CLOSE)
    beside = {"wires", "clock", "control", "dram_phy", "dram_background", "leakage"}
    assert set(energy.part_uj) == set(energy.unit_uj) | set(energy.memory_uj) | beside
    assert all(amount >= 0 for amount in energy.part_uj.values())
    assert area.area_mm2 == pytest.approx(sum(area.part_area_mm2.values()), rel=CLOSE)
    assert area.leakage_mw == pytest.approx(sum(area.part_leakage_mw.values()), rel=CLOSE)
    assert energy.leakage_uj == pytest.approx(area.leakage_mw * stats.latency_us / 1000, rel=CLOSE)


@given(cases())
def test_every_access_of_the_traffic_is_paid_for(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    paid = {
        (memory, direction, kind)
        for memory, directions in present(stats.energy).memory_uj.items()
        for direction, kinds in directions.items()
        for kind, amount in kinds.items()
        if amount > 0
    }
    moved = {
        (memory, direction, kind)
        for memory, directions in stats.traffic_bytes.items()
        for direction, kinds in directions.items()
        for kind in kinds
    }
    assert paid == moved


@given(cases())
def test_the_multipliers_of_the_array_switch_once_a_mac(case: Case) -> None:
    """A multiply a MAC, and as many additions: a tree of n and its accumulator have n; float32 has no converter."""
    tally = count_actions(case.program, case.units).operators["mac_array"]
    by_kind: Counter[str] = Counter()
    for operator, count in tally.items():
        by_kind[operator.kind.value] += count
    assert by_kind["multiply"] == by_kind["add"] == case.spec.macs


@given(cases().flatmap(unit_options))
def test_trees_of_their_own_are_joined_and_a_late_bias_is_added(case: Case) -> None:
    """An addition more for each sum of a tile that has both x and h, where these have trees of their own; one for each
    value that a late bias comes to. Every unit of several has its own energy and area."""
    actions, array = count_actions(case.program, case.units), case.config.mac_array
    joins = biases = 0
    for phase in case.program.phases:
        for op in phase.ops:
            times = op.instances(phase.repeat)
            if isinstance(op, MacTile) and array.apart is not None and len(op.vectors) == 2:
                joins += op.rows * op.batch * times
            if isinstance(op, Activate) and op.bias is not None:
                biases += op.elements * times
    kinds = [(operator.kind, count) for operator, count in actions.operators["mac_array"].items()]
    assert sum(count for kind, count in kinds if kind == "multiply") == case.spec.macs
    assert sum(count for kind, count in kinds if kind == "add") == case.spec.macs + joins
    early = case.with_fields({"activation.adds_bias": False})
    adds = [_adds(of.program, of.units) for of in (early, case)]
    assert adds[1] - adds[0] == biases
    costs, energy = costs_of(case), energy_of(case)
    assert set(case.units) - {"dram"} <= costs.area.part_area_mm2.keys()
    assert sum(energy.part_uj.values()) == pytest.approx(energy.total_uj, rel=CLOSE)


def _adds(program: Program, units: Units) -> int:
    """Additions of all activation units."""
    actions = count_actions(program, units)
    tallies = [tally for unit, tally in actions.operators.items() if unit.startswith("activation")]
    return sum(count for tally in tallies for operator, count in tally.items() if operator.kind == "add")


@given(cases(), st.integers(0, 60), st.integers(1, 4))
def test_no_latency_that_is_no_pipeline_changes_what_switches(case: Case, cycles: int, depth: int) -> None:
    slow = case.with_fields(
        {"dram.latency_cycles": cycles, "weight_sram.read_latency_cycles": cycles, "sequencer.queue_depth": depth}
    )
    assert energy_of(slow).dynamic_uj == energy_of(case).dynamic_uj


@given(cases())
def test_actions_grow_by_the_same_with_every_step(case: Case) -> None:
    """So they are counted from one step, or one block of steps, whatever T."""
    block = 1
    if "hoisted" in case.schedule:
        block = case.config.state_buffer.hoist_steps or 2
        case = case.with_fields({"state_buffer.hoist_steps": block})
    steps = 6 * block + len(case.spec.layers)
    one, two, three = (_counted(case.with_steps(steps + more * block)) for more in range(3))
    assert three - two == two - one


def _counted(case: Case) -> Counter[tuple[object, ...]]:
    """All counts in one; those that only a beginning or an end has cancel in a difference."""
    actions: Actions = count_actions(case.program, case.units)
    found: Counter[tuple[object, ...]] = Counter()
    for unit, tally in actions.operators.items():
        found.update({(unit, operator): count for operator, count in tally.items()})
    for access, sizes in actions.accesses.items():
        found.update({(access, bits): count for bits, count in sizes.items()})
    return found


MEMORIES = st.sampled_from(["weight_sram", "input_buffer", "state_buffer"])


@settings(max_examples=examples(25))
@given(cases(), MEMORIES, st.integers(2, 50))
def test_more_capacity_never_costs_less(case: Case, memory: str, factor: int) -> None:
    """The same accesses cost no less of each; with other accesses (a streamed schedule pins more) see the next law.

    A memory is as large as a word of each bank at least.
    """
    path = f"{memory}.capacity_bytes"
    larger = case.with_fields({path: factor * getattr(case.config, memory).capacity_bytes})
    dear = costs_of(larger)
    before, after = energy_of(case), energy_of(case, dear)
    assert after.part_uj[memory] >= before.part_uj[memory] * (1 - CLOSE)
    assert after.total_uj >= before.total_uj * (1 - CLOSE)
    small, large = (costs_of(of).area for of in (case, larger))
    section = storages(case.config)[memory]
    assert isinstance(section, Sram)
    words = 8 * section.capacity_bytes / (section.banks * section.port_bits)
    assert (large.area_mm2 > small.area_mm2) or (words < 1 and large.area_mm2 == small.area_mm2)
    assert (large.leakage_mw > small.leakage_mw) or (words < 1 and large.leakage_mw == small.leakage_mw)


@settings(max_examples=examples(25))
@given(cases(), MEMORIES, st.integers(2, 50))
def test_only_streamed_weights_have_other_accesses_in_a_larger_memory(case: Case, memory: str, factor: int) -> None:
    """Weights that find room are loaded once instead of every step: DRAM and the weight SRAM's port do less."""
    path = f"{memory}.capacity_bytes"
    larger = case.with_fields({path: factor * getattr(case.config, memory).capacity_bytes})
    before, after = (count_actions(of.program, of.units) for of in (case, larger))
    if "streamed" in case.schedule and memory == "weight_sram":
        assert energy_of(larger).part_uj["dram"] <= energy_of(case).part_uj["dram"] * (1 + CLOSE)
    else:
        assert after == before


@settings(max_examples=examples(25))
@given(cases(), st.sampled_from(["mac_array.columns", "activation.lanes", "accumulators.entries"]))
def test_more_hardware_is_more_area(case: Case, path: str) -> None:
    section, field = path.split(".")
    larger = case.with_fields({path: 2 * getattr(getattr(case.config, section), field)})
    small, large = (costs_of(of).area for of in (case, larger))
    assert large.part_area_mm2[section] > small.part_area_mm2[section]
    assert large.area_mm2 > small.area_mm2
    others = small.part_area_mm2.keys() - {section, "layout"}  # the space between cells grows with them
    assert all(large.part_area_mm2[name] == small.part_area_mm2[name] for name in others)


def scaled(technology: Technology, energy: float, area: float) -> Technology:
    """The same technology with all energies and all areas (and leakages with them) so many times as large."""
    # The length of wires grows with the root of an area.
    by = {"energy_pj": energy, "energy_pj_per_bit": energy, "phy_pj_per_bit": energy, "area_um2": area}
    by["energy_pj_per_bit_mm"] = energy / sqrt(area)
    grids = {"read_pj": energy, "write_pj": energy, "leakage_mw": area, "area_mm2": area}

    def scale(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: [[x * grids[key] for x in row] for row in inner]
                if key in grids
                else inner * by[key]
                if key in by
                else scale(inner)
                for key, inner in value.items()
            }
        return [scale(item) for item in value] if isinstance(value, list) else value

    return Technology.model_validate_json(json.dumps(scale(technology.model_dump(mode="json"))))


@settings(max_examples=examples(20))
@given(cases(), st.sampled_from([0.25, 2.0, 8.0]), st.sampled_from([0.5, 4.0]))
def test_energies_scale_with_the_table(case: Case, energy: float, area: float) -> None:
    costs = costs_of(case)
    prices = Prices(scaled(costs.prices.technology, energy, area))
    other = replace(
        costs, prices=prices, area=area_of(facts_of(case.program, case.units), storages(case.config), prices)
    )
    before, after = energy_of(case, costs), energy_of(case, other)
    assert after.dynamic_uj == pytest.approx(energy * before.dynamic_uj, rel=1e-6)
    assert after.leakage_uj == pytest.approx(area * before.leakage_uj, rel=1e-6)
    assert other.area.area_mm2 == pytest.approx(area * costs.area.area_mm2, rel=1e-6)


WIDTHS = ("q2.6", "q4.8", "q4.12", "q6.18", "q8.24")


@pytest.mark.parametrize("schedule", few([schedule.name for schedule in GEMV_SCHEDULES], 4))
def test_narrower_formats_cost_less_of_everything(schedule: str) -> None:
    """Bytes of SRAM, port cycles, traffic, energy of every unit and memory, and area."""
    found = []
    for formats in WIDTHS:
        sets = [f"formats={formats}", "technology=node_45nm", "weight_sram.port_bits=32", "activation.method=exact"]
        arch = load_arch("edge_16x16", [parse_override(text) for text in sets])
        work, units = load_workload("lstm:20,24,t=3,layers=2"), build_units(arch.config)
        program = find_schedule(schedule).build(work.spec, arch.config)
        facts = facts_of(program, units)
        costs = compute_costs(arch, facts)
        energy = compute_energy(facts, costs, RunFacts(Fraction(1), work.spec.macs))
        port = sum(units[op.unit].port_cycles(op) for phase in program.phases for op in phase.ops)
        stored = sum(b.size_bytes for b in program.buffers if b.memory == "weight_sram")
        found.append((energy, costs.area, port, stored))
    for (e1, a1, port1, stored1), (e2, a2, port2, stored2) in pairwise(found):
        assert port1 < port2
        assert stored1 < stored2
        for part in e1.part_uj.keys() - {"leakage"}:
            assert e1.part_uj[part] <= e2.part_uj[part], part
        for part in ("dram", "mac_array", "activation", "elementwise", "weight_sram", "accumulators"):
            assert e1.part_uj[part] < e2.part_uj[part], part
        for part in ("mac_array", "activation", "elementwise", "accumulators"):
            assert a1.part_area_mm2[part] < a2.part_area_mm2[part], part
        assert e1.total_uj < e2.total_uj
        assert a1.area_mm2 < a2.area_mm2


def test_each_format_moves_the_price_of_what_it_is_the_format_of() -> None:
    """On edge_16x16 in q4.12, one kind at a time from 16 to 24 bits.

    A tile has 4 hidden units: 64 bits of a gate, then 96, which are two and three words of 32 bits. (In the preset's
    words of 128 bits they are one before and after, in a bank of their own.)
    """
    of = {
        "weight": ("weight_sram", "mac_array", "dram"),
        "input": ("input_buffer", "mac_array"),
        "hidden": ("state_buffer", "mac_array", "elementwise"),
        "gate": ("accumulators",),
        "activation": ("activation", "elementwise", "state_buffer"),
        "cell": ("elementwise", "state_buffer"),
    }

    def energy(**formats: str) -> Energy:
        sets = ["formats=q4.12", "activation.method=exact", "state_buffer.port_bits=32"]
        sets += [f"formats.{k}={v}" for k, v in formats.items()]
        arch = load_arch("edge_16x16", [parse_override(text) for text in sets])
        units, spec = build_units(arch.config), load_workload("lstm:20,24,t=3").spec
        program = find_schedule("fused").build(spec, arch.config)
        facts = facts_of(program, units)
        return compute_energy(facts, compute_costs(arch, facts), RunFacts(Fraction(1), spec.macs))

    before = energy()
    for kind, parts in of.items():
        after = energy(**{kind: "q12.12"})
        for part in parts:
            assert after.part_uj[part] > before.part_uj[part], (kind, part)


def test_a_method_of_activation_has_its_own_price() -> None:
    """A hard approximation has no multiplier, and a table of nearest entries none either; lines have one, the exact
    function two."""

    def activation(method: str) -> tuple[float, float, set[str]]:
        sets = ["formats=q4.12", f"activation.method={method}", "activation.latency_cycles=2"]
        sets += ["activation.table={entries: 64}"]
        arch = load_arch("edge_16x16", [parse_override(text) for text in sets])
        units, spec = build_units(arch.config), load_workload("lstm:20,24,t=3").spec
        facts = facts_of(find_schedule("fused").build(spec, arch.config), units)
        costs = compute_costs(arch, facts)
        found = compute_energy(facts, costs, RunFacts(Fraction(1), spec.macs))
        kinds = {kind for kind, amount in found.unit_uj["activation"].items() if amount}
        return found.part_uj["activation"], costs.area.part_area_mm2["activation"], kinds

    hard, table, lines, exact = map(activation, ("hard", "table", "piecewise_linear", "exact"))
    assert max(hard[0], table[0]) < min(lines[0], exact[0])
    assert hard[1] < table[1] < lines[1]
    assert hard[2] == {"add", "compare", "register"}
    assert table[2] == {"add", "table", "register"}
    assert lines[2] == {"multiply", "add", "compare", "table", "register"}
    assert exact[2] == {"multiply", "add", "table", "register"}


def test_dram_types_differ_in_dram_alone() -> None:
    technology = load_technology("node_22nm")
    per_bit = {dram.name: dram.energy_pj_per_bit for dram in technology.dram}
    work = load_workload("lstm_3_2_t4")
    found = {}
    for name in per_bit:
        arch = load_arch("edge_16x16", [parse_override(f"dram_type={name}")])
        units = build_units(arch.config)
        facts = facts_of(find_schedule("fused").build(work.spec, arch.config), units)
        costs = compute_costs(arch, facts)
        found[name] = compute_energy(facts, costs, RunFacts(Fraction(1), work.spec.macs))
        assert dram_parts(costs.memories) == ("dram", "dram_phy", "dram_background")
    of_dram = dram_parts(costs.memories)
    for name, energy in found.items():
        ratio = energy.part_uj["dram"] / found["lpddr4"].part_uj["dram"]
        assert ratio == pytest.approx(per_bit[name] / per_bit["lpddr4"])
        rest = energy.total_uj - sum(energy.part_uj[part] for part in of_dram)
        other = found["lpddr4"]
        assert rest == pytest.approx(other.total_uj - sum(other.part_uj[part] for part in of_dram))


@pytest.mark.parametrize(
    ("arch", "workload", "outside", "dram_type"),
    [("npu_s10nx", "lstm:40,40,t=2", (), ""), ("ethos_u55_128", "lstm:8,8,t=2", ("flash",), "lpddr4")],
)
def test_what_is_off_the_chip(arch: str, workload: str, outside: tuple[str, ...], dram_type: str) -> None:
    """The NPU has nothing outside, and so no type of DRAM; flash and its power are in the share of DRAM."""
    simulation = simulate(load_arch(arch), load_workload(workload), timing_only=True)
    energy = present(simulation.stats.energy)
    costing = present(simulation.arch.config.costing)
    assert off_chip(costing.memories) == outside
    assert energy.dram_type == dram_type
    parts = sum(energy.part_uj.get(name, 0) for name in (*outside, "dram_phy", "dram_background"))
    assert energy.dram_share == pytest.approx(parts / energy.total_uj)
    assert (energy.dram_share > 0) == bool(outside)
    head = " ".join(report_text(simulation).split("\nEnergy of an inference")[1].split("unit or memory")[0].split())
    assert ("flash at the price of lpddr4" in head, ", DRAM " in head) == (bool(outside), False)
