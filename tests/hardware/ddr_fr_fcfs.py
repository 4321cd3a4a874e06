"""FR-FCFS written apart from the model: a controller that looks at every clock at all that waits, and moves one step.

It knows a device's times as `distance` has them (ddr_by_command.py) and the rule as docs/microarchitecture/dram.md
has it, and keeps no state beside what was issued, which rows are open and what waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from archsim.hardware.dram.ddr_device import DdrDevice
from tests.hardware.ddr_by_command import Command, History


@dataclass(frozen=True)
class Rule:
    window: int
    drain_from: int
    drain_to: int
    overtaken: int


@dataclass
class Waiting:
    transfer: int
    write: bool
    group: int
    bank: int
    row: int
    column: int
    number: int = 0
    passed: int = 0

    @property
    def place(self) -> tuple[int, int, int, int]:
        return self.group, self.bank, self.row, self.column

    def of_bank(self, other: Waiting) -> bool:
        return (self.group, self.bank) == (other.group, other.bank)


@dataclass
class OneChannel:
    """A channel; `tick` is one clock of it: a burst enters, then a command is issued."""

    device: DdrDevice
    rule: Rule
    issued: list[Command] = field(default_factory=list)
    window: list[Waiting] = field(default_factory=list)
    rows: dict[tuple[int, int], int] = field(default_factory=dict)
    writes_turn: bool = False
    entered: int = 0
    refreshes: int = 0

    def __post_init__(self) -> None:
        self.history = History(self.device)

    def enters(self, burst: Waiting, clock: int) -> bool:
        room = sum(other.write == burst.write for other in self.window) < self.rule.window
        if not room:
            return False
        burst.number, self.entered = self.entered, self.entered + 1
        self.window.append(burst)
        self.change_turn()
        return True

    def may_go(self, burst: Waiting) -> bool:
        older = [o for o in self.window if o.number < burst.number and o.place == burst.place]
        return not any(o.write or burst.write for o in older)

    def change_turn(self) -> None:
        reads = any(self.may_go(b) for b in self.window if not b.write)
        writes = any(self.may_go(b) for b in self.window if b.write)
        waiting = sum(b.write for b in self.window)
        if not self.writes_turn and writes and (not reads or waiting >= self.rule.drain_from):
            self.writes_turn = True
        elif self.writes_turn and reads and (not writes or waiting <= self.rule.drain_to):
            self.writes_turn = False

    def tick(self, clock: int) -> Waiting | None:
        """Issue the command of a clock; returns the burst that is done with, if there is one."""
        if clock >= (self.refreshes + 1) * self.device.trefi_nck:
            self.refresh(clock)
            return None
        may_go = [b for b in sorted(self.window, key=lambda b: b.number) if self.may_go(b)]
        turn = [b for b in may_go if b.write == self.writes_turn]
        others = [b for b in may_go if b.write != self.writes_turn and not any(b.of_bank(o) for o in turn)]
        if turn and turn[0].passed >= self.rule.overtaken:
            turn, others = turn[:1], []
        for burst in turn:
            hit = self.rows.get((burst.group, burst.bank)) == burst.row
            if hit and self.issue(clock, "WR" if burst.write else "RD", burst, burst.row):
                self.window.remove(burst)
                for other in self.window:
                    other.passed += other.write == burst.write and other.number < burst.number
                self.change_turn()
                return burst
        self.open_a_row(clock, turn) or self.open_a_row(clock, others)
        return None

    def open_a_row(self, clock: int, bursts: Sequence[Waiting]) -> bool:
        for burst in bursts:
            bank = burst.group, burst.bank
            same = [other for other in bursts if burst.of_bank(other)]
            if same[0] is not burst or any(other.row == self.rows.get(bank) for other in same):
                continue
            if bank in self.rows:
                if self.issue(clock, "PRE", burst, self.rows[bank]):
                    del self.rows[bank]
                    return True
            elif self.issue(clock, "ACT", burst, burst.row):
                self.rows[bank] = burst.row
                return True
        return False

    def refresh(self, clock: int) -> None:
        if self.rows:
            if self.history.first_legal(Command(0, "PREA")) <= clock:
                self.keep(Command(clock, "PREA"))
                self.rows.clear()
        elif self.history.first_legal(Command(0, "REF")) <= clock:
            self.keep(Command(clock, "REF"))
            self.refreshes += 1

    def issue(self, clock: int, name: str, burst: Waiting, row: int) -> bool:
        command = Command(clock, name, burst.group, burst.bank, row)
        if self.history.first_legal(command) > clock:
            return False
        self.keep(command)
        return True

    def keep(self, command: Command) -> None:
        self.issued.append(command)
        self.history.add(command)


@dataclass(frozen=True)
class Brought:
    """A transfer: for each channel the places (group, bank, row, column) of its bursts; it starts no earlier."""

    bursts: Sequence[Sequence[tuple[int, int, int, int]]]
    write: bool
    earliest_cycle: int


@dataclass(frozen=True)
class Times:
    """The cycles of a transfer: start, free, done, and that from which its port cycles count, which may delay done."""

    start: int
    free: int
    done: int
    port_from: int


def run(
    device: DdrDevice, rule: Rule, channels: int, transfers: Sequence[Brought], clocks_per_cycle: Fraction, latency: int
) -> tuple[list[list[Command]], list[Times]]:
    """All commands of each channel, and the times of the transfers, which enter one after the other."""
    d, all_channels = device, [OneChannel(device, rule) for _ in range(channels)]
    starts: list[int] = []
    frees: list[int] = []
    first_read: dict[int, int] = {}
    last_data: dict[int, int] = {}
    left: list[list[Waiting]] = [[] for _ in range(channels)]
    clock = 0
    while len(frees) < len(transfers) or any(channel.window for channel in all_channels):
        if len(starts) == len(frees) < len(transfers):
            start = max(transfers[len(starts)].earliest_cycle, frees[-1] if frees else 0)
            if clock >= ceil(start * clocks_per_cycle):
                given = transfers[len(starts)]
                left = [[Waiting(len(starts), given.write, *place) for place in of] for of in given.bursts]
                starts.append(start)
        for channel, coming in zip(all_channels, left, strict=True):
            if coming and channel.enters(coming[0], clock):
                coming.pop(0)
                if not any(left):
                    turns = ceil(starts[-1] * clocks_per_cycle) + max(map(len, given.bursts)) * d.tccd_s_nck
                    frees.append(ceil(max(clock + d.tccd_s_nck, turns) / clocks_per_cycle))
            burst = channel.tick(clock)
            if burst is not None and not burst.write:
                first_read.setdefault(burst.transfer, clock)
                last_data[burst.transfer] = clock + d.tcl_nck + d.burst_length // 2
        clock += 1
    dones = [
        latency + (free if given.write else ceil(last_data[number] / clocks_per_cycle))
        for number, (given, free) in enumerate(zip(transfers, frees, strict=True))
    ]
    ports_from = [
        latency + (start if given.write else ceil((first_read[number] + d.tcl_nck + 1) / clocks_per_cycle) - 1)
        for number, (given, start) in enumerate(zip(transfers, starts, strict=True))
    ]
    times = [Times(*each) for each in zip(starts, frees, dones, ports_from, strict=True)]
    return [channel.issued for channel in all_channels], times
