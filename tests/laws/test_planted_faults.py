"""Faults planted in programs of every kind of cell: the verifier must find those that matter, and only those.

Which of them matter, the oracle (happens_before.py) decides: it unrolls the program and looks at every pair of
accesses. Numbers are a poor witness. At the machine's own latencies many missing dependencies change nothing; a test
below counts how many, and how many change nothing even at latencies chosen against them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import islice
from typing import Any

import pytest

from archsim.engines.events import MachineSpec
from archsim.engines.events.options import Jitter
from archsim.errors import DeadlockError, ScheduleError
from archsim.families.gemv.config import GemvConfig
from archsim.hardware.lane_hold import Hold
from archsim.hardware.unit import Service
from archsim.program.builder import build_phase
from archsim.program.ir import After, Buffer, Dep, Op, PhaseKind, Program, Region, Wait
from archsim.program.verifier import find_hazards, verify
from archsim.workload import CellKind
from tests.laws.happens_before import DONE, FREE, START, Pair, Unrolled, faulty
from tests.rings import exhaustive
from tests.strategies import RESIDENT, STEP_BY_STEP, Case, bits, changed, compare, network, tensors, workload

AT_NOMINAL = "wrong at the machine's latencies"
AT_SOME = "wrong at some latencies"
NEVER = "cannot be shown by numbers"

BASE = GemvConfig.model_validate(
    {
        "summary": "a machine to plant faults in",
        "clock_mhz": 100.0,
        "formats": "float32",
        "dram": {
            "kind": "simple",
            "efficiency": 1.0,
            "bandwidth_bytes_per_cycle": 8.0,
            "latency_cycles": 9,
            "burst_bytes": 8,
        },
        "weight_sram": {"capacity_bytes": 65536, "banks": 4, "port_bits": 64, "read_latency_cycles": 1},
        "input_buffer": {"capacity_bytes": 65536, "port_bits": 256, "prefetch_steps": 1},
        "state_buffer": {"capacity_bytes": 65536, "port_bits": 256},
        "mac_array": {"rows": 4, "columns": 2, "multiplier_latency_cycles": 1, "adder_latency_cycles": 1},
        "accumulators": {"entries": 64},
        "activation": {"lanes": 2, "latency_cycles": 3},
        "elementwise": {"lanes": 2, "cell_latency_cycles": 2, "hidden_latency_cycles": 1},
        "sequencer": {"issue_cycles": 1, "queue_depth": 8},
    }
)

MACHINES = {
    "small": ((3, 3, 4, 2), {}),
    "one_group_of_accumulators": ((2, 4, 4, 1), {"accumulators.entries": 4}),
    "many_tiles": (
        (2, 3, 4, 1),
        {"mac_array.rows": 2, "accumulators.entries": 9, "input_buffer.prefetch_steps": 2},
    ),
    "one_group": ((3, 2, 5, 1), {"mac_array.rows": 9, "input_buffer.prefetch_steps": 3}),
}
"""LSTM(I, H), T and B, and fields that differ from BASE."""

FEW = {"accumulators.entries": 24, "mac_array.rows": 5}
SMALL = {"input_size": 2, "hidden_size": 3, "steps": 4}
RNN = {"kind": CellKind.RNN, "hidden_size": 2}
NETWORKS = {
    "gru": (network(kind=CellKind.GRU, **SMALL, batch=2), {}, "fused_interleaved"),
    "gru_split": (network(kind=CellKind.GRU, **SMALL), FEW, "split_gate_major"),
    "gru_reset_before": (network(kind=CellKind.GRU, linear_before_reset=False, **SMALL), FEW, "split_interleaved"),
    "gru_reset_before_gate_major": (
        network(kind=CellKind.GRU, linear_before_reset=False, **SMALL),
        {"mac_array.rows": 2},
        "fused_gate_major",
    ),
    "rnn": (network(kind=CellKind.RNN, input_size=2, hidden_size=7, steps=4), {}, "split_interleaved"),
    "rnn_one_group": (network(kind=CellKind.RNN, **SMALL), {}, "fused_interleaved"),
    "projection_and_peepholes": (
        network(kind=CellKind.LSTM, **SMALL, proj_size=2, peepholes=True),
        {"mac_array.rows": 1, "accumulators.entries": 8},
        "fused_interleaved",
    ),
    "lengths": (network(kind=CellKind.LSTM, **SMALL, batch=2, sequence_lens=(3, 4)), {}, "split_interleaved"),
    "bidirectional": (network(kind=CellKind.LSTM, **SMALL, bidirectional=True), {}, "fused_interleaved"),
    "bidirectional_gru": (network(kind=CellKind.GRU, **SMALL, bidirectional=True), FEW, "split_interleaved"),
    "second_layer": (network(kind=CellKind.LSTM, **SMALL, next_layers=(RNN,)), {}, "fused_interleaved"),
    "wavefront": (network(kind=CellKind.LSTM, **SMALL, num_layers=2), {}, "fused_interleaved_wavefront"),
    "wavefront_of_three": (
        network(kind=CellKind.GRU, **SMALL, next_layers=(RNN, RNN)),
        {"accumulators.entries": 30},
        "split_interleaved_wavefront",
    ),
    "hoisted": (
        network(kind=CellKind.LSTM, input_size=2, hidden_size=3, steps=7),
        {"state_buffer.hoist_steps": 2},
        "hoisted_interleaved",
    ),
    "hoisted_gru": (
        network(kind=CellKind.GRU, input_size=2, hidden_size=3, steps=7, batch=2),
        FEW | {"state_buffer.hoist_steps": 3},
        "hoisted_gate_major",
    ),
    "streamed": (
        network(kind=CellKind.LSTM, input_size=2, hidden_size=4, steps=4),
        {"weight_sram.capacity_bytes": 350},
        "fused_interleaved_streamed",
    ),
    "streamed_in_parts": (
        network(kind=CellKind.LSTM, **SMALL),
        {"weight_sram.capacity_bytes": 120, "weight_sram.stream_slots": 3},
        "split_gate_major_streamed",
    ),
    "streamed_wavefront": (
        network(kind=CellKind.RNN, input_size=2, hidden_size=6, steps=4, num_layers=2),
        {"weight_sram.capacity_bytes": 350},
        "split_interleaved_streamed_wavefront",
    ),
}
"""Workload, fields that differ from BASE, schedule. Faults are planted in the last body, that of the last layer."""

RNNS = ("rnn", "rnn_one_group", "second_layer", "streamed_wavefront")
"""Those whose last body needs no element-wise unit."""

ALONE = tuple(name for name in RESIDENT if name in STEP_BY_STEP and not name.endswith("wavefront"))
"""Schedules that differ from each other for a single layer and weights that fit, and whose body is a time step."""

LSTMS = tuple(f"{machine}-{schedule}" for machine in MACHINES for schedule in ALONE)

FAST = (
    "one_group_of_accumulators-split_gate_major",
    *("gru_reset_before", "rnn", "second_layer", "streamed"),
)
"""Programs that have faults planted in the fast ring too: every kind of cell; step by step and streamed."""


def each_of(names: Iterable[str]) -> pytest.MarkDecorator:
    """A test of programs of these names."""
    marked = [pytest.param(name, marks=() if name in FAST else exhaustive) for name in names]
    return pytest.mark.parametrize("name", marked)


each = each_of((*LSTMS, *NETWORKS))


@cache
def make_case(name: str) -> Case:
    """The case of that name; its program is built once for all tests."""
    if name in NETWORKS:
        load, changes, schedule = NETWORKS[name]
        return Case(changed(BASE, changes), load, schedule)
    machine, schedule = name.split("-")
    sizes, changes = MACHINES[machine]
    return Case(changed(BASE, changes), workload(*sizes), schedule)


def body_of(program: Program) -> int:
    """The number of the body that faults are planted in: the last."""
    return len(program.phases) - 2


def with_body(
    program: Program, *, ops: tuple[Op, ...] | None = None, deps: tuple[tuple[Dep, ...], ...] | None = None
) -> Program:
    """The program with other ops, or other dependencies, in its body."""
    number = body_of(program)
    body = program.phases[number]
    assert body.kind is PhaseKind.BODY
    body = replace(body, ops=ops or body.ops, deps=body.deps if deps is None else deps)
    buffers = {b.name: b for b in program.buffers}
    buffers |= {r.buffer.name: r.buffer for op in body.ops for r in op.reads + op.writes}
    phases = tuple(body if n == number else phase for n, phase in enumerate(program.phases))
    return Program(program.schedule, tuple(buffers.values()), phases)


def without(deps: tuple[tuple[Dep, ...], ...], op: int, place: int) -> tuple[tuple[Dep, ...], ...]:
    """All dependencies but one."""
    kept = deps[op][:place] + deps[op][place + 1 :]
    return (*deps[:op], kept, *deps[op + 1 :])


def deletions(program: Program) -> Iterator[tuple[str, Program]]:
    """The program without each of its body's dependencies in turn, and which it was."""
    body = program.phases[body_of(program)]
    for index, deps in enumerate(body.deps):
        for place, dep in enumerate(deps):
            name = f"{body.ops[index].label} after {dep.after.value} of {body.ops[dep.op].label}, lag {dep.lag}"
            yield name, with_body(program, deps=without(body.deps, index, place))


