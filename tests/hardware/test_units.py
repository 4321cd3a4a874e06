"""Each unit's service time at exactly cycle n, and its arithmetic, by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from archsim.families.cells.activation import Activate, Activation, ActivationConfig
from archsim.families.cells.elementwise import Elementwise, ElementwiseConfig
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.array.mac_config import MacArrayConfig
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.formats import Fixed, Float32, Formats
from archsim.hardware.dram.simple import SimpleDram, SimpleDramConfig
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.numerics import Numerics
from archsim.hardware.unit import Unit
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import FunctionSpec
from tests.present import present

F32 = Float32()
FORMATS = Formats.model_validate("float32")
WIDE = {"dram": None, "weight_sram": None, "input_buffer": None, "state_buffer": None, "accumulators": None}


def region(memory: str, entries: int, width: int, kind: DataKind = DataKind.H) -> Region:
    return Region(Buffer(f"{memory}_{entries}x{width}", memory, kind, entries, width, F32), 0, entries)


def tile(rows: int, inputs: int, batch: int = 1, bias: bool = True) -> MacTile:
    return MacTile(
        unit="mac_array",
        label="tile",
        weights=(region("weight_sram", rows, inputs),),
        vectors=(region("state_buffer", inputs, batch),),
        sums=region("accumulators", rows, batch),
        start=bias,
        bias=region("weight_sram", rows, 1) if bias else None,
    )


def array(rows: int = 4, columns: int = 4, **ports: int) -> MacArray:
    config = MacArrayConfig(rows=rows, columns=columns, multiplier_latency_cycles=3, adder_latency_cycles=2)
    return MacArray(config, {**WIDE, **ports}, FORMATS, weight_read_latency_cycles=5)


@pytest.mark.parametrize(
    ("inputs", "batch", "cycles"),
    [(1, 1, 1), (4, 1, 1), (5, 1, 2), (8, 1, 2), (9, 1, 3), (8, 3, 6), (9, 3, 9)],
)
def test_mac_tile_takes_a_cycle_for_each_chunk_and_batch_lane(inputs: int, batch: int, cycles: int) -> None:
    """4 columns: ceil(K / 4) chunks, each B cycles."""
    assert array().cycles(tile(4, inputs, batch)).occupancy_cycles == cycles


@pytest.mark.parametrize(("columns", "levels"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (64, 6), (65, 7)])
def test_mac_depth(columns: int, levels: int) -> None:
    """5 cycles SRAM read, 3 multiplier, 2 for each of ceil(log2 C) tree levels, and 2 for the addition to the sum."""
    service = array(columns=columns).cycles(tile(4, columns))
    assert service.depth_cycles == 5 + 3 + 2 * levels + 2
    assert service.latency_cycles == 1 + 5 + 3 + 2 * levels + 2


def test_weight_port() -> None:
    """3 rows x 8 weights x 32 bits are 768 bits: 6 cycles of 128 bits beside 2 of computing."""
    service = array(weight_sram=128).cycles(tile(3, 8, bias=False))
    assert (service.compute_cycles, service.port_cycles, service.occupancy_cycles) == (2, 6, 6)


@pytest.mark.parametrize("width", [96, 128, 256, 384])
def test_the_bias_has_a_port_of_its_own(width: int) -> None:
    """768 bits of weights fill 8, 6, 3 and 2 whole cycles, so that 3 x 32 bits of bias would need one more.

    The bias is an operand all the same, and the tile waits until it is loaded.
    """
    unit, op = array(weight_sram=width), tile(3, 8)
    assert unit.cycles(op).port_cycles == unit.cycles(tile(3, 8, bias=False)).port_cycles == 768 // width
    assert op.bias in op.reads
    assert unit.read_ports(op) == op.weights + op.vectors


def test_every_operand_of_the_other_units_uses_a_port() -> None:
    units: tuple[Unit[Any], ...] = (
        Activation(ActivationConfig(lanes=4, latency_cycles=6), WIDE, FORMATS),
        elementwise(),
    )
    n = region("state_buffer", 5, 1)
    cell = CellUpdate(unit="elementwise", label="cell", input_gate=n, forget_gate=n, candidate=n, target=n)
    for unit, op in zip(units, (activate(5), cell), strict=True):
        assert unit.read_ports(op) == op.reads


def test_vector_port() -> None:
    """8 inputs x 2 batch lanes x 32 bits are 512 bits: 8 cycles of 64 bits beside 4 of computing."""
    service = array(state_buffer=64).cycles(tile(4, 8, batch=2))
    assert (service.compute_cycles, service.port_cycles, service.occupancy_cycles) == (4, 8, 8)


def test_a_batch_fetches_its_weights_once() -> None:
    """4 x 4 x 32 = 512 bits in 8 words, whatever the batch: the chunk goes in cycle 7, and takes a cycle a lane."""
    narrow = array(weight_sram=64)
    assert narrow.cycles(tile(4, 4, batch=1)).port_cycles == 7 + 1
    assert narrow.cycles(tile(4, 4, batch=9)).port_cycles == 7 + 9


def test_mac_arithmetic() -> None:
    unit, op = array(), tile(2, 3)
    weights = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    vector = np.array([[1], [0], [2]], np.float32)
    bias = np.array([[10], [20]], np.float32)
    (started,) = unit.kernel(op, Numerics()).effect([weights, vector, bias])
    np.testing.assert_array_equal(started, [[17], [36]])
    (added,) = unit.kernel(tile(2, 3, bias=False), Numerics()).effect([weights, vector])
    retire = present(unit.kernel(tile(2, 3, bias=False), Numerics()).retire)
    np.testing.assert_array_equal(retire(started, added), [[24], [52]])


def test_mac_work_counts_real_macs_only() -> None:
    work = array(rows=4, columns=4).work(tile(3, 5, batch=2))
    assert work.items == 30
    assert work.items_per_cycle == 16


def activate(entries: int, batch: int = 1, function: str = "sigmoid") -> Activate:
    return Activate(
        unit="activation",
        label="act",
        function=FunctionSpec(function),
        source=region("accumulators", entries, batch),
        target=region("state_buffer", entries, batch),
    )


@pytest.mark.parametrize(("entries", "batch", "cycles"), [(1, 1, 1), (4, 1, 1), (5, 1, 2), (5, 3, 4), (4, 3, 3)])
def test_activation_takes_lanes_values_a_cycle(entries: int, batch: int, cycles: int) -> None:
    unit = Activation(ActivationConfig(lanes=4, latency_cycles=6), WIDE, FORMATS)
    service = unit.cycles(activate(entries, batch))
    assert service.occupancy_cycles == cycles
    assert service.latency_cycles == cycles + 6


def test_activation_port() -> None:
    """6 results x 32 bits through 64 bits take 3 cycles, though 8 lanes compute them in 1."""
    unit = Activation(ActivationConfig(lanes=8, latency_cycles=0), {**WIDE, "state_buffer": 64}, FORMATS)
    assert unit.cycles(activate(6)).occupancy_cycles == 3


def test_activation_arithmetic() -> None:
    """Against float64, also where exp would overflow or the result is tiny."""
    unit = Activation(ActivationConfig(lanes=4, latency_cycles=6), WIDE, FORMATS)
    x = np.array([[-1000.0], [-50], [-20], [-1], [0], [1], [20], [1000]], np.float32)
    (sigmoid,) = unit.kernel(activate(8), Numerics()).effect([x])
    (tanh,) = unit.kernel(activate(8, function="tanh"), Numerics()).effect([x])
    exact = np.exp(np.minimum(x.astype(np.float64), 0)) / (1 + np.exp(-np.abs(x.astype(np.float64))))
    assert sigmoid.dtype == tanh.dtype == np.float32
    np.testing.assert_allclose(sigmoid, exact, rtol=3e-7)
    np.testing.assert_allclose(tanh, np.tanh(x.astype(np.float64)), rtol=3e-7)


def elementwise() -> Elementwise:
    config = ElementwiseConfig(lanes=4, cell_latency_cycles=5, hidden_latency_cycles=2)
    return Elementwise(config, WIDE, FORMATS)


def test_elementwise_cycles_and_arithmetic() -> None:
    n = region("state_buffer", 5, 1)
    cell = CellUpdate(unit="elementwise", label="cell", input_gate=n, forget_gate=n, candidate=n, target=n)
    hidden = HiddenUpdate(unit="elementwise", label="hidden", output_gate=n, tanh_cell=n, target=n)
    unit = elementwise()
    assert (unit.cycles(cell).occupancy_cycles, unit.cycles(cell).latency_cycles) == (2, 7)
    assert (unit.cycles(hidden).occupancy_cycles, unit.cycles(hidden).latency_cycles) == (2, 4)
    i, f, g, c = (np.full((5, 1), value, np.float32) for value in (0.5, 0.25, 3, 8))
    updated = unit.kernel(cell, Numerics()).effect([i, g, c, f])[0]
    np.testing.assert_array_equal(updated, np.full((5, 1), 0.25 * 8 + 0.5 * 3))
    np.testing.assert_array_equal(unit.kernel(hidden, Numerics()).effect([i, g])[0], np.full((5, 1), 1.5))


def transfer(*entries: int, width: int = 1) -> Transfer:
    sources = tuple(region("dram", n, width) for n in entries)
    return Transfer(unit="dram", label="load", sources=sources, target=region("state_buffer", sum(entries), width))


@pytest.mark.parametrize(
    ("pieces", "bandwidth", "cycles"),
    [
        ((16,), 16.0, 4),  # 64 bytes are one burst of 64: 4 cycles
        ((17,), 16.0, 8),  # 68 bytes are two bursts
        ((1,), 16.0, 4),  # 4 bytes are one burst
        ((8, 8), 16.0, 8),  # two contiguous pieces of 32 bytes are two bursts
        ((16,), 48.0, 2),  # 64 / 48 = 1.33
        ((16,), 0.1, 640),  # exactly 64 / 0.1, though 0.1 has no exact binary form
    ],
)
def test_dram_moves_whole_bursts(pieces: tuple[int, ...], bandwidth: float, cycles: int) -> None:
    unit = SimpleDram(
        SimpleDramConfig(
            kind="simple", efficiency=1.0, bandwidth_bytes_per_cycle=bandwidth, latency_cycles=80, burst_bytes=64
        ),
        WIDE,
        FORMATS,
    )
    service = unit.cycles(transfer(*pieces))
    assert service.occupancy_cycles == cycles
    assert service.latency_cycles == cycles + 80
    assert unit.work(transfer(*pieces)).items_per_cycle == Fraction(str(bandwidth))


@pytest.mark.parametrize(
    ("efficiency", "elements", "cycles"),
    [
        (1.0, 16, 4),  # a burst of 64 bytes at 16 a cycle
        (0.95, 16, 5),  # 64 / 15.2 = 4.21
        (0.95, 304, 80),  # 19 bursts, 1,216 / 15.2: exactly 80, though 0.95 has no exact binary form
        (0.5, 304, 152),
    ],
)
def test_dram_gets_its_share_of_the_bandwidth(efficiency: float, elements: int, cycles: int) -> None:
    """The bytes of bursts over bandwidth * efficiency, rounded up once; the latency stays."""
    config = SimpleDramConfig(
        kind="simple", bandwidth_bytes_per_cycle=16.0, efficiency=efficiency, latency_cycles=7, burst_bytes=64
    )
    unit = SimpleDram(config, WIDE, FORMATS)
    assert unit.cycles(transfer(elements)).occupancy_cycles == cycles
    assert unit.cycles(transfer(elements)).latency_cycles == cycles + 7
    assert unit.work(transfer(elements)).items_per_cycle == 16 * Fraction(str(efficiency))


def test_dram_waits_for_the_port_of_the_other_memory() -> None:
    """512 bits into a port of 32 bits take 16 cycles, though DRAM delivers them in 4."""
    config = SimpleDramConfig(
        kind="simple", efficiency=1.0, bandwidth_bytes_per_cycle=16.0, latency_cycles=0, burst_bytes=64
    )
    assert SimpleDram(config, {**WIDE, "state_buffer": 32}, FORMATS).cycles(transfer(16)).occupancy_cycles == 16


@pytest.mark.parametrize(("width", "cycles"), [(32, 6), (48, 4), (64, 3), (128, 3)])
def test_dram_moves_bits_and_no_whole_values(width: int, cycles: int) -> None:
    """16 values of 12 bits are 192 bits: 3 bursts of 8 bytes, 64 bits a cycle, so N = 3, at 5 1/3 values a cycle.

    Words of 32 bits: 6, made in cycles 0, 0, 1, 1, 2, 2, so that the port is never behind: 0 + 6. Of 48 bits: bits 47,
    95, 143 and 191 come in cycles 0, 1, 2, 2: made(k) + 4 - k is 4, 4, 4, 3. Of 64 bits: a word a cycle, 3. Of 128:
    in cycles 1 and 2: 1 + 2.
    """
    config = SimpleDramConfig(
        kind="simple", efficiency=1.0, bandwidth_bytes_per_cycle=8.0, latency_cycles=0, burst_bytes=8
    )
    source, target = (
        Region(Buffer(memory, memory, DataKind.H, 16, 1, Fixed(integer_bits=4, fraction_bits=8)), 0, 16)
        for memory in ("dram", "state_buffer")
    )
    load = Transfer(unit="dram", label="load", sources=(source,), target=target)
    unit = SimpleDram(config, {**WIDE, "state_buffer": width}, FORMATS)
    assert (unit.compute_cycles(load), unit.cycles(load).occupancy_cycles) == (3, cycles)


def test_a_store_is_charged_like_a_load() -> None:
    config = SimpleDramConfig(
        kind="simple", efficiency=1.0, bandwidth_bytes_per_cycle=16.0, latency_cycles=7, burst_bytes=64
    )
    store = Transfer(unit="dram", label="store", sources=(region("state_buffer", 17, 1),), target=region("dram", 17, 1))
    assert SimpleDram(config, WIDE, FORMATS).cycles(store).latency_cycles == 8 + 7
