"""Models one channel of DRAM in time: which command is legal when, in cycles of the device's clock.

In order, open page. The controller takes runs of bursts (ddr_address.py) one after the other. For each it closes and
opens the rows that are not there (PRE, ACT), then issues a column command (RD, WR) a burst. It looks one run ahead: row
commands of a run may be issued from the first column command of the run before on. Column commands keep the order of
the bursts, activations the order in which the bursts need them; each command is issued at the first clock at which all
its constraints allow it. The column commands of a run are computed in one piece, not one by one.

Refresh (all banks) is due every tREFI. From the clock at which it is due nothing else starts before it: all banks are
closed as soon as they may be (PREA), REF follows, and what is left of the run opens its rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archsim.hardware.dram.ddr_address import Run
from archsim.hardware.dram.ddr_device import DdrDevice

_NEVER = -(1 << 40)
_CLOSED = -1

Log = Callable[[int, str, int, int, int], None]
"""Called with each command: (clock, name, bank group, bank of the group, row); -1 where a command has no such thing.

Column commands are given with their row. Only a test wants this: a run has a command for each burst.
"""


class Columns(NamedTuple):
    """The clocks of the first and the last column command of a run."""

    first: int
    last: int


class Channel:
    """State of one channel, and what it has counted.

    `bursts`: column commands; `row_misses`: rows opened in a bank that was closed; `row_conflicts`: rows opened in a
    bank in which another row had to be closed for it; `refreshes`. Rows that a refresh closes count again.
    """

    def __init__(self, device: DdrDevice, log: Log | None = None) -> None:
        banks, groups = device.banks, device.bank_groups
        self.bursts = self.row_misses = self.row_conflicts = self.refreshes = 0
        self._d = device
        self._log = log
        self._row = [_CLOSED] * banks
        self._opened_at = [_NEVER] * banks
        self._pre_from = [0] * banks
        self._act_from = [0] * banks
        self._act_in_group = [_NEVER] * groups
        self._last_acts = [_NEVER] * 4
        self._last = {False: _NEVER, True: _NEVER}
        """Last read (False) and write (True) of all."""
        self._last_in_group = {False: [_NEVER] * groups, True: [_NEVER] * groups}
        self._rows_from = 0
        self._refresh_due = device.trefi_nck

    def access(self, run: Run, write: bool, rows_from: int, columns_from: int) -> Columns:
        """Read or write a run; returns the clocks of its column commands.

        Row commands may start at one clock, column commands at another.
        """
        self._refresh_while_idle(max(rows_from, self._rows_from))
        first, left, begin = run.first, run.count, _NEVER
        while left:
            opened = self._open(run, first, left, max(rows_from, self._rows_from))
            done = self._issue_columns(run, first, left, write, opened, columns_from)
            if done < left:
                self._refresh()
            if done and begin == _NEVER:
                begin = self._rows_from
            first, left = first + done, left - done
        return Columns(begin, self._last[write])

    def _open(self, run: Run, first: int, count: int, earliest: int) -> list[int]:
        """Open the rows of a run; returns when each was, in the order in which its bursts need them."""
        while True:
            opened: list[int] = []
            for group in self._groups(run, first, count):
                at = self._open_row(group, run, earliest)
                if at is None:
                    self._refresh()
                    break
                opened.append(at)
            else:
                return opened

    def _open_row(self, group: int, run: Run, earliest: int) -> int | None:
        """Open a row in a bank group; returns when its ACT was, or None if a refresh comes first."""
        d, bank = self._d, group * self._d.banks_per_group + run.bank
        if self._row[bank] == run.row:
            return self._opened_at[bank]
        conflict = self._row[bank] != _CLOSED
        if conflict:
            closed = max(earliest, self._pre_from[bank])
            if closed >= self._refresh_due:
                return None
            self._say(closed, "PRE", group, run.bank, self._row[bank])
            self._row[bank] = _CLOSED
            self._act_from[bank] = closed + d.trp_nck
        opened = max(
            earliest,
            self._act_from[bank],
            self._last_acts[-1] + d.trrd_s_nck,
            self._act_in_group[group] + d.trrd_l_nck,
            self._last_acts[0] + d.tfaw_nck,
        )
        if opened >= self._refresh_due:
            return None
        self._say(opened, "ACT", group, run.bank, run.row)
        self._row[bank] = run.row
        self._opened_at[bank] = self._act_in_group[group] = opened
        self._pre_from[bank] = opened + d.tras_nck
        self._last_acts = [*self._last_acts[1:], opened]
        self.row_conflicts += conflict
        self.row_misses += not conflict
        return opened

    def _issue_columns(
        self, run: Run, first: int, count: int, write: bool, opened: Sequence[int], earliest: int
    ) -> int:
        """Issue the column commands of a run's rest up to the next refresh; returns how many.

        The first one of each row is computed by itself. From then on the groups take turns, so that the time between
        two bursts is that between groups (tCCD_S; DdrDevice checks that a group's own turn comes no earlier than
        tCCD_L), or the time within the one group that there is.
        """
        d, done = self._d, 0
        for group, row_opened in zip(self._groups(run, first, count), opened, strict=True):
            at = max(earliest, row_opened + d.trcd_nck, self._column_from(group, write))
            if at >= self._refresh_due:
                break
            self._last[write] = self._last_in_group[write][group] = at
            if not done:
                self._rows_from = at
            self._say(at, "WR" if write else "RD", group, run.bank, run.row)
            done += 1
        if done == len(opened):
            done += self._issue_further_columns(run, first + done, count - done, write)
        after = d.tcwl_nck + d.data_nck + d.twr_nck if write else d.trtp_nck
        for group in self._groups(run, first, done):
            bank = group * d.banks_per_group + run.bank
            self._pre_from[bank] = max(self._pre_from[bank], self._last_in_group[write][group] + after)
        self.bursts += done
        return done

    def _issue_further_columns(self, run: Run, first: int, count: int, write: bool) -> int:
        """Issue evenly spaced column commands up to the next refresh; returns how many."""
        d, last = self._d, self._last[write]
        spacing = d.tccd_s_nck if run.group is None else d.tccd_l_nck
        count = min(count, (self._refresh_due - 1 - last) // spacing)
        if count <= 0:
            return 0
        for place in range(count if self._log else 0):
            group = self._group(run, first + place)
            self._say(last + (place + 1) * spacing, "WR" if write else "RD", group, run.bank, run.row)
        for place in range(max(0, count - d.bank_groups), count):
            self._last_in_group[write][self._group(run, first + place)] = last + (place + 1) * spacing
        self._last[write] = last + count * spacing
        return count

    def _column_from(self, group: int, write: bool) -> int:
        """The first clock at which a column command to a group keeps its distance from those before it."""
        d = self._d
        same = max(self._last[write] + d.tccd_s_nck, self._last_in_group[write][group] + d.tccd_l_nck)
        if write:
            return max(same, self._last[False] + d.trtw_nck)
        written = d.tcwl_nck + d.data_nck
        return max(
            same,
            self._last[True] + written + d.twtr_s_nck,
            self._last_in_group[True][group] + written + d.twtr_l_nck,
        )

    def _refresh(self) -> None:
        """Close all banks and refresh, as soon as the refresh is due."""
        d, due = self._d, self._refresh_due
        is_open = [bank for bank, row in enumerate(self._row) if row != _CLOSED]
        start = max(due, *self._act_from)
        if is_open:
            closed = max(due, *(self._pre_from[bank] for bank in is_open))
            self._say(closed, "PREA", -1, -1, -1)
            start = max(start, closed + d.trp_all_nck)
        self._say(start, "REF", -1, -1, -1)
        self._row = [_CLOSED] * d.banks
        self._act_from = [start + d.trfc_nck] * d.banks
        self._refresh_due = due + d.trefi_nck
        self.refreshes += 1

    def _refresh_while_idle(self, until: int) -> None:
        """Do all refreshes but the last that came due before any command of the next run."""
        interval = self._d.trefi_nck
        if self._refresh_due + interval > until:
            return
        self._refresh()
        idle = (until - self._refresh_due) // interval
        if idle > 0:  # all banks are closed, and each has ended before the next is due, as the one above has
            for number in range(idle if self._log else 0):
                self._say(self._refresh_due + number * interval, "REF", -1, -1, -1)
            self._refresh_due += idle * interval
            self.refreshes += idle

    def _groups(self, run: Run, first: int, count: int) -> list[int]:
        """The bank groups that some consecutive bursts of a run need, in the order of their first bursts."""
        if run.group is not None:
            return [run.group] if count else []
        groups = self._d.bank_groups
        return [(first + place) % groups for place in range(min(count, groups))]

    def _group(self, run: Run, position: int) -> int:
        return position % self._d.bank_groups if run.group is None else run.group

    def _say(self, at: int, command: str, group: int, bank: int, row: int) -> None:
        if self._log is not None:
            self._log(at, command, group, bank, row)
