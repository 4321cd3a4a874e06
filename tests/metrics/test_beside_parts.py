"""What stands beside operators and accesses, part by part: power of DRAM, wires and gated banks of made-up machines."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from archsim.families.machine_config import NO_DRAM, DramWidth
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.metrics.beside import (
    NO_POWER,
    DramPower,
    DramTimes,
    banks_of,
    bytes_by_memory,
    dram_power,
    gated_mw,
    gated_share,
    overhead,
    phy_energy,
    wire_length_mm,
    wire_price,
)
from archsim.technology import Prices, load_prices
from archsim.technology.beside import Overhead
from archsim.technology.conditions import Conditions, Counted
from archsim.technology.spread import Range, Spread


def prices(**power: float) -> Prices:
    """The 45 nm preset whose LPDDR4 has channels of 10 GB/s, and powers of a spread of a half to three times."""
    technology = load_prices("node_45nm").technology
    given: dict[str, Any] = {"active_mw": 100.0, "standby_mw": 40.0, "power_down_mw": 10.0, "self_refresh_mw": 5.0}
    given |= {"refresh_mw": 2.0, "spread": Spread(low=0.5, high=3.0)} | power
    changed: dict[str, Any] = {"channel_gb_per_s": 10.0, "phy_pj_per_bit": 4.0}
    changed |= {"phy_spread": Spread(low=0.25, high=2.0)}
    drams = [
        dram.model_copy(update=changed | {"power": dram.power.model_copy(update=given)})
        if dram.name == "lpddr4"
        else dram
        for dram in technology.dram
    ]
    return Prices(technology.model_copy(update={"dram": tuple(drams)}))


def power_of(width: DramWidth, state: Any, **changed: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    found = dram_power(prices(**changed), "lpddr4", width, Counted(dram_idle=state))
    return found.always.each, found.working.each


def test_the_power_of_a_channel_by_its_state() -> None:
    """Refresh, 2 mW, comes on top but of a device that refreshes itself; at work it is 102 mW in any state.

    Standby: 42 always and 60 more; power down: 12 and 90; self-refresh: 5 and 97. Lows are half, highs three times.
    """
    for state, always, working in (("standby", 42, 60), ("power_down", 12, 90), ("self_refresh", 5, 97)):
        found = power_of(DramWidth(channels=1, gb_per_s=0), state)
        assert found == ((always, always / 2, always * 3), (working, working / 2, working * 3)), state
    assert power_of(DramWidth(channels=1, gb_per_s=0), "standby", active_mw=30.0)[1] == (0, 0, 0), "never less at work"


def test_channels_are_given_or_as_many_as_the_bandwidth_needs() -> None:
    """Of 10 GB/s each: 20 GB/s are two channels, 20.5 three, 1 one; a given number counts, whatever the bandwidth."""
    for width, channels in (((0, 20.0), 2), ((0, 20.5), 3), ((0, 1.0), 1), ((5, 20.0), 5)):
        always, working = power_of(DramWidth(channels=width[0], gb_per_s=width[1]), "standby")
        assert (always[0], working[2]) == (42 * channels, 180 * channels), width


def test_no_dram_and_dram_that_is_off_have_no_power() -> None:
    assert dram_power(prices(), "lpddr4", NO_DRAM, Counted()) is NO_POWER
    assert dram_power(prices(), "lpddr4", DramWidth(channels=1, gb_per_s=1), Counted(dram_idle="off")) is NO_POWER
    assert NO_POWER.energy(DramTimes(5.0, 5.0)).each == (0, 0, 0)


def test_energy_of_a_power() -> None:
    """1 mW over 1,000 us is 1 uJ: 4 mW always and 6 more for half of the time are 7 uJ; lows and highs likewise."""
    power = DramPower(Range(4.0, 2.0, 10.0), Range(6.0, 1.0, 20.0))
    assert power.energy(DramTimes(1000.0, 500.0)).each == pytest.approx((7.0, 2.5, 20.0))


def test_overheads_and_the_interface() -> None:
    """A quarter of 8, between 0.1 of its low 6 and 0.5 of its high 10; 4 pJ a bit, 1 to 8, of 3 million bits."""
    by = Overhead(source="s", factor=0.25, low=0.1, high=0.5)
    assert overhead(Range(8.0, 6.0, 10.0), by).each == pytest.approx((2.0, 0.6, 5.0))
    assert phy_energy(prices(), "lpddr4", 3_000_000).each == pytest.approx((12.0, 3.0, 24.0))


def test_the_price_of_a_wire_goes_with_the_voltage() -> None:
    usual, half = (load_prices("node_45nm", Conditions(voltage_v=v)) for v in (0.9, 0.45))
    wires = usual.technology.wires
    wanted = (1.0, wires.spread.low, wires.spread.high)
    assert wire_price(usual).each == pytest.approx([part * wires.energy_pj_per_bit_mm for part in wanted])
    assert wire_price(half).each == pytest.approx([part / 4 for part in wire_price(usual).each])


def sram(banks: int, *copies: int, capacity: int = 1000) -> Sram:
    return Sram(banks, capacity, 8, dual_port=False, copies=tuple((f"c{n}", count) for n, count in enumerate(copies)))


def test_wires_from_middle_to_middle() -> None:
    """Of 4 mm2 beside 16: half of 2 and half of 4, 3 mm. With 4 banks half of each. Lows 1 and 4: 1.5.

    The high is of 9 and 16 (3 + 4) / 2 = 3.5; over the square of both, 5 a side, 2.5. With 4 banks 1.75 is less than
    that 2.5, which counts then.
    """
    memory, unit = Range(4.0, 1.0, 9.0), Range(16.0, 4.0, 16.0)
    assert wire_length_mm(sram(1), memory, unit).each == pytest.approx((3.0, 1.5, 3.5))
    assert wire_length_mm(sram(4), memory, unit).each == pytest.approx((1.5, 0.75, 2.5))
    assert wire_length_mm(sram(2, 3), memory, unit).each == pytest.approx((1.5, 0.75, 2.5)), "2 banks and 2 of copies"
    assert wire_length_mm(Registers(8), memory, unit).value == pytest.approx(3.0)
    assert wire_length_mm(sram(2), memory, unit).value == pytest.approx(3.0 / sqrt(2))


def test_banks() -> None:
    """Three copies of one bank are two banks more; registers and DRAM are one of their own."""
    assert [banks_of(sram(4)), banks_of(sram(4, 3)), banks_of(sram(4, 3, 2))] == [4, 6, 7]
    assert [banks_of(Registers(8)), banks_of(OffChip("lpddr4"))] == [1, 1]


def test_banks_that_hold_nothing() -> None:
    """4 banks of 250 bytes: 250 take one, 251 two, 1,000 all. Of what a gated bank leaks the technology's share stays.

    With two banks of copies more, which are in use, 3 empty ones are 3 of 6.
    """
    node = load_prices("node_45nm")
    saved = 1 - node.technology.leakage.gated_share
    wanted = {0: 4, 1: 3, 250: 3, 251: 2, 750: 1, 751: 0, 1000: 0, 5000: 0}
    found = {stored: gated_share(sram(4), stored, node) for stored in wanted}
    assert found == pytest.approx({stored: empty / 4 * saved for stored, empty in wanted.items()})
    assert gated_share(sram(4, 3), 250, node) == pytest.approx(3 / 6 * saved)
    assert gated_share(Registers(8), 0, node) == gated_share(OffChip("lpddr4"), 0, node) == 0


def test_leakage_that_gating_saves() -> None:
    """By memory, from all that its buffers keep; nothing without gating, or where it is not known what is kept."""
    node = load_prices("node_45nm")
    memories: dict[str, Storage] = {
        "a": sram(4, capacity=40_000),
        "b": sram(2, capacity=80_000),
        "r": Registers(9),
    }
    kept = {"a": {"x": 4_000, "y": 7_000}, "z": {"x": 1}}
    assert bytes_by_memory(kept) == {"a": 11_000, "z": 1}
    found = gated_mw(memories, node, Counted(gating="unused_banks"), kept)
    saved = 1 - node.technology.leakage.gated_share
    leaks = {name: node.memory(memory).leakage_mw for name, memory in memories.items()}
    assert found == pytest.approx({"a": leaks["a"] * 2 / 4 * saved, "b": leaks["b"] * saved, "r": 0})
    assert gated_mw(memories, node, Counted(), kept) == {}
    assert gated_mw(memories, node, Counted(gating="unused_banks"), None) == {}
