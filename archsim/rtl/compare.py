"""Compares what the model of the RTL did with what the simulation says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from archsim.families.rtl import RtlOp
from archsim.rtl.expected import Codes, Expected

EVENTS = {"s": "start", "f": "free", "d": "done"}


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """The first place at which the model differs: the cycle, the op, and what was expected and found."""

    cycle: int
    op: str
    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.op}: {self.what}: cycle {self.cycle}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many ops and codes there are, and how many of them the model has alike."""

    ops: int
    ops_equal: int
    codes: int
    codes_equal: int
    finished: bool
    first: Difference | None

    @property
    def passed(self) -> bool:
        """Whether everything is equal."""
        return self.finished and self.ops == self.ops_equal and self.codes == self.codes_equal and self.first is None


@dataclass(slots=True)
class Observed:
    """What a model did, by the number of the op: cycles of each event, and codes with the cycle of their writing."""

    events: dict[str, dict[int, list[int]]] = field(default_factory=lambda: {e: defaultdict(list) for e in EVENTS})
    codes: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    cycles: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    stored: list[int] = field(default_factory=list)
    stored_cycles: list[int] = field(default_factory=list)


def read_events(path: Path) -> Observed:
    """Read the events that a testbench has written."""
    found = Observed()
    with path.open(encoding="ascii") as file:
        for line in file:
            kind, *numbers = line.split()
            cycle, *rest = map(int, numbers)
            if kind == "w":
                op, _, *codes = rest
                found.codes[op] += codes
                found.cycles[op] += [cycle] * len(codes)
            elif kind == "o":
                found.stored += rest[1:]
                found.stored_cycles += [cycle] * (len(rest) - 1)
            else:
                found.events[kind][rest[0]].append(cycle)
    return found


def compare(expected: Expected, observed: Observed, *, finished: bool) -> Comparison:
    """Compare every op and every code."""
    ops = ops_equal = codes = codes_equal = 0
    differences: list[Difference] = []
    stored_from = 0
    program = expected.program
    for number, op in enumerate(expected.design.ops):
        if op is None:
            continue
        times = expected.times[op]
        lists = {event: observed.events[event][number] for event in EVENTS}
        ops += len(times)
        for instance, wanted in enumerate(times):
            differs = _time_difference(expected, op, instance, (wanted.start, wanted.free, wanted.done), lists)
            ops_equal += differs is None
            if differs is not None:
                differences.append(differs)
        extra = max(len(found) for found in lists.values()) - len(times)
        if extra > 0:
            what = f"{extra} starts more than the simulation has"
            differences.append(Difference(lists["s"][-1], expected.name(op, len(times)), what, "none", "a start"))
        stores = program.phases[op.phase].ops[op.index].writes[0].buffer.memory == "dram"
        if not stores:
            wanted_codes = _in_order(expected, op)
            same = _code_differences(
                expected, op, wanted_codes, observed.codes[number], observed.cycles[number], differences
            )
            codes += wanted_codes.size
            codes_equal += same
    # Stores follow each other in the order of their starts, as dram is one unit.
    for op, instance in _stores(expected):
        wanted_codes = expected.codes[op][instance].reshape(-1)
        part = slice(stored_from, stored_from + wanted_codes.size)
        found, cycles = observed.stored[part], observed.stored_cycles[part]
        codes += wanted_codes.size
        codes_equal += _code_differences(expected, op, wanted_codes, found, cycles, differences)
        stored_from += wanted_codes.size
    return Comparison(ops, ops_equal, codes, codes_equal, finished, min(differences, default=None))


def _time_difference(
    expected: Expected, op: RtlOp, instance: int, wanted: tuple[int, int, int], lists: dict[str, list[int]]
) -> Difference | None:
    for event, cycle in zip(EVENTS, wanted, strict=True):
        found = lists[event][instance] if instance < len(lists[event]) else None
        if found != cycle:
            name, what = expected.name(op, instance), EVENTS[event]
            got = "never" if found is None else f"{found}"
            return Difference(cycle if found is None else min(cycle, found), name, what, f"{cycle}", got)
    return None


def _in_order(expected: Expected, op: RtlOp) -> Codes:
    """All codes of an op in the order in which a unit writes them; a tile writes lane by lane of the batch."""
    found = expected.codes[op]
    if not found:
        return np.zeros(0, np.int64)
    tile = expected.program.phases[op.phase].ops[op.index].unit == "mac_array"
    return np.concatenate([(codes.T if tile else codes).reshape(-1) for codes in found])


def _code_differences(
    expected: Expected, op: RtlOp, wanted: Codes, found: list[int], cycles: list[int], into: list[Difference]
) -> int:
    """How many codes are equal; the first that is not is added to `into`."""
    got = np.array(found[: wanted.size], np.int64)
    equal = got == wanted[: got.size]
    count = int(equal.sum())
    if count < wanted.size or len(found) > wanted.size:
        place = int(np.argmin(equal)) if not equal.all() else got.size
        a_time = max(1, expected.codes[op][0].size if expected.codes[op] else 1)
        cycle = cycles[place] if place < len(cycles) else expected.last_cycle
        name = expected.name(op, place // a_time)
        want = f"{wanted[place]}" if place < wanted.size else "none"
        into.append(
            Difference(cycle, name, f"code {place % a_time}", want, f"{found[place]}" if place < len(found) else "none")
        )
    return count


def _stores(expected: Expected) -> list[tuple[RtlOp, int]]:
    found = []
    for op, times in expected.times.items():
        if expected.program.phases[op.phase].ops[op.index].writes[0].buffer.memory == "dram":
            found += [(time.start, op, instance) for instance, time in enumerate(times)]
    return [(op, instance) for _, op, instance in sorted(found, key=lambda item: item[0])]
