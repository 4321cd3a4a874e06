"""The rules of streams through FIFOs and of instructions: by hand, and as laws of the machine and of the verifier."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api.machine_spec import machine_spec
from archsim.checking.numbers import prepare
from archsim.engines.events import Arithmetic, Options, execute
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, Phase, Program, Wait
from archsim.program.verifier import find_hazards
from archsim.workload import CellKind, Workload, load_tensors
from archsim.workload.network import RECURRENT_KINDS
from tests.families.npu.machines import EVERYTHING, SMALL, machine, timed
from tests.rings import examples, few
from tests.strategies import network, seeded_jitter

RNN = network(kind=CellKind.RNN, input_size=3, hidden_size=3, steps=2)

BY_HAND = {
    # The machine of SMALL: a row block has 2 rows, a column block 4 columns, a word 2 numbers; all vectors of 3 numbers
    # are 2 words. mvu: 2 micro-ops; depth 1 + 8 + (2 + 1) + 2 + 1 + 4 = 19 of a tile, + 5 + 1 = 25. evrf 2, mfu 9.
    # ld: 0. wb: 5 + 2 - 1 into the tiles, 2 more into a register of mfu0. First word: start + 1 + depth.
    ("load x_0", "ld", 0): (1, 3, 3),  # 1 word into each of 2 tiles
    ("load x_0", "wb", 0): (2, 4, 10),  # 4 + 6; the first phase ends at 10
    # step 0, from 10; x_h issued at 11, the load at 12, h at 13
    ("x_h", "mvu", 0): (11, 13, 38),
    ("x_h", "evrf", 0): (37, 39, 41),  # first word 11 + 1 + 25
    ("x_h", "mfu0", 0): (40, 42, 51),  # 37 + 1 + 2
    ("x_h", "mfu1", 0): (50, 52, 61),  # 40 + 1 + 9
    ("x_h", "ld", 0): (60, 62, 62),
    ("x_h", "wb", 0): (61, 63, 71),  # into mfu0's registers: 63 + 6 + 2
    ("load x[t+1]", "ld", 0): (62, 64, 64),
    ("load x[t+1]", "wb", 0): (63, 65, 71),
    ("idle[load x[t+1]]", "mvu", 0): (13, 15, 38),  # an instruction for each of 2 tiles; retires behind x_h
    ("idle[load x[t+1]]", "evrf", 0): (39, 41, 41),
    ("idle[h]", "ld", 0): (64, 65, 65),  # the instruction that writes no tile
    ("h", "mvu", 0): (15, 17, 42),
    ("h", "evrf", 0): (41, 43, 45),
    ("h", "mfu0", 0): (71, 73, 82),  # its word is there at 44, the last word of x_h at 71
    ("h", "mfu1", 0): (81, 83, 92),
    ("h", "ld", 0): (91, 93, 93),
    ("h", "wb", 0): (92, 94, 100),
    # step 1, the last: it loads no x, and its h goes to the host alone
    ("x_h", "mvu", 1): (71, 73, 98),  # x of the step is there at 71
    ("x_h", "evrf", 1): (97, 99, 101),
    ("x_h", "mfu0", 1): (100, 102, 111),
    ("x_h", "mfu1", 1): (110, 112, 121),
    ("x_h", "ld", 1): (120, 122, 122),
    ("x_h", "wb", 1): (121, 123, 131),
    ("h", "mvu", 1): (100, 102, 127),  # the last word of h is there at 100
    ("h", "evrf", 1): (126, 128, 130),
    ("h", "mfu0", 1): (131, 133, 142),
    ("h", "mfu1", 1): (141, 143, 152),
    ("h", "ld", 1): (151, 153, 153),
}


def test_an_rnn_by_hand() -> None:
    found = timed(RNN, *SMALL)
    times = {}
    for record in found.trace.records:
        op = found.program.phases[record.phase].ops[record.op]
        if (op.label, op.unit, record.repetition) in BY_HAND or op.unit == "wb":
            times[op.label, op.unit, record.repetition] = (record.start, record.free, record.done)
    assert times == BY_HAND
    assert found.stats.latency_cycles == found.stats.body_cycles == 153


def test_the_ops_of_an_instruction_are_issued_together() -> None:
    """With 20 cycles an instruction all ops of x_h come at 20 after the prologue's end, those of h 40 later."""
    found = timed(RNN, *SMALL, "sequencer.issue_cycles=20")
    body = found.program.phases[1]
    start = found.trace.phases[1].start
    starts = {
        (body.ops[record.op].label, body.ops[record.op].unit, record.repetition): record.start - start
        for record in found.trace.records
        if record.phase == 1
    }
    assert starts["x_h", "mvu", 0] == 20
    assert starts["h", "mvu", 0] == 60  # behind the load's, at 40
    assert [op.joined for op in body.ops if op.label == "x_h"] == [False, True, True, True, True, True]
    assert found.stats.bounds["sequencer"] == 20 * (1 + 2 * 2 + 1) / 2  # a load before the steps, and one in the first


