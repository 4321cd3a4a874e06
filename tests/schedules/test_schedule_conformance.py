"""What every schedule must fulfil, whatever its order; a new one is tested by being in SCHEDULES."""

import pytest

from archsim.arch import ArchConfig, load_arch
from archsim.components.mac_array import MacTile
from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.program.ir import PhaseKind, Program
from archsim.program.verifier import find_hazards
from archsim.schedules import SCHEDULES, Schedule, find_schedule
from archsim.schedules.tiling import Gate, gate_major, interleaved
from archsim.workload import LstmSpec


def machine(*sets: str) -> ArchConfig:
    return load_arch("edge_16x16", [parse_override(text) for text in sets]).config


MACHINES = {
    "16x16": machine(),
    "2x2": machine("mac_array.rows=2", "mac_array.columns=2"),
    "1x3": machine("mac_array.rows=1", "mac_array.columns=3"),
    "7x5": machine("mac_array.rows=7", "mac_array.columns=5"),
    "one tile of accumulators": machine("accumulators.entries=16"),
}
SPECS = [LstmSpec(3, 2, 4, 1), LstmSpec(1, 1, 1, 1), LstmSpec(5, 17, 3, 1), LstmSpec(20, 9, 2, 1)]

every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
every_machine = pytest.mark.parametrize("arch", MACHINES.values(), ids=MACHINES.keys())
every_spec = pytest.mark.parametrize("spec", SPECS, ids=str)


@every_schedule
@every_machine
@every_spec
def test_each_step_multiplies_every_weight_once(schedule: Schedule, arch: ArchConfig, spec: LstmSpec) -> None:
    program = schedule.build(spec, arch)
    body = program.phase(PhaseKind.BODY)
    assert body.repeat == spec.steps
    assert program.macs == spec.macs
    rows = {"W_ih": [], "W_hh": [], "bias": []}
    for op in body.ops:
        for region in op.reads:
            if region.buffer.name in rows:
                rows[region.buffer.name] += range(region.start, region.stop)
    for name, found in rows.items():
        assert sorted(found) == list(range(4 * spec.hidden_size)), name


@every_schedule
@every_machine
@every_spec
def test_no_tile_is_larger_than_the_array(schedule: Schedule, arch: ArchConfig, spec: LstmSpec) -> None:
    tiles = [op for op in schedule.build(spec, arch).phase(PhaseKind.BODY).ops if isinstance(op, MacTile)]
    assert tiles
    assert max(tile.rows for tile in tiles) <= arch.mac_array.rows


@every_schedule
@every_machine
@every_spec
def test_no_hazard(schedule: Schedule, arch: ArchConfig, spec: LstmSpec) -> None:
    assert find_hazards(schedule.build(spec, arch)) == ()


@every_schedule
def test_the_body_does_not_depend_on_the_length(schedule: Schedule) -> None:
    def body(steps: int) -> object:
        phase = schedule.build(LstmSpec(5, 17, steps, 1), machine()).phase(PhaseKind.BODY)
        return [(op.label, op.unit, op.skip_first, op.skip_last) for op in phase.ops], phase.deps

    assert body(4) == body(5) == body(100_000)


@every_schedule
def test_tiles_overlap_the_gemv_of_the_next(schedule: Schedule) -> None:
    """Between a tile and the activation that needs it, at least one op of another tile's GEMV can run: the next
    MAC op depends on no op that follows the first tile (unless accumulators or h force it)."""
    arch = machine()
    body = schedule.build(LstmSpec(20, 64, 4, 1), arch).phase(PhaseKind.BODY)
    macs = [index for index, op in enumerate(body.ops) if isinstance(op, MacTile)]
    waits = [dep for dep in body.deps[macs[1]] if dep.lag == 0 and not isinstance(body.ops[dep.op], MacTile)]
    assert waits == []


@pytest.mark.parametrize(("rows", "units"), [(4, 1), (7, 1), (8, 2), (64, 16), (100, 25)])
def test_interleaved_tiles_hold_four_gates_of_r_over_4_units(rows: int, units: int) -> None:
    first = interleaved(hidden_size=200, array_rows=rows)[0]
    assert [(s.gate, s.first_unit, s.units, s.row) for s in first.segments] == [
        (gate, 0, units, place * units) for place, gate in enumerate((Gate.I, Gate.F, Gate.O, Gate.G))
    ]
    assert first.tiles == ((0, 4 * units),)


@pytest.mark.parametrize(
    ("rows", "tiles"), [(1, ((0, 1), (1, 2), (2, 3), (3, 4))), (2, ((0, 2), (2, 4))), (3, ((0, 3), (3, 4)))]
)
def test_interleaved_units_span_tiles_when_the_array_is_smaller_than_four_rows(rows: int, tiles: object) -> None:
    groups = interleaved(hidden_size=3, array_rows=rows)
    assert len(groups) == 3
    assert groups[0].tiles == tiles


def test_gate_major_goes_through_whole_gates() -> None:
    groups = gate_major(hidden_size=5, array_rows=2)
    assert [(g.segments[0].gate, g.segments[0].first_unit, g.rows) for g in groups] == [
        (gate, first, rows) for gate in Gate for first, rows in ((0, 2), (2, 2), (4, 1))
    ]


def test_names() -> None:
    assert find_schedule("fused").name == "fused_interleaved"
    assert find_schedule("split").name == "split_interleaved"
    for name in ("split_gate_major", "split-gate-major", "split/gate_major"):
        assert find_schedule(name).name == "split_gate_major"
    with pytest.raises(ScheduleError, match="no such schedule; allowed: fused_interleaved, fused_gate_major, split_"):
        find_schedule("spilt")


@pytest.mark.parametrize(
    ("sets", "batch", "memory", "need", "have"),
    [
        # 4 * 9 rows of 20 + 9 weights and a bias, 4 bytes each
        (["weight_sram.capacity_bytes=4319"], 1, "weight_sram", 4 * 9 * (20 + 9 + 1) * 4, 4319),
        # 3 slots (2 steps ahead) of 20 x 2 inputs
        (["input_buffer.capacity_bytes=479"], 2, "input_buffer", 3 * 20 * 2 * 4, 479),
        # h twice, c once (9 units), gates 16 and tanh(c) 4 entries in 4 slots
        (["state_buffer.capacity_bytes=427"], 1, "state_buffer", (3 * 9 + 4 * (16 + 4)) * 4, 427),
        # one group of 16 rows and batch 9
        ([], 9, "accumulators", 16 * 9, 128),
    ],
)
def test_what_does_not_fit_is_said_with_need_have_gap_and_knobs(
    sets: list[str], batch: int, memory: str, need: int, have: int
) -> None:
    with pytest.raises(CapacityError) as caught:
        find_schedule("fused").build(LstmSpec(20, 9, 3, batch), machine(*sets))
    error = caught.value
    assert (error.memory, error.need, error.have, error.gap) == (memory, need, have, need - have)
    assert error.knobs
    text = str(error)
    assert "\n" not in text
    for part in (memory, f"{need:,}", f"{have:,}", f"{need - have:,} short", *error.knobs):
        assert part in text


def test_exactly_enough_fits() -> None:
    """One byte more than in the test above, in every memory at once."""
    arch = machine(
        "weight_sram.capacity_bytes=4320", "input_buffer.capacity_bytes=240", "state_buffer.capacity_bytes=428"
    )
    program = find_schedule("fused").build(LstmSpec(20, 9, 3, 1), arch)
    assert isinstance(program, Program)
