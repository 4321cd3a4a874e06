"""Traces of a few ops that are written by hand, event by event."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from archsim.errors import ScheduleError
from archsim.export.op_times import CycleWindow, OpRow
from archsim.export.traces.activity import ACCUMULATORS, AccumulatorUse, Held, moved_bytes
from archsim.export.traces.konata import KonataTrace
from archsim.export.traces.perfetto import PerfettoTrace
from archsim.export.traces.time_order import TimeOrder
from archsim.export.traces.trace_end import Slice, TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.export.traces.vcd_trace import VcdTrace
from archsim.formats import parse_format
from archsim.program.ir import After, Buffer, DataKind, Dep, PhaseKind, Region, Wait
from archsim.trace import OpRecord, OpTimes
from archsim.trace.in_order import TimedOp
from tests.report.parts import thing


def region(name: str, memory: str, start: int, stop: int, width: int = 1, offset: int = 0) -> Region:
    """Entries of a buffer of two slots of int8."""
    return Region(Buffer(name, memory, DataKind.X, 64, width, parse_format("int8"), 2), start, stop, offset)


def op(unit: str, label: str, reads: Any = (), writes: Any = (), updates: Any = (), macs: int = 0) -> Any:
    """An op that takes part in every repetition but -1, on step 3 r + 1."""
    return thing(
        unit=unit, label=label, reads=tuple(reads), writes=tuple(writes), updates=tuple(updates), macs=macs,
        step=lambda r: 3 * r + 1, active=lambda r, repeat: 0 <= r < repeat,
    )  # fmt: skip


def timed(found: Any, index: int, issue: int, start: int, free: int, done: int, **more: Any) -> TimedOp:
    phase, repetition = more.pop("phase", 0), more.pop("repetition", 0)
    waited, cause = more.pop("waited", 0), more.pop("cause", None)
    record = OpRecord(phase, repetition, index, start, free, done)
    return TimedOp(found, index, OpTimes(record, issue, 5, 6, waited, cause))


def test_events_come_in_the_order_of_cycle_rank_and_coming() -> None:
    taken: list[tuple[int, str]] = []
    order = TimeOrder[str](lambda cycle, event: taken.append((cycle, event)))
    for cycle, rank, event in ((5, 1, "e"), (3, 2, "c"), (3, 0, "a"), (3, 2, "d"), (3, 1, "b"), (9, 0, "f")):
        order.add(cycle, rank, event)
    order.complete_before(3)
    assert taken == [], "one of cycle 3 may still come"
    order.complete_before(5)
    assert taken == [(3, "a"), (3, "b"), (3, "c"), (3, "d")]
    order.complete_before(None)
    assert taken[4:] == [(5, "e"), (9, "f")]


def test_bytes_of_an_op_are_those_of_all_operands_by_memory() -> None:
    """What is updated is read and written; operands without a memory, as constants, move nothing."""
    x, w, sums = region("x", "sram", 0, 5), region("w", "wsram", 0, 4, 3), region("s", "acc", 0, 2, 2)
    found = op("mac", "m", [x, w, region("k", "", 0, 9)], [sums], [sums])
    assert moved_bytes(found) == {"sram": 5.0, "wsram": 12.0, "acc": 8.0}
    bits = Region(Buffer("b", "sram", DataKind.X, 64, 1, parse_format("int4"), 1), 0, 3)
    assert moved_bytes(op("mac", "m", [bits])) == {"sram": 1.5}


def test_accumulators_are_in_use_from_the_op_that_begins_a_sum_to_the_last_that_reads_it() -> None:
    """Two entries of width 4 begin in op 0, go on in op 1 and are read in 2 and, one of them, in 3."""
    sums, one = region("s", ACCUMULATORS, 0, 2, 4), region("s", ACCUMULATORS, 0, 1, 4)
    again = region("s", ACCUMULATORS, 1, 2, 4)
    ops = [
        op("mac", "begin", writes=[sums]),
        op("mac", "go on", writes=[sums], updates=[sums]),
        op("act", "both", reads=[sums], writes=[region("g", "sram", 0, 2)]),
        op("act", "one", reads=[one]),
        op("mac", "other", writes=[again]),  # begins a new sum in the second entry, which nobody reads
    ]
    use = AccumulatorUse(thing(phases=[thing(ops=[]), thing(ops=ops)]))

    def held(index: int) -> list[Held]:
        return list(use.of(timed(ops[index], index, 0, 10 * index, 10 * index + 5, 99, phase=1)))

    assert held(0) == [Held(0, 8)]
    assert held(1) == []
    assert held(2) == [Held(25, -4)], "the second entry: the first is read once more"
    assert held(3) == [Held(35, -4)]
    assert held(4) == [Held(40, 4)]


def test_a_slot_of_its_own_is_another_sum() -> None:
    first, second = (region("s", ACCUMULATORS, 0, 1, 4, offset=slot) for slot in (0, 1))
    ops = [op("mac", "a", writes=[first]), op("mac", "b", writes=[second]), op("act", "c", reads=[first])]
    use = AccumulatorUse(thing(phases=[thing(ops=ops)]))
    changes = [list(use.of(timed(found, at, 0, at, at + 1, 9))) for at, found in enumerate(ops)]
    assert changes == [[Held(0, 4)], [Held(1, 4)], [Held(3, -4)]]


OPS = [op("mac", "m[0]"), op("act", "tanh x")]


def konata(folder: Path, *ops: TimedOp) -> list[str]:
    trace = KonataTrace(folder / "trace.konata")
    for one in ops:
        trace.add(one)
    trace.finish(TraceEnd(20))
    trace.close()
    return (folder / "trace.konata").read_text().splitlines()


def test_konata_by_hand(tmp_path: Path) -> None:
    """Op 0 waits in the queue from 2 to 4, holds its unit to 7, and drains to 9; op 1 starts at its issue, at 6.

    It has no tail: it retires first, in the cycle in which op 0 begins to drain; there the retired one comes first.
    """
    first = timed(OPS[0], 0, 2, 4, 7, 9, repetition=2, waited=2, cause=Wait.INPUT)
    assert konata(tmp_path, first, timed(OPS[1], 1, 6, 6, 7, 7)) == [
        "Kanata\t0004", "C=\t0", "C\t2", "I\t0\t0\t0", "L\t0\t0\tmac: m[0], step 7, waited 2 for wait_input",
        "S\t0\t0\tQ", "C\t2", "E\t0\t0\tQ", "S\t0\t0\tX", "C\t2", "I\t1\t1\t0", "L\t1\t0\tact: tanh x, step 1",
        "S\t1\t0\tX", "C\t1", "E\t1\t0\tX", "R\t1\t0\t0", "E\t0\t0\tX", "S\t0\t0\tD", "C\t2", "E\t0\t0\tD",
        "R\t0\t1\t0",
    ]  # fmt: skip


ABOUT = TracedRun("a run", 250.0, ("mac", "act"))


def perfetto(folder: Path, program: Any, end: TraceEnd, *ops: TimedOp) -> dict[str, Any]:
    trace = PerfettoTrace(folder / "trace.json.gz", ABOUT, program)
    for one in ops:
        trace.add(one)
    trace.finish(end)
    trace.close()
    found: dict[str, Any] = json.loads(gzip.decompress((folder / "trace.json.gz").read_bytes()))
    return found


def counted(found: dict[str, Any], name: str) -> list[tuple[int, float]]:
    return [
        (one["ts"], one["args"]["value"]) for one in found["traceEvents"] if one["ph"] == "C" and one["name"] == name
    ]


def phases(*ops: Any, kind: PhaseKind = PhaseKind.BODY) -> Any:
    return thing(phases=[thing(name="the body", kind=kind, ops=list(ops))])


def test_a_slice_of_perfetto_has_all_that_is_known_of_its_op(tmp_path: Path) -> None:
    found = op("act", "tanh", [region("x", "sram", 1, 4, offset=1)], [region("y", "sram", 0, 2)], macs=12)
    one = timed(found, 0, 2, 4, 7, 9, repetition=2, waited=2, cause=Wait.INPUT)
    trace = perfetto(tmp_path, phases(found), TraceEnd(20), one)
    assert (trace["metadata"]["clock_mhz"], trace["metadata"]["run"]) == (250.0, "a run")
    named = [one for one in trace["traceEvents"] if one["ph"] == "M"]
    assert [(one["name"], one["tid"], list(one["args"].values())) for one in named] == [
        ("process_name", 0, ["a run"]), ("thread_name", 1, ["mac"]), ("thread_sort_index", 1, [1]),
        ("thread_name", 2, ["act"]), ("thread_sort_index", 2, [2]),
    ]  # fmt: skip
    [drawn] = [one for one in trace["traceEvents"] if one["ph"] == "X"]
    assert (drawn["tid"], drawn["ts"], drawn["dur"], drawn["name"], drawn["cat"]) == (2, 4, 3, "tanh", "act")
    assert drawn["args"] == {
        "phase": "the body", "repetition": 2, "step": 7, "issue": 2, "done": 9, "compute_cycles": 5, "port_cycles": 6,
        "waited_cycles": 2, "macs": 12, "reads": ["x[1][1:4]"], "writes": ["y[0][0:2]"], "waited_for": "wait_input",
    }  # fmt: skip
    other = perfetto(tmp_path, phases(found, kind=PhaseKind.PROLOGUE), TraceEnd(20), timed(found, 0, 2, 4, 7, 9))
    [drawn] = [one for one in other["traceEvents"] if one["ph"] == "X"]
    assert drawn["args"]["step"] == -1, "no time step"
    assert "waited_for" not in drawn["args"]


def test_queues_of_perfetto_go_up_at_issues_and_down_at_starts(tmp_path: Path) -> None:
    """Issued at 1, 2 and 5, started at 1, 5 and 8: at 5 one leaves before the next comes."""
    ops = [timed(OPS[0], 0, 1, 1, 5, 5), timed(OPS[0], 0, 2, 5, 8, 8), timed(OPS[0], 0, 5, 8, 9, 9)]
    found = perfetto(tmp_path, phases(*OPS), TraceEnd(20), *ops)
    assert counted(found, "mac: queue, ops") == [(1, 1), (1, 0), (2, 1), (5, 0), (5, 1), (8, 0)]
    assert counted(found, "act: queue, ops") == []


def test_bytes_a_cycle_of_perfetto_hold_while_an_op_holds_its_unit(tmp_path: Path) -> None:
    """8 bytes in 4 cycles, then at once as many in 4, then 6 in 3 after a gap, then none of that memory."""
    eight, six = op("mac", "m", [region("x", "sram", 0, 8)]), op("mac", "m", [region("x", "sram", 0, 6)])
    other, short = op("mac", "m", [region("w", "wsram", 0, 3)]), op("act", "m", [region("x", "sram", 0, 6)])
    ops = [
        timed(eight, 0, 0, 0, 4, 4), timed(eight, 0, 4, 4, 8, 8), timed(six, 0, 10, 10, 12, 12),
        timed(other, 0, 12, 12, 13, 13), timed(short, 0, 12, 12, 12, 14),
    ]  # fmt: skip
    found = perfetto(tmp_path, phases(eight), TraceEnd(20), *ops)
    assert counted(found, "mac: sram, B/cycle") == [(0, 2.0), (8, 0), (10, 3.0), (12, 0.0), (13, 0)]
    assert counted(found, "mac: wsram, B/cycle") == [(12, 3.0), (13, 0)]
    thirds = [
        timed(op("mac", "m", [region("x", "sram", 0, size)]), 0, start, start, start + 3, start + 3)
        for start, size in ((5, 1), (9, 3))
    ]
    gap = perfetto(tmp_path, phases(eight), TraceEnd(20), *thirds)
    assert counted(gap, "mac: sram, B/cycle") == [(5, 0.333), (8, 0), (9, 1.0), (12, 0)]
    assert counted(found, "act: sram, B/cycle") == [(12, 0)], "an op of no cycles moves nothing for any"


def test_accumulators_of_perfetto_are_a_running_sum(tmp_path: Path) -> None:
    sums = region("s", ACCUMULATORS, 0, 2, 4)
    begin, read = op("mac", "b", writes=[sums]), op("act", "r", reads=[sums])
    ops = [
        timed(begin, 0, 0, 2, 4, 4), timed(read, 1, 1, 6, 7, 7), timed(begin, 0, 3, 8, 9, 9),
        timed(read, 1, 4, 9, 12, 12),
    ]  # fmt: skip
    found = perfetto(tmp_path, phases(begin, read), TraceEnd(20), *ops)
    assert counted(found, "accumulators in use") == [(2, 8), (7, 0), (8, 8), (12, 0)]


def test_arrows_of_perfetto_are_numbered_one_after_the_other(tmp_path: Path) -> None:
    handover, dependency = (Slice("mac", 1), Slice("act", 2)), (Slice("act", 3), Slice("mac", 4))
    found = perfetto(tmp_path, phases(*OPS), TraceEnd(20, (handover,), (dependency, dependency), 1200))
    arrows = [(one["ph"], one["id"], one["name"], one["tid"], one["ts"]) for one in found["traceEvents"] if "id" in one]
    assert arrows == [
        ("s", 0, "critical path", 1, 1), ("f", 0, "critical path", 2, 2),
        ("s", 1, "dependency", 2, 3), ("f", 1, "dependency", 1, 4),
        ("s", 2, "dependency", 2, 3), ("f", 2, "dependency", 1, 4),
    ]  # fmt: skip
    labels = [one["args"]["labels"] for one in found["traceEvents"] if one["name"] == "process_labels"]
    assert labels == ["arrows of the first 2 of 1,200 dependencies"]
    all_of_them = perfetto(tmp_path, phases(*OPS), TraceEnd(20, (), (dependency,), 1))
    assert not [one for one in all_of_them["traceEvents"] if one["name"] == "process_labels"]


def test_handovers_are_where_the_critical_path_changes_its_unit() -> None:
    """By instance: the ops 0 and 2 are on one unit, and each starts where its own repetition says."""
    ops = [op("mac", "a"), op("act", "b"), op("mac", "c")]
    deps = (
        (),
        (Dep(0, 0, After.DONE, Wait.INPUT),),
        (Dep(1, 1, After.DONE, Wait.INPUT), Dep(0, 0, After.FREE, Wait.BUFFER)),
    )
    program = thing(phases=[thing(ops=ops, deps=deps, repeat=2)])
    times = thing(start=[{(r, place): 100 * r + 10 * place for r in range(2) for place in range(3)}])
    path = [thing(instance=thing(phase=0, repetition=r, op=place)) for r, place in ((0, 0), (0, 2), (0, 1), (1, 2))]
    end = TraceEnd.of(500, program, path, times)
    assert end == TraceEnd(500, ((Slice("mac", 20), Slice("act", 10)), (Slice("act", 10), Slice("mac", 120))))
    assert TraceEnd.of(500, program, path, None) == TraceEnd(500)
    every = TraceEnd.of(500, program, (), times, every=True)
    assert every.dependencies == (
        (Slice("mac", 0), Slice("act", 10)), (Slice("mac", 0), Slice("mac", 20)),
        (Slice("mac", 100), Slice("act", 110)), (Slice("act", 10), Slice("mac", 120)),
        (Slice("mac", 100), Slice("mac", 120)),
    )  # fmt: skip
    assert every.all_dependencies == 5
    ops[2].active = lambda r, repeat: r == 0
    later = TraceEnd.of(500, program, (), times, every=True).dependencies
    assert later == every.dependencies[:3], "an op waits for nothing where it takes no part"


def vcd(folder: Path, *ops: TimedOp, program: Any) -> dict[str, list[tuple[int, str]]]:
    """The changes of each signal, by unit and name; what a signal is before cycle 0 is left out."""
    trace = VcdTrace(folder / "trace.vcd", ABOUT, program)
    for one in ops:
        trace.add(one)
    trace.finish(TraceEnd(30))
    trace.close()
    names: dict[str, str] = {}
    found: dict[str, list[tuple[int, str]]] = {}
    scope, cycle, initial = "", 0, False
    for line in (folder / "trace.vcd").read_text().splitlines():
        words = line.split()
        if words[:2] == ["$scope", "module"]:
            scope = words[2]
        elif words[:1] == ["$var"]:
            names[words[3]] = f"{scope}.{words[4]}"
        elif line.startswith("#"):
            cycle = int(line[1:])
        elif line in ("$dumpvars", "$end"):
            initial = line == "$dumpvars"
        elif line[:1] in "01bsr" and not initial and names:
            value, _, key = line[1:].partition(" ") if " " in line else (line[0], "", line[1:])
            found.setdefault(names[key], []).append((cycle, value))
    found["end"] = [(cycle, "")]
    return found


def test_vcd_by_hand(tmp_path: Path) -> None:
    """An op of 8 bytes is issued at 2, waits for x from 4 on, and holds its unit from 6 to 8: 4 bytes a cycle.

    The next one, issued at 3, takes the unit in the cycle in which that is free; its name has a blank less.
    """
    sums = region("s", ACCUMULATORS, 0, 2, 4)
    first = op("mac", "m 0", [region("x", "sram", 0, 8)], [sums])
    second, reader = op("mac", "m 1", [region("x", "sram", 0, 3)]), op("act", "r", [sums])
    body = [first, second, reader]
    program = thing(phases=[thing(ops=body, distinct=[(one, 1) for one in body])])
    found = vcd(
        tmp_path, timed(first, 0, 2, 6, 8, 9, waited=2, cause=Wait.INPUT), timed(second, 1, 3, 8, 11, 11),
        timed(reader, 2, 4, 10, 12, 12), program=program,
    )  # fmt: skip
    assert found["mac.busy"] == [(6, "1"), (8, "0"), (8, "1"), (11, "0")] or found["mac.busy"] == [(6, "1"), (11, "0")]
    assert [(cycle, name) for cycle, name in found["mac.op"] if name] == [(6, "m_0"), (8, "m_1")]
    assert [(cycle, int(value, 2)) for cycle, value in found["mac.queue_ops"]] == [(2, 1), (3, 2), (6, 1), (8, 0)]
    assert found["mac.waits_for"] == [(4, "wait_input"), (6, "")]
    rates = [(cycle, float(value)) for cycle, value in found["mac.sram_bytes_per_cycle"]]
    assert [rate for rate in rates if rate != (8, 0.0)] == [(6, 4.0), (8, 1.0), (11, 0.0)]
    assert [(cycle, int(value, 2)) for cycle, value in found["accumulators.in_use"]] == [(6, 8), (12, 0)]
    assert found["end"] == [(30, "")]


def test_signals_of_vcd_have_their_types(tmp_path: Path) -> None:
    """A wire of one bit, counters of 32, and a signal for each memory that a unit moves."""
    one = op("mac", "m", [region("x", "sram", 0, 8)], [region("y", "out", 0, 1)])
    vcd(tmp_path, program=thing(phases=[thing(ops=[one], distinct=[(one, 1)])]))
    text = (tmp_path / "trace.vcd").read_text()
    found = [line.split() for line in text.splitlines() if line.startswith("$var")]
    assert [(words[4], words[1], words[2]) for words in found] == [
        ("in_use", "integer", "32"), ("busy", "wire", "1"), ("op", "string", "1"), ("waits_for", "string", "1"),
        ("queue_ops", "integer", "32"), ("busy", "wire", "1"), ("op", "string", "1"), ("waits_for", "string", "1"),
        ("queue_ops", "integer", "32"), ("sram_bytes_per_cycle", "real", "64"), ("out_bytes_per_cycle", "real", "64"),
    ]  # fmt: skip
    assert "a run; 1 ns is 1 cycle of 250 MHz" in text


def test_a_wait_of_vcd_is_shown_from_the_issue_on_and_an_op_of_no_cycles_as_if_it_took_one(tmp_path: Path) -> None:
    """It stood still since 1, but is only known from 4 on."""
    one = op("mac", "m", [region("x", "sram", 0, 8)])
    program = thing(phases=[thing(ops=[one], distinct=[(one, 1)])])
    found = vcd(tmp_path, timed(one, 0, 4, 6, 6, 9, waited=5, cause=Wait.INPUT), program=program)
    assert found["mac.waits_for"] == [(4, "wait_input"), (6, "")]
    assert (6, 8.0) in [(cycle, float(value)) for cycle, value in found["mac.sram_bytes_per_cycle"]]


def row(issue: int, done: int) -> OpRow:
    return OpRow(0, 0, 0, "m", "mac", issue, issue, done, done, 1, 1)


@pytest.mark.parametrize(
    ("issue", "done", "inside"), [(0, 9, False), (0, 10, True), (10, 20, True), (20, 30, True), (21, 30, False)]
)
def test_an_op_is_in_a_window_from_its_issue_to_its_results(issue: int, done: int, inside: bool) -> None:
    assert CycleWindow(10, 20).has(row(issue, done)) is inside
    assert CycleWindow(10).has(row(issue, done)) is (done >= 10)


def test_a_window_may_begin_with_the_last_cycle_and_no_later() -> None:
    CycleWindow(1000).check(thing(total_cycles=1000))
    with pytest.raises(ScheduleError, match="--from 1,001: the run ends at cycle 1,000"):
        CycleWindow(1001).check(thing(total_cycles=1000))