def flagged(program: Program) -> bool:
    return bool(find_hazards(program))


def against(unrolled: Unrolled, body: int, pair: Pair, cycles: int) -> Jitter | None:
    """Latencies that turn two accesses round which nothing orders; None if no latencies can.

    RAW and WAW: the earlier op's result comes late. WAR: everything comes late that the earlier op's start waits for
    and the later op's completion does not. (A reader samples its operands when it starts, although it may do so until
    its unit is free; where only its start comes before the write in every case, its numbers are right by luck.)
    """
    more: dict[tuple[int, int], tuple[int, int]] = {}
    if pair.kind == "WAR":
        for number, instance in enumerate(unrolled.instances):
            for kind, extra in ((FREE, (cycles, 0)), (DONE, (0, cycles))):
                needed = unrolled.precedes(number, kind, pair.first, START)
                if needed and not unrolled.precedes(number, kind, pair.second, DONE) and instance not in more:
                    more[instance] = extra
        if not more:
            return None
    else:
        more[unrolled.instances[pair.first]] = (0, cycles)

    def jitter(phase: int, repetition: int, op: int, service: Service) -> Service:
        occupancy, depth = more.get((repetition, op), (0, 0)) if phase == body else (0, 0)
        return Service(service.compute_cycles + occupancy, service.port_cycles, service.depth_cycles + depth)

    return jitter


