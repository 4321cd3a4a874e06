"""What follows from the description of a machine of the family gemv alone, on one whose parameters differ, by hand."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SCRATCH_BANK, SUMS_BANK, VECTOR_BANK
from archsim.families.gemv.bounds import LeastWork
from archsim.families.gemv.capacity import staying_sums
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.state_banks import StateBanks
from archsim.families.gemv.storages import storages
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.workload import CellKind, load_workload
from tests.strategies import network

UNEQUAL = (
    "formats=int16",
    "formats.weight=int6",
    "formats.accumulator=int24",
    "formats.gate=int12",
    "activation.method=exact",
    "weight_sram.capacity_bytes=3KiB",
    "weight_sram.banks=5",
    "weight_sram.port_bits=96",
    "bias_buffer.capacity_bytes=700",
    "input_buffer.capacity_bytes=600",
    "input_buffer.port_bits=48",
    "state_buffer.capacity_bytes=2KiB",
    "state_buffer.port_bits=80",
    "mac_array.rows=7",
    "mac_array.columns=4",
    "accumulators.entries=44",
    "dram.bandwidth_bytes_per_cycle=12",
    "dram.efficiency=0.75",
    "clock_mhz=250",
)
ENCODER = "delta_encoder={lanes: 3, latency_cycles: 2, capacity_bytes: 900, port_bits: 56}"


def machine(*sets: str) -> GemvConfig:
    config = load_arch("tiny_2x2", [parse_override(text) for text in (*UNEQUAL, *sets)]).config
    assert isinstance(config, GemvConfig)
    return config


def test_storages() -> None:
    """Accumulators have a place of a gate's 12 bits each; biases a bank for each of 7 rows, of 24 bits."""
    found = storages(machine("state_buffer.banks=one"))
    assert dict(found) == {
        "dram": OffChip("ddr4"),
        "weight_sram": Sram(5, 3072, 96, True),
        "bias_buffer": Sram(7, 700, 24, True),
        "input_buffer": Sram(1, 600, 48, True),
        "state_buffer": Sram(1, 2048, 80, True),
        "accumulators": Registers(44 * 12),
        "sequencer": Registers(0),
    }


def test_storages_with_one_port_or_without_a_bias_buffer() -> None:
    one_port = (f"{memory}.ports=1RW" for memory in ("weight_sram", "input_buffer", "state_buffer"))
    found = storages(machine("state_buffer.banks=one", "bias_buffer=null", *one_port))
    assert "bias_buffer" not in found
    wanted = {"weight_sram": (5, 3072, 96), "input_buffer": (1, 600, 48), "state_buffer": (1, 2048, 80)}
    assert {memory: found[memory] for memory in wanted} == {name: Sram(*of, False) for name, of in wanted.items()}
    for memory in wanted:
        assert machine("state_buffer.banks=one", f"{memory}.ports=1RW").single_ported == (memory,)


def test_the_storage_of_an_encoder() -> None:
    config = machine(ENCODER, "formats.input=q4.12", "formats.hidden=q4.12")
    assert storages(config)["delta_buffer"] == Sram(1, 900, 56, True)
    assert list(storages(config))[-3:] == ["delta_buffer", "accumulators", "sequencer"]


def test_accumulators_of_floats_hold_partial_sums() -> None:
    """An adder of 3 stages has 3 partial sums under way: 2 besides the one of the sum's own 32 bits."""
    config = load_arch("tiny_2x2", [parse_override("mac_array.adder_latency_cycles=3")]).config
    assert isinstance(config, GemvConfig)
    assert storages(config)["accumulators"] == Registers(8 * (32 + 2 * 32))


def test_banks_of_the_state_buffer() -> None:
    """3 activation and 2 element-wise units. h is read by the array, by DRAM and by all of them; c by two kinds.

    Kinds: h, c, tanh(c), a projection's vector, sums made ahead, and four gates.
    """
    banks = StateBanks(3, 2)
    readers = {H_BANK: 2 + 3 + 2, C_BANK: 2, GATE_BANKS: 1, SCRATCH_BANK: 1, VECTOR_BANK: 1, SUMS_BANK: 1}
    assert banks.readers == readers
    assert (banks.kinds, banks.copies) == (9, ((H_BANK, 7), (C_BANK, 2)))
    config = machine("activation.units=3", "elementwise.units=2")
    assert storages(config)["state_buffer"] == Sram(9, 2048, 80, True, banks.copies)


def test_the_least_work_of_a_network() -> None:
    """LSTM(3, 5), projected to 2, 7 steps, 3 sequences: 20 rows x (3 + 2), and 2 x 5. Each weight is multiplied once a
    step and sequence; loaded once, of 6 bits; W_hh, 20 x 2, is read in each step."""
    load = network(kind=CellKind.LSTM, input_size=3, hidden_size=5, proj_size=2, steps=7, batch=3)
    found = LeastWork.of(machine(), load.spec)
    assert found == LeastWork(products=110 * 7 * 3, loaded_bits=110 * 6, recurrent_bits=40 * 6)
    # 660 bits are 83 bytes, at 12 x 0.75 a cycle.
    assert machine().least_load_cycles(load.spec) == 83 // 9


def test_the_least_work_of_sparse_weights() -> None:
    """1 of 4 kept: of 3 columns 1, of 5 columns 2, of 2 columns 1; an index of 2 bits beside each. Both directions."""
    load = network(kind=CellKind.LSTM, input_size=3, hidden_size=5, proj_size=2, steps=7, bidirectional=True)
    found = LeastWork.of(machine("mac_array.sparsity=1:4"), load.spec)
    weights = 2 * (20 * 1 + 20 * 1 + 2 * 2)
    assert found == LeastWork(products=weights * 7, loaded_bits=weights * 8, recurrent_bits=2 * 20 * 8)


