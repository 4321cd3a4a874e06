"""Models one channel whose controller reorders: first ready, first come (FR-FCFS), with a window and write drain.

Bursts enter the window in the order in which transfers bring them, reads and writes each into a queue of `window`
places, one a clock at most. A clock has one command. The channel is in one of two modes, reads or writes, and of
the bursts of that mode which may go (no older burst waits for the same place in DRAM, one of the two a write) the
oldest whose column command is legal has it issued; where none is legal, the oldest that needs a row command (PRE, ACT)
which is; where none is, one of the other mode in a bank that no burst of the mode waits for. A bank obeys the oldest
burst for it, and is not closed while another one waits for the open row. A burst that `overtaken` younger ones of its
queue have passed is next: nothing else is issued in its mode until it is.

Writes begin if no read may go, or `drain_from` of them wait; they end if none may go, or at most `drain_to` wait and a
read may go. Refresh is as in order (ddr_channel.py): from the clock at which it is due nothing else starts before it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from archsim.config.types import Count, StrictModel
from archsim.hardware.dram.ddr_banks import CLOSED, Banks
from archsim.hardware.dram.ddr_channel import Log
from archsim.hardware.dram.ddr_device import DdrDevice

FAR = 1 << 62
"""A clock that does not come."""


class ControllerConfig(StrictModel):
    """How a channel orders its bursts; `controller: fr_fcfs` stands for that kind with the settings of the defaults."""

    shorthand: ClassVar[str] = "kind"
    """The key that a plain string stands for."""

    kind: Literal["in_order", "fr_fcfs"] = Field(
        description="in_order: bursts in the order of the transfers; fr_fcfs: those of open rows first"
    )
    window: Annotated[Count, Field(ge=2, le=256)] = Field(
        default=64, description="fr_fcfs: bursts that wait in each channel, so many reads and so many writes"
    )
    drain_from: Annotated[Count, Field(le=256)] = Field(
        default=48, description="fr_fcfs: as many waiting writes go before reads"
    )
    drain_to: Annotated[int, Field(strict=True, ge=0, le=255)] = Field(
        default=0, description="fr_fcfs: with as few waiting writes reads go again"
    )
    overtaken: Count = Field(default=256, description="fr_fcfs: younger bursts that may pass a waiting one")

    @model_validator(mode="before")
    @classmethod
    def _from_kind(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _goes_together(self) -> ControllerConfig:
        fields = type(self).model_fields
        changed = [name for name in fields if name != "kind" and getattr(self, name) != fields[name].default]
        if self.kind == "in_order" and changed:
            raise ValueError(f"{', '.join(changed)}: only of controller.kind fr_fcfs")
        if not self.drain_to < self.drain_from <= self.window:
            found = f"got {self.drain_to}, {self.drain_from} and {self.window}"
            raise ValueError(f"drain_to must be less than drain_from, and drain_from at most the window; {found}")
        return self


@dataclass(slots=True, eq=False)
class Burst:
    """A burst that waits, or comes to wait: of which transfer it is, its place in DRAM, and how many have passed it."""

    ticket: int
    write: bool
    group: int
    bank: int
    row: int
    column: int
    passed: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """What no other burst shares: bank, row and column."""
        return self.bank, self.row, self.column


class Command(NamedTuple):
    """A command that may be issued: the first clock, the burst that asks for it, and whether it is RD or WR."""

    clock: int
    burst: Burst
    column: bool


class Done(NamedTuple):
    """What has become of a burst at a clock: it has entered the window, or it has been issued."""

    burst: Burst
    clock: int
    issued: bool


class ReorderingChannel:
    """State of one channel, and what it has counted, as Channel has it; `step` does what comes next."""

    def __init__(self, device: DdrDevice, config: ControllerConfig, log: Log | None = None) -> None:
        self.bursts = self.row_misses = self.row_conflicts = self.refreshes = 0
        self._d = device
        self._config = config
        self._log = log
        self._banks = Banks(device)
        self._coming: deque[Burst] = deque()
        self._coming_from = 0
        self._waiting: dict[bool, list[Burst]] = {False: [], True: []}
        """Reads (False) and writes (True), the oldest first."""
        self._room_from = {False: 0, True: 0}
        """The clock from which on the place is free that a burst has left last."""
        self._at_place: defaultdict[tuple[int, int, int], list[Burst]] = defaultdict(list)
        """All that wait for one place in DRAM, the oldest first."""
        self._in_company = 0
        """How many wait for a place for which an older one waits, too."""
        self._closed_for_another: set[int] = set()
        self._writing = False
        self._clock = 0
        """The first clock that has no command yet."""
        self._next: Command | None = None
        """What is issued next if nothing enters before; None if not known."""

    def bring(self, bursts: Iterable[Burst], clock: int) -> None:
        """Take bursts that enter from a clock on, behind those that were brought before."""
        self._coming.extend(bursts)
        self._coming_from = max(self._coming_from, clock)

    @property
    def next_clock(self) -> int:
        """The clock of what `step` does next; FAR if nothing is left to do."""
        at = min(self._entry_clock(), self._command_clock())
        return at if at == FAR else min(at, max(self._clock, self._banks.refresh_due))

    def step(self) -> Done | None:
        """Do what comes next; returns what has become of a burst, if it is that."""
        entry, command = self._entry_clock(), self._command_clock()
        if min(entry, command) >= self._banks.refresh_due:
            self._refresh()
            return None
        if entry <= command:
            return Done(self._enter(entry), entry, issued=False)
        assert self._next is not None
        found = self._next
        self._next, self._clock = None, found.clock + 1
        if found.column:
            self._issue_column(found.burst, found.clock)
            return Done(found.burst, found.clock, issued=True)
        self._issue_row(found.burst, found.clock)
        return None

    def _entry_clock(self) -> int:
        """When the next burst enters, if nothing leaves before."""
        if not self._coming or len(self._waiting[self._coming[0].write]) >= self._config.window:
            return FAR
        return max(self._coming_from, self._room_from[self._coming[0].write])

    def _command_clock(self) -> int:
        """When the next command is issued, if nothing enters before."""
        if self._next is None:
            self._next = self._choose()
        return FAR if self._next is None else self._next.clock

    def _enter(self, at: int) -> Burst:
        burst = self._coming.popleft()
        self._waiting[burst.write].append(burst)
        here = self._at_place[burst.place]
        here.append(burst)
        self._in_company += len(here) > 1
        self._coming_from = at + 1
        self._clock = max(self._clock, at)
        self._turn()
        return burst

    def _issue_column(self, burst: Burst, at: int) -> None:
        self._banks.column(burst.bank, burst.group, burst.write, at)
        self._say(at, "WR" if burst.write else "RD", burst, burst.row)
        self.bursts += 1
        queue = self._waiting[burst.write]
        number = queue.index(burst)
        for older in queue[:number]:
            older.passed += 1
        del queue[number]
        self._room_from[burst.write] = at + 1
        here = self._at_place[burst.place]
        here.remove(burst)
        self._in_company -= bool(here)
        if not here:
            del self._at_place[burst.place]
        self._turn()

    def _issue_row(self, burst: Burst, at: int) -> None:
        bank, banks = burst.bank, self._banks
        if banks.row[bank] != CLOSED:
            self._say(at, "PRE", burst, banks.row[bank])
            banks.precharge(bank, at)
            self._closed_for_another.add(bank)
            return
        banks.activate(bank, burst.group, burst.row, at)
        self._say(at, "ACT", burst, burst.row)
        conflict = bank in self._closed_for_another
        self.row_conflicts += conflict
        self.row_misses += not conflict
        self._closed_for_another.discard(bank)

    def _refresh(self) -> None:
        closed, start = self._banks.refresh()
        if self._log is not None:
            if closed is not None:
                self._log(closed, "PREA", -1, -1, -1)
            self._log(start, "REF", -1, -1, -1)
        self.refreshes += 1
        self._closed_for_another.clear()
        self._clock, self._next = max(self._clock, start + 1), None

    def _turn(self) -> None:
        """Change between reads and writes, if it is time to: asked whenever a burst has entered or left."""
        self._next = None
        may_read, may_write = bool(self._ready(False)), bool(self._ready(True))
        writes, config = len(self._waiting[True]), self._config
        if self._writing:
            self._writing = not (may_read and (not may_write or writes <= config.drain_to))
        else:
            self._writing = may_write and (not may_read or writes >= config.drain_from)

    def _ready(self, write: bool) -> Sequence[Burst]:
        """The reads or writes that may go, the oldest first."""
        waiting = self._waiting[write]
        return [burst for burst in waiting if self._may_go(burst)] if self._in_company else waiting

    def _may_go(self, burst: Burst) -> bool:
        """Whether no older burst waits for the same place, one of the two a write."""
        here = self._at_place[burst.place]
        if here[0] is burst:
            return True
        return not burst.write and not any(older.write for older in here[: here.index(burst)])

    def _choose(self) -> Command | None:
        """The command that is legal first; at one clock RD and WR before PRE and ACT, the oldest burst's first."""
        ready, others = self._ready(self._writing), self._ready(not self._writing)
        if ready and ready[0].passed >= self._config.overtaken:
            ready, others = ready[:1], ()
        found, awaited = self._first_column(ready)
        if found is not None and found.clock == self._clock:
            return found
        for bursts in (ready, others):
            row = self._first_row(bursts, awaited)
            if row is not None and (found is None or row.clock < found.clock):
                found = row
            awaited |= {burst.bank for burst in ready}
        return found

    def _first_column(self, ready: Sequence[Burst]) -> tuple[Command | None, set[int]]:
        """The first RD or WR, and the banks whose open row is waited for."""
        first, found, awaited = FAR, None, set[int]()
        rows, banks = self._banks.row, self._banks
        for burst in ready:
            bank = burst.bank
            if rows[bank] == burst.row and bank not in awaited:  # others of the row come no earlier
                awaited.add(bank)
                at = banks.column_from(bank, burst.group, burst.write)
                if at < first:
                    first, found = at, burst
                    if at <= self._clock:
                        break
        return (None if found is None else Command(max(first, self._clock), found, column=True)), awaited

    def _first_row(self, bursts: Sequence[Burst], awaited: Collection[int]) -> Command | None:
        """The first PRE or ACT in other banks than those awaited; of each bank the oldest burst for it decides."""
        found: Command | None = None
        rows = self._banks.row
        seen = {burst.bank for burst in bursts if rows[burst.bank] == burst.row}
        for burst in bursts:
            bank = burst.bank
            if bank in seen or bank in awaited:
                continue
            seen.add(bank)
            if rows[bank] == CLOSED:
                at = max(self._clock, self._banks.activate_from(bank, burst.group))
            else:
                at = max(self._clock, self._banks.precharge_from(bank))
            if found is None or at < found.clock:
                found = Command(at, burst, column=False)
        return found

    def _say(self, at: int, command: str, burst: Burst, row: int) -> None:
        if self._log is not None:
            self._log(at, command, burst.group, burst.bank % self._d.banks_per_group, row)