@dataclass
class Setting:
    """A case with its right results and ways to run a damaged program."""

    case: Case

    def __post_init__(self) -> None:
        self.numbers = tensors(self.case.spec, 11)
        self.right = bits(self.case.interpret(self.numbers))

    def wrong(self, program: Program, jitter: Jitter | None = None, spec: MachineSpec | None = None) -> bool:
        """Whether the machine (which does not verify) computes something else."""
        _, computed = self.case.execute(self.numbers, program=program, jitter=jitter, machine_spec=spec)
        return bits(computed) != self.right

    def wrong_on_some_machine(self, program: Program) -> tuple[bool, bool]:
        """Whether latencies were found that make the numbers wrong; and whether the order rules allow any."""
        deep = replace(self.case.machine_spec(program), issue_cycles=0, queue_depth=100_000)
        number = body_of(program)
        unrolled = Unrolled(program.phases[number])
        possible = False
        for pair in islice(_spread(unrolled), 12):
            for cycles in (100_000, 1_000, 100, 30, 10, 3):
                jitter = against(unrolled, number, pair, cycles)
                if jitter is None:
                    break
                possible = True
                if self.wrong(program, jitter, deep):
                    return True, True
        return False, possible


def _spread(unrolled: Unrolled) -> Iterator[Pair]:
    """The hazards, first one of each kind and pair of ops, then the others."""
    seen = set()
    later = []
    for pair in unrolled.hazards:
        key = (pair.kind, unrolled.instances[pair.first][1], unrolled.instances[pair.second][1])
        if key in seen:
            later.append(pair)
        else:
            seen.add(key)
            yield pair
    yield from later


@cache
def counts_of(name: str) -> Counter[str]:
    setting = Setting(make_case(name))
    program = setting.case.program
    assert not flagged(program)
    assert not faulty(program)
    found: Counter[str] = Counter()
    for deleted, damaged in deletions(program):
        found["deleted"] += 1
        matters = faulty(damaged)
        assert flagged(damaged) == matters, f"{deleted}: the verifier and the oracle disagree"
        if not matters:
            found["redundant"] += 1
            assert not setting.wrong(damaged)
            continue
        found["flagged"] += 1
        found[AT_NOMINAL] += setting.wrong(damaged)
        shown, possible = setting.wrong_on_some_machine(damaged)
        found[AT_SOME] += shown
        found[NEVER] += not possible
        assert shown == possible, f"{deleted}: flagged, but the numbers stay right"
    return found


@each
def test_each_dependency_deleted(name: str) -> None:
    """The verifier flags a deletion exactly if the oracle finds two accesses that nothing orders any more.

    Each deletion that it flags is shown to make the numbers wrong at some latencies, unless the order rules leave no
    room for it (see `against`); each that it does not flag leaves them right.
    """
    found = counts_of(name)
    assert found["deleted"] == found["flagged"] + found["redundant"]
    assert found["flagged"] == found[AT_SOME] + found[NEVER]
    assert found["flagged"]


