"""Faults planted in LSTM programs: the verifier must find those that matter, and only those.

Which of them matter, the oracle (happens_before.py) decides: it unrolls the program and looks at every pair of
accesses. Numbers are a poor witness. At the machine's own latencies many missing dependencies change nothing; a test
below counts how many, and how many change nothing even at latencies chosen against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import islice

import pytest
from happens_before import DONE, FREE, START, Pair, Unrolled, faulty
from strategies import SCHEDULE_NAMES, Case, bits, changed, tensors, workload

from archsim.api.validation import compare
from archsim.arch import ArchConfig
from archsim.components.base import Service
from archsim.errors import DeadlockError, ScheduleError
from archsim.machine import MachineSpec
from archsim.machine.options import Jitter
from archsim.program.builder import build_phase
from archsim.program.ir import After, Dep, Op, PhaseKind, Program, Region, Wait
from archsim.program.verifier import find_hazards, verify

BODY = 1
"""Number of the body among the phases."""

AT_NOMINAL = "wrong at the machine's latencies"
AT_SOME = "wrong at some latencies"
NEVER = "cannot be shown by numbers"

BASE = ArchConfig.model_validate(
    {
        "summary": "a machine to plant faults in",
        "clock_mhz": 100.0,
        "formats": "float32",
        "dram": {"bandwidth_bytes_per_cycle": 8.0, "latency_cycles": 9, "burst_bytes": 8},
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
"""Sizes (I, H, T, B) and fields that differ from BASE."""

parametrize = pytest.mark.parametrize(
    ("machine", "schedule"), [(machine, schedule) for machine in MACHINES for schedule in SCHEDULE_NAMES]
)


def make_case(machine: str, schedule: str) -> Case:
    sizes, changes = MACHINES[machine]
    return Case(changed(BASE, changes), workload(*sizes), schedule)


def with_body(program: Program, *, ops: tuple[Op, ...] | None = None, deps: tuple | None = None) -> Program:
    """The program with other ops, or other dependencies, in its body."""
    body = program.phases[BODY]
    body = replace(body, ops=ops or body.ops, deps=body.deps if deps is None else deps)
    buffers = {b.name: b for b in program.buffers}
    buffers |= {r.buffer.name: r.buffer for op in body.ops for r in op.reads + op.writes}
    phases = tuple(body if n == BODY else phase for n, phase in enumerate(program.phases))
    return Program(program.schedule, tuple(buffers.values()), phases)


def without(deps: tuple[tuple[Dep, ...], ...], op: int, place: int) -> tuple[tuple[Dep, ...], ...]:
    """All dependencies but one."""
    kept = deps[op][:place] + deps[op][place + 1 :]
    return (*deps[:op], kept, *deps[op + 1 :])


def deletions(program: Program) -> Iterator[tuple[str, Program]]:
    """The program without each of its body's dependencies in turn, and which it was."""
    body = program.phases[BODY]
    for index, deps in enumerate(body.deps):
        for place, dep in enumerate(deps):
            name = f"{body.ops[index].label} after {dep.after.value} of {body.ops[dep.op].label}, lag {dep.lag}"
            yield name, with_body(program, deps=without(body.deps, index, place))


def flagged(program: Program) -> bool:
    return bool(find_hazards(program))


def against(unrolled: Unrolled, pair: Pair, cycles: int) -> Jitter | None:
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
        occupancy, depth = more.get((repetition, op), (0, 0)) if phase == BODY else (0, 0)
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
        unrolled = Unrolled(program.phases[BODY])
        possible = False
        for pair in islice(_spread(unrolled), 12):
            for cycles in (100_000, 1_000, 100, 30, 10, 3):
                jitter = against(unrolled, pair, cycles)
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
def counts_of(machine: str, schedule: str) -> Counter[str]:
    setting = Setting(make_case(machine, schedule))
    program = setting.case.program
    assert not flagged(program)
    assert not faulty(program)
    found: Counter[str] = Counter()
    for name, damaged in deletions(program):
        found["deleted"] += 1
        matters = faulty(damaged)
        assert flagged(damaged) == matters, f"{name}: the verifier and the oracle disagree"
        if not matters:
            found["redundant"] += 1
            assert not setting.wrong(damaged)
            continue
        found["flagged"] += 1
        found[AT_NOMINAL] += setting.wrong(damaged)
        shown, possible = setting.wrong_on_some_machine(damaged)
        found[AT_SOME] += shown
        found[NEVER] += not possible
        assert shown == possible, f"{name}: flagged, but the numbers stay right"
    return found