def test_a_network_that_skips_may_multiply_nothing() -> None:
    """But its weights are loaded all the same: 8 rows x (3 + 2), of 6 bits."""
    spec = load_workload("lstm:3,2,t=4,delta=0.5").spec
    config = machine(ENCODER, "formats.input=q4.12", "formats.hidden=q4.12")
    assert LeastWork.of(config, spec) == LeastWork(products=0, loaded_bits=8 * 5 * 6, recurrent_bits=0)
    assert config.compute_cycles_per_step(spec) == 0


@pytest.mark.parametrize(
    ("workload", "cycles"),
    [
        # 20 rows are 3 tiles of 7; x and h are accumulated apart: 1 chunk of 3 inputs and 2 of 5.
        ("lstm:3,5,t=2", 3 * (1 + 2)),
        ("lstm:3,5,t=2,b=2", 3 * (1 + 2) * 2),
        # h of 2: 1 + 1; W_hr has a tile of 2 rows, with 2 chunks of 5.
        ("lstm:3,5,t=2,proj=2", 3 * (1 + 1) + 2),
        ("lstm:3,5,t=2,bidirectional=1", 2 * 3 * (1 + 2)),
        ("lstm:3,5,t=2,layers=2", 3 * (1 + 2) + 3 * (2 + 2)),
        # 15 rows are 3 tiles of 3 chunks, 9. Apart: 15 x (3 + 5) products, 120, 28 a cycle: 5.
        ("gru:3,5,t=2", 5),
        ("gru:3,5,t=2,linear_before_reset=0", 9),
        ("rnn:3,5,t=2", 3),
    ],
)
def test_the_least_cycles_of_a_step(workload: str, cycles: int) -> None:
    text, _, reset = workload.partition(",linear_before_reset=")
    overrides = [parse_override("linear_before_reset=false")] if reset else []
    assert machine().compute_cycles_per_step(load_workload(text, overrides).spec) == cycles


def test_the_multipliers_by_name() -> None:
    """With 1 of 4 kept each multiplier stands for 4 inputs."""
    found, sparse = machine().multipliers, machine("mac_array.sparsity=1:4").multipliers
    assert (found.size, found.macs_per_cycle) == ("7 rows x 4 columns", 28)
    assert (sparse.size, sparse.macs_per_cycle) == ("7 rows x 4 columns, 1 of 4 weights kept", 7 * 16)


def test_widths() -> None:
    """12 bytes at 250 MHz are 3 GB/s; the SRAM's 5 banks give 480 bits; of apart columns x has 1 and h 3."""
    config = machine()
    assert config.dram_width.gb_per_s == pytest.approx(3.0)
    assert config.weight_bits_per_cycle == 480
    assert (config.inputs_per_chunk, config.x_inputs_per_chunk) == (4, None)
    apart = machine("mac_array.x_columns=1")
    assert (apart.inputs_per_chunk, apart.x_inputs_per_chunk) == (3, 1)


def test_what_a_machine_lacks_for_deltas() -> None:
    """An encoder with a lane a column, 4, and ports of as many deltas, a bit wider than h: 4 x 17, or 4 x 9."""
    begins = '--set "delta_encoder={lanes: 4, latency_cycles: 2, capacity_bytes: 4KiB, port_bits: '
    assert machine().missing_for_deltas == begins + '68}" --set formats=q4.12'
    assert machine("formats.hidden=q3.5").missing_for_deltas == begins + '36}"'
    assert machine(ENCODER, "formats.input=q4.12", "formats.hidden=q4.12").missing_for_deltas == ""


def test_sums_that_stay() -> None:
    """A row of each cell, of a GRU's candidate two, for each sequence: GRU(5) has 15 + 5, LSTM(5) 20."""
    gru, lstm = load_workload("gru:3,5,t=2").spec.cells, load_workload("lstm:3,5,t=2").spec.cells
    assert staying_sums(gru, 3) == 20 * 3
    assert staying_sums([*lstm, *gru], 2) == (20 + 20) * 2


def test_more_groups_ahead_than_the_accumulators_hold() -> None:
    """LSTM(3, 5) on 8 rows has 3 groups of 2 units, 8 rows; with a batch of 2 a group is 16 sums: 32 hold two."""
    sets = ("mac_array.rows=8", "accumulators.entries=32", "input_buffer.port_bits=512")
    spec = load_workload("lstm:3,5,t=2,b=2").spec
    find_schedule("ahead", "gemv").build(spec, machine(*sets, "accumulators.ahead_groups=2"))
    with pytest.raises(CapacityError) as caught:
        find_schedule("ahead", "gemv").build(spec, machine(*sets, "accumulators.ahead_groups=3"))
    assert (caught.value.need, caught.value.have) == (48, 32)
    with pytest.raises(CapacityError) as caught:
        find_schedule("ahead", "gemv").build(spec, machine(*sets, "accumulators.ahead_groups=1000"))
    assert caught.value.need == 48, "there are no more than 3"


def test_a_wavefront_in_reverse_is_refused() -> None:
    """Of two layers; a single one has nothing to run beside, and runs in turn."""
    schedule = find_schedule("fused_wavefront", "gemv")
    roomy = machine(
        "state_buffer.capacity_bytes=64KiB", "input_buffer.capacity_bytes=64KiB", "accumulators.entries=400"
    )
    with pytest.raises(ScheduleError, match="a wavefront needs layers that run forward only"):
        schedule.build(load_workload("lstm:3,5,t=2,layers=2,bidirectional=1").spec, roomy)
    for alone in ("lstm:3,5,t=2,bidirectional=1", "lstm:3,5,t=2,layers=2"):
        schedule.build(load_workload(alone).spec, roomy)