def test_the_verifier_sees_more_than_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason for a static check: numbers at the machine's own latencies let many deletions pass."""
    total: Counter[str] = Counter()
    for name in ("one_group-fused_gate_major", "rnn", "streamed"):
        total += counts_of(name)
    with capsys.disabled():
        print(
            f"\ndependencies deleted: {total['deleted']}; flagged {total['flagged']} of {total['deleted']}, the other "
            f"{total['redundant']} proven redundant by the oracle; of the flagged, numbers notice "
            f"{total[AT_NOMINAL]} at the machine's latencies, {total[AT_SOME]} at latencies chosen against them, and "
            f"{total[NEVER]} at none that the order rules allow"
        )
    assert total[AT_NOMINAL] < total[AT_SOME] <= total["flagged"] < total["deleted"]


@each
def test_several_dependencies_deleted(name: str) -> None:
    """What is redundant alone may not be together: all dependencies of 3, and of 9, neighbouring ops."""
    program = make_case(name).program
    deps = program.phases[body_of(program)].deps
    verdicts: Counter[bool] = Counter()
    for count in (3, 9):
        for index in range(0, len(deps), count):
            gone = with_body(program, deps=tuple(() if index <= n < index + count else d for n, d in enumerate(deps)))
            verdicts[flagged(gone)] += 1
            assert flagged(gone) == faulty(gone)
    assert verdicts[True]


@each_of((*(name for name in LSTMS if name.startswith(("small", "many_tiles"))), *NETWORKS))
def test_a_weaker_event(name: str) -> None:
    """FREE instead of DONE, or a lag of one more: wrong unless the oracle says that nothing needed it."""
    program = make_case(name).program
    body = program.phases[body_of(program)]
    verdicts: Counter[bool] = Counter()
    for index, deps in enumerate(body.deps):
        for place, dep in enumerate(deps):
            for weaker in (replace(dep, after=After.FREE), replace(dep, lag=dep.lag + 1)):
                changed_deps = (*deps[:place], weaker, *deps[place + 1 :])
                damaged = with_body(program, deps=(*body.deps[:index], changed_deps, *body.deps[index + 1 :]))
                verdicts[flagged(damaged)] += 1
                assert flagged(damaged) == faulty(damaged), (body.ops[index].label, weaker)
    assert verdicts[True]


@each
def test_swapped_ops(name: str) -> None:
    """Neighbours that change places while the dependencies stay where they are."""
    program = make_case(name).program
    body = program.phases[body_of(program)]
    verdicts: Counter[bool] = Counter()
    for index in range(len(body.ops) - 1):
        ops = (*body.ops[:index], body.ops[index + 1], body.ops[index], *body.ops[index + 2 :])
        damaged = with_body(program, ops=ops)
        verdicts[flagged(damaged)] += 1
        assert flagged(damaged) == faulty(damaged)
    assert verdicts[True]


Move = Callable[[Region], Region]


def moved(op: Op, move: Move, only: tuple[str, ...] | None = None) -> Op:
    """The op with each of its regions replaced, or those in the fields `only`."""
    changes: dict[str, Any] = {}
    for field in fields(op):
        value = getattr(op, field.name)
        if only is not None and field.name not in only:
            continue
        if isinstance(value, Region):
            changes[field.name] = move(value)
        elif isinstance(value, Hold):
            changes[field.name] = Hold(move(value.valid), move(value.old))
        elif isinstance(value, tuple):
            changes[field.name] = tuple(move(part) if isinstance(part, Region) else part for part in value)
    return replace(op, **changes)


def rebuilt(program: Program, ops: tuple[Op, ...]) -> Program:
    """The dependencies derived anew for other ops: what a schedule's author would get."""
    body = program.phases[body_of(program)]
    return with_body(program, ops=ops, deps=build_phase(body.name, body.kind, ops, body.repeat).deps)


def plain(name: str) -> str:
    """The name of a buffer or an op without the prefix of its cell."""
    return re.sub(r"^l\d+r?\.", "", name)


def _offset(name: str, by: int) -> Move:
    return lambda region: replace(region, offset=region.offset + by) if plain(region.buffer.name) == name else region


def _with_slots(old: Buffer, slots: int) -> Move:
    new = replace(old, slots=slots)
    return lambda region: replace(region, buffer=new) if region.buffer is old else region


