"""Cycles of tiles of a delta network, and what its encoder is built of, by hand on ports that bind one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.errors import SimulatorBug
from archsim.families.gemv.deltas.chunks import StepChunks
from archsim.families.gemv.deltas.encoder import ChunkEncoder
from archsim.families.gemv.deltas.ops import DeltaTile, EncodeDeltas
from archsim.families.gemv.deltas.session import ChunkSession, least_service, tile_cycles
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.hardware.operators import REGISTER_BIT, Operator, OperatorKind, integer_adder
from archsim.hardware.unit import Service
from archsim.program.ir import DataKind, Program
from archsim.workload import load_workload
from archsim.workload.activity import LayerActivity, StepColumns
from tests.families.gemv.delta_runs import ROOMY, machine

SETS = ("formats=q4.12", *ROOMY, "mac_array.columns=2")


def program_of(workload: str) -> Program:
    spec = load_workload(workload).spec
    return build_program(find_schedule("split_interleaved", "gemv"), spec, machine(*SETS).config)


def tile_of(matrix: DataKind) -> DeltaTile:
    """The first tile of a matrix of LSTM(3, 2): 2 rows, 3 sequences, chunks of 2 inputs; no activity is known."""
    ops = [op for phase in program_of("lstm:3,2,t=4,b=3,delta=0.5").phases for op in phase.ops]
    tile = next(op for op in ops if isinstance(op, DeltaTile) and op.weights[0].buffer.kind is matrix)
    assert (tile.rows, tile.batch, tile.per_chunk, tile.activity) == (2, 3, 2, None)
    return tile


@pytest.mark.parametrize(
    ("weight_bits", "delta_bits", "whole", "rest"),
    [
        # A whole chunk is 2 rows x 2 weights of 16 bits, 64, and 2 x 3 deltas of 17 bits, 102; the other one half.
        (None, None, 3, 3),  # a cycle a sequence
        (16, None, 4, 3),
        (8, None, 8, 4),
        (None, 34, 3, 3),
        (None, 25, 5, 3),  # 102 / 25, rounded up; 51 / 25 is 3 again
        (None, 24, 5, 3),
        (None, 17, 6, 3),
        (10, 10, 11, 6),
    ],
)
def test_a_chunk_holds_the_array_as_long_as_its_words_come(
    weight_bits: int | None, delta_bits: int | None, whole: int, rest: int
) -> None:
    tile, ports = tile_of(DataKind.W_IH), {"weight_sram": weight_bits, "delta_buffer": delta_bits}
    assert tile_cycles(tile, StepChunks(1, 0), ports) == (3, whole)
    assert tile_cycles(tile, StepChunks(0, 1), ports) == (3, rest)
    assert tile_cycles(tile, StepChunks(2, 1), ports) == (3 * 3, 2 * whole + rest)
    assert tile_cycles(tile, StepChunks(0, 0), ports) == (3, 0), "its sums are passed over"


def columns(*x: tuple[int, ...]) -> LayerActivity:
    return LayerActivity(tuple(StepColumns(found, ()) for found in x))


def test_the_least_of_all_steps() -> None:
    """Columns 1 and 2 are a whole chunk, 3 is half of one. Least cycles of the port and of the array by themselves."""
    tile, ports = tile_of(DataKind.W_IH), {"weight_sram": 8}
    assert least_service(tile, ports) == Service(3, 0, 0)
    assert least_service(replace(tile, activity=columns((1,), (1, 3), (3,))), ports) == Service(3, 4, 0)
    assert least_service(replace(tile, activity=columns((1, 2, 3), (2, 3))), ports) == Service(6, 12, 0)
    assert least_service(replace(tile, activity=columns((1, 2, 3), ())), ports) == Service(3, 0, 0)


def test_a_session_times_each_step_and_counts_its_chunks() -> None:
    """Of 2 chunks a step: one, both, none. Of an op of all columns the cycles are what they always are."""
    arch = machine(*SETS, "weight_sram.port_bits=4")
    unit = build_units(arch.config)["mac_array"]
    session = unit.session(())
    assert isinstance(session, ChunkSession)
    tile = replace(tile_of(DataKind.W_IH), activity=columns((1,), (2, 3), ()))
    known = unit.cycles(tile)
    found = [session.service(tile, step, 0, 0) for step in range(3)]
    assert [service.compute_cycles for service in found] == [3, 6, 3]
    assert {(s.depth_cycles, s.first_cycles, s.write_cycles) for s in found} == {
        (known.depth_cycles, known.first_cycles, known.write_cycles)
    }
    assert session.counts() == {"chunks": 1 + 2 + 0, "skipped_chunks": 1 + 0 + 2}
    with pytest.raises(SimulatorBug, match="it is not known which columns it multiplies"):
        session.service(tile_of(DataKind.W_IH), 0, 0, 0)


def test_the_encoder_is_as_wide_as_the_wider_of_x_and_h() -> None:
    """5 bits of x and 9 of h: a delta has 10. 7 lanes; x is 3 elements of 4 sequences, two cycles."""
    encoder = "delta_encoder={lanes: 7, latency_cycles: 3, capacity_bytes: 4KiB, port_bits: 64}"
    for x, h in (("q2.3", "q4.5"), ("q4.5", "q2.3")):
        sets = (encoder, "formats=q4.12", f"formats.input={x}", f"formats.hidden={h}", *ROOMY)
        arch = machine(*sets)
        unit = build_units(arch.config)["delta_encoder"]
        assert isinstance(unit, ChunkEncoder)
        spec = load_workload("lstm:3,2,t=4,b=4,delta=0.5").spec
        program = build_program(find_schedule("split_interleaved", "gemv"), spec, arch.config)
        of_x, of_h = [op for op in program.phases[1].ops if isinstance(op, EncodeDeltas)]
        assert [unit.compute_cycles(op) for op in (of_x, of_h)] == [2, 2]
        assert [unit.work(op).items for op in (of_x, of_h)] == [12, 8]
        lane = {integer_adder(10): 1, Operator(OperatorKind.COMPARE, 10): 1, REGISTER_BIT: 10 * 3}
        assert unit.inventory() == {operator: 7 * count for operator, count in lane.items()}
        assert unit.tally(of_x) == {operator: 12 * count for operator, count in lane.items()}
        assert unit.values_per_step(of_x, of_x.value) == 7
        assert (of_x.first, of_x.inputs, of_h.first) == (1, 3, 1 + 3)
