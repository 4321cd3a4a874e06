"""Changes of a design by one notch, and memories of the size that suffices: each value by hand."""

from __future__ import annotations

import pytest

from archsim.api.change import Change, Setting, changed, enough_memory, least_memories, lesser_changes, notch_changes
from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.load import Arch, load_arch
from archsim.families.schedules import build_program, find_schedule
from archsim.workload import load_workload

KIB, MIB = 1 << 10, 1 << 20


def machine(*sets: str) -> Arch:
    return load_arch("tiny_2x2", [parse_override(text) for text in sets])


def test_each_number_that_may_make_a_machine_faster_by_one_notch() -> None:
    """Twice as many of what there is; a cycle less of what takes some, down to none. A converter takes none already."""
    changes = list(notch_changes(machine("dram.latency_cycles=4", "sequencer.token_latency_cycles=2").config))
    assert [str(change).removeprefix("--set ") for change in changes] == [
        "sequencer.issue_cycles=0",
        "sequencer.queue_depth=16",
        "sequencer.token_latency_cycles=1",
        "dram.bandwidth_bytes_per_cycle=20",
        "dram.latency_cycles=3",
        "weight_sram.banks=4",
        "weight_sram.port_bits=128",
        "weight_sram.read_latency_cycles=0",
        "weight_sram.stream_slots=4",
        "input_buffer.port_bits=128",
        "input_buffer.prefetch_steps=2",
        "state_buffer.port_bits=128",
        "mac_array.rows=4",
        "mac_array.columns=4",
        "mac_array.multiplier_latency_cycles=0",
        "mac_array.adder_latency_cycles=0",
        "accumulators.entries=16",
        "activation.lanes=2",
        "activation.units=2",
        "elementwise.lanes=2",
        "elementwise.cell_latency_cycles=1",
        "elementwise.hidden_latency_cycles=0",
        "elementwise.units=2",
    ]
    sooner = {change.settings[0].field for change in changes if change.is_sooner}
    assert sooner == {change.settings[0].field for change in changes if "cycles" in change.settings[0].field} - {
        "bandwidth_bytes_per_cycle"
    }


@pytest.mark.parametrize(("gate_cycles", "offered"), [(1, None), (2, 1), (3, 2)])
def test_what_takes_a_cycle_at_least_is_not_offered_with_none(gate_cycles: int, offered: int | None) -> None:
    arch = load_arch("elasticai_lstm", [parse_override(f"elementwise.gate_cycles={gate_cycles}")])
    found = {(one.section, one.field): one.value for change in notch_changes(arch.config) for one in change.settings}
    assert found.get(("elementwise", "gate_cycles")) == offered


@pytest.mark.parametrize(
    ("setting", "half"),
    [
        ("mac_array.rows=1", None),
        ("mac_array.rows=2", 1),
        ("mac_array.rows=5", 2),
        ("dram.bandwidth_bytes_per_cycle=1.0", None),
        ("dram.bandwidth_bytes_per_cycle=1.5", 0.75),
        ("dram.bandwidth_bytes_per_cycle=0.5", None),
    ],
)
def test_half_of_what_there_is(setting: str, half: float | None) -> None:
    """Whole numbers are halved to whole ones; of one there is no half. Durations are not made shorter by it."""
    changes = list(lesser_changes(machine(setting).config))
    found = {(one.section, one.field): one.value for change in changes for one in change.settings}
    section, field = setting.partition("=")[0].split(".")
    assert found.get((section, field)) == half
    assert not any(field.endswith("latency_cycles") for _, field in found)
    assert not any(change.is_sooner for change in changes)


@pytest.mark.parametrize(
    ("need", "size"),
    [
        (1, KIB),
        (KIB, KIB),
        (KIB + 1, 2 * KIB),
        (MIB - KIB, MIB - KIB),
        (MIB - 1, MIB),
        (MIB, MIB),
        (MIB + 1, 2 * MIB),
        (3 * MIB, 3 * MIB),
    ],
)
def test_enough_memory_is_whole_kib_up_to_a_mib_and_whole_mib_beyond(need: int, size: int) -> None:
    error = CapacityError("weight_sram", need, 0, "bytes", "weights", ())
    assert enough_memory(error, machine().config) == Change((Setting("weight_sram", "capacity_bytes", size, True),))


@pytest.mark.parametrize(("memory", "unit"), [("weight_sram", "entries"), ("dram", "bytes"), ("nothing", "bytes")])
def test_a_memory_without_a_capacity_in_bytes_is_not_made_larger(memory: str, unit: str) -> None:
    assert enough_memory(CapacityError(memory, 9, 0, unit, "weights", ()), machine().config) is None


@pytest.mark.parametrize(
    ("value", "is_size", "text"),
    [
        (KIB, True, "1KiB"),
        (KIB - 1, True, "1023"),
        (KIB + 1, True, "1025"),
        (MIB - KIB, True, "1023KiB"),
        (MIB, True, "1MiB"),
        (MIB + KIB, True, "1025KiB"),
        (MIB, False, "1048576"),
        (2.0, False, "2"),
        (2.5, False, "2.5"),
    ],
)
def test_the_text_of_a_size(value: float, is_size: bool, text: str) -> None:
    """The largest unit of which it is a whole number; a count is no size."""
    assert str(Setting("memory", "field", value, is_size)) == f"memory.field={text}"


def test_the_least_memories_that_hold_a_program() -> None:
    """LSTM(6, 10) without biases: 4 x 10 x (6 + 10) weights of 4 bytes are 2,560, so 3 KiB; the state fits into one.

    A memory that holds nothing gets a KiB, too. One that has as much already is not named, one of a byte more is.
    """
    program = build_program(
        find_schedule("fused"), load_workload("lstm:6,10,t=4", [parse_override("bias=false")]).spec, machine().config
    )

    def named(*sets: str) -> dict[str, str]:
        found = [str(change) for change in least_memories(machine(*sets).config, program)]
        return {text.split(".")[0].removeprefix("--set "): text.split("=")[1] for text in found}

    least = {"weight_sram": "3KiB", "bias_buffer": "1KiB", "input_buffer": "1KiB", "state_buffer": "1KiB"}
    larger = [f"{memory}.capacity_bytes={int(size[0]) * KIB + 1}" for memory, size in least.items()]
    assert named(*larger) == least
    assert list(named("weight_sram.capacity_bytes=3072", *larger[1:])) == list(least)[1:]


def test_several_settings_of_one_section_are_all_made() -> None:
    change = Change(
        (Setting("mac_array", "rows", 4), Setting("dram", "latency_cycles", 7), Setting("mac_array", "columns", 8))
    )
    config = changed(machine(), change).config
    assert (config.mac_array.rows, config.mac_array.columns, config.dram.latency_cycles) == (4, 8, 7)  # type: ignore[attr-defined]
    assert str(change) == "--set mac_array.rows=4 --set dram.latency_cycles=7 --set mac_array.columns=8"