WRONG_SLOTS = {
    "h is written where it is being read": (("activation", "elementwise"), ("target",), "h"),
    "the MAC array reads the h that is being written": (("mac_array",), ("vectors",), "h"),
    "the output is stored from the old h": (("dram",), ("sources",), "h"),
    "x is loaded over the step in use": (("dram",), ("target",), "x"),
    "the MAC array reads the x that comes next": (("mac_array",), ("vectors",), "x"),
}
"""Units, fields of their ops, and the buffer in which those regions stand one slot too far."""


@pytest.mark.parametrize("fault", WRONG_SLOTS)
@each
def test_wrong_slot(name: str, fault: str) -> None:
    """Flagged with the dependencies as they were; derived anew, they fit the fault, and the numbers notice."""
    units, only, buffer = WRONG_SLOTS[fault]
    setting = Setting(make_case(name))
    program = setting.case.program
    body = program.phases[body_of(program)].ops
    ops = tuple(moved(op, _offset(buffer, 1), only) if op.unit in units else op for op in body)
    assert ops != body
    damaged = with_body(program, ops=ops)
    assert flagged(damaged) == faulty(damaged)
    # DRAM stores h behind the loads of streamed weights, which wait until the array has read the slot's old tile.
    ordered_anyway = fault.startswith("the output is stored") and name.startswith("streamed")
    assert flagged(damaged) or ordered_anyway
    anew = rebuilt(program, ops)
    assert flagged(anew) == faulty(anew)
    computed = setting.case.interpret(setting.numbers, anew)
    assert bits(computed) != setting.right
    assert not compare(computed, setting.numbers, setting.case.spec).passed


@pytest.mark.parametrize("buffer", ["sums", "x", "h", "gates", "tanh_c", "candidate"])
@each
def test_too_few_slots(name: str, buffer: str) -> None:
    """Fewer slots, while everything rotates as before."""
    program = make_case(name).program
    body = program.phases[body_of(program)].ops
    for old in program.buffers:
        if plain(old.name) != buffer:
            continue
        for slots in range(1, old.slots):  # type: ignore[arg-type]
            ops = tuple(moved(op, _with_slots(old, slots)) for op in body)
            if ops == body:  # another layer's
                continue
            damaged = with_body(program, ops=ops)
            assert flagged(damaged) == faulty(damaged)
            # With one group the next step's tile waits for this step's h, and so for the reader of the sums, anyway.
            several = "one_group-" not in name and name in LSTMS
            # Streamed: DRAM orders "store h" before the loads that later tiles wait for, and so h.
            if (
                slots == 1
                and not name.startswith("streamed")
                and (buffer in ("x", "h") or (buffer == "sums" and several))
            ):
                assert flagged(damaged)


@each_of((*LSTMS, *(name for name in NETWORKS if name not in RNNS)))
def test_a_dependency_that_points_forward(name: str) -> None:
    """A structure hazard; unverified, the machine stops and says who waits for what."""
    case = make_case(name)
    program = case.program
    body = program.phases[body_of(program)]
    there = [(n, op.unit) for n, op in enumerate(body.ops) if op.active(0, body.repeat)]
    waiting = next(n for n, unit in there if unit == "mac_array")
    awaited = next(n for n, unit in there if unit == "elementwise")
    for target in (awaited, waiting):
        forward = Dep(target, 0, After.DONE, Wait.OPERAND)
        deps = tuple((*d, forward) if n == waiting else d for n, d in enumerate(body.deps))
        damaged = with_body(program, deps=deps)
        assert [hazard.kind for hazard in find_hazards(damaged)] == ["structure"]
        with pytest.raises(ScheduleError, match="a deadlock"):
            verify(damaged)
        with pytest.raises(DeadlockError, match="waits for"):
            case.execute(program=damaged)
        deep = replace(case.machine_spec(damaged), queue_depth=100_000)
        with pytest.raises(DeadlockError) as caught:
            case.execute(program=damaged, machine_spec=deep)
        text = str(caught.value)
        assert f"mac_array: '{body.ops[waiting].label}' of repetition 0 waits for" in text
        assert f"'{body.ops[target].label}' of repetition 0 (done)" in text
        blocked = _blocked_heads(damaged, waiting)
        for unit, label in blocked.items():
            assert f"{unit}: '{label}' of repetition 0 waits for" in text


