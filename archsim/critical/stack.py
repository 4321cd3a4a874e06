"""Folds a critical path to cycles by unit and cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archsim.critical.path import Cause, Segment
from archsim.critical.ratio import CriticalCycle, Edge, Event
from archsim.critical.times import Rules
from archsim.hardware.unit import Units
from archsim.program.ir import Op, Phase, Program

SEQUENCER = "sequencer"

CAUSES: Mapping[str, str] = {
    "useful": "whole cycles' worth of useful items of the datapath",
    "padding": "the datapath works besides: ragged tiles and lanes; DRAM's bursts, rows and refresh",
    Cause.PORT.value: "an op holds its unit for a memory port",
    Cause.STREAM.value: "until an op's first word is through, which the next unit waits for",
    Cause.DRAIN.value: "results are on their way through their unit's pipeline, and the next op waits for them",
    Cause.WRITE_PORT.value: "results wait for their unit's write port",
    Cause.TOKEN.value: "a token is on its way to the unit: sequencer.token_latency_cycles",
    Cause.ISSUE.value: "the sequencer issues an op that could have started; a full queue may have held it before",
    Cause.FRAME.value: "a frame waits for a later one, beside which a wavefront works on it",
}
"""What the cycles of a latency are, on the unit that has them."""

LatencyStack = Mapping[str, Mapping[str, int]]
"""Unit -> cause -> cycles, none of them 0; sums to the length of the path."""


def latency_stack(path: Iterable[Segment], program: Program, units: Units) -> LatencyStack:
    """The cycles of a path by unit, in the order of reports, and cause, in that of CAUSES."""
    return _folded(((_op(segment, program), segment.cause, segment.cycles) for segment in path), units)


def _op(segment: Segment, program: Program) -> Op:
    return program.phases[segment.instance.phase].ops[segment.instance.op]


@dataclass(frozen=True, slots=True)
class Link:
    """Cycles of a critical cycle: the op that has them, and their cause."""

    op: int
    cause: Cause
    cycles: int


def links(cycle: CriticalCycle, number: int, rules: Rules) -> tuple[Link, ...]:
    """The cycles of a critical cycle of body `number`, in order; what takes none is left out."""
    return tuple(link for edge in cycle.edges for link in _links(edge, number, rules) if link.cycles)


def step_stack(found: Sequence[Link], phase: Phase, units: Units) -> LatencyStack:
    """The cycles of a critical cycle by unit and cause, over all repetitions that it spans."""
    path = [(phase.ops[link.op], link.cause, link.cycles) for link in found]
    return _folded(path, units)


def _links(edge: Edge, number: int, rules: Rules) -> Sequence[Link]:
    """The cycles of an edge: what the event at its end waits for."""
    begin, end = edge.begin, edge.end
    if end.event is Event.FREE and begin == (end.op, Event.START):
        compute = min(edge.cycles, rules.services[number][end.op].compute_cycles)
        return Link(end.op, Cause.PORT, edge.cycles - compute), Link(end.op, Cause.COMPUTE, compute)
    if end.event is Event.DONE:
        return (Link(end.op, Cause.DRAIN if begin.event is Event.FREE else Cause.WRITE_PORT, edge.cycles),)
    if end.event is Event.ISSUE:
        return (Link(end.op, Cause.ISSUE, edge.cycles),)
    if begin.event is Event.START:
        return (Link(begin.op, Cause.STREAM, edge.cycles),)
    return (Link(end.op, Cause.TOKEN, edge.cycles),)


def _folded(path: Iterable[tuple[Op, Cause, int]], units: Units) -> LatencyStack:
    found: dict[str, dict[str, int]] = {name: {} for name in (*units, SEQUENCER)}
    computed: dict[str, int] = {}
    ops: dict[int, Op] = {}
    times: Counter[int] = Counter()  # of the op with that id: a path passes the same few ops in every step
    for op, cause, cycles in path:
        if cause is Cause.COMPUTE:
            ops[id(op)] = op
            times[id(op)] += 1
            computed[op.unit] = computed.get(op.unit, 0) + cycles
            continue
        unit = found[SEQUENCER if cause.sequencers else op.unit]
        unit[cause.value] = unit.get(cause.value, 0) + cycles
    useful = dict.fromkeys(computed, Fraction(0))
    for key, op in ops.items():
        work = units[op.unit].work(op)
        useful[op.unit] += times[key] * (Fraction(work.items) / work.items_per_cycle)
    for name, cycles in computed.items():
        # At most all of them: of kind ddr an op's items may pass in less than whole cycles.
        whole = min(cycles, int(useful[name]))
        found[name] |= {"useful": whole, "padding": cycles - whole}
    return {
        name: {cause: causes[cause] for cause in CAUSES if causes.get(cause)}
        for name, causes in found.items()
        if causes
    }
