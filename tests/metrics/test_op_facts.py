"""What units say of ops is kept for other programs: it is what they say when they are asked afresh."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.unit import Unit, Units
from archsim.metrics import op_facts
from archsim.metrics.op_facts import OpActions, OpService
from archsim.metrics.unit_facts import SharedFacts, UnitFacts, facts_of, unit_ops
from archsim.program.ir import Op, Program
from archsim.program.shapes import Shapes
from archsim.workload import load_workload

MACHINES = ((), ("activation.lanes=3",), ("state_buffer.port_bits=8",), ("dram.latency_cycles=7",))
SCHEDULES = ("fused", "split", "fused_gate_major")


def shared_facts(shared: SharedFacts, program: Program, units: Units) -> dict[str, UnitFacts]:
    shapes = Shapes.from_program(program)
    ops = unit_ops(shapes, shapes.times(program))
    return {name: shared.get(name, unit, shared.counted(ops.get(name, ()))) for name, unit in units.items()}


def said(facts: UnitFacts) -> tuple[object, ...]:
    activity = facts.activity
    actions = activity.actions
    accesses = {access: dict(sizes) for access, sizes in actions.accesses.items()}
    return facts.services, activity.useful_cycles, dict(actions.operators), list(accesses.items()), dict(facts.asked)


def test_facts_of_programs_that_share_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three schedules on four machines, twice: the second time nothing is asked, and before that less than afresh.

    `fused` and `split` have the same activations and element-wise ops, and machines differ in one unit or port each.
    """
    asked: list[Op] = []
    of, actions_of = OpService.of, OpActions.of

    def counting(unit: Unit[Any], op: Op) -> OpService:
        asked.append(op)
        return of(unit, op)

    def counting_actions(unit: Unit[Any], op: Op) -> OpActions:
        asked.append(op)
        return actions_of(unit, op)

    monkeypatch.setattr(OpService, "of", staticmethod(counting))
    monkeypatch.setattr(OpActions, "of", staticmethod(counting_actions))
    spec, shared = load_workload("lstm:5,6,t=4").spec, SharedFacts()
    cases: list[tuple[Program, Units]] = []
    for sets in MACHINES:
        config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
        programs = (find_schedule(name, config.family).build(spec, config) for name in SCHEDULES)
        cases += [(program, build_units(config)) for program in programs]
    found = [shared_facts(shared, program, units) for program, units in cases]
    together = len(asked)
    again = [shared_facts(shared, program, units) for program, units in cases]
    assert len(asked) == together, "nothing was asked twice"
    asked.clear()
    for facts, second, (program, units) in zip(found, again, cases, strict=True):
        afresh = facts_of(program, units)
        assert {name: said(of_unit) for name, of_unit in facts.items()} == {
            name: said(of_unit) for name, of_unit in afresh.items()
        }
        assert facts == second
    assert 2 * together < len(asked)


def test_a_unit_with_another_port_is_asked_again() -> None:
    """A port of half the width takes more cycles, whatever is known of the wide one; what passes is the same."""
    spec, shared, occupied, activities = load_workload("lstm:5,6,t=4").spec, SharedFacts(), [], []
    for bits in (32, 16, 32):
        config = load_arch("tiny_2x2", [parse_override(f"state_buffer.port_bits={bits}")]).config
        program, units = find_schedule("fused", config.family).build(spec, config), build_units(config)
        facts = shared_facts(shared, program, units)["elementwise"]
        assert facts.asked["state_buffer"] == bits
        activities.append(facts.activity)
        occupied.append(max(service.port_cycles for service in facts.services))
    assert occupied[0] < occupied[1]
    assert occupied[0] == occupied[2]
    assert activities[0] is activities[1] is activities[2]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for three ops everything is forgotten again and again, and said the same."""
    monkeypatch.setattr(op_facts, "MOST_OPS", 3)
    spec, shared = load_workload("lstm:5,6,t=4").spec, SharedFacts()
    config = load_arch("tiny_2x2").config
    units = build_units(config)
    for name in (*SCHEDULES, *SCHEDULES):
        program = find_schedule(name, config.family).build(spec, config)
        found, afresh = shared_facts(shared, program, units), facts_of(program, units)
        assert {k: said(facts) for k, facts in found.items()} == {k: said(facts) for k, facts in afresh.items()}
