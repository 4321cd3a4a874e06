"""What the units of families besides gemv switch, by hand, and that every machine that ships has energy and area."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.hardware.operators import REGISTER_BIT, Width, integer_adder, multiplier
from archsim.hardware.unit import Work
from archsim.workload import load_workload
from tests.present import present

MACHINES = (
    ("tpu_v1", "lstm:40,64,t=2"),
    ("npu_s10nx", "gru:64,64,t=2"),
    ("brainwave_s10", "lstm:64,64,t=2"),
    ("elasticai_lstm", "lstm:1,20,t=2"),
    ("ethos_u55_128", "lstm:16,16,t=2"),
)


@pytest.mark.parametrize(("arch", "workload"), MACHINES)
def test_every_family_has_energy_and_area(arch: str, workload: str) -> None:
    """Its parts sum to it, and every unit that multiplies takes some of it."""
    stats = simulate(load_arch(arch), load_workload(workload), timing_only=True).stats
    energy, area = present(stats.energy), present(stats.area)
    assert sum(energy.part_uj.values()) == pytest.approx(energy.total_uj)
    assert energy.total_low_uj < energy.total_uj < energy.total_high_uj
    multipliers = load_arch(arch).config.multipliers.unit
    assert energy.unit_uj[multipliers]["multiply"] > 0
    assert area.part_area_mm2[multipliers] > 0


def test_a_systolic_array_by_hand() -> None:
    """tpu_v1 at 45 nm with LSTM(40, 64), one step: each gate's 64 rows have tiles of their own, one for x and one
    for h, and numbers of 16 bits pass in two parts of 8.

    Each of 256 (40 + 64) MACs has a multiplier of 8 bits, an adder of 16 + 8 bits and registers of 8 + 24 bits; each of
    256 sums of a pass an adder of 32 bits. Eight tiles of 256 x 256 weights of 8 bits pass 128 rows in the mean.
    """
    arch = load_arch("tpu_v1", [parse_override("technology=node_45nm")])
    found = present(simulate(arch, load_workload("lstm:40,64,t=1"), timing_only=True).stats.energy)
    macs, sums = 2 * 256 * (40 + 64), 2 * 2 * 256
    array = found.unit_uj["systolic_array"]
    assert array["multiply"] == pytest.approx(macs * 0.2e-6)
    assert array["register"] == pytest.approx(macs * 32 * 0.009e-6)
    assert array["add"] == pytest.approx((macs * 0.05 * 24 / 16 + sums * 0.1) * 1e-6)
    shift = found.unit_uj["weight_shift"]["register"]
    assert shift == pytest.approx(8 * (256 * 256 * 8 * 257 // 2) * 0.009e-6)


def test_what_a_systolic_array_is_built_of() -> None:
    """tpu_v1: 256 x 256 cells, each with a multiplier of 8 bits, an adder of 16 + 8 bits and registers of 8 + 24 bits;
    below each of the 256 columns the adder of an accumulator, of 32 bits."""
    array = build_units(load_arch("tpu_v1").config)["systolic_array"]
    cells, byte = 256 * 256, Width(8, floating=False)
    assert array.inventory() == {
        multiplier(byte, byte): cells,
        integer_adder(24): cells,
        integer_adder(32): 256,
        REGISTER_BIT: 32 * cells,
    }


def test_a_shift_of_weights_is_useful_in_every_cycle() -> None:
    """tpu_v1 takes 256 cycles for the 256 rows of a tile: as many rows as cycles, none of them padding."""
    arch = load_arch("tpu_v1")
    shift = build_units(arch.config)["weight_shift"]
    program = simulate(arch, load_workload("lstm:40,64,t=1"), timing_only=True).program
    op = next(op for phase in program.phases for op in phase.ops if op.unit == "weight_shift")
    work = shift.work(op)
    assert (shift.compute_cycles(op), work) == (256, Work(256, Fraction(1)))


def test_what_an_ethos_u55_is_built_of() -> None:
    """128 MACs of 8 bits with sums of 32 bits, registers of both factors and the sum; for each of 8 outputs that leave
    together a rescaling by 31 bits, an addition and a register of 8 bits, and what evaluates functions."""
    engine = build_units(load_arch("ethos_u55_128").config)["engine"]
    byte, sums = Width(8, floating=False), Width(32, floating=False)
    found = engine.inventory()
    assert found[multiplier(byte, byte)] == 128
    assert found[multiplier(sums, Width(31, floating=False))] == 8
    assert found[integer_adder(32)] == 128 + 8
    assert found[REGISTER_BIT] >= 128 * (8 + 8 + 32) + 8 * 8


def test_what_edgedrnn_is_built_of() -> None:
    """8 processing elements, each a multiplier of 8 by 16 bits, an adder, and registers of both factors, the product
    and the sum."""
    config = load_arch("edgedrnn").config
    bits = {kind: config.formats.format(kind).bits for kind in ("weight", "hidden", "accumulator")}
    assert bits == {"weight": 8, "hidden": 16, "accumulator": 24}
    found = build_units(config)["pe_array"].inventory()
    assert found == {
        multiplier(Width(8, floating=False), Width(16, floating=False)): 8,
        integer_adder(24): 8,
        REGISTER_BIT: 8 * (8 + 16 + 24 + 24),
    }


def test_a_serial_machine_by_hand() -> None:
    """LSTM(1, 20): 4 x 21 x 20 MACs a step, each with registers of both factors of 8 bits."""
    arch = load_arch("elasticai_lstm", [parse_override("technology=node_45nm")])
    bits = arch.config.formats.format("weight").bits
    assert bits == 8
    found = present(simulate(arch, load_workload("lstm:1,20,t=3"), timing_only=True).stats.energy)
    macs = 3 * 4 * 21 * 20
    assert found.unit_uj["dot_product"]["multiply"] == pytest.approx(macs * 0.2e-6)
    assert found.unit_uj["dot_product"]["register"] == pytest.approx(macs * 2 * bits * 0.009e-6)
