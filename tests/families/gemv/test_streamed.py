"""Streamed weights: what stays, what a slot reused too early does, and what is said when nothing fits."""

from dataclasses import replace

import pytest

from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import After, Program
from archsim.program.verifier import find_hazards
from archsim.workload import CellKind
from tests.strategies import Case, bits, compare, network, program_text, tensors, workload


def case(capacity: int, *sets: str, schedule: str = "fused_streamed") -> Case:
    """LSTM(3, 2), T = 4 on tiny_2x2: W_ih 96 bytes, W_hh 64; tiles of 2 rows: 24 and 16 bytes."""
    texts = (f"weight_sram.capacity_bytes={capacity}", *sets)
    arch = load_arch("tiny_2x2", [parse_override(text) for text in texts])
    return Case(arch.config, workload(3, 2, 4, 1), schedule)  # type: ignore[arg-type]


def weight_sram_bytes(of: Case) -> dict[str, int]:
    """Bytes of each buffer in the weight SRAM."""
    return {b.name: b.size_bytes for b in of.program.buffers if b.memory == "weight_sram"}


def dram_bytes(of: Case) -> int:
    """Bytes that the run moves to and from DRAM."""
    traffic = of.simulate(timing_only=True).stats.traffic_bytes["dram"]
    return sum(sum(kinds.values()) for kinds in traffic.values())


def test_a_streamed_schedule_whose_weights_fit_is_the_resident_one() -> None:
    assert program_text(case(160).program) == program_text(case(160, schedule="fused").program)


def test_the_choice_streams_the_fewest_bytes() -> None:
    """159 bytes, or 191 with the biases, 32 bytes, beside them.

    With slots for W_ih (48) all of W_hh (64) stays and 47 are left for one of W_ih's tiles: 3 * 24 = 72 bytes stream.
    With slots for W_hh (32) all of W_ih (96) stays and 31 are left for one of W_hh's tiles: 3 * 16 = 48 bytes stream.
    """
    chosen = {"W_ih": 96, "W_hh": 16, "stream.W_hh": 32}
    assert weight_sram_bytes(case(159)) == chosen
    assert weight_sram_bytes(case(191, "bias_buffer=null")) == chosen | {"bias": 32}


def test_more_capacity_never_moves_more_bytes() -> None:
    """From the fewest bytes: two slots of a row of each matrix, 2 * (12 + 8) = 40."""
    moved = [dram_bytes(case(capacity)) for capacity in range(40, 161, 4)]
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > moved[-1]


def test_not_even_the_slots_fit() -> None:
    with pytest.raises(CapacityError, match="weight_sram: needs 40 bytes .*has 39, 1 short.*stream_slots"):
        _ = case(39).program
    with pytest.raises(CapacityError, match="--schedule fused_interleaved_streamed"):
        _ = case(159, schedule="fused").program


def test_a_matrix_smaller_than_its_slots_stays() -> None:
    """LSTM(3, 2) with a projection to 1: rows of W_ih 12 bytes and of W_hh 4, W_hr one row of 8.

    Two slots of W_hr would take 16, and so it stays: 2 * 12 + 2 * 4 + 8 = 40, to the byte.
    """
    of = replace(case(40), workload=network(kind=CellKind.LSTM, input_size=3, hidden_size=2, proj_size=1, steps=4))
    assert weight_sram_bytes(of) == {"W_hr": 8, "stream.W_ih": 24, "stream.W_hh": 8}
    numbers = tensors(of.spec, 3)
    assert compare(of.execute(numbers)[1], numbers, of.spec).passed  # type: ignore[arg-type]
    with pytest.raises(CapacityError, match="weight_sram: needs 40 bytes .*has 39, 1 short"):
        _ = of.with_fields({"weight_sram.capacity_bytes": 39}).program


def early(program: Program) -> Program:
    """Loads that do not wait until the array has read the tile that is in their slot."""
    body = program.phases[1]
    deps = tuple(
        tuple(dep for dep in found if dep.after is not After.FREE) if "stream" in op.label else found
        for op, found in zip(body.ops, body.deps, strict=True)
    )
    return replace(program, phases=(program.phases[0], replace(body, deps=deps), *program.phases[2:]))


def test_a_slot_reused_too_early() -> None:
    """The verifier names the slot; unverified, a DRAM without latency overwrites weights before they are read."""
    planted = case(40, "dram.latency_cycles=0", "dram.bandwidth_bytes_per_cycle=1000")
    damaged = early(planted.program)
    assert any(hazard.kind == "WAR" and "stream." in hazard.where for hazard in find_hazards(damaged))
    numbers = tensors(planted.spec, 3)
    right = bits(planted.interpret(numbers))
    assert bits(planted.execute(numbers)[1]) == right
    assert bits(planted.execute(numbers, program=damaged)[1]) != right


@pytest.mark.parametrize("name", ["split_streamed_wavefront", "split-wavefront-streamed"])
def test_abbreviations(name: str) -> None:
    assert find_schedule(name).name == "split_interleaved_streamed_wavefront"
