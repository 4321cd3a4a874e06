"""The machine's ops against a model that moves every single word, cycle by cycle, through every unit.

The machine knows of a stream its first word and its last. Here each word of each op has a cycle of its own: it enters
a unit when the one before it has, and when it has left the unit before. Both must agree on when every op is free and
done.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api.machine_spec import machine_spec
from archsim.engines.events import Options, execute
from archsim.families.load import Arch
from archsim.families.npu.chain_words import StreamOp
from archsim.families.npu.mvu import MatVec
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.program.ir import After, Program
from archsim.workload import CellKind, Workload
from archsim.workload.network import RECURRENT_KINDS
from tests.families.npu.machines import EVERYTHING, machine
from tests.rings import examples
from tests.strategies import network

Instance = tuple[int, int, int]
"""Phase, repetition, op."""


def sequences(op: MatVec, arch: Arch) -> int:
    return -(-op.target.buffer.width // arch.config.mvu.cores)  # type: ignore[attr-defined, no-any-return]


def words_of_a_product(op: MatVec, start: int, arch: Arch) -> list[int]:
    """When each word is behind the reduction: a micro-op a cycle, row blocks of the last column block one by one."""
    mvu, lanes = arch.config.mvu, arch.config.mfu.lanes  # type: ignore[attr-defined]
    rows, inputs = op.weights.entries, op.vector.entries
    chunk = max(-(-rows // mvu.dpes), mvu.operand_words)
    last_block = start + chunk * (-(-inputs // mvu.columns) - 1)
    found: list[int] = []
    for word in range(-(-rows // lanes)):
        complete = -(-min((word + 1) * lanes, rows) // mvu.dpes)  # row blocks
        found += [last_block + complete + mvu.depth_cycles] * sequences(op, arch)
    return found


def word_by_word(program: Program, arch: Arch) -> dict[Instance, tuple[int, int]]:
    """Free and done of every op instance."""
    units = build_units(arch.config)
    found: dict[Instance, tuple[int, int]] = {}
    phase_start = 0
    for number, phase in enumerate(program.phases):
        free, last = dict.fromkeys(units, phase_start), dict.fromkeys(units, 0)
        issued = phase_start
        out: dict[tuple[int, int], list[int]] = {}
        for repetition in range(phase.repeat):
            for index, (op, deps) in enumerate(zip(phase.ops, phase.deps, strict=True)):
                issued += 0 if op.joined else arch.config.sequencer.issue_cycles
                if not op.active(repetition, phase.repeat):
                    continue  # passed over, which takes its interval as well
                start = max(issued, free[op.unit])
                arriving: list[int] = []
                for dep in deps:
                    before = found.get((number, repetition - dep.lag, dep.op))
                    if dep.after is After.FIRST:
                        arriving = out[repetition, dep.op]
                    elif before is not None:
                        start = max(start, before[0] if dep.after is After.FREE else before[1])
                unit = units[op.unit]
                entered: list[int] = []
                for word in range(unit.compute_cycles(op)):
                    earliest = entered[-1] + 1 if entered else start
                    entered.append(max(earliest, arriving[word] if word < len(arriving) else 0))
                if isinstance(op, MatVec):
                    out[repetition, index] = words_of_a_product(op, entered[0], arch)
                elif isinstance(op, StreamOp):
                    out[repetition, index] = [cycle + 1 + unit.depth_cycles(op) for cycle in entered]
                free[op.unit] = entered[-1] + 1
                last[op.unit] = max(entered[-1] + 1 + unit.depth_cycles(op), last[op.unit])
                found[number, repetition, index] = free[op.unit], last[op.unit]
        phase_start = max((done for (phase_number, _, _), (_, done) in found.items() if phase_number == number))
    return found


@st.composite
def runs(draw: st.DrawFn) -> tuple[Arch, Workload]:
    small = {
        "mvu.cores": draw(st.integers(1, 3)),
        "mvu.tiles": draw(st.integers(1, 4)),
        "mvu.dpes": draw(st.integers(1, 4)),
        "mvu.lanes": draw(st.integers(1, 4)),
        "mvu.dot_units": draw(st.integers(1, 4)),
        "mvu.block_lanes": draw(st.integers(1, 4)),
        "mfu.lanes": draw(st.integers(1, 5)),
        "mfu.latency_cycles": draw(st.integers(0, 5)),
        "mfu.read_latency_cycles": draw(st.integers(0, 4)),
        "evrf.read_latency_cycles": draw(st.integers(0, 4)),
        "loader.write_back_latency_cycles": draw(st.integers(1, 9)),
        "loader.tag_latency_cycles": draw(st.integers(0, 3)),
        "sequencer.issue_cycles": draw(st.integers(0, 9)),
        "fifos.depth_words": draw(st.sampled_from([512, 512, 300])),
    }
    ample = dict.fromkeys(
        ("mvu.matrix_depth_words", "mvu.vector_depth_words", "evrf.depth_words", "mfu.depth_words"), 100_000
    )
    arch = machine(*(f"{path}={value}" for path, value in (small | ample | {"sequencer.queue_depth": 10_000}).items()))
    load = network(
        kind=draw(st.sampled_from(RECURRENT_KINDS)),
        input_size=draw(st.integers(1, 20)),
        hidden_size=draw(st.integers(1, 25)),
        steps=draw(st.integers(1, 4)),
        batch=draw(st.integers(1, small["mvu.cores"] * small["mvu.dot_units"])),
        bidirectional=draw(st.booleans()),
        num_layers=draw(st.sampled_from([1, 1, 2])),
    )
    return arch, load


def assert_agreed(arch: Arch, load: Workload) -> None:
    program = find_schedule(None, "npu").build(load.spec, arch.config)
    trace = execute(program, machine_spec(program, arch, build_units(arch.config)), Options(window=EVERYTHING))
    simulated = {(r.phase, r.repetition, r.op): (r.free, r.done) for r in trace.records}
    assert simulated == word_by_word(program, arch)


@settings(max_examples=examples(80))
@given(runs())
def test_every_op_is_free_and_done_when_its_words_are(run: tuple[Arch, Workload]) -> None:
    assert_agreed(*run)


@pytest.mark.parametrize("kind", RECURRENT_KINDS)
def test_an_op_that_is_left_out_takes_its_interval(kind: CellKind) -> None:
    """Where everything is of size 1 it is issuing that the product of h waits for, behind the x that no step loads."""
    sizes = dict.fromkeys(("mvu.cores", "mvu.tiles", "mvu.dpes", "mvu.lanes", "mvu.dot_units", "mvu.block_lanes"), 1)
    none = dict.fromkeys(("mfu.latency_cycles", "mfu.read_latency_cycles", "evrf.read_latency_cycles"), 0)
    given = sizes | none | {"mfu.lanes": 1, "sequencer.issue_cycles": 1, "sequencer.queue_depth": 10_000}
    arch = machine(*(f"{path}={value}" for path, value in given.items()))
    for steps, layers in ((1, 1), (1, 2), (2, 1)):
        load = network(kind=kind, input_size=1, hidden_size=1, steps=steps, batch=1, num_layers=layers)
        assert_agreed(arch, load)


def test_the_published_machine() -> None:
    for kind, size in ((CellKind.LSTM, 512), (CellKind.LSTM, 1024), (CellKind.GRU, 256), (CellKind.RNN, 100)):
        assert_agreed(machine(), network(kind=kind, input_size=size, hidden_size=size, steps=3, batch=6))