def built(load: Workload, *sets: str) -> Program:
    return find_schedule(None, "npu").build(load.spec, machine(*sets).config)


@settings(max_examples=examples(20))
@given(st.sampled_from(RECURRENT_KINDS), st.integers(0, 1 << 20), st.sampled_from([0, 10, 300]))
def test_an_op_follows_a_fifo_from_its_first_word_to_its_last(kind: CellKind, seed: int, largest: int) -> None:
    """S at or after the first word, F at or after D of the op that writes the FIFO, however long anything takes."""
    load = network(kind=kind, input_size=5, hidden_size=9, steps=3)
    arch = machine(*SMALL)
    program, units = built(load, *SMALL), build_units(arch.config)
    spec = machine_spec(program, arch, units)
    jitter = seeded_jitter(seed, largest) if largest else None
    trace = execute(program, spec, Options(window=EVERYTHING, jitter=jitter))
    at = {(record.phase, record.repetition, record.op): record for record in trace.records}
    followed = stalled = 0
    for (phase, repetition, op), record in at.items():
        for dep in program.phases[phase].deps[op]:
            if dep.after is After.FIRST:
                writer = at[phase, repetition, dep.op]
                service = spec.services[phase][dep.op]
                assert record.start >= writer.start + service.first_word_cycles
                assert record.free >= writer.done
                followed += 1
                stalled += record.free == writer.done
    assert followed
    if not largest:
        assert not stalled, "with its own latencies no unit waits for a word in the middle of a stream"


def test_an_op_waits_for_the_last_word() -> None:
    """mvu's x_h takes 50 cycles more than it says: evrf has its first word at 37, and is free with the last, at 88."""
    arch = machine(*SMALL)
    program, units = built(RNN, *SMALL), build_units(arch.config)

    def late(phase: int, repetition: int, op: int, service: Service) -> Service:
        slow = (phase, repetition, op) == (1, 0, 0)
        return replace(service, compute_cycles=service.compute_cycles + 50 * slow)

    trace = execute(program, machine_spec(program, arch, units), Options(window=EVERYTHING, jitter=late))
    times = {(r.phase, r.repetition, r.op): (r.start, r.free, r.done) for r in trace.records}
    assert times[1, 0, 0] == (11, 63, 88)
    assert times[1, 0, 1] == (37, 88, 90)
    evrf = trace.phase_units[1]["evrf"]
    assert evrf.waits[Wait.OPERAND] >= 88 - 39


def without(program: Program, phase: int, op: int, dep: Dep) -> Program:
    """The program with one dependency deleted."""
    deps = list(program.phases[phase].deps)
    deps[op] = tuple(other for other in deps[op] if other is not dep)
    return swapped(program, phase, replace(program.phases[phase], deps=tuple(deps)))


def swapped(program: Program, number: int, phase: Phase) -> Program:
    phases = list(program.phases)
    phases[number] = phase
    return replace(program, phases=tuple(phases))


