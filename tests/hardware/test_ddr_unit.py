"""What DRAM of kind ddr says of a transfer before a run: lower bounds by hand, on a device that can be followed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from archsim.formats import Formats
from archsim.hardware.dram.ddr_reorder_session import ReorderingSession
from archsim.hardware.dram.ddr_unit import DdrConfig, DdrDram, DdrSession
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import Work
from archsim.program.ir import Region
from tests.hardware.test_ddr import ON_CHIP, SMALL, WIDE, WORDS, transfer

FR_FCFS = {"kind": "fr_fcfs", "window": 48}


def unit(core_mhz: str = "1000", channels: int = 1, controller: object = "in_order", latency: int = 5) -> DdrDram:
    """Bursts of 8 bytes, tCCD_S 2; the device's clock is 1,000 MHz."""
    fields: dict[str, Any] = {
        "kind": "ddr",
        "device": SMALL.model_dump(),
        "channels": channels,
        "controller": controller,
        "controller_latency_cycles": latency,
    }
    return DdrDram(DdrConfig.model_validate(fields), WIDE, Formats.model_validate("float32"), Fraction(core_mhz))


@pytest.mark.parametrize(
    ("byte_count", "channels", "core", "cycles"),
    [
        (8, 1, "1000", 2),
        (12, 1, "1000", 4),  # two bursts
        (40, 1, "1000", 10),
        (40, 2, "1000", 6),  # three of the five in one channel
        (40, 4, "1000", 4),
        (40, 1, "2000", 20),  # two cycles a clock
        (40, 1, "300", 3),  # 10 clocks are exactly 3 cycles
        (40, 1, "310", 4),
        (40, 1, "250", 3),  # 2.5 cycles
    ],
)
def test_a_transfer_takes_the_turns_of_the_fullest_channel(
    byte_count: int, channels: int, core: str, cycles: int
) -> None:
    of = unit(core, channels)
    assert of.compute_cycles(transfer(0, byte_count)) == cycles
    assert of.compute_cycles(transfer(0, byte_count, write=True)) == cycles


def test_pieces_have_bursts_of_their_own() -> None:
    """4 bytes and 12 are one burst and two."""
    pieces = (Region(WORDS, 0, 1), Region(WORDS, 9, 12))
    op = Transfer(unit="dram", label="two", sources=pieces, target=Region(ON_CHIP, 0, 4))
    assert unit().compute_cycles(op) == 3 * 2
    assert unit().bytes_moved(op) == 16


@pytest.mark.parametrize(
    ("write", "controller", "core", "depth"),
    [
        (False, "in_order", "1000", 7 + 5),  # CL 7 and a burst of 2 behind the turn of 2
        (True, "in_order", "1000", 3 + 5),  # CWL 3
        (False, "in_order", "500", 3 + 5),  # 3.5 cycles: a bound is no more than there will be
        (True, "in_order", "400", 1 + 5),  # 1.2
        (False, FR_FCFS, "1000", 7 + 5),
        (True, FR_FCFS, "1000", 5),  # the controller has it when its turn is over
    ],
)
def test_results_are_there_behind_the_last_turn(write: bool, controller: object, core: str, depth: int) -> None:
    assert unit(core, controller=controller).depth_cycles(transfer(0, 64, write=write)) == depth


def test_a_cycle_moves_at_best_a_burst_of_each_channel_in_its_turn() -> None:
    """8 bytes in 2 clocks; with 2 channels, and 4 clocks a cycle, 32 bytes. What bursts round up is no work."""
    assert unit().work(transfer(0, 12)) == Work(12, Fraction(4))
    assert unit("250", 2).work(transfer(0, 12)) == Work(12, Fraction(32))
    assert unit("3000").work(transfer(0, 12)) == Work(12, Fraction(4, 3))


def test_units_of_other_clocks_are_not_the_same() -> None:
    assert unit().identity == unit().identity
    assert len({unit(core).identity for core in ("1000", "999", "500")}) == 3
    assert (unit().static, unit().recorded, unit().burst) == (False, False, 8)
    sessions = unit(channels=2).session([WORDS]), unit(channels=2, controller=FR_FCFS).session([WORDS])
    assert [type(session) for session in sessions] == [DdrSession, ReorderingSession]
    assert [len(session.channels) for session in sessions] == [2, 2]  # type: ignore[attr-defined]
    assert (unit().config.reorders, unit(controller=FR_FCFS).config.reorders) == (False, True)


def test_buffers_begin_with_a_row_set_of_their_own() -> None:
    """16 bursts of 8 bytes in each channel: in 2 channels multiples of 256 bytes."""
    config = unit(channels=2).config
    assert config.addresses.stripe_bytes == 256
    places = config.layout([WORDS, ON_CHIP, WORDS.__class__("more", "dram", WORDS.kind, 3, 1, WORDS.number_format)])
    assert places.places["more"] == (WORDS.entries * 4, 12)
