"""Parameters of DRAM devices: times of the standards in clocks, and the edges of what goes together."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Any

import pytest

from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_presets import DEVICES
from archsim.hardware.dram.ddr_reorder import ControllerConfig
from tests.hardware.test_ddr import SMALL, config

LPDDR4_NS = {"trcd": 18, "trp": 18, "trp_all": 21, "tras": 42, "trrd_s": 10, "trrd_l": 10, "tfaw": 40}
DDR4_NS = {
    "trcd": "13.75",
    "trp": "13.75",
    "trp_all": "13.75",
    "tras": 32,
    "tccd_l": 5,
    "trrd_s": "2.5",
    "trrd_l": "4.9",
    "tfaw": 21,
    "trtp": "7.5",
    "twr": 15,
    "twtr_s": "2.5",
    "twtr_l": "7.5",
    "trefi": 7800,
}
HBM2_NS = {
    "trcd": 14,
    "trp": 14,
    "trp_all": 14,
    "tras": 34,
    "tcl": 14,
    "tcwl": 4,
    "trrd_s": 4,
    "trrd_l": 6,
    "tfaw": 30,
    "trtp": 6,
    "twr": 16,
    "twtr_s": 6,
    "twtr_l": 8,
    "trefi": 3900,
}


@pytest.mark.parametrize(
    ("name", "times"), [("lpddr4_3200", LPDDR4_NS), ("ddr4_3200", DDR4_NS), ("hbm2_2000", HBM2_NS)]
)
def test_times_in_ns_are_rounded_up_to_clocks(name: str, times: Mapping[str, int | str]) -> None:
    """The standards' ns by the clock of half the data rate: 18 ns of 0.625 ns are 28.8 clocks, so 29."""
    device = DdrDevice.model_validate(name)
    of_time = {time: ceil(Fraction(ns) * device.clock_mhz / 1000) for time, ns in times.items()}
    assert {time: getattr(device, f"{time}_nck") for time in times} == of_time


def test_times_of_lpddr4_that_follow_from_others() -> None:
    """With a burst of 8 clocks, RL 28 and WL 14: reads to PRE BL/2 + max(8, 7.5 ns = 12) - 8, and behind writes a clock
    more than tWR 18 ns (29 clocks) and tWTR 10 ns (16). WR behind RD: RL + tDQSCK (3.5 ns, 6) + BL/2 - WL + 2."""
    d = DdrDevice.model_validate("lpddr4_3200")
    assert (d.data_nck, d.tccd_s_nck, d.tccd_l_nck, d.tcl_nck, d.tcwl_nck) == (8, 8, 8, 28, 14)
    assert (d.trtp_nck, d.twr_nck) == (8 + 12 - 8, 1 + 29)
    assert (d.twtr_s_nck, d.twtr_l_nck) == (1 + 16, 1 + 16)
    assert d.trtw_nck == 28 + 6 + 8 - 14 + 2
    assert d.trefi_nck == 3904 * 1000 // 625, "3.904 us, rounded down: 6,246.4"


def test_times_of_ddr4_and_hbm2_that_are_clocks() -> None:
    """CL as tRCD and tRP (22-22-22), CWL 16; WR behind RD: RL + BL/2 - WL + 2, in both."""
    ddr4, hbm2 = map(DdrDevice.model_validate, ("ddr4_3200", "hbm2_2000"))
    assert (ddr4.tcl_nck, ddr4.tcwl_nck, ddr4.tccd_s_nck, ddr4.trtw_nck) == (22, 16, 4, 22 + 4 - 16 + 2)
    assert (hbm2.tccd_s_nck, hbm2.tccd_l_nck, hbm2.trtw_nck) == (2, 4, 14 + 2 - 4 + 2)