@pytest.mark.parametrize("kind", few(reversed(RECURRENT_KINDS), 1))
def test_a_deleted_dependency_is_found_or_was_implied(kind: CellKind) -> None:
    """What the verifier lets pass computes the same bits, however long anything takes; FIFOs it never lets go."""
    load = network(kind=kind, input_size=5, hidden_size=9, steps=4)
    arch = machine(*SMALL, "formats=float32", "fifos.depth_words=16")
    program, units = built(load, *SMALL, "fifos.depth_words=16"), build_units(arch.config)
    numbers = prepare(program, arch.config, load, load_tensors(load))
    spec = machine_spec(program, arch, units)

    def output(tried: Program, seed: int) -> bytes:
        computation = numbers.begin(units)
        options = Options(Arithmetic(computation.state, computation.datapath), jitter=seeded_jitter(seed, 300))
        execute(tried, spec, options)
        return computation.results().output.tobytes()

    right, found, implied = output(program, 0), 0, 0
    for number, phase in enumerate(program.phases):
        for op, deps in enumerate(phase.deps):
            for dep in deps:
                tried = without(program, number, op, dep)
                if find_hazards(tried):
                    found += 1
                    continue
                implied += 1
                assert dep.after is not After.FIRST, phase.ops[op].label
                assert all(output(tried, seed) == right for seed in (implied, 1000 + implied))
    assert found
    assert implied


def test_a_fifo_is_followed_only_within_a_step_and_by_who_reads_it() -> None:
    program = built(RNN, *SMALL)
    number = next(n for n, phase in enumerate(program.phases) if phase.name == "body")
    body = program.phases[number]
    deps = list(body.deps)
    deps[1] = (Dep(0, 1, After.FIRST, Wait.OPERAND),)
    text = " ".join(map(str, find_hazards(swapped(program, number, replace(body, deps=tuple(deps))))))
    assert "follows 'x_h', which is not always of the same repetition" in text
    deps[1] = body.deps[1]
    deps[4] = (*body.deps[4], Dep(0, 0, After.FIRST, Wait.OPERAND))
    text = " ".join(map(str, find_hazards(swapped(program, number, replace(body, deps=tuple(deps))))))
    assert "follows 'x_h', but does not read the words that it writes" in text


def test_vectors_are_waited_for_as_a_whole() -> None:
    """H = 9 is 5 row blocks, 2 chunks: both parts of a vector must be written before the first is read."""
    load = network(kind=CellKind.LSTM, input_size=5, hidden_size=9, steps=3)
    found = timed(load, *SMALL)
    body = found.program.phases[1]
    at = {(body.ops[r.op].label, body.ops[r.op].unit, r.repetition): r for r in found.trace.records if r.phase == 1}
    for step in range(3):
        assert at["h.0", "evrf", step].start >= at["c.1", "wb", step].done
        assert at["c.0", "mfu1", step].start >= at["ig.1", "wb", step].done
        assert at["c.0", "mfu1", step].start > at["c.0", "evrf", step].start + 20, "c itself had been read long before"
        assert at["c.1", "evrf", step].start == at["c.0", "evrf", step].free, "its own new c.0 is nothing to wait for"
        if step:
            assert at["h_f.0", "mvu", step].start >= at["h.1", "wb", step - 1].done


def test_a_full_fifo_stops_the_multiplier() -> None:
    """A FIFO of one part: the product after x_f begins when the register file behind has taken the one before."""
    load = network(kind=CellKind.LSTM, input_size=5, hidden_size=9, steps=2)
    shallow, deep = timed(load, *SMALL, "fifos.depth_words=3"), timed(load, *SMALL)
    assert {b.slots for b in shallow.program.buffers if b.name.startswith("fifo.")} == {1}
    assert shallow.stats.latency_cycles > deep.stats.latency_cycles
    assert shallow.stats.cycle_stack["wait_buffer"] > 0
    assert deep.stats.cycle_stack["wait_buffer"] == 0