@parametrize
def test_each_dependency_deleted(machine: str, schedule: str):
    """The verifier flags a deletion exactly if the oracle finds two accesses that nothing orders any more.

    Each deletion that it flags is shown to make the numbers wrong at some latencies, unless the order rules leave no
    room for it (see `against`); each that it does not flag leaves them right.
    """
    found = counts_of(machine, schedule)
    assert found["deleted"] == found["flagged"] + found["redundant"]
    assert found["flagged"] == found[AT_SOME] + found[NEVER]
    assert found["flagged"]


def test_the_verifier_sees_more_than_the_numbers(capsys: pytest.CaptureFixture[str]):
    """The reason for a static check: numbers at the machine's own latencies let many deletions pass."""
    total: Counter[str] = Counter()
    for machine in MACHINES:
        for schedule in SCHEDULE_NAMES:
            total += counts_of(machine, schedule)
    with capsys.disabled():
        print(
            f"\ndependencies deleted: {total['deleted']}; flagged {total['flagged']} of {total['deleted']}, the other "
            f"{total['redundant']} proven redundant by the oracle; of the flagged, numbers notice "
            f"{total[AT_NOMINAL]} at the machine's latencies, {total[AT_SOME]} at latencies chosen against them, and "
            f"{total[NEVER]} at none that the order rules allow"
        )
    assert total[AT_NOMINAL] < total[AT_SOME] <= total["flagged"] < total["deleted"]


@parametrize
def test_several_dependencies_deleted(machine: str, schedule: str):
    """What is redundant alone may not be together: all dependencies of 3, and of 9, neighbouring ops."""
    program = make_case(machine, schedule).program
    deps = program.phases[BODY].deps
    verdicts = Counter()
    for count in (3, 9):
        for index in range(0, len(deps), count):
            gone = with_body(program, deps=tuple(() if index <= n < index + count else d for n, d in enumerate(deps)))
            verdicts[flagged(gone)] += 1
            assert flagged(gone) == faulty(gone)
    assert verdicts[True]


@pytest.mark.parametrize("machine", ["small", "many_tiles"])
@pytest.mark.parametrize("schedule", SCHEDULE_NAMES)
def test_a_weaker_event(machine: str, schedule: str):
    """FREE instead of DONE, or a lag of one more: wrong unless the oracle says that nothing needed it."""
    program = make_case(machine, schedule).program
    body = program.phases[BODY]
    verdicts = Counter()
    for index, deps in enumerate(body.deps):
        for place, dep in enumerate(deps):
            for weaker in (replace(dep, after=After.FREE), replace(dep, lag=dep.lag + 1)):
                changed_deps = (*deps[:place], weaker, *deps[place + 1 :])
                damaged = with_body(program, deps=(*body.deps[:index], changed_deps, *body.deps[index + 1 :]))
                verdicts[flagged(damaged)] += 1
                assert flagged(damaged) == faulty(damaged), (body.ops[index].label, weaker)
    assert verdicts[True]


@parametrize
def test_swapped_ops(machine: str, schedule: str):
    """Neighbours that change places while the dependencies stay where they are."""
    program = make_case(machine, schedule).program
    body = program.phases[BODY]
    verdicts = Counter()
    for index in range(len(body.ops) - 1):
        ops = (*body.ops[:index], body.ops[index + 1], body.ops[index], *body.ops[index + 2 :])
        damaged = with_body(program, ops=ops)
        verdicts[flagged(damaged)] += 1
        assert flagged(damaged) == faulty(damaged)
    assert verdicts[True]


