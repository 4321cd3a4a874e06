"""A systolic array computes the right networks, and its ops take the cycles that its rules say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.api.verdict import judge
from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.load import Arch, load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.families.systolic.systolic_array import TilePass
from archsim.program.ir import PhaseKind
from archsim.program.verifier import find_hazards
from archsim.trace import Window
from archsim.workload import load_workload
from tests.rings import every_value, examples


def machine(*overrides: str) -> Arch:
    return load_arch("tpu_v1", [parse_override(text) for text in overrides])


SMALL = ("systolic_array.rows=4", "systolic_array.columns=6", "accumulators.vectors=8", "dram.burst_bytes=8")
LAYERS = (
    "lstm:5,7,t=3,b=2",
    "lstm:9,13,t=3,b=1,proj=5",
    "gru:5,7,t=3,b=2",
    "rnn:5,14,t=3",
    "lstm:5,7,t=3,layers=2,bidirectional=1",
)


@every_value
@pytest.mark.parametrize("formats", ["float32", "q4.12", "int16", "tflite_int8"])
@pytest.mark.parametrize("layer", LAYERS)
def test_numbers_are_right(layer: str, formats: str) -> None:
    """Machine, untimed program and reference agree, in every bit on integers."""
    sets = ("formats.weight=int8/row",) if formats == "int16" else (f"formats={formats}",)
    verdict = judge(machine(*SMALL, *sets), load_workload(layer), None)
    assert verdict.passed
    assert verdict.checks


@settings(max_examples=examples(15), deadline=None)
@given(
    st.sampled_from(["lstm", "gru", "rnn"]),
    st.lists(st.integers(1, 9), min_size=4, max_size=4),
    st.integers(1, 3),
    st.integers(1, 5),
    st.sampled_from(["float32", "q4.12", "tflite_int8"]),
)
def test_any_array_and_network(kind: str, sizes: list[int], batch: int, fifo: int, formats: str) -> None:
    rows, columns, inputs, hidden = sizes
    sets = (f"systolic_array.rows={rows}", f"systolic_array.columns={columns}", f"weight_fifo.tiles={fifo}")
    arch = machine(*sets, f"formats={formats}", "accumulators.vectors=12")
    workload = load_workload(f"{kind}:{inputs},{hidden},t=3,b={batch}")
    program = find_schedule(None, "systolic").build(workload.spec, arch.config)
    assert find_hazards(program) == ()
    assert program.macs == workload.spec.macs
    run = simulate(arch, workload)
    assert run.validation.passed
    assert max(run.stats.bounds.values()) * 3 <= run.stats.body_cycles


@pytest.mark.parametrize(
    ("weight", "vector", "cycles"),
    [("int8", "int8", 5), ("int8", "int16", 10), ("int16", "int16", 20), ("int8", "int9", 10)],
)
def test_a_batch_of_b_takes_b_cycles_times_the_parts(weight: str, vector: str, cycles: int) -> None:
    """Multipliers of 8 x 8 bits: 8 x 16 at half the speed, 16 x 16 at a quarter. Depth: 256 rows and 256 columns."""
    arch = machine(f"formats.weight={weight}", f"formats.input={vector}", f"formats.hidden={vector}")
    units = build_units(arch.config)
    program = find_schedule(None, "systolic").build(load_workload("lstm:300,300,t=1,b=5").spec, arch.config)
    body = program.phase(PhaseKind.BODY)
    services = {type(op).__name__: units[op.unit].cycles(op) for op in body.ops}
    assert services["TilePass"].compute_cycles == cycles
    assert services["TilePass"].depth_cycles == 512
    assert services["WeightShift"].compute_cycles == 256
    # 8 gate blocks of ceil(300 / 256) = 2 and 2 + 2 tiles of inputs
    assert sum(isinstance(op, TilePass) for op in body.ops) == 8 * 4


def test_a_tile_is_read_whole_however_little_of_it_is_used() -> None:
    """rnn:1,1 has two matrices of one weight: two tiles of 64 KiB at 48.57 bytes a cycle, 1,350 cycles each."""
    stats = simulate(machine(), load_workload("rnn:1,1,t=2"), timing_only=True).stats
    assert stats.bounds["dram"] == 2 * 1350
    assert stats.traffic_bytes["dram"]["read"] == {"W_ih": 2 * 65536, "W_hh": 2 * 65536}


def test_shift_and_pass_of_a_tile_by_hand() -> None:
    """Tile 0 is there at 1,350 + 70; it is shifted in 256 cycles, and passed by 64 vectors in 128.

    (From the start of the body; the sequencer issues load, shift and pass in cycles 2, 3 and 4, behind the load of x.)
    """
    arch = machine()
    run = simulate(arch, load_workload("lstm:256,256,t=1,b=64"), timing_only=True, window=Window(0, 1))
    body = run.program.phases[1]
    begin = run.trace.phases[1].start
    times = {body.ops[r.op].label: (r.start - begin, r.free - begin) for r in run.trace.records if r.phase == 1}
    loaded = times["load W_ih[0.0]"][0] + 1350 + 70
    assert times["shift W_ih[0.0]"] == (loaded, loaded + 256)
    assert times["mac_x[0.0]"] == (loaded + 256, loaded + 256 + 128)
    assert times["shift W_hh[0.0]"] == (loaded + 1350, loaded + 1350 + 256)


def test_the_fifo_holds_so_many_tiles() -> None:
    """With DRAM a hundred times faster the load of tile n waits until tile n - 4 has been shifted out of the FIFO."""
    fast = machine("dram.bandwidth_bytes_per_cycle=4857.14", "dram.latency_cycles=0")
    run = simulate(fast, load_workload("lstm:512,512,t=1,b=64"), timing_only=True, window=Window(0, 1))
    body = run.program.phases[1]
    found = {kind: [] for kind in ("load W", "shift")}  # type: ignore[var-annotated]
    for r in run.trace.records:
        for kind, times in found.items():
            if r.phase == 1 and body.ops[r.op].label.startswith(kind):
                times.append(r)
    for n in range(4, 20):
        assert found["load W"][n].start == found["shift"][n - 4].free


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(CapacityError, match="accumulators"):
        simulate(machine("accumulators.vectors=100"), load_workload("lstm:5,7,b=64"), timing_only=True)
    with pytest.raises(CapacityError, match="unified_buffer"):
        simulate(machine("unified_buffer.capacity_bytes=1KiB"), load_workload("lstm:50,70,b=64"), timing_only=True)
