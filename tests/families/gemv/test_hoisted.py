"""Hoisted schedules: the same numbers as split, what is chosen where nobody asks, and what is said where it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import After, Dep, Phase, PhaseKind, Program
from archsim.program.verifier import find_hazards
from tests.rings import examples
from tests.strategies import AMPLE, Case, bits, cases, phase_text, tensors, workload

HOISTED = ("hoisted_interleaved", "hoisted_gate_major", "hoisted_interleaved_streamed", "hoisted_gate_major_streamed")


def case(*sets: str, schedule: str = "hoisted", steps: int = 10, formats: str = "float32") -> Case:
    """LSTM(3, 2) on tiny_2x2."""
    arch = load_arch("tiny_2x2", [parse_override(text) for text in (f"formats={formats}", *sets)])
    return Case(arch.config, workload(3, 2, steps, 1), schedule)  # type: ignore[arg-type]


@settings(max_examples=examples(60))
@given(cases(schedules=HOISTED), st.integers(0, 99))
def test_the_numbers_are_those_of_split(case: Case, seed: int) -> None:
    """Bit for bit: W_ih x is rounded to the sums' format, and W_hh h added to that, wherever it waits."""
    numbers = tensors(case.spec, seed)
    alike = replace(case, schedule=case.schedule.replace("hoisted", "split"))
    alike = alike.with_fields({"input_buffer.capacity_bytes": AMPLE})
    assert bits(case.execute(numbers)[1]) == bits(alike.interpret(numbers))


@pytest.mark.parametrize("formats", ["q4.12", "tflite_int8", "bfloat16"])
@pytest.mark.parametrize("hoist_steps", [1, 3, 10])
def test_in_every_kind_of_number(formats: str, hoist_steps: int) -> None:
    sets = (f"state_buffer.hoist_steps={hoist_steps}", "state_buffer.capacity_bytes=64KiB", "activation.method=exact")
    found = case(*sets, formats=formats).simulate()
    other = case(*sets, schedule="split", formats=formats).simulate()
    assert bits(found.results) == bits(other.results)
    assert found.validation.passed == other.validation.passed


@settings(max_examples=examples(60))
@given(cases(schedules=HOISTED))
def test_w_ih_passes_the_array_once_a_block(case: Case) -> None:
    """And W_hh and W_hr every step: bits read by the array, over the run."""
    steps, asked = case.spec.steps, case.config.state_buffer.hoist_steps
    blocks = -(-steps // (steps if asked is None else asked))
    expected: dict[str, int] = {}
    for cell in case.spec.cells:
        rows = cell.kind.gates * cell.hidden_size
        sizes = {"W_ih": rows * cell.input_size * blocks, "W_hh": rows * cell.output_size * steps}
        sizes["W_hr"] = cell.proj_size * cell.hidden_size * steps
        for name, count in sizes.items():
            expected[name] = expected.get(name, 0) + 4 * count
    reads = case.simulate(timing_only=True).stats.traffic_bytes["weight_sram"]["read"]
    assert {name: reads.get(name, 0) for name in expected} == expected


@settings(max_examples=examples(20))
@given(cases(schedules=HOISTED), st.integers(1, 4))
def test_the_bodies_do_not_depend_on_how_many_blocks_there_are(case: Case, size: int) -> None:
    """Same ops, same dependencies, for as many steps over; the epilogue differs by the slot of the last h."""
    blocks = case.with_fields({"state_buffer.hoist_steps": size})
    programs = [blocks.with_steps(size * count + 1).program for count in (8, 50, 51)]
    short = programs[0]
    for program, count in zip(programs, (8, 50, 51), strict=True):
        assert find_hazards(program) == ()
        for phase, other in zip(short.phases[:-1], program.phases[:-1], strict=True):
            assert phase_text(phase, size * 8 + 1) == phase_text(other, size * count + 1)
            if phase.name.endswith("merge"):
                assert other.repeat - phase.repeat == size * (count - 8), "where directions become one, a step each"
            else:
                assert other.repeat - phase.repeat in (0, count - 8)


def test_left_out_it_takes_all_steps_if_they_fit() -> None:
    """10 steps of 8 sums and of 3 inputs of 4 bytes: 320 and 120 bytes; beside the sums h, c, gates and tanh(c)."""

    def blocks(state: int, inputs: int) -> int:
        sets = (f"state_buffer.capacity_bytes={state}", f"input_buffer.capacity_bytes={inputs}")
        return case(*sets).program.phases[-2].unroll

    rest = sum(b.size_bytes for b in case().program.buffers if b.memory == "state_buffer" and b.name != "input_sums")
    names = [phase.name for phase in case(f"state_buffer.capacity_bytes={rest + 320}").program.phases]
    assert names == ["prologue", "body, W_ih x", "body", "epilogue"]
    # A byte less, and blocks of 4 steps fit, of which two are kept: 256 bytes; then 3, 2 and 1.
    assert [blocks(rest + room, 4096) for room in (320, 319, 256, 255, 192, 191, 128, 64)] == [1, 4, 4, 3, 3, 2, 2, 1]
    assert [blocks(rest + 320, room) for room in (120, 119, 96, 95)] == [1, 4, 4, 3]


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(CapacityError, match=r"state_buffer: needs .*input_sums 512 in 16 slots.*hoist_steps"):
        _ = case("state_buffer.hoist_steps=8", "state_buffer.capacity_bytes=256").program
    with pytest.raises(CapacityError, match=r"input_buffer: needs .*x 192 in 16 slots.*hoist_steps"):
        _ = case(
            "state_buffer.hoist_steps=8", "state_buffer.capacity_bytes=4096", "input_buffer.capacity_bytes=100"
        ).program
    with pytest.raises(ScheduleError, match="hoisted_wavefront: no such schedule"):
        find_schedule("hoisted_wavefront")


@pytest.mark.parametrize(
    ("waiting", "after", "buffer"), [("mac_h", After.DONE, "input_sums"), ("load x", After.FREE, "x")]
)
def test_what_does_not_wait_is_a_hazard(waiting: str, after: After, buffer: str) -> None:
    """A step that does not wait for its sums; an x that does not wait until the block in its slots is multiplied."""
    planted = case("state_buffer.hoist_steps=2", "state_buffer.capacity_bytes=4096")
    hazards = find_hazards(without_waits(planted.program, waiting, after, buffer))
    assert {hazard.kind for hazard in hazards} == {"RAW" if after is After.DONE else "WAR"}
    assert all(buffer in hazard.where for hazard in hazards)


def without_waits(program: Program, waiting: str, after: After, buffer: str) -> Program:
    """Ops of that name do not wait for that event of others that use the buffer."""

    def kept(number: int, phase: Phase) -> tuple[Dep, ...]:
        if not phase.ops[number].label.startswith(waiting):
            return phase.deps[number]
        uses = [(*phase.ops[dep.op].reads, *phase.ops[dep.op].writes) for dep in phase.deps[number]]
        return tuple(
            dep
            for dep, regions in zip(phase.deps[number], uses, strict=True)
            if dep.after is not after or all(region.buffer.name != buffer for region in regions)
        )

    phases = tuple(
        replace(phase, deps=tuple(kept(number, phase) for number in range(len(phase.ops))))
        if phase.kind is PhaseKind.BODY
        else phase
        for phase in program.phases
    )
    return replace(program, phases=phases)
