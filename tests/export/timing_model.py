"""A model of time that knows the exported JSON and docs/program_json.md alone: it looks at every cycle, one by one.

Nothing is imported from archsim, and nothing is clever: counters of tokens, queues as lists, a loop over cycles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Row = dict[str, int]
LAST_CYCLE = 300_000
"""A program that is not over by then waits for what does not come."""

Vary = Callable[[Json], tuple[int, int]]
"""From a service to the occupancy and depth to use."""


def nominal(service: Json) -> tuple[int, int]:
    """Occupancy and depth as they are exported."""
    return service["occupancy_cycles"], service["depth_cycles"]


class PhaseModel:
    """One phase from its first cycle to the one in which all its ops are done."""

    def __init__(self, program: Json, phase: int, begin: int, vary: Vary) -> None:
        self.phase = phase
        self.facts = program["phases"][phase]
        self.sequencer = program["machine"]["sequencer"]
        self.ops = [op for op in program["ops"] if op["phase"] == phase]
        self.edges = [edge for edge in program["tokens"] if edge["phase"] == phase]
        self.arrived = [edge["initial"] for edge in self.edges]
        self.under_way = list(self.arrived)
        self.most = list(self.arrived)
        self.into: dict[int, list[int]] = defaultdict(list)
        self.out_of: dict[tuple[int, str], list[int]] = defaultdict(list)
        for number, edge in enumerate(self.edges):
            self.into[edge["to_op"]].append(number)
            self.out_of[edge["from_op"], edge["event"]].append(number)
        self.vary = vary
        self.now = begin
        self.rows: dict[tuple[int, int], Row] = {}
        used = {op["unit"] for op in self.ops}
        units = [unit["name"] for unit in program["machine"]["units"] if unit["name"] in used]
        self.queues: dict[str, list[tuple[int, int]]] = {unit: [] for unit in units}
        self.booked: dict[str, set[int]] = defaultdict(set)
        self.holds: dict[str, tuple[int, int] | None] = dict.fromkeys(units)
        self.last_done = dict.fromkeys(units, begin)
        self.due: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
        self.left = 0

    def takes_part(self, instance: tuple[int, int]) -> bool:
        r, op = instance
        return bool(self.ops[op]["skip_first"] <= r < self.facts["repeat"] - self.ops[op]["skip_last"])

    def run(self, last_cycle: int) -> int:
        """Go through the cycles, at most up to that one; returns the one at which the next phase starts."""
        todo = [(r, op["op"]) for r in range(self.facts["repeat"]) for op in self.ops]
        self.left = sum(map(self.takes_part, todo))
        todo.reverse()
        sequencer_free = self.now + self.sequencer["token_latency_cycles"] if self.left else self.now
        while self.left:
            self.happen()
            moved = True
            while moved:
                moved = False
                while todo and self.now >= sequencer_free and self.has_place(todo[-1]):
                    instance = todo.pop()
                    op = self.ops[instance[1]]
                    sequencer_free = self.now + (0 if op["joined"] else self.sequencer["issue_cycles"])
                    if self.takes_part(instance):
                        self.rows[instance] = {"issue_cycle": sequencer_free}
                        self.queues[op["unit"]].append(instance)
                    moved = True
                # Ops that need a single port start when no other can any more, in the order of the units.
                moved = self.start_units(needing_ports=False) or moved or self.start_units(needing_ports=True)
            self.most = [max(pair) for pair in zip(self.most, self.under_way, strict=True)]
            if self.left:
                self.now += 1
            if self.now > last_cycle:
                raise RuntimeError(f"phase {self.phase} has not ended after {last_cycle} cycles")
        return self.now

    def start_units(self, needing_ports: bool) -> bool:
        """Start what can start, of the ops that need single ports or of the others; whether there was any."""
        ready = [
            unit
            for unit, queue in self.queues.items()
            if queue and self.can_start(unit, queue[0])
            if bool(self.ops[queue[0][1]]["single_ports"]) is needing_ports
        ]
        for unit in ready:
            self.start(unit, self.queues[unit].pop(0))
        return bool(ready)

    def has_place(self, instance: tuple[int, int]) -> bool:
        if not self.takes_part(instance):
            return True
        places: int = self.sequencer["queue_depth"]
        return len(self.queues[self.ops[instance[1]]["unit"]]) < places

    def taken(self, instance: tuple[int, int]) -> Iterator[int]:
        """The edges from which an op takes a token."""
        r, op = instance
        for number in self.into[op]:
            if r < self.edges[number]["take_until"]:
                yield number

    def can_start(self, unit: str, instance: tuple[int, int]) -> bool:
        return (
            self.holds[unit] is None
            and self.rows[instance]["issue_cycle"] <= self.now
            and all(self.arrived[number] for number in self.taken(instance))
        )

    def start(self, unit: str, instance: tuple[int, int]) -> None:
        for number in self.taken(instance):
            self.arrived[number] -= 1
            self.under_way[number] -= 1
        op = self.ops[instance[1]]
        occupancy = self.granted(op["single_ports"], *self.vary(op["service"]))
        self.rows[instance]["start_cycle"] = self.now
        self.holds[unit] = instance
        first = max(self.now + op["service"]["first_word_cycles"], self.last_done[unit])
        self.due[first].append(("first", *instance))
        self.due[self.now + occupancy].append(("occupied", *instance))

    def granted(self, uses: list[Json], occupancy: int, depth: int) -> int:
        """The occupancy of an op that starts now, with the cycles of single ports that it needs booked."""
        for use in uses:
            cycle = self.now
            for tail in use["read_tails"] or [1] * use["read_cycles"]:
                cycle = self.book(use["memory"], cycle)
                occupancy = max(occupancy, cycle - self.now + tail)
        even = occupancy
        for use in uses:
            cycle, lines = self.now, use["write_cycles"]
            for line in range(1, lines + 1):
                there = self.now + depth + -(-line * even // lines) - 1
                cycle = self.book(use["memory"], max(cycle, there))
                occupancy = max(occupancy, cycle + 1 - depth - self.now)
        return occupancy

    def book(self, memory: str, cycle: int) -> int:
        """The first free cycle of a port from that one on, which is free no longer."""
        while cycle in self.booked[memory]:
            cycle += 1
        self.booked[memory].add(cycle)
        return cycle

    def happen(self) -> None:
        """Everything that happens at the beginning of this cycle, in the order of what follows from what."""
        while self.due[self.now]:
            what, r, op = self.due[self.now].pop(0)
            if what == "occupied":
                self.end_occupancy(r, op)
                continue
            if what == "token":  # here op is the number of an edge
                self.arrived[op] += 1
                continue
            if what == "done":
                self.left -= 1
                self.rows[r, op]["over"] = 1
            for number in self.out_of[op, what]:
                if self.edges[number]["send_from"] <= r < self.edges[number]["send_until"]:
                    self.under_way[number] += 1
                    latency = 0 if what == "first" else self.sequencer["token_latency_cycles"]
                    self.due[self.now + latency].append(("token", r, number))

    def end_occupancy(self, r: int, op: int) -> None:
        into = [self.edges[number] for number in self.into[op]]
        followed = [(r - edge["lag"], edge["from_op"]) for edge in into if edge["event"] == "first"]
        if any("over" not in self.rows[other] for other in followed if other in self.rows):
            # What it follows may be done in this very cycle, but behind this in the list: look again after the others.
            later = self.now if any(what == "done" for what, *_ in self.due[self.now]) else self.now + 1
            self.due[later].append(("occupied", r, op))
            return
        unit, row = self.ops[op]["unit"], self.rows[r, op]
        _, depth = self.vary(self.ops[op]["service"])
        row["free_cycle"] = self.now
        row["done_cycle"] = max(self.now + depth, self.last_done[unit] + self.ops[op]["service"]["write_cycles"])
        self.last_done[unit] = row["done_cycle"]
        self.holds[unit] = None
        self.due[self.now].append(("free", r, op))
        self.due[row["done_cycle"]].append(("done", r, op))


def run(program: Json, vary: Vary = nominal, last_cycle: int = LAST_CYCLE) -> tuple[list[Row], list[int]]:
    """The times of every op in program order, and the most tokens that were under way on each edge."""
    if program["format"] != "archsim-program" or program["version"] != 1:
        raise ValueError("this model reads version 1 of archsim-program")
    rows: list[Row] = []
    most: list[int] = []
    now = 0
    for phase in range(len(program["phases"])):
        model = PhaseModel(program, phase, now, vary)
        now = model.run(last_cycle)
        most += model.most
        for (r, op), row in sorted(model.rows.items()):
            times = {name: row[name] for name in ("issue_cycle", "start_cycle", "free_cycle", "done_cycle")}
            rows.append({"phase": phase, "repetition": r, "op": op, **times})
    return rows, most
