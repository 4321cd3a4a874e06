"""What holds between the nodes: one anchor, one factor each, no price that rises, and the ends that sources give."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import exp, log, sqrt

import pytest

from archsim.config import load_document, parse_override
from archsim.config.presets import PresetKind, preset_file
from archsim.config.validation import validate
from archsim.errors import ArchError
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.operators import Operator, OperatorKind
from archsim.hardware.storage import Registers, Sram
from archsim.metrics.energy import Area, Energy, RunFacts, compute_costs, compute_energy
from archsim.metrics.unit_facts import facts_of
from archsim.technology import load_prices, load_technology
from archsim.technology.beside import DEVICES
from archsim.technology.conditions import Conditions
from archsim.technology.scaling import ScaledTechnology
from archsim.workload import load_workload

NODES = (65, 45, 28, 22, 16, 7, 5)
SCALED = tuple(node for node in NODES if node != 45)
CLOSE = 1 + 1e-9


def scales(node: int) -> ScaledTechnology:
    document = load_document(preset_file(PresetKind.TECHNOLOGY, f"node_{node}nm"), ArchError)
    return validate(ScaledTechnology, document, (), ArchError)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("large", "small"), list(pairwise(NODES)))
def test_a_smaller_node_costs_no_more(large: int, small: int, device: str) -> None:
    """Every operator, SRAM and register, in energy, area and leakage of every kind of transistors, and the lowest and
    highest of energy and area."""
    found = [load_prices(f"node_{node}nm", Conditions(device=device)) for node in (large, small)]  # type: ignore[arg-type]
    for kind, bits, other, floating in (("multiply", 8, 9, False), ("add", 31, 0, False), ("multiply", 24, 24, True)):
        before, after = (prices.operator(Operator(OperatorKind(kind), bits, other, floating)) for prices in found)
        for end in ("low", "high"):
            of = [p.energy_pj * getattr(p.energy_spread, end) for p in (before, after)]
            assert of[1] <= of[0] * CLOSE
            of = [p.area_mm2 * getattr(p.area_spread, end) for p in (before, after)]
            assert of[1] <= of[0] * CLOSE
        assert after.energy_pj < before.energy_pj
        assert after.area_mm2 < before.area_mm2
    for words, width in ((20, 32), (1024, 64), (300, 700), (1 << 17, 512)):
        sram = Sram(2, 2 * words * width // 8, width, dual_port=True)
        for storage in (sram, Registers(words)):
            one, other_one = (prices.memory(storage) for prices in found)
            for quantity in ("read_pj", "write_pj", "leakage_mw", "area_mm2"):
                assert getattr(other_one, quantity) < getattr(one, quantity)
            for end in ("low", "high"):
                ends = [p.leakage_mw * getattr(p.leakage_spread, end) for p in (one, other_one)]
                assert ends[1] <= ends[0] * CLOSE


@pytest.mark.parametrize("formats", ["q4.12", "tflite_int8", "float32"])
def test_the_same_machine_on_a_smaller_node(formats: str) -> None:
    """No more energy, no more area, at the lows and highs too; by part as well. The run lasts as long."""
    found: list[tuple[Energy, Area]] = []
    for node in NODES:
        sets = [f"technology=node_{node}nm", f"formats={formats}", "activation.method=exact"]
        arch = load_arch("edge_16x16", [parse_override(text) for text in sets])
        work = load_workload("lstm:20,24,t=3")
        units = build_units(arch.config)
        facts = facts_of(find_schedule("fused").build(work.spec, arch.config), units)
        costs = compute_costs(arch, facts)
        found.append((compute_energy(facts, costs, RunFacts(Fraction(100), work.spec.macs)), costs.area))
    for (before, area), (after, smaller) in pairwise(found):
        assert smaller.area_mm2 < area.area_mm2
        assert smaller.leakage_mw < area.leakage_mw
        assert smaller.leakage_low_mw <= area.leakage_low_mw * CLOSE
        assert smaller.leakage_high_mw <= area.leakage_high_mw * CLOSE
        assert after.total_uj < before.total_uj
        assert after.total_low_uj < before.total_low_uj
        assert after.total_high_uj < before.total_high_uj
        assert all(after.part_uj[name] <= amount * CLOSE for name, amount in before.part_uj.items())


@pytest.mark.parametrize("node", SCALED)
def test_every_number_is_the_anchors_times_the_nodes_factor(node: int) -> None:
    """All operators by one factor, so that no two prices of a node contradict those of another."""
    anchor, made, by = load_technology("node_45nm"), load_technology(f"node_{node}nm"), scales(node)
    assert (made.node_nm, made.chain) == (node, anchor.chain)
    for table in ("integer_multiply", "integer_add", "float_multiply", "float_add"):
        for before, after in zip(getattr(anchor, table).points, getattr(made, table).points, strict=True):
            assert after.energy_pj == pytest.approx(by.energy.factor * before.energy_pj, rel=1e-5)
            assert after.area_um2 == pytest.approx(by.area.factor * before.area_um2, rel=1e-5)
    before_um2, after_um2 = (t.logic_leakage.power_mw_per_mm2 for t in (anchor, made))
    assert after_um2 * by.area.factor == pytest.approx(before_um2 * by.leakage.factor)
    spread = made.integer_add.energy_spread
    assert spread.low == pytest.approx(0.7 * by.energy.low / by.energy.factor)
    assert spread.high == pytest.approx(1.7 * by.energy.high / by.energy.factor)


COEFFICIENTS = {
    65: (3.755, -4.398, 1.975),
    45: (1.103, -0.362, 0.2767),
    32: (0.9559, -0.7823, 0.471),
    20: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
    7: (0.1776, -0.09097, 0.02447),
}
"""Stillmaker and Baas (2017): the energy of a node is a V^2 + b V + c."""


def stillmaker(node: int, volts: float) -> float:
    """Beside 45 nm at 0.9 V; between 32 and 20 nm on the line in the logarithms; 5 nm is 7 nm times 0.7."""
    if node == 5:
        return 0.7 * stillmaker(7, volts)
    if node not in COEFFICIENTS:
        at_32, at_20 = stillmaker(32, volts), stillmaker(20, volts)
        return float(at_32 * (at_20 / at_32) ** (log(node / 32) / log(20 / 32)))
    (a, b, c), (a45, b45, c45) = COEFFICIENTS[node], COEFFICIENTS[45]
    return (a * volts**2 + b * volts + c) / (a45 * 0.81 + b45 * 0.9 + c45)


def jouppi(node: int) -> float:
    """The line through 45 and 7 nm of table 2 (2021): int8 and int32 multiply and add, float16 and float32 likewise,
    64 bits of SRAMs of 8 KiB, 32 KiB and 1 MiB, in the geometric mean."""
    at_45 = (0.2, 3.1, 0.03, 0.1, 1.1, 3.7, 0.4, 0.9, 10, 20, 100)
    at_7 = (0.07, 1.48, 0.007, 0.03, 0.34, 1.31, 0.16, 0.38, 7.5, 8.5, 14)
    ratio = exp(sum(log(b / a) for a, b in zip(at_45, at_7, strict=True)) / len(at_45))
    assert ratio == pytest.approx(0.350, abs=5e-4)
    return float(ratio ** (log(node / 45) / log(7 / 45)))


@pytest.mark.parametrize("node", SCALED)
def test_the_ends_of_the_energies_factor_are_its_two_sources(node: int) -> None:
    by = scales(node)
    low, high = sorted((stillmaker(node, by.voltage_v), jouppi(node)))
    assert by.energy.low == pytest.approx(low, rel=1e-3)
    assert by.energy.high == pytest.approx(high, rel=1e-3)
    assert by.energy.factor == pytest.approx(sqrt(low * high), rel=1e-3)
    assert by.area.factor == pytest.approx(sqrt(by.area.low * by.area.high), rel=1e-3)


def test_leakage_by_transistors_temperature_and_voltage() -> None:
    """45 nm, 8 KiB x 64 bits: the table has 0.1732 mW at 350 K; what CACTI says of the others is in the file's source.

    At 300 K low_power leaks exp(-50 * 0.0193) = 0.381 of it, high_performance exp(-50 * 0.0132) = 0.517.
    """
    sram = Sram(1, 8192, 64, dual_port=False)

    def leakage_mw(conditions: Conditions) -> float:
        return load_prices("node_45nm", conditions).memory(sram).leakage_mw

    usual = leakage_mw(Conditions())
    assert usual == pytest.approx(0.1732, abs=5e-4)
    assert leakage_mw(Conditions("low_standby")) == pytest.approx(0.0141 * usual)
    assert leakage_mw(Conditions("high_performance")) == pytest.approx(10.5 * usual)
    assert leakage_mw(Conditions("low_power", 300.0)) == pytest.approx(0.381 * usual, rel=2e-3)
    assert leakage_mw(Conditions("high_performance", 300.0)) == pytest.approx(0.517 * 10.5 * usual, rel=2e-3)
    assert leakage_mw(Conditions(voltage_v=0.6)) == pytest.approx(usual * 0.6 / 0.9)
    dynamic = [load_prices("node_45nm", Conditions(voltage_v=v)).memory(sram).read_pj for v in (0.9, 0.6)]
    assert dynamic[1] == pytest.approx(dynamic[0] * (0.6 / 0.9) ** 2)


@pytest.mark.parametrize("node", SCALED)
def test_what_each_factor_is_for(node: int) -> None:
    """Flip-flops and SRAM by those of energy and area, what SRAM leaks by that of leakage, wires by their own."""
    anchor, made, by = load_technology("node_45nm"), load_technology(f"node_{node}nm"), scales(node)
    before, after = anchor.register_bit, made.register_bit
    assert after.energy_pj == pytest.approx(before.energy_pj * by.energy.factor)
    assert after.area_um2 == pytest.approx(before.area_um2 * by.area.factor)
    assert after.area_spread.high == pytest.approx(before.area_spread.high * by.area.high / by.area.factor)
    assert made.wires.energy_pj_per_bit_mm == pytest.approx(anchor.wires.energy_pj_per_bit_mm * by.wires.factor)
    assert made.voltage_v == by.voltage_v
    factors = {"read_pj": by.energy, "write_pj": by.energy, "leakage_mw": by.leakage, "area_mm2": by.area}
    for ports in ("single_port", "dual_port"):
        for quantity, scale in factors.items():
            ours, theirs = (getattr(getattr(t.sram, ports), quantity) for t in (made, anchor))
            assert ours[1][2] == pytest.approx(theirs[1][2] * scale.factor), (ports, quantity)
    for quantity, scale in (("energy", by.energy), ("leakage", by.leakage), ("area", by.area)):
        old, new = (getattr(t.sram, f"{quantity}_spread") for t in (anchor, made))
        assert (new.low, new.high) == pytest.approx(
            (old.low * scale.low / scale.factor, old.high * scale.high / scale.factor)
        )
