"""Layers one after the other: what only one of them uses lies where another's lies, and nothing can go wrong by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import PhaseKind
from archsim.program.rooms import Span, needed_bytes, spans, taking_turns
from archsim.program.verifier import find_hazards
from archsim.workload import load_workload
from tests.rings import examples
from tests.strategies import RESIDENT, Case, bits, cases, changed, is_wavefront, networks, tensors

TINY = ("tiny_2x2", "lstm:3,2,t=4,layers=2")


def tiny(*sets: str) -> Case:
    config = load_arch(TINY[0], [parse_override(text) for text in sets]).config
    return Case(config, load_workload(TINY[1]), "fused_interleaved")  # type: ignore[arg-type]


def test_the_network_of_the_complaint_runs() -> None:
    """x of three layers, both directions, a batch of 2 and 3 slots in int8: 2 * 2 * 3 * (256 + 512 + 512) = 15,360
    bytes, of which a layer uses 2 * 2 * 3 * 512 = 6,144. The input buffer has 8,192."""
    machine = load_arch("edge_64x64")
    work = load_workload("lstm:256,256,t=12,b=2,layers=3,bidirectional=1")
    program = find_schedule("fused").build(work.spec, machine.config)
    inputs = [buffer for buffer in program.buffers if buffer.memory == "input_buffer"]
    assert sum(buffer.size_bytes for buffer in inputs) == 15_360
    assert needed_bytes(inputs, program.phases) == 6_144
    assert simulate(machine, load_workload("lstm:256,256,t=2,b=2,layers=3,bidirectional=1")).validation.passed


def test_what_a_layer_needs_by_hand() -> None:
    """LSTM(3, 2) and LSTM(2, 2) in float32. Weights 4 * 8 * (3 + 2) = 160 bytes and 4 * 8 * (2 + 2) = 128; biases 32
    each; x in two slots 24 and 16; h 16 and c 8 of both; gates 4 slots of 16 and tanh(c) 4 slots of 4, of one."""
    for memory, need in (("weight_sram", 160), ("bias_buffer", 32), ("input_buffer", 24), ("state_buffer", 48 + 80)):
        assert tiny(f"{memory}.capacity_bytes={need}").program.op_instances
        with pytest.raises(CapacityError, match="run one after the other in the same place") as error:
            _ = tiny(f"{memory}.capacity_bytes={need - 1}").program
        assert (error.value.memory, error.value.need) == (memory, need)


def test_weights_come_when_it_is_their_layers_turn() -> None:
    """Where they fit they are there from the beginning; else layer 1's are loaded between the layers.

    The prologue is as much shorter as the handover is longer: the channel moves the same words in the same order, each
    behind the other. Layer 1's W_ih and W_hh are 16 rows of 8 bytes, a burst each, its biases 8 of 4, a burst each: 24
    cycles of the channel.
    """
    ample, small = tiny(), tiny("weight_sram.capacity_bytes=160")
    cycles = {}
    for case in (ample, small):
        run = case.simulate(timing_only=True)
        cycles[case] = [phase.cycles for phase in run.trace.phases]
        names = [[op.label for op in phase.ops] for phase in case.program.phases if phase.kind is PhaseKind.HANDOVER]
        assert ("l1.load W_hh[0]" in names[0]) == (case is small)
    first, _, handover, *_ = (here - there for here, there in zip(cycles[small], cycles[ample], strict=True))
    assert (first, handover) == (-24, 24)
    assert sum(cycles[small]) == sum(cycles[ample])


def test_spans() -> None:
    """Of a buffer from the first phase to the last in which it is; x of layer 1 from the handover on."""
    program = tiny().program
    found = spans(program.phases)
    assert (found["l0.x"], found["l0.gates"], found["l1.x"], found["l1.h"]) == (
        Span(0, 1),
        Span(1, 1),
        Span(2, 3),
        Span(0, 4),
    )
    assert found["dram.x"] == Span(0, 1)
    inputs = [buffer for buffer in program.buffers if buffer.memory == "input_buffer"]
    assert set(taking_turns(inputs, program.phases)) == {"l0.x", "l1.x"}
    assert not taking_turns(inputs[:1], program.phases)


@settings(max_examples=examples(40))
@given(cases(networks().filter(lambda load: len(load.spec.layers) > 1), RESIDENT), st.integers(0, 5))
def test_weights_in_turn_change_no_number(case: Case, seed: int) -> None:
    """With just the room that the largest layer needs: no hazard, the same numbers, and buffers that share a place are
    never used in one phase."""
    if is_wavefront(case.schedule, case.spec):
        return
    least = replace(case, config=changed(case.config, {"weight_sram.capacity_bytes": 1 << 30}))
    for memory in ("weight_sram", "bias_buffer"):
        lies_there = any(buffer.memory == memory for buffer in case.program.buffers)
        if memory in case.memories and lies_there:  # a network without biases has none in its buffer
            with pytest.raises(CapacityError) as error:
                _ = least.with_fields({f"{memory}.capacity_bytes": 1}).program
            need = error.value.need
            least = least.with_fields({f"{memory}.capacity_bytes": need})
    assert not find_hazards(least.program)
    numbers = tensors(case.spec, seed)
    _, results = least.execute(numbers)
    assert bits(results) == bits(case.interpret(numbers))
    for memory in case.memories:
        held = [buffer for buffer in least.program.buffers if buffer.memory == memory]
        turns = taking_turns(held, least.program.phases)
        always = sum(buffer.size_bytes for buffer in held if buffer.name not in turns)
        peak = 0
        for number in range(len(least.program.phases)):
            here = (b for b in held if b.name in turns and turns[b.name].first <= number <= turns[b.name].last)
            peak = max(peak, always + sum(buffer.size_bytes for buffer in here))
        assert needed_bytes(held, least.program.phases) == peak


@pytest.mark.parametrize("biases", ["192B", "4KiB"])
def test_scales_of_rows_go_with_the_rows_that_a_handover_loads(biases: str) -> None:
    """Groups have rows of all gates, in another order than torch's; 36 biases of 4 bytes are 144, of two layers 288."""
    kinds = ("input", "hidden", "gate", "activation", "cell")
    formats = ["formats.weight=int8/row", "formats.accumulator=int32", *(f"formats.{kind}=q4.10" for kind in kinds)]
    sizes = ["weight_sram.capacity_bytes=64KiB", f"bias_buffer.capacity_bytes={biases}"]
    arch = load_arch("tiny_2x2", [*formats, *sizes, "activation.method=table"])
    found = simulate(arch, load_workload("lstm:3,9,layers=2,t=4"), "split_interleaved")
    (handover,) = found.program.of_kind(PhaseKind.HANDOVER)
    assert (len(handover.ops) > 1) is (biases == "192B")
    assert found.validation.bitwise
    assert found.validation.passed
