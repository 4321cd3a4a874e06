"""DRAM command by command, written apart from the model: the distances that a device demands, and a slow controller.

`distance` is the table of a device's times between two commands. `faults` replays a list of commands against it and
against the state of the banks. `Controller` issues each command by itself at the first clock at which everything that
was issued before allows it, burst by burst; the model, which computes runs in one piece, must issue the same commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archsim.hardware.dram.ddr_device import DdrDevice


@dataclass(frozen=True, order=True)
class Command:
    clock: int
    name: str
    group: int = -1
    bank: int = -1
    row: int = -1


def distance(d: DdrDevice, first: str, then: str, same_bank: bool, same_group: bool) -> int | None:
    """Clocks from one command to another at least; None if they do not bind each other."""
    written = d.tcwl_nck + d.burst_length // 2
    column_to_column = d.tccd_l_nck if same_group else d.tccd_s_nck
    act_to_act = d.trrd_l_nck if same_group else d.trrd_s_nck
    any_bank = {
        ("ACT", "ACT"): max(act_to_act, d.tras_nck + d.trp_nck) if same_bank else act_to_act,
        ("ACT", "PREA"): d.tras_nck,
        ("PRE", "REF"): d.trp_nck,
        ("PREA", "REF"): d.trp_all_nck,
        ("REF", "ACT"): d.trfc_nck,
        ("REF", "REF"): d.trfc_nck,
        ("RD", "PREA"): d.trtp_nck,
        ("WR", "PREA"): written + d.twr_nck,
        ("RD", "RD"): column_to_column,
        ("WR", "WR"): column_to_column,
        ("RD", "WR"): d.trtw_nck,
        ("WR", "RD"): written + (d.twtr_l_nck if same_group else d.twtr_s_nck),
    }
    one_bank = {
        ("ACT", "RD"): d.trcd_nck,
        ("ACT", "WR"): d.trcd_nck,
        ("ACT", "PRE"): d.tras_nck,
        ("PRE", "ACT"): d.trp_nck,
        ("RD", "PRE"): d.trtp_nck,
        ("WR", "PRE"): written + d.twr_nck,
    }
    return any_bank.get((first, then), one_bank.get((first, then)) if same_bank else None)


class History:
    """What was issued: of each command to a bank the last one binds, as times only grow; and the last four ACTs."""

    def __init__(self, d: DdrDevice) -> None:
        self._d = d
        self._last: dict[tuple[str, int, int], int] = {}
        self._activations: list[int] = []

    def add(self, command: Command) -> None:
        key = (command.name, command.group, command.bank)
        self._last[key] = max(command.clock, self._last.get(key, 0))
        if command.name == "ACT":
            self._activations.append(command.clock)

    def first_legal(self, then: Command) -> int:
        """The first clock at which the command keeps its distance from all that were issued."""
        clock = 0
        for (name, group, bank), before in self._last.items():
            same_group = group == then.group
            needed = distance(self._d, name, then.name, same_group and bank == then.bank, same_group)
            if needed is not None:
                clock = max(clock, before + needed)
        if then.name == "ACT" and len(self._activations) >= 4:
            clock = max(clock, self._activations[-4] + self._d.tfaw_nck)
        return clock


def faults(d: DdrDevice, commands: Sequence[Command]) -> list[str]:
    """Every command that comes too early, or that its bank cannot take."""
    found = []
    rows: dict[tuple[int, int], int] = {}
    due, history = d.trefi_nck, History(d)
    for command in sorted(commands):
        key, clock = (command.group, command.bank), command.clock
        if clock < history.first_legal(command):
            found.append(f"{command} is too early")
        if command.name == "ACT" and rows.setdefault(key, command.row) != command.row:
            found.append(f"{command}: another row is open")
        if command.name in ("RD", "WR") and rows.get(key) != command.row:
            found.append(f"{command}: its row is not open")
        if command.name == "PRE" and rows.pop(key, None) is None:
            found.append(f"{command}: nothing is open")
        if command.name == "PREA":
            rows.clear()
        if command.name == "REF":
            if rows:
                found.append(f"{command}: rows are open")
            if clock < due:
                found.append(f"{command} is not due")
            due += d.trefi_nck
        elif command.name != "PREA" and clock >= due:
            found.append(f"{command}: a refresh is due")
        history.add(command)
    return found


@dataclass
class Controller:
    """One channel, a command at a time: in order, open page, one run of bursts looked ahead, refresh when due."""

    device: DdrDevice
    issued: list[Command] = field(default_factory=list)
    rows: dict[tuple[int, int], int] = field(default_factory=dict)
    refreshes: int = 0
    ahead_from: int = 0

    def __post_init__(self) -> None:
        self.history = History(self.device)

    def transfer(self, bursts: Sequence[tuple[int, int, int]], write: bool, queued: int, start: int) -> None:
        """Bursts (bank group, bank, row) of one run: row commands from `queued` on, column commands from `start`."""
        left = list(bursts)
        while left:
            while not all(self._open(*burst, queued) for burst in dict.fromkeys(left)):
                self._refresh()
            for number, (group, bank, row) in enumerate(list(left)):
                if not self._issue("WR" if write else "RD", group, bank, row, start):
                    self._refresh()
                    break
                if number == 0:
                    self.ahead_from = self.issued[-1].clock
                left.pop(0)

    @property
    def due(self) -> int:
        return (self.refreshes + 1) * self.device.trefi_nck

    def _open(self, group: int, bank: int, row: int, queued: int) -> bool:
        key, earliest = (group, bank), max(queued, self.ahead_from)
        if self.rows.get(key) == row:
            return True
        if key in self.rows:
            if not self._issue("PRE", group, bank, self.rows[key], earliest):
                return False
            del self.rows[key]
        if not self._issue("ACT", group, bank, row, earliest):
            return False
        self.rows[key] = row
        return True

    def _issue(self, name: str, group: int, bank: int, row: int, earliest: int) -> bool:
        command = Command(0, name, group, bank, row)
        clock = max(earliest, self.history.first_legal(command))
        if clock >= self.due:
            return False
        self._keep(Command(clock, name, group, bank, row))
        return True

    def _refresh(self) -> None:
        due = self.due
        if self.rows:
            self._keep(Command(max(due, self.history.first_legal(Command(0, "PREA"))), "PREA"))
            self.rows.clear()
        self._keep(Command(max(due, self.history.first_legal(Command(0, "REF"))), "REF"))
        self.refreshes += 1

    def _keep(self, command: Command) -> None:
        self.issued.append(command)
        self.history.add(command)
