"""Finds the cycle of dependencies, from one repetition of a body to a later one, that takes longest a repetition.

Starts, frees, completions and issues of a static machine are maxima of sums (docs/microarchitecture/rules.md): a graph
whose edges say "so many cycles after that event, so many repetitions later". In the long run a repetition takes as many
cycles as the edges of the worst cycle in it sum to, divided by the repetitions that they span: the maximum cycle ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

from archsim.critical.times import Rules
from archsim.errors import SimulatorBug
from archsim.program.ir import After, Phase


class Event(IntEnum):
    """What happens to an op."""

    ISSUE = 0
    START = 1
    FREE = 2
    DONE = 3


class Node(NamedTuple):
    """An event of an op of the body."""

    op: int
    event: Event


class Edge(NamedTuple):
    """The event `end` comes no earlier than `cycles` after `begin`, `lag` repetitions ago."""

    begin: Node
    end: Node
    cycles: int
    lag: int


@dataclass(frozen=True, slots=True)
class CriticalCycle:
    """The cycle of the graph with the largest ratio of cycles to repetitions; its edges in order."""

    edges: tuple[Edge, ...]

    @property
    def cycles(self) -> int:
        """The sum of its edges."""
        return sum(edge.cycles for edge in self.edges)

    @property
    def lag(self) -> int:
        """The repetitions that it spans."""
        return sum(edge.lag for edge in self.edges)

    @property
    def ratio(self) -> Fraction:
        """Cycles a repetition."""
        return Fraction(self.cycles, self.lag)


def critical_cycle(phase: Phase, number: int, rules: Rules, *, recurrence_alone: bool = False) -> CriticalCycle | None:
    """The critical cycle of body `number`, on a machine whose service times are fixed; None if nothing closes one.

    `recurrence_alone`: of what passes from repetition to repetition the dependencies alone, as if each had units and a
    sequencer of its own; within a repetition units still take their ops in order.
    """
    edges = _dependencies(phase, number, rules)
    units = _units(phase, number, rules)
    if recurrence_alone:
        edges += [edge for edge in units if not edge.lag]
    else:
        edges += units + _sequencer(phase, rules)
    return _largest(edges)


def _dependencies(phase: Phase, number: int, rules: Rules) -> list[Edge]:
    """What an op's own events, and tokens, say."""
    services, latency = rules.services[number], rules.token_latency_cycles
    found: list[Edge] = []
    for index, deps in enumerate(phase.deps):
        start, free, done = (Node(index, event) for event in (Event.START, Event.FREE, Event.DONE))
        found.append(Edge(start, free, services[index].occupancy_cycles, 0))
        found.append(Edge(free, done, services[index].depth_cycles, 0))
        for dep in deps:
            match dep.after:
                case After.DONE:
                    found.append(Edge(Node(dep.op, Event.DONE), start, latency, dep.lag))
                case After.FREE:
                    found.append(Edge(Node(dep.op, Event.FREE), start, latency, dep.lag))
                case After.FIRST:
                    found.append(Edge(Node(dep.op, Event.START), start, services[dep.op].first_word_cycles, dep.lag))
                    found.append(Edge(Node(dep.op, Event.DONE), free, 0, dep.lag))
    return found


def _units(phase: Phase, number: int, rules: Rules) -> list[Edge]:
    """A unit takes its ops in order, and their results retire in order."""
    found: list[Edge] = []
    for ops in _by_unit(phase):
        for place, index in enumerate(ops):
            before, lag = (ops[place - 1], 0) if place else (ops[-1], 1)
            written = rules.services[number][index].write_cycles
            found.append(Edge(Node(before, Event.FREE), Node(index, Event.START), 0, lag))
            found.append(Edge(Node(before, Event.DONE), Node(index, Event.DONE), written, lag))
    return found