def moved(op: Op, move: Callable[[Region], Region]) -> Op:
    """The op with each of its regions replaced."""
    changes = {}
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, Region):
            changes[field.name] = move(value)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(move(region) for region in value)
    return replace(op, **changes)


def damaged_ops(program: Program, chosen: str, move: Callable[[Region], Region]) -> tuple[Op, ...]:
    """The body's ops, those whose label begins with `chosen` with other regions."""
    ops = program.phases[BODY].ops
    assert any(op.label.startswith(chosen) for op in ops)
    return tuple(moved(op, move) if op.label.startswith(chosen) else op for op in ops)


def rebuilt(program: Program, ops: tuple[Op, ...]) -> Program:
    """The dependencies derived anew for other ops: what a schedule's author would get."""
    body = program.phases[BODY]
    return with_body(program, ops=ops, deps=build_phase(body.name, body.kind, ops, body.repeat).deps)


def _offset(name: str, by: int) -> Callable[[Region], Region]:
    return lambda region: replace(region, offset=region.offset + by) if region.buffer.name == name else region


def _with_slots(program: Program, name: str, slots: int) -> Callable[[Region], Region]:
    old = next(b for b in program.buffers if b.name == name)
    new = replace(old, slots=slots)
    return lambda region: replace(region, buffer=new) if region.buffer is old else region


WRONG_SLOTS = {
    "the hidden update writes the h that is being read": ("hidden", "h", 1),
    "the MAC array reads the h that is being written": ("mac", "h", 1),
    "the output is stored from the old h": ("store h", "h", 1),
    "x is loaded over the step in use": ("load x", "x", 1),
    "the MAC array reads the x that comes next": ("mac", "x", 1),
}


@pytest.mark.parametrize("fault", WRONG_SLOTS)
@parametrize
def test_wrong_slot(machine: str, schedule: str, fault: str):
    """Flagged with the dependencies as they were; derived anew, they fit the fault, and the numbers notice."""
    label, name, by = WRONG_SLOTS[fault]
    setting = Setting(make_case(machine, schedule))
    program = setting.case.program
    ops = damaged_ops(program, label, _offset(name, by))
    damaged = with_body(program, ops=ops)
    assert flagged(damaged) == faulty(damaged)
    assert flagged(damaged)
    anew = rebuilt(program, ops)
    assert flagged(anew) == faulty(anew)
    assert bits(setting.case.interpret(setting.numbers, anew)) != setting.right
    assert not compare(setting.case.interpret(setting.numbers, anew), setting.numbers, setting.case.spec).passed


@pytest.mark.parametrize("name", ["sums", "x", "h", "gates", "tanh_c"])
@parametrize
def test_too_few_slots(machine: str, schedule: str, name: str):
    """Fewer slots, while everything rotates as before."""
    program = make_case(machine, schedule).program
    for slots in range(1, next(b for b in program.buffers if b.name == name).slots):
        ops = tuple(moved(op, _with_slots(program, name, slots)) for op in program.phases[BODY].ops)
        damaged = with_body(program, ops=ops)
        assert flagged(damaged) == faulty(damaged)
        # With one group the next step's tile waits for this step's h, and so for the reader of the sums, anyway.
        if slots == 1 and (name in ("x", "h") or (name == "sums" and machine != "one_group")):
            assert flagged(damaged)


@parametrize
def test_a_dependency_that_points_forward(machine: str, schedule: str):
    """A structure hazard; unverified, the machine stops and says who waits for what."""
    case = make_case(machine, schedule)
    program = case.program
    body = program.phases[BODY]
    waiting = next(n for n, op in enumerate(body.ops) if op.unit == "mac_array")
    awaited = next(n for n, op in enumerate(body.ops) if op.unit == "elementwise")
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
    body = program.phases[BODY]
    stuck: set[int] = set()
    heads: dict[str, str] = {}
    for index, op in enumerate(body.ops):
        if op.unit in heads:
            stuck.add(index)
        elif index == first or any(dep.lag == 0 and dep.op in stuck for dep in body.deps[index]):
            heads[op.unit] = op.label
            stuck.add(index)
    return heads


