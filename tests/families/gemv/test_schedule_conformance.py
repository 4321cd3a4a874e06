"""What every schedule must fulfil, whatever its order; a new one is tested by being in SCHEDULES."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.families.cells.cell import CellOps
from archsim.families.cells.gru import CANDIDATE_H, CANDIDATE_X, RESET, UPDATE, GruOps
from archsim.families.cells.lstm import CANDIDATE, FORGET, INPUT, OUTPUT, LstmOps
from archsim.families.cells.rnn import RnnOps
from archsim.families.cells.tiling import block_major, cut, interleaved, number_groups
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.memories import AccumulatorsConfig
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.gemv.state_banks import StateBanks
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import find_schedule
from archsim.program.ir import PhaseKind, Program
from archsim.program.verifier import find_hazards
from archsim.workload import CellKind, CellSpec, NetworkSpec, load_workload, one_layer
from archsim.workload.network import RECURRENT_KINDS
from tests.float_machines import FLOAT_16X16
from tests.rings import covering, exhaustive, few


def machine(*sets: str) -> GemvConfig:
    return load_arch(FLOAT_16X16, [parse_override(text) for text in sets]).config  # type: ignore[return-value]


MACHINES = {
    "16x16": machine(),
    "2x2": machine("mac_array.rows=2", "mac_array.columns=2"),
    "1x3": machine("mac_array.rows=1", "mac_array.columns=3"),
    "7x5": machine("mac_array.rows=7", "mac_array.columns=5"),
    "one tile of accumulators": machine("accumulators.entries=16"),
    "blocks of 2 steps": machine("mac_array.rows=7", "mac_array.columns=5", "state_buffer.hoist_steps=2"),
    "blocks of 2, one tile": machine("accumulators.entries=16", "state_buffer.hoist_steps=2"),
}
"""The blocks are those of hoisted schedules; where nobody asks for any, W_ih x of all steps is computed at once."""


def lstm(input_size: int, hidden_size: int, steps: int, batch: int) -> NetworkSpec:
    return one_layer(CellKind.LSTM, input_size, hidden_size, steps, batch)


def cell(kind: CellKind, input_size: int, hidden_size: int, **options: int) -> CellSpec:
    return CellSpec(kind, input_size, hidden_size, kind.functions, **options)  # type: ignore[arg-type]


LSTM, GRU, RNN = RECURRENT_KINDS
SPECS = {
    "3-2": lstm(3, 2, 4, 1),
    "1-1": lstm(1, 1, 1, 1),
    "5-17": lstm(5, 17, 3, 1),
    "20-9": lstm(20, 9, 2, 1),
    "gru": load_workload("gru:5,17,t=3").spec,
    "rnn": load_workload("rnn:5,17,t=3").spec,
    "projection": load_workload("lstm:5,17,t=3,proj=16").spec,
    "gru reset before": NetworkSpec(((cell(GRU, 5, 7, linear_before_reset=False),),), 3, 1),
    "peepholes": NetworkSpec(((cell(LSTM, 5, 7, peepholes=True, bias=False),),), 3, 1),
    "lstm gru rnn": NetworkSpec(((cell(LSTM, 5, 7),), (cell(GRU, 7, 3),), (cell(RNN, 3, 4),)), 4, 1),
}


@dataclass(frozen=True)
class Built:
    """What one schedule makes of one network on one machine."""

    schedule: Schedule  # type: ignore[type-arg]
    arch: GemvConfig
    spec: NetworkSpec
    program: Program


CASES = [
    {"schedule": schedule.name, "machine": machine, "spec": spec}
    for schedule in GEMV_SCHEDULES
    for machine in MACHINES
    for spec in SPECS
    if "hoisted" in schedule.name or "blocks" not in machine
]
FAST = covering(CASES, strength=1)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(case, id="-".join(case.values()), marks=() if place in FAST else exhaustive)
        for place, case in enumerate(CASES)
    ],
)
def built(request: pytest.FixtureRequest) -> Built:
    """Each program once for all the tests of it: building takes longer than any of them.

    The layers of a wavefront share the accumulators: each has as many as the machine alone.
    """
    case = request.param
    schedule, spec, arch = find_schedule(case["schedule"]), SPECS[case["spec"]], MACHINES[case["machine"]]
    accumulators = AccumulatorsConfig(entries=arch.accumulators.entries * len(spec.layers))
    arch = arch.model_copy(update={"accumulators": accumulators})
    if "wavefront" in case["schedule"] and len({cell.kind for cell in spec.cells}) > 1:
        arch = arch.model_copy(update={"state_buffer": arch.state_buffer.model_copy(update={"banks": "one"})})
    return Built(schedule, arch, spec, schedule.build(spec, arch))


every_schedule = pytest.mark.parametrize("schedule", GEMV_SCHEDULES, ids=lambda s: s.name)


def test_each_step_multiplies_every_weight_once(built: Built) -> None:
    """Or, hoisted, W_ih and the biases once a block: of 2 steps each in ceil(T / 2) of them, else in one."""
    schedule, spec, program = built.schedule, built.spec, built.program
    blocks = -(-spec.steps // (built.arch.state_buffer.hoist_steps or spec.steps))
    assert program.macs == spec.macs
    times: dict[str, Counter[int]] = {}
    for body in program.of_kind(PhaseKind.BODY):
        for op in body.ops:
            for region in op.reads:
                if region.buffer.memory == "weight_sram":
                    rows = dict.fromkeys(range(region.start, region.stop), op.instances(body.repeat))
                    times.setdefault(region.buffer.name, Counter()).update(rows)
    resident = {b.name: b for b in program.buffers if b.memory == "weight_sram"}
    assert times.keys() == resident.keys()
    for name, found in times.items():
        ahead = "hoisted" in schedule.name and name.endswith(("W_ih", "bias"))
        assert found == dict.fromkeys(range(resident[name].entries), blocks if ahead else spec.steps)
    sizes = dict.fromkeys(("W_ih", "W_hh", "W_hr", "bias", "peephole"), 0)
    for name, b in resident.items():
        sizes[name.split(".")[-1]] += b.entries * b.width
    apart = {c: c.kind is GRU and c.linear_before_reset for c in spec.cells}  # with b_in and b_hn
    assert sizes == {
        "W_ih": sum(c.kind.gates * c.hidden_size * c.input_size for c in spec.cells),
        "W_hh": sum(c.kind.gates * c.hidden_size * c.output_size for c in spec.cells),
        "W_hr": sum(c.proj_size * c.hidden_size for c in spec.cells),
        "bias": sum((c.kind.gates + apart[c]) * c.hidden_size for c in spec.cells if c.bias),
        "peephole": sum(3 * c.hidden_size for c in spec.cells if c.peepholes),
    }


def test_no_tile_is_larger_than_the_array(built: Built) -> None:
    bodies = built.program.of_kind(PhaseKind.BODY)
    tiles = [op for body in bodies for op in body.ops if isinstance(op, MacTile | BlockTile)]
    assert tiles
    assert max(tile.rows for tile in tiles) <= built.arch.mac_array.rows


def bank_readers(arch: GemvConfig, program: Program) -> Iterator[tuple[str, set[str]]]:
    """For each phase and bank of the state buffer the units that read it; gates each for themselves."""
    units = build_units(arch)
    for phase in program.phases:
        readers: dict[str, set[str]] = {}
        for op in phase.ops:
            for stream in units[op.unit].read_streams(op):
                if stream.memory == "state_buffer" and len(stream.bank) > 1:
                    readers.setdefault(stream.bank[1], set()).add(op.unit)
        yield from readers.items()


def test_no_bank_is_read_by_more_units_than_it_has_copies(built: Built) -> None:
    """Whatever overlaps in a phase: each unit that reads a kind of data has a copy of its own, which the area has."""
    allowed = StateBanks(built.arch.activation.units, built.arch.elementwise.units).readers
    for bank, names in bank_readers(built.arch, built.program):
        assert len(names) <= allowed[bank]


@pytest.mark.parametrize(
    "workload", ["lstm:5,17,t=4,b=2", "gru:5,17,t=4,b=2", "rnn:5,17,t=4,b=2,layers=2", "lstm:5,17,t=4,b=2,proj=8"]
)
def test_nor_where_there_are_several_units_and_sequences_that_end(workload: str) -> None:
    """Of 3 activation and 2 element-wise units; a sequence of 2 steps keeps its old h and c. A gate has one reader."""
    arch = machine("activation.units=3", "elementwise.units=2", "mac_array.rows=8")
    spec = replace(load_workload(workload).spec, lengths=(4, 2))
    allowed, found = StateBanks(3, 2).readers, dict[str, set[str]]()
    for bank, names in bank_readers(arch, find_schedule("fused").build(spec, arch)):
        assert len(names) <= (2 if bank == "gates" else allowed[bank])  # i, f, g by one unit, o by the other
        found.setdefault(bank, set()).update(names)
    assert {"mac_array", "dram"} <= found["h"]


def test_layers_that_write_h_by_different_units_are_no_wavefront_behind_one_write_port() -> None:
    """An RNN's h comes from the activation unit, an LSTM's from the element-wise one: two writers, one port."""
    schedule, spec = find_schedule("fused_wavefront"), NetworkSpec(((cell(LSTM, 5, 7),), (cell(RNN, 7, 4),)), 4, 1)
    arch = machine("accumulators.entries=192")
    with pytest.raises(ScheduleError, match=r"activation and elementwise would write h at a time .* one write port"):
        schedule.build(spec, arch)
    schedule.build(spec, machine("accumulators.entries=192", "state_buffer.banks=one"))
    find_schedule("fused").build(spec, arch)


def test_no_hazard(built: Built) -> None:
    assert find_hazards(built.program) == ()


@pytest.mark.parametrize("schedule", few(GEMV_SCHEDULES, 5))
def test_the_body_does_not_depend_on_the_length(schedule: Schedule) -> None:  # type: ignore[type-arg]
    """In blocks of 3 steps lengths that leave as many over."""

    def body(steps: int) -> object:
        phase = schedule.build(lstm(5, 17, steps, 1), machine("state_buffer.hoist_steps=3")).of_kind(PhaseKind.BODY)[-1]
        return [(op.label, op.unit, op.skip_first, op.skip_last) for op in phase.ops], phase.deps

    if "hoisted" in schedule.name:
        assert body(10) == body(13) == body(100_000) != body(11)
    else:
        assert body(4) == body(5) == body(100_000)


@every_schedule
def test_tiles_overlap_the_gemv_of_the_next(schedule: Schedule) -> None:  # type: ignore[type-arg]
    """Between a tile and the activation that needs it, at least one op of another tile's GEMV can run: the next
    MAC op depends on no op that follows the first tile (unless accumulators or h force it)."""
    arch = machine()
    body = schedule.build(lstm(20, 64, 4, 1), arch).of_kind(PhaseKind.BODY)[-1]
    macs = [index for index, op in enumerate(body.ops) if isinstance(op, MacTile)]
    waits = [dep for dep in body.deps[macs[1]] if dep.lag == 0 and not isinstance(body.ops[dep.op], MacTile)]
    assert waits == []


@pytest.mark.parametrize(("rows", "units"), [(4, 1), (7, 1), (8, 2), (64, 16), (100, 25)])
def test_interleaved_groups_hold_four_gates_of_r_over_4_units(rows: int, units: int) -> None:
    """i, f, o, g side by side, so that one op activates the three sigmoid gates."""
    first = number_groups(interleaved(LstmOps.blocks, hidden_size=200, array_rows=rows))[0]
    assert [(s.block, s.first_unit, s.units, s.row) for s in first.segments] == [
        (block, 0, units, place * units) for place, block in enumerate((INPUT, FORGET, OUTPUT, CANDIDATE))
    ]
    assert first.input_rows == first.hidden_rows == (0, 4 * units)


@pytest.mark.parametrize(
    ("rows", "tiles"),
    [(1, [(0, 1), (1, 2), (2, 3), (3, 4)]), (2, [(0, 2), (2, 4)]), (3, [(0, 3), (3, 4)]), (4, [(0, 4)]), (9, [(0, 4)])],
)
def test_a_group_is_cut_into_tiles_of_at_most_r_rows(rows: int, tiles: list[tuple[int, int]]) -> None:
    assert cut(0, 4, rows) == tiles


def test_gate_major_goes_through_whole_gates() -> None:
    groups = number_groups(block_major(LstmOps.gate_sets, hidden_size=5, array_rows=2))
    assert [(g.segments[0].block, g.segments[0].first_unit, g.rows) for g in groups] == [
        (block, first, rows) for block in (INPUT, FORGET, CANDIDATE, OUTPUT) for first, rows in ((0, 2), (2, 2), (4, 1))
    ]
    # In torch's order, so that the packed weights and biases lie as in the file.
    assert [g.bias_start for g in groups] == [0, 2, 4, 5, 7, 9, 10, 12, 14, 15, 17, 19]
    assert all(g.w_ih_start == g.w_hh_start == g.bias_start for g in groups)


def test_a_gru_keeps_the_candidates_parts_apart() -> None:
    """n_x, r, z, n_h: x goes with the first three, h with the last three; packed weights have three rows a unit."""
    first, second = number_groups(interleaved(GruOps.blocks, hidden_size=3, array_rows=8))
    assert [segment.block for segment in first.segments] == [CANDIDATE_X, RESET, UPDATE, CANDIDATE_H]
    assert (first.rows, first.input_rows, first.hidden_rows) == (8, (0, 6), (2, 8))
    assert (second.w_ih_start, second.w_hh_start, second.bias_start) == (6, 6, 8)
    assert (second.rows, second.input_rows, second.hidden_rows) == (4, (0, 3), (1, 4))


@pytest.mark.parametrize("kind", [LstmOps, GruOps, RnnOps])
def test_both_orders_hold_every_unit_of_every_block_once(kind: type[CellOps]) -> None:
    assert sorted(kind.blocks, key=str) == sorted((b for blocks in kind.gate_sets for b in blocks), key=str)
    for layouts in (interleaved(kind.blocks, 5, 8), block_major(kind.gate_sets, 5, 8)):
        units = [(b, unit) for layout in layouts for b, first, n in layout for unit in range(first, first + n)]
        assert sorted(units, key=str) == sorted(((b, unit) for b in kind.blocks for unit in range(5)), key=str)


def test_names() -> None:
    assert find_schedule("fused").name == "fused_interleaved"
    assert find_schedule("split").name == "split_interleaved"
    assert find_schedule("split-wavefront").name == "split_interleaved_wavefront"
    for name in ("split_gate_major", "split-gate-major", "split/gate_major"):
        assert find_schedule(name).name == "split_gate_major"
    expected = "no such schedule; did you mean 'split'? allowed: fused_interleaved, fused_gate_major, split_"
    with pytest.raises(ScheduleError, match=re.escape(expected)):
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
        find_schedule("fused").build(lstm(20, 9, 3, batch), machine(*sets))
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
    program = find_schedule("fused").build(lstm(20, 9, 3, 1), arch)
    assert isinstance(program, Program)
