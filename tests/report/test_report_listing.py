"""The listing shows every op of a program with its operands, its times and what it waits for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.api import Simulation
from archsim.families.registry import build_units
from archsim.formats import parse_format
from archsim.hardware.unit import Service
from archsim.program.ir import Buffer, DataKind, Phase, Region
from archsim.report import program_listing
from archsim.report.text.regions import operands_text, region_text, slot_rule
from tests.present import present
from tests.report.conftest import Run


def services_of(simulation: Simulation) -> tuple[tuple[Service, ...], ...]:
    units = build_units(simulation.arch.config)
    return tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in simulation.program.phases)


def sections(listing: str) -> dict[str, list[str]]:
    """The lines of each phase, without its headers."""
    found = {}
    for block in listing.split("\n\n"):
        if block.startswith("phase "):
            first, _, *rest = block.splitlines()
            found[first.split()[1].rstrip(":")] = rest
    return found


@pytest.fixture(params=["fused", "split", "fused_gate_major", "split_gate_major"])
def simulation(request: pytest.FixtureRequest, run: Run) -> Simulation:
    return run(schedule=request.param, timing_only=True)


def test_every_op_with_its_unit_label_operands_and_times(simulation: Simulation) -> None:
    services = services_of(simulation)
    listed = sections(program_listing(simulation.program, services))
    assert list(listed) == [phase.name for phase in simulation.program.phases]
    for phase, timing in zip(simulation.program.phases, services, strict=True):
        lines = listed[phase.name]
        assert len(lines) == 2 * len(phase.ops)
        for index, (op, service) in enumerate(zip(phase.ops, timing, strict=True)):
            head, operands = lines[2 * index], lines[2 * index + 1]
            assert head.split()[:2] == [str(index), op.unit]
            assert f"  {op.label} " in head
            assert f" {service.occupancy_cycles:,} cy " in head
            assert f" {service.latency_cycles:,} cy " in head
            size = f"{op.macs:,} MAC" if op.macs else f"{sum(r.entries * r.buffer.width for r in op.writes):,} val"
            assert f" {size} " in head
            assert operands.strip() == operands_text(op)


def test_every_dependency_with_its_lag_and_event(simulation: Simulation) -> None:
    listed = sections(program_listing(simulation.program, services_of(simulation)))
    for phase in simulation.program.phases:
        for index, deps in enumerate(phase.deps):
            waits = re.split(r" cy  ", listed[phase.name][2 * index])[-1]
            found = re.findall(r"(\d+)(?:@-(\d+))? (done|free) \((\w+)\)", waits)
            assert found == [
                (str(dep.op), str(dep.lag or ""), dep.after.value, dep.cause.value.removeprefix("wait_"))
                for dep in deps
            ]
            assert deps or waits == "-"


def test_phases_say_how_often_they_run_and_ops_when(small: Simulation) -> None:
    text = program_listing(small.program, services_of(small))
    assert f"program fused_interleaved: {small.program.op_instances} ops executed, 160 MACs" in text
    body = small.program.phases[1]
    assert f"phase body: {len(body.ops)} ops, 4 times" in text
    assert "phase epilogue: 2 ops, once" in text
    conditional = [index for index, op in enumerate(body.ops) if op.conditional]
    lines = sections(text)["body"]
    assert [index for index in range(len(body.ops)) if "t<2" in lines[2 * index]] == conditional != []


def test_an_op_that_never_takes_part_says_so(run: Run) -> None:
    text = program_listing(run(workload=("steps=2",)).program)
    assert re.search(r"load x\[t\+2\] +never", text)


def test_columns_are_aligned(small: Simulation) -> None:
    for lines in sections(program_listing(small.program, services_of(small))).values():
        assert len({present(re.search(r" cy  ", line)).start() for line in lines[::2]}) == 1


def test_without_service_times_only_those_are_missing(small: Simulation) -> None:
    text = program_listing(small.program)
    assert not re.search(r"\d cy\b|^  op .*latency", text, re.MULTILINE)
    assert len(sections(text)["body"]) == 2 * len(small.program.phases[1].ops)


def test_buffers_and_the_legend_are_there(small: Simulation) -> None:
    text = program_listing(small.program, services_of(small))
    for buffer in small.program.buffers:
        assert re.search(
            rf"^  {re.escape(buffer.name)} +{buffer.memory} +{buffer.kind.value} .* float32 ", text, re.MULTILINE
        )
    assert "How to read this" in text
    assert text == program_listing(small.program, services_of(small))
    assert text.endswith("\n")
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


def test_a_listing_does_not_grow_with_the_steps(run: Run) -> None:
    short, longer = (run(workload=(f"steps={steps}",), timing_only=True).program for steps in (10, 90))
    assert len(program_listing(short).splitlines()) == len(program_listing(longer).splitlines())


@given(
    slots=st.none() | st.integers(1, 9),
    offset=st.integers(-3, 30),
    stride=st.integers(0, 30),
    repetition=st.integers(0, 40),
)
def test_the_slot_rule_is_the_slot(slots: int | None, offset: int, stride: int, repetition: int) -> None:
    buffer = Buffer("x", "input_buffer", DataKind.X, 4, 1, parse_format("float32"), slots)
    region = Region(buffer, 0, 4, offset, stride)
    rule = re.sub(r"(\d)t", r"\1*t", slot_rule(region))
    assert eval(rule, {"t": repetition}) == region.slot(repetition)


def test_region_text() -> None:
    def region(slots: int | None, start: int, stop: int, offset: int = 0, stride: int = 0) -> str:
        buffer = Buffer("h", "state_buffer", DataKind.H, 8, 1, parse_format("float32"), slots)
        return region_text(Region(buffer, start, stop, offset, stride))

    assert region(1, 0, 8) == "h"
    assert region(1, 2, 8) == "h[2:8]"
    assert region(2, 0, 8, 1, 1) == "h{(t+1)%2}"
    assert region(2, 0, 4, 0, 1) == "h{t%2}[0:4]"
    assert region(8, 0, 8, 5, 63) == "h{(7t+5)%8}"
    assert region(4, 0, 8, 0, 2) == "h{2t%4}"
    assert region(None, 0, 8, 2, 1) == "h{t+2}"
    assert region(2, 0, 8, 1) == "h{1}"


def test_accumulation_is_marked(run: Run) -> None:
    body: Phase = run(schedule="split", timing_only=True).program.phases[1]
    for op in body.ops:
        assert operands_text(op).endswith(" +=") == bool(op.updates)
    assert any(op.updates for op in body.ops)
