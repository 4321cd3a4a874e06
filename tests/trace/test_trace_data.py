"""Records of a run: sums of two, phases of a kind, and ops that come out of order."""

from __future__ import annotations

import pytest

from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import PhaseKind, Wait
from archsim.trace import OpRecord, OpTimes, PhaseTrace, Trace, UnitTrace
from archsim.trace.in_order import InOrder, TimedOp
from archsim.workload import load_workload


def test_two_records_of_a_unit_are_added_place_by_place() -> None:
    waits = list(Wait)
    one = UnitTrace(1, 10, 100, {cause: place for place, cause in enumerate(waits)}, {PhaseKind.BODY: 1_000})
    two = UnitTrace(2, 20, 200, dict.fromkeys(waits, 7), {PhaseKind.BODY: 2_000, PhaseKind.EPILOGUE: 4_000})
    both = one + two
    assert (both.ops, both.compute_cycles, both.port_cycles) == (3, 30, 300)
    assert both.waits == {cause: 7 + place for place, cause in enumerate(waits)}
    assert both.idle == {**dict.fromkeys(PhaseKind, 0), PhaseKind.BODY: 3_000, PhaseKind.EPILOGUE: 4_000}
    assert one.total_cycles == 10 + 100 + sum(range(len(waits))) + 1_000
    assert both.total_cycles == one.total_cycles + two.total_cycles


def test_phases_of_a_kind() -> None:
    phases = tuple(
        PhaseTrace(name, kind, start, end, ())
        for name, kind, start, end in (
            ("load", PhaseKind.PROLOGUE, 0, 7),
            ("first", PhaseKind.BODY, 7, 30),
            ("second", PhaseKind.BODY, 30, 100),
        )
    )
    trace = Trace(100, phases, {}, (), (), (), {})
    assert [phase.cycles for phase in phases] == [7, 23, 70]
    assert (trace.cycles_of(PhaseKind.BODY), trace.cycles_of(PhaseKind.EPILOGUE)) == (93, 0)
    assert trace.phase(PhaseKind.BODY).name == "first"
    with pytest.raises(KeyError):
        trace.phase(PhaseKind.EPILOGUE)


def test_ops_are_passed_on_in_program_order_as_soon_as_those_before_are_there() -> None:
    """Those of a run of 2 steps, given backwards but for the first one: it is passed on at once, the others at the end.

    Loads of the next x are left out of the last step.
    """
    program = find_schedule(None, "gemv").build(load_workload("lstm:3,2,t=2").spec, load_arch("tiny_2x2").config)
    given = [
        OpRecord(number, repetition, index, 0, 0, 0)
        for number, phase in enumerate(program.phases)
        for repetition in range(phase.repeat)
        for index, op in enumerate(phase.ops)
        if op.active(repetition, phase.repeat)
    ]
    assert len(given) < sum(phase.repeat * len(phase.ops) for phase in program.phases)
    taken: list[TimedOp] = []
    order = InOrder(program, taken.append)
    order.add(OpTimes(given[0], 0, 0, 0, 0, None))
    assert [one.times.record for one in taken] == given[:1]
    for record in given[:1:-1]:
        order.add(OpTimes(record, 0, 0, 0, 0, None))
    assert len(taken) == 1
    order.add(OpTimes(given[1], 0, 0, 0, 0, None))
    assert [one.times.record for one in taken] == given
    for one in taken:
        record = one.times.record
        assert one.index == record.op
        assert one.op is program.phases[record.phase].ops[record.op]