@pytest.mark.parametrize("bad", [Dep(99, 0, After.DONE, Wait.OPERAND), Dep(0, -1, After.DONE, Wait.OPERAND)], ids=repr)
def test_a_dependency_that_points_nowhere(bad: Dep):
    program = make_case("small", "fused_interleaved").program
    deps = program.phases[BODY].deps
    damaged = with_body(program, deps=(*deps[:-1], (*deps[-1], bad)))
    assert [hazard.kind for hazard in find_hazards(damaged)] == ["structure"]


@parametrize
def test_a_region_outside_its_buffer(machine: str, schedule: str):
    program = make_case(machine, schedule).program
    ops = program.phases[BODY].ops
    for index, op in enumerate(ops):
        for wrong in (
            lambda region: replace(region, stop=region.buffer.entries + 1),
            lambda region: replace(region, start=-1),
            lambda region: replace(region, start=region.stop),
        ):
            damaged = with_body(program, ops=(*ops[:index], moved(op, wrong), *ops[index + 1 :]))
            hazards = find_hazards(damaged)
            assert hazards
            assert all(hazard.kind == "structure" and hazard.first == op.label for hazard in hazards)


@parametrize
def test_reading_before_writing(machine: str, schedule: str):
    """Without a load, or without the op that makes an operand, its reader reads what nothing has written."""
    setting = Setting(make_case(machine, schedule))
    program = setting.case.program
    prologue = program.phases[0]
    assert prologue.kind is PhaseKind.PROLOGUE
    for index in range(len(prologue.ops)):
        ops = prologue.ops[:index] + prologue.ops[index + 1 :]
        damaged = replace(program, phases=(build_phase("prologue", PhaseKind.PROLOGUE, ops), *program.phases[1:]))
        assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged)), prologue.ops[index].label
    body = program.phases[BODY]
    for op in body.ops:
        if op.label.startswith(("sigm", "tanh", "hidden")):
            damaged = rebuilt(program, tuple(other for other in body.ops if other is not op))
            assert flagged(damaged) == faulty(damaged)
            if op.label.endswith("[0]"):  # the slots of later groups may hold what an earlier group left there
                assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged)), op.label
            assert bits(setting.case.interpret(setting.numbers, damaged)) != setting.right


@pytest.mark.parametrize(
    ("chosen", "name", "by"), [("store h", "dram.output", -1), ("store h", "dram.output", 1), ("load x", "dram.x", 1)]
)
def test_a_time_step_outside_the_sequence(chosen: str, name: str, by: int):
    """Step -1 and step T are as much outside their buffer as an entry too many."""
    program = make_case("small", "fused_interleaved").program
    damaged = rebuilt(program, damaged_ops(program, chosen, _offset(name, by)))
    assert flagged(damaged)


def test_updating_before_writing():
    """An update takes its region's old contents: without the tile that starts the sum there are none."""
    program = make_case("small", "split_interleaved").program
    ops = program.phases[BODY].ops
    index = next(n for n, op in enumerate(ops) if op.label.startswith("mac_x"))
    damaged = rebuilt(program, ops[:index] + ops[index + 1 :])
    assert any(hazard.kind == "uninitialized" for hazard in find_hazards(damaged))


def test_a_hazard_names_both_ops():
    program = make_case("small", "fused_interleaved").program
    found = {}
    for name, damaged in deletions(program):
        if flagged(damaged):
            with pytest.raises(ScheduleError) as caught:
                verify(damaged)
            found[name] = str(caught.value)
    text = found["hidden[0] after done of tanh_c[0], lag 0"]
    assert "RAW hazard in phase body: 'tanh_c[0]' and 'hidden[0]'" in text
    assert "state_buffer.tanh_c[0:1]" in text