def _sequencer(phase: Phase, rules: Rules) -> list[Edge]:
    """Ops are issued in order, an interval each, into a queue that has a place."""
    found: list[Edge] = []
    count = len(phase.ops)
    for index, op in enumerate(phase.ops):
        interval = 0 if op.joined else rules.issue_cycles
        before, lag = (index - 1, 0) if index else (count - 1, 1)
        found.append(Edge(Node(before, Event.ISSUE), Node(index, Event.ISSUE), interval, lag))
        found.append(Edge(Node(index, Event.ISSUE), Node(index, Event.START), 0, 0))
    for ops in _by_unit(phase):
        for place, index in enumerate(ops):
            lag, earlier = divmod(place - rules.queue_depth, len(ops))
            interval = 0 if phase.ops[index].joined else rules.issue_cycles
            found.append(Edge(Node(ops[earlier], Event.START), Node(index, Event.ISSUE), interval, -lag))
    return found


def _by_unit(phase: Phase) -> list[list[int]]:
    found: dict[str, list[int]] = {}
    for index, op in enumerate(phase.ops):
        found.setdefault(op.unit, []).append(index)
    return list(found.values())


def _largest(edges: Sequence[Edge]) -> CriticalCycle | None:
    """The cycle with the largest ratio, found by improving one (Lawler; the improvement is Bellman and Ford's).

    With r the ratio of the best cycle so far, edges are lengthened to cycles - r lag. A cycle that is still longer than
    nothing has a larger ratio, and becomes the best; when there is none, the best one is the largest.
    """
    # In program order, in which all edges within a repetition point forward: one round follows these to their end, so
    # that rounds are as few as the repetitions that a longest way spans.
    edges = sorted(edges, key=lambda edge: (edge.end, -edge.lag))
    nodes = sorted({node for edge in edges for node in (edge.begin, edge.end)})
    numbers = {node: number for number, node in enumerate(nodes)}
    ends = [(numbers[edge.begin], numbers[edge.end]) for edge in edges]
    best: CriticalCycle | None = None
    while True:
        ratio = best.ratio if best is not None else Fraction(-1)  # at first any cycle is better
        weights = [edge.cycles * ratio.denominator - edge.lag * ratio.numerator for edge in edges]
        found = _positive_cycle(len(numbers), ends, weights)
        if found is None:
            return None if best is None else _from_the_lag(best)
        better = CriticalCycle(tuple(edges[place] for place in found))
        if not better.lag:
            raise SimulatorBug("a cycle of dependencies within one repetition")
        best = better


def _from_the_lag(cycle: CriticalCycle) -> CriticalCycle:
    """The cycle begun where it passes from a repetition to a later one, at the first such edge in program order."""
    first = min((place for place, edge in enumerate(cycle.edges) if edge.lag), key=lambda place: cycle.edges[place].end)
    return CriticalCycle(cycle.edges[first:] + cycle.edges[:first])


def _positive_cycle(count: int, ends: Sequence[tuple[int, int]], weights: Sequence[int]) -> list[int] | None:
    """The places of the edges of a cycle whose weights sum to more than 0, in order; None if there is none.

    Longest distances from everywhere are made longer edge by edge. The edges that did it last form a forest, unless
    there is such a cycle: then, sooner or later, they close one.
    """
    distance = [0] * count
    last: list[int | None] = [None] * count
    while True:
        changed = False
        for place, (begin, end) in enumerate(ends):
            if distance[begin] + weights[place] > distance[end]:
                distance[end] = distance[begin] + weights[place]
                last[end] = place
                changed = True
        if not changed:
            return None
        found = _closed(last, ends)
        if found is not None:
            return found


def _closed(last: Sequence[int | None], ends: Sequence[tuple[int, int]]) -> list[int] | None:
    """A cycle among the edges that lengthened each node's distance last, in order; None if they form a forest."""
    seen = [0] * len(last)
    for first in range(len(last)):
        node, walk = first, first + 1
        while not seen[node]:
            seen[node] = walk
            place = last[node]
            if place is None:
                break
            node = ends[place][0]
        else:
            if seen[node] == walk:
                cycle: list[int] = []
                stop = node
                while True:
                    place = last[node]
                    assert place is not None
                    cycle.append(place)
                    node = ends[place][0]
                    if node == stop:
                        return cycle[::-1]
    return None
