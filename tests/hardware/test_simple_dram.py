"""DRAM of one bandwidth by hand: whole bursts of each piece, what of them is counted, and the rate of its words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Formats, parse_format
from archsim.hardware.dram.simple import SimpleDram, SimpleDramConfig
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.numerics import Numerics
from archsim.hardware.port_streams import Run
from archsim.hardware.unit import Work
from archsim.program.ir import Buffer, DataKind, Region
from archsim.program.joined import Joining, Side
from tests.laws.generic_ops import Mix

INT8 = parse_format("int8")
OUTSIDE = Buffer("outside", "dram", DataKind.X, 1000, 1, INT8)
INSIDE = Buffer("inside", "state_buffer", DataKind.X, 1000, 1, INT8)


def dram(**fields: Any) -> SimpleDram:
    """10 bytes a cycle, of which bursts of 16 get 0.9, so 9; 7 cycles of latency."""
    given = {
        "kind": "simple",
        "bandwidth_bytes_per_cycle": 10.0,
        "efficiency": 0.9,
        "latency_cycles": 7,
        "burst_bytes": 16,
        **fields,
    }
    ports = {"dram": None, "state_buffer": None}
    return SimpleDram(SimpleDramConfig.model_validate(given), ports, Formats.model_validate("float32"))


def load(*sizes: int) -> Transfer:
    """Pieces of so many bytes, one behind the other on the chip."""
    pieces = tuple(Region(OUTSIDE, 100 * place, 100 * place + size) for place, size in enumerate(sizes))
    return Transfer(unit="dram", label="load", sources=pieces, target=Region(INSIDE, 0, sum(sizes)))


def store(size: int) -> Transfer:
    return Transfer(unit="dram", label="store", sources=(Region(INSIDE, 0, size),), target=Region(OUTSIDE, 0, size))


@pytest.mark.parametrize(
    ("op", "cycles", "data"),
    [
        (load(1), 2, 1),  # a burst of 16 bytes at 9 a cycle: 1.8
        (load(16), 2, 16),
        (load(17), 4, 17),  # 32 bytes: 3.6
        (load(72), 9, 72),  # 80 bytes: 8.9
        (load(17, 1), 6, 18),  # 32 and 16 bytes: 5.3
        (load(1, 1, 1), 6, 3),
        (store(33), 6, 33),
    ],
)
def test_whole_bursts_of_each_piece(op: Transfer, cycles: int, data: int) -> None:
    unit = dram()
    assert (unit.compute_cycles(op), unit.depth_cycles(op), unit.bytes_moved(op)) == (cycles, 7, data)
    assert unit.work(op) == Work(data, Fraction(9))


def test_bandwidths_are_the_decimal_numbers_that_were_written() -> None:
    """0.3 bytes a cycle, all of them: 16 bytes take 53.3 cycles, which in floating point would be another number."""
    unit = dram(bandwidth_bytes_per_cycle=0.3, efficiency=1.0)
    assert unit.config.bandwidth == Fraction(3, 10)
    assert unit.compute_cycles(load(16)) == 54
    assert dram(bandwidth_bytes_per_cycle=0.1, efficiency=0.3).config.bandwidth == Fraction(3, 100)
    assert dram(bandwidth_bytes_per_cycle=1.6, efficiency=1.0).compute_cycles(load(16)) == 10


def test_what_a_burst_rounds_up_is_moved_outside_alone() -> None:
    unit = dram()
    assert unit.burst == 16
    assert unit.moved_bits(Region(OUTSIDE, 0, 17)) == 8 * 32
    assert unit.moved_bits(Region(OUTSIDE, 3, 19)) == 8 * 16
    assert unit.moved_bits(Region(INSIDE, 0, 17)) == 8 * 17
    bits = Region(Buffer("bits", "dram", DataKind.X, 1000, 1, parse_format("q1.2")), 0, 43)
    assert unit.moved_bits(bits) == 8 * 32, "129 bits are 17 bytes"


def test_one_piece_comes_at_the_full_bandwidth_and_several_evenly() -> None:
    """17 bytes at 9 a cycle, 72 bits: their bits take 136 / 72 steps, and the rest of the second burst comes behind.

    Pieces of 17 bytes and 1 are spread over all 6 cycles, by values.
    """
    unit, op = dram(), load(17)
    (stream,) = unit.read_streams(op)
    assert (stream.bits, stream.runs) == (136, (Run(0, 136, 72, steps=Fraction(136, 72)),))
    (written,) = unit.write_streams(op)
    assert written.runs == stream.runs
    assert written.memory == "state_buffer"
    uneven = dram(bandwidth_bytes_per_cycle=0.3, efficiency=1.0).read_streams(load(17))[0]
    assert uneven.runs[0].per_step == 3, "2.4 bits a cycle are 3 in some"
    assert uneven.runs[0].steps == Fraction(1360, 24), "136 bits at 2.4 a cycle"
    two = load(17, 1)
    assert [stream.runs for stream in unit.read_streams(two)] == [(Run(0, 17, 3, steps=6),), (Run(0, 1, 1, steps=6),)]


@pytest.mark.parametrize(("efficiency", "granted"), [(0.01, 0), (0.95, 0), (1.0, 1)])
def test_all_of_the_bandwidth_is_an_idealization(efficiency: float, granted: int) -> None:
    found = dram(efficiency=efficiency).config.idealizations("dram")
    assert [str(one) for one in found] == granted * [
        "dram.efficiency 1: bursts at the full bandwidth, without a pause (DEVIATIONS.md, D17)"
    ]


@pytest.mark.parametrize("efficiency", [0.0099, 1.0001])
def test_a_share_of_the_bandwidth_is_at_most_all_of_it(efficiency: float) -> None:
    with pytest.raises(ValueError, match="efficiency"):
        dram(efficiency=efficiency)


def test_transfers_of_one_piece_may_be_joined() -> None:
    unit = dram()
    assert unit.joining(load(4), Numerics()) == Joining(Side.ROWS)
    assert unit.joining(store(4), Numerics()) == Joining(Side.ROWS)
    assert unit.joining(load(4, 4), Numerics()) is None
    assert unit.moves(load(4))
    assert (unit.tally(load(4)), unit.inventory()) == ({}, {})


def test_another_op_is_refused() -> None:
    with pytest.raises(SimulatorBug, match="dram got an op it does not know: Mix 'other'"):
        dram().pieces(Mix(unit="dram", label="other"))