@pytest.mark.parametrize(
    ("name", "pins", "burst_bytes", "banks", "rows", "row_bytes", "mb_a_second"),
    [
        ("lpddr4_3200", 16, 32, (1, 8), 1 << 15, 2048, 6400),
        ("ddr4_3200", 64, 64, (4, 4), 1 << 16, 8 * 1024, 25600),
        ("hbm2_2000", 64, 32, (4, 4), 1 << 14, 1024, 16000),
    ],
)
def test_the_organization_of_a_channel(
    name: str, pins: int, burst_bytes: int, banks: tuple[int, int], rows: int, row_bytes: int, mb_a_second: int
) -> None:
    """Pins, bytes of a burst, (bank groups, banks of each), rows by their address bits, pages, MB/s at that rate."""
    d = DdrDevice.model_validate(name)
    assert (d.channel_bits, d.burst_bytes, d.burst_length) == (pins, burst_bytes, burst_bytes * 8 // pins)
    assert (d.bank_groups, d.banks_per_group, d.banks) == (*banks, banks[0] * banks[1])
    assert (d.rows_per_bank, d.row_bytes, d.channel_bytes) == (rows, row_bytes, banks[0] * banks[1] * rows * row_bytes)
    assert d.data_rate_mts * d.channel_bits / 8 == mb_a_second
    assert d.clock_mhz == Fraction(int(d.data_rate_mts), 2)
    assert set(DEVICES) == {"lpddr4_3200", "ddr4_3200", "hbm2_2000"}


def test_a_clock_is_half_the_rate_as_it_was_written() -> None:
    assert DdrDevice.model_validate({**SMALL.model_dump(), "data_rate_mts": 2133.3}).clock_mhz == Fraction("1066.65")


def changed(**fields: Any) -> DdrDevice:
    return DdrDevice.model_validate({**SMALL.model_dump(), **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"row_bytes": 8},  # a burst of 16 pins and 4 transfers
        {"burst_length": 2, "channel_bits": 4, "tccd_s_nck": 1, "tccd_l_nck": 2},  # a byte in a clock
        {"tccd_l_nck": 2},  # as tccd_s
        {"tccd_l_nck": 4},  # two groups' turns
        {"trrd_l_nck": 3, "twtr_l_nck": 2},  # as trrd_s and twtr_s
        {"trp_all_nck": 4},  # as trp
        {"bank_groups": 1, "tccd_l_nck": 2},
        {"trefi_nck": 1_000_000},
    ],
)
def test_the_last_that_goes_together(fields: dict[str, int]) -> None:
    device = changed(**fields)
    assert {name: getattr(device, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"burst_length": 2, "channel_bits": 2}, "a burst must take a clock and have a byte"),
        ({"burst_length": 1, "channel_bits": 8}, "a burst must take a clock and have a byte"),
        ({"tccd_l_nck": 1}, "tccd_l_nck must be from tccd_s_nck"),
        ({"bank_groups": 1}, "tccd_l_nck must be from tccd_s_nck"),
        ({"twtr_l_nck": 1}, "at least trrd_s_nck and twtr_s_nck"),
        *(
            ({name: 3}, f"{name} 3 must be a power of two")
            for name in ("channel_bits", "burst_length", "bank_groups", "banks_per_group", "row_bytes")
        ),
        ({"trcd_nck": 0}, "greater than or equal to 1"),
        ({"trefi_nck": 1_000_001}, "less than or equal to 1000000"),
    ],
)
def test_the_first_that_does_not(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        changed(**fields)


def test_channels_of_a_configuration() -> None:
    """SMALL has 4 banks of 8 rows of 64 bytes a channel."""
    assert SMALL.channel_bytes == 4 * 8 * 64
    assert config(channels=128).capacity_bytes == 128 * 4 * 8 * 64
    with pytest.raises(ValueError, match="less than or equal to 128"):
        config(channels=256)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "in_order"},
        {"kind": "in_order", "window": 64, "drain_from": 48, "drain_to": 0, "overtaken": 256},  # the defaults
        {"kind": "fr_fcfs"},
        {"kind": "fr_fcfs", "window": 48},
        {"kind": "fr_fcfs", "window": 256, "drain_from": 256, "drain_to": 255, "overtaken": 1},
        {"kind": "fr_fcfs", "window": 2, "drain_from": 1},
    ],
)
def test_controllers_that_there_may_be(fields: dict[str, Any]) -> None:
    found = ControllerConfig.model_validate(fields).model_dump()
    assert found == {"window": 64, "drain_from": 48, "drain_to": 0, "overtaken": 256, **fields}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "in_order", "overtaken": 8, "window": 65}, "window, overtaken: only of controller.kind fr_fcfs"),
        ({"kind": "fr_fcfs", "window": 47}, "drain_from at most the window; got 0, 48 and 47"),
        ({"kind": "fr_fcfs", "drain_to": 48}, "drain_to must be less than drain_from"),
        ({"kind": "fr_fcfs", "window": 1, "drain_from": 1}, "greater than or equal to 2"),
        ({"kind": "fr_fcfs", "window": 257}, "less than or equal to 256"),
        ({"kind": "fr_fcfs", "drain_from": 257}, "less than or equal to 256"),
        ({"kind": "fr_fcfs", "drain_to": -1}, "greater than or equal to 0"),
        ({"kind": "fr_fcfs", "drain_to": 256}, "less than or equal to 255"),
        ({"kind": "fr_fcfs", "overtaken": 0}, "greater than or equal to 1"),
    ],
)
def test_controllers_that_there_may_not_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ControllerConfig.model_validate(fields)


def test_a_device_that_is_neither_a_name_nor_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="valid dictionary"):
        DdrDevice.model_validate(5)


def test_the_first_data_come_within_the_clock_behind_the_latency() -> None:
    """Two transfers a clock: of a burst of 4 two have come CL + 1 clocks after the RD, and all of it after CL + 2."""
    assert (SMALL.tcl_nck, SMALL.first_data_nck, SMALL.data_nck) == (7, 8, 2)
