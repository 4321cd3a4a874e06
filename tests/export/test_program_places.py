"""Addresses and slot pointers: nothing overlaps that is needed at once, all fits, and DRAM lies in its own layout."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from archsim.cli.options import load_inputs
from archsim.families.gemv.config import GemvConfig
from archsim.families.schedules import find_schedule
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.program.ir import Region
from tests.export.exports import exported_program

DDR = "dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 40}"
CASES = [
    ("tiny_2x2", "lstm_3_2_t4", None),
    ("edge_16x16", "lstm:20,24,t=5,layers=2,bidirectional=1", "split", "formats.weight=int5"),
    ("edge_16x16", "gru:20,24,t=5", "hoisted", DDR),
    ("npu_s10nx", "lstm:64,64,t=4,b=6", None),
]


def program_of(arch: str, workload: str, schedule: str | None, *sets: str) -> dict[str, Any]:
    return exported_program(arch, workload, schedule, *sets, timing_only=True)


@pytest.mark.parametrize("case", CASES)
def test_buffers_lie_one_behind_the_other_in_their_memories(case: tuple[str, ...]) -> None:
    program = program_of(*case)
    memories = {memory["name"]: memory for memory in program["machine"]["memories"]}
    for name, memory in memories.items():
        places = []
        for number, buffer in enumerate(program["buffers"]):
            slots = buffer["time_steps"] if buffer["slots"] is None else buffer["slots"]
            if buffer["memory"] == name and slots is not None:
                end = buffer["base_bit"] + slots * buffer["slot_bits"]
                places.append((buffer["base_bit"], end, phases_of(program, number)))
        for (begin, end, phases), (other, other_end, others) in combinations(places, 2):
            in_turn = bool(phases and others) and (max(phases) < min(others) or max(others) < min(phases))
            assert end <= other or other_end <= begin or (in_turn and name != "dram")
        assert memory["used_bits"] == max((end for _, end, *_ in places), default=0)
        if memory["capacity_bits"] is not None:
            assert memory["used_bits"] <= memory["capacity_bits"]


def phases_of(program: dict[str, Any], buffer: int) -> set[int]:
    """The phases in which a buffer is used."""
    return {op["phase"] for op in program["ops"] if any(o["buffer"] == buffer for o in op["operands"])}


@pytest.mark.parametrize("case", CASES)
def test_operands_lie_where_the_program_says(case: tuple[str, ...]) -> None:
    """Slot by slot as Region has them, entries inside the slot; a modulus needs one subtraction at most."""
    arch, workload, schedule, *sets = case
    machine, work = load_inputs(arch, workload, list(sets))
    built = find_schedule(schedule, machine.config.family).build(work.spec, machine.config)
    program = program_of(*case)
    regions = 0
    for op in program["ops"]:
        source = built.phases[op["phase"]].ops[op["op"]]
        named: tuple[tuple[str, tuple[Region, ...]], ...] = (
            ("reads", source.reads),
            ("writes", source.writes),
            ("updates", source.updates),
            ("awaits", source.awaits),
        )
        for name, expected in named:
            for number, region in zip(op[name], expected, strict=True):
                operand = op["operands"][number]
                buffer, pointer = program["buffers"][operand["buffer"]], operand["slot"]
                assert (buffer["name"], operand["first_entry"]) == (region.buffer.name, region.start)
                assert (operand["entries"], operand["bits"]) == (region.entries, region.bits)
                for repetition in range(9):
                    slot = pointer["start"] + repetition * pointer["increment"]
                    slot = slot if pointer["modulus"] is None else slot % pointer["modulus"]
                    assert slot == region.slot(repetition)
                if pointer["modulus"] is not None:
                    assert 0 <= pointer["start"] < pointer["modulus"]
                    assert 0 <= pointer["increment"] < pointer["modulus"]
                if buffer["entry_bits"] is not None:
                    place = buffer["base_bit"] + region.start * buffer["entry_bits"]
                    assert operand["first_bit"] == place
                    assert operand["bits"] == region.entries * buffer["entry_bits"]
                assert operand["slot_stride_bits"] == buffer["slot_bits"]
                regions += 1
    assert regions > 30


def test_in_dram_of_kind_ddr_the_places_are_those_of_its_own_layout() -> None:
    arch, workload, schedule, *sets = CASES[2]
    assert arch is not None
    assert workload is not None
    machine, work = load_inputs(arch, workload, [str(text) for text in sets])
    built = find_schedule(schedule).build(work.spec, machine.config)
    assert isinstance(machine.config, GemvConfig)
    assert isinstance(machine.config.dram, DdrConfig)
    layout = machine.config.dram.layout(built.buffers)
    program = program_of(arch, workload, schedule, *(str(text) for text in sets))
    places = {b["name"]: (b["base_bit"], b["slot_bits"]) for b in program["buffers"] if b["memory"] == "dram"}
    assert places == {name: (8 * base, 8 * slot) for name, (base, slot) in layout.places.items()}
    assert [unit["static"] for unit in program["machine"]["units"]] == [False, True, True, True]


def test_banks_of_the_state_buffer() -> None:
    """Each kind of data in a bank of its own; h has a copy for each of four readers, c for two.

    A layer with a projection, hoisted, has one of everything: h, c, gates, tanh(c), o * tanh(c), sums of x.
    """
    projected = ("tiny_2x2", "lstm:3,2,t=4,proj=1", "hoisted", "state_buffer.hoist_steps=2")
    program = program_of(*projected)
    buffers, memories = program["buffers"], {memory["name"]: memory for memory in program["machine"]["memories"]}
    state = {buffer["name"]: buffer["bank"] for buffer in buffers if buffer["memory"] == "state_buffer"}
    expected = {"h": "h", "c": "c", "gates": "gates", "tanh_c": "scratch", "vector": "vector"}
    assert state == {**expected, "input_sums": "input_sums"}
    assert all(buffer["bank"] is None for buffer in buffers if buffer["memory"] != "state_buffer")
    assert memories["state_buffer"]["banks"] == 9  # of these six kinds the gates have four
    assert memories["state_buffer"]["copies"] == [{"bank": "h", "banks": 4}, {"bank": "c", "banks": 2}]
    assert all(not memory["copies"] for name, memory in memories.items() if name != "state_buffer")
    one = program_of(*projected, "state_buffer.banks=one")
    assert all(buffer["bank"] is None for buffer in one["buffers"])
    assert not any(memory["copies"] for memory in one["machine"]["memories"])
