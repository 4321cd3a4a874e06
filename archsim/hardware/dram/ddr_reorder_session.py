"""The channels of DRAM of kind `ddr` during a run in which each reorders its bursts (ddr_reorder.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from archsim.hardware.dram.ddr_address import AddressMap, Layout
from archsim.hardware.dram.ddr_channel import Log
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_reorder import FAR, Burst, ControllerConfig, ReorderingChannel
from archsim.hardware.overlap import Certain, OverlappingSession
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Op, Region


class ReorderingSession(OverlappingSession):
    """The state of the channels, and of the transfers whose bursts they have.

    A transfer frees the unit when its last burst has entered a window and tCCD_S has passed, and not before all of its
    bursts could have had their turns of tCCD_S. A load is done when its last data are through the controller; behind it
    ports pass nothing before its first data have come. A store is done when it is free: the controller has it, and lets
    no burst of a later load pass one of its bursts for the same place.
    """

    def __init__(
        self,
        addresses: AddressMap,
        device: DdrDevice,
        config: ControllerConfig,
        layout: Layout,
        clocks_per_cycle: Fraction,
        latency_cycles: int,
        logs: Sequence[Log | None],
    ) -> None:
        """Begin a run; `logs`: for each channel, what is called with its commands."""
        self.channels = tuple(ReorderingChannel(device, config, log) for log in logs)
        self._addresses = addresses
        self._d = device
        self._layout = layout
        self._latency = latency_cycles
        self._clocks, self._cycles = clocks_per_cycle.as_integer_ratio()
        self._tickets = 0
        self._to_enter: dict[int, int] = {}
        """Bursts of each transfer that have not entered; and below, of loads, that have not been issued."""
        self._to_issue: dict[int, int] = {}
        self._last_entry: dict[int, int] = {}
        """When the last burst of each has entered, or could have if each took a turn."""
        self._last_read: dict[int, int] = {}
        self._first_read: dict[int, int] = {}
        self._started: dict[int, int] = {}
        """The cycle in which each store has entered."""

    def enter(self, op: Op, repetition: int, cycle: int) -> int:
        ticket, clock = self._tickets, ceil_div(cycle * self._clocks, self._cycles)
        self._tickets += 1
        pieces = [(piece, False) for piece in op.reads] + [(piece, True) for piece in op.writes]
        outside = [(piece, write) for piece, write in pieces if piece.buffer.memory == "dram"]
        entering = reading = most = 0
        for number, channel in enumerate(self.channels):
            bursts = [
                found for piece, write in outside for found in self._bursts(ticket, piece, write, repetition, number)
            ]
            channel.bring(bursts, clock)
            entering += len(bursts)
            most = max(most, len(bursts))
            reading += sum(not burst.write for burst in bursts)
        self._to_enter[ticket] = entering
        if reading:
            self._to_issue[ticket] = reading
            self._first_read[ticket], self._last_read[ticket] = FAR, clock
        else:
            self._started[ticket] = cycle
        self._last_entry[ticket] = clock + (most - 1) * self._d.tccd_s_nck
        return ticket

    def next_cycle(self) -> int | None:
        """The first cycle that begins behind the clock of what comes next; None if no transfer is uncertain."""
        if not self._to_enter and not self._to_issue:
            return None
        return self._cycle(min(channel.next_clock for channel in self.channels) + 1)

    def advance(self, cycle: int) -> Sequence[Certain]:
        """Work on, the channel with the earliest clock first, up to the cycle or to what is certain before it."""
        found: list[Certain] = []
        until = ceil_div(cycle * self._clocks, self._cycles)
        while True:
            clock, number = min((channel.next_clock, number) for number, channel in enumerate(self.channels))
            if clock >= until:
                return found
            for certain in self._step(self.channels[number]):
                found.append(certain)
                until = min(until, ceil_div(certain.cycle * self._clocks, self._cycles))

    def counts(self) -> Mapping[str, int]:
        """The bursts, row misses, row conflicts and refreshes of all channels together, when all writes are done."""
        for channel in self.channels:
            while channel.next_clock != FAR:
                channel.step()
        names = ("bursts", "row_misses", "row_conflicts", "refreshes")
        return {name: sum(getattr(channel, name) for channel in self.channels) for name in names}

    def _step(self, channel: ReorderingChannel) -> Iterator[Certain]:
        done = channel.step()
        if done is None:
            return
        d, ticket = self._d, done.burst.ticket
        if done.issued:
            if not done.burst.write:
                self._first_read[ticket] = min(self._first_read[ticket], done.clock)
                self._last_read[ticket] = max(self._last_read[ticket], done.clock)
                if self._counted_down(self._to_issue, ticket):
                    first = self._cycle(self._first_read.pop(ticket) + d.first_data_nck) - 1
                    end = self._cycle(self._last_read.pop(ticket) + d.tcl_nck + d.data_nck)
                    yield Certain(ticket, end + self._latency, done=True, port_from=first + self._latency)
            return
        self._last_entry[ticket] = max(self._last_entry[ticket], done.clock)
        if self._counted_down(self._to_enter, ticket):
            free = self._cycle(self._last_entry.pop(ticket) + d.tccd_s_nck)
            yield Certain(ticket, free, done=False)
            if done.burst.write:
                started = self._started.pop(ticket)
                yield Certain(ticket, free + self._latency, done=True, port_from=started + self._latency)

    def _counted_down(self, left: dict[int, int], ticket: int) -> bool:
        """Whether that was the last one."""
        left[ticket] -= 1
        if left[ticket]:
            return False
        del left[ticket]
        return True

    def _bursts(self, ticket: int, piece: Region, write: bool, repetition: int, channel: int) -> Iterator[Burst]:
        """The bursts of a channel that hold a piece, in order of address."""
        d = self._d
        for run in self._addresses.runs(self._layout.byte_range(piece, repetition), channel):
            for place in range(run.first, run.first + run.count):
                group = place % d.bank_groups if run.group is None else run.group
                yield Burst(ticket, write, group, group * d.banks_per_group + run.bank, run.row, place)

    def _cycle(self, clock: int) -> int:
        """The first core cycle at or after a device clock."""
        return ceil_div(clock * self._cycles, self._clocks)