def _blocked_heads(program: Program, first: int) -> dict[str, str]:
    """The op at which each unit stands if op `first` of repetition 0 never starts, by the order rules."""
    body = program.phases[body_of(program)]
    stuck: set[int] = set()
    heads: dict[str, str] = {}
    for index, op in enumerate(body.ops):
        if not op.active(0, body.repeat):
            continue
        if op.unit in heads:
            stuck.add(index)
        elif index == first or any(dep.lag == 0 and dep.op in stuck for dep in body.deps[index]):
            heads[op.unit] = op.label
            stuck.add(index)
    return heads


@pytest.mark.parametrize("bad", [Dep(99, 0, After.DONE, Wait.OPERAND), Dep(0, -1, After.DONE, Wait.OPERAND)], ids=repr)
def test_a_dependency_that_points_nowhere(bad: Dep) -> None:
    program = make_case("small-fused_interleaved").program
    deps = program.phases[body_of(program)].deps
    damaged = with_body(program, deps=(*deps[:-1], (*deps[-1], bad)))
    assert [hazard.kind for hazard in find_hazards(damaged)] == ["structure"]


@each
def test_a_region_outside_its_buffer(name: str) -> None:
    program = make_case(name).program
    ops = program.phases[body_of(program)].ops
    for index, op in enumerate(ops):
        for wrong in (
            lambda region: replace(region, stop=region.buffer.entries + 1),
            lambda region: replace(region, start=-1),
            lambda region: replace(region, start=region.stop),
        ):
            damaged = with_body(program, ops=(*ops[:index], moved(op, wrong), *ops[index + 1 :]))
            hazards = find_hazards(damaged)
            assert hazards
            assert hazards[-1].first == op.label
            assert all(h.kind == "structure" and op.label in h.first + h.second for h in hazards)


@each
def test_reading_before_writing(name: str) -> None:
    """Without a load, or without the op that makes an operand, its reader reads what nothing has written."""
    setting = Setting(make_case(name))
    program = setting.case.program
    prologue = program.phases[0]
    assert prologue.kind is PhaseKind.PROLOGUE
    for index in range(len(prologue.ops)):
        ops = prologue.ops[:index] + prologue.ops[index + 1 :]
        damaged = replace(program, phases=(build_phase("prologue", PhaseKind.PROLOGUE, ops), *program.phases[1:]))
        assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged)), prologue.ops[index].label
    body = program.phases[body_of(program)]
    for op in body.ops:
        if plain(op.label).startswith(("sigm", "tanh", "hidden", "reset", "project")):
            damaged = rebuilt(program, tuple(other for other in body.ops if other is not op))
            assert flagged(damaged) == faulty(damaged)
            if op.label.endswith("[0]"):  # the slots of later groups may hold what an earlier group left there
                assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged)), op.label
            assert bits(setting.case.interpret(setting.numbers, damaged)) != setting.right


@pytest.mark.parametrize(("buffer", "by"), [("dram.output", -1), ("dram.output", 1), ("dram.x", 1)])
@pytest.mark.parametrize("name", ["small-fused_interleaved", "bidirectional", "wavefront", "lengths"])
def test_a_time_step_outside_the_sequence(name: str, buffer: str, by: int) -> None:
    """Step -1 and step T are as much outside their buffer as an entry too many."""
    program = make_case(name).program
    ops = program.phases[body_of(program)].ops
    damaged = rebuilt(program, tuple(moved(op, _offset(buffer, by)) for op in ops))
    hazards = find_hazards(damaged)
    assert hazards
    assert {hazard.kind for hazard in hazards} == {"structure"}
    assert all(f"outside the buffer's {make_case(name).spec.steps}" in hazard.where for hazard in hazards)


def test_updating_before_writing() -> None:
    """An update takes its region's old contents: without the tile that starts the sum there are none."""
    program = make_case("small-split_interleaved").program
    ops = program.phases[body_of(program)].ops
    index = next(n for n, op in enumerate(ops) if op.label.startswith("mac_x"))
    damaged = rebuilt(program, ops[:index] + ops[index + 1 :])
    assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged))


def test_a_hazard_names_both_ops() -> None:
    program = make_case("small-fused_interleaved").program
    found = {}
    for name, damaged in deletions(program):
        if flagged(damaged):
            with pytest.raises(ScheduleError) as caught:
                verify(damaged)
            found[name] = str(caught.value)
    text = found["hidden[0] after done of tanh_c[0], lag 0"]
    assert "RAW hazard in phase body: 'tanh_c[0]' and 'hidden[0]'" in text
    assert "state_buffer.tanh_c[0:1]" in text
