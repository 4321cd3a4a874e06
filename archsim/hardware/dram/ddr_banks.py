"""Keeps the banks of a channel in time: which rows are open, and from which clock on each command is legal.

A command at a time, in the order of their clocks; times are in cycles of the device's clock.
"""

from __future__ import annotations

from archsim.hardware.dram.ddr_device import DdrDevice

NEVER = -(1 << 40)
CLOSED = -1


class Banks:
    """The banks of one channel; a bank's number is its group * banks of a group + its number in the group."""

    def __init__(self, device: DdrDevice) -> None:
        self._d = device
        self._written = device.tcwl_nck + device.data_nck
        self.row = [CLOSED] * device.banks
        self.refresh_due = device.trefi_nck
        self._opened = [NEVER] * device.banks
        self._pre_from = [0] * device.banks
        self._act_from = [0] * device.banks
        self._act_in_group = [NEVER] * device.bank_groups
        self._last_acts = [NEVER] * 4
        self._last = {False: NEVER, True: NEVER}
        """Last read (False) and write (True) of all."""
        self._last_in_group = {write: [NEVER] * device.bank_groups for write in (False, True)}

    def precharge_from(self, bank: int) -> int:
        """The first clock at which the bank may be closed."""
        return self._pre_from[bank]

    def activate_from(self, bank: int, group: int) -> int:
        """The first clock at which a row of the bank may be opened."""
        d = self._d
        return max(
            self._act_from[bank],
            self._last_acts[-1] + d.trrd_s_nck,
            self._act_in_group[group] + d.trrd_l_nck,
            self._last_acts[0] + d.tfaw_nck,
        )

    def column_from(self, bank: int, group: int, write: bool) -> int:
        """The first clock at which the open row of the bank may be read or written."""
        d = self._d
        at = max(
            self._opened[bank] + d.trcd_nck,
            self._last[write] + d.tccd_s_nck,
            self._last_in_group[write][group] + d.tccd_l_nck,
        )
        if write:
            return max(at, self._last[False] + d.trtw_nck)
        after = self._written
        return max(at, self._last[True] + after + d.twtr_s_nck, self._last_in_group[True][group] + after + d.twtr_l_nck)

    def precharge(self, bank: int, at: int) -> None:
        """Close the bank."""
        self.row[bank] = CLOSED
        self._act_from[bank] = at + self._d.trp_nck

    def activate(self, bank: int, group: int, row: int, at: int) -> None:
        """Open a row."""
        self.row[bank] = row
        self._opened[bank] = self._act_in_group[group] = at
        self._pre_from[bank] = at + self._d.tras_nck
        self._last_acts = [*self._last_acts[1:], at]

    def column(self, bank: int, group: int, write: bool, at: int) -> None:
        """Read or write a burst of the open row."""
        self._last[write] = self._last_in_group[write][group] = at
        recovered = at + (self._written + self._d.twr_nck if write else self._d.trtp_nck)
        self._pre_from[bank] = max(self._pre_from[bank], recovered)

    def refresh(self) -> tuple[int | None, int]:
        """Do the refresh that is due as soon as it may be; returns the clocks of PREA (None: all closed) and REF."""
        d, due = self._d, self.refresh_due
        is_open = [bank for bank, row in enumerate(self.row) if row != CLOSED]
        start, closed = max(due, *self._act_from), None
        if is_open:
            closed = max(due, *(self._pre_from[bank] for bank in is_open))
            start = max(start, closed + d.trp_all_nck)
        self.row = [CLOSED] * d.banks
        self._act_from = [start + d.trfc_nck] * d.banks
        self.refresh_due = due + d.trefi_nck
        return closed, start
