"""Says which banks the state buffer is built of where it has one for each kind of data, and how many read each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archsim.errors import ScheduleError
from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SCRATCH_BANK, SUMS_BANK, VECTOR_BANK
from archsim.program.ir import Phase

MEMORY = "state_buffer"

GATES = 4
"""Most gates of a cell: i, f, g and o of an LSTM."""


@dataclass(frozen=True, slots=True)
class StateBanks:
    """The banks of a machine with so many activation and element-wise units, built for every cell and schedule.

    A bank has one write port, since in a phase one unit alone writes its kind of data, and one read port. Where several
    units read a kind at a time there is a copy of its bank for each of them, and a write goes to all copies.
    """

    activation_units: int
    elementwise_units: int

    @property
    def readers(self) -> Mapping[str, int]:
        """How many units read a bank of each kind at a time, at most.

        h: the MAC array (W_hh h), DRAM (stores), every element-wise unit (a GRU's old h; r * h) and every activation
        unit (the old h of sequences that have ended). c: the element-wise unit and the activation unit (tanh(c)); DRAM
        only in an epilogue, when no other unit works. All others are read by one unit.
        """
        h = 2 + self.elementwise_units + self.activation_units
        return {H_BANK: h, C_BANK: 2, GATE_BANKS: 1, SCRATCH_BANK: 1, VECTOR_BANK: 1, SUMS_BANK: 1}

    @property
    def kinds(self) -> int:
        """The number of banks that hold different data."""
        return len(self.readers) - 1 + GATES

    @property
    def copies(self) -> tuple[tuple[str, int], ...]:
        """(what for, banks) of what several units read."""
        return tuple((bank, readers) for bank, readers in self.readers.items() if readers > 1)


def check_write_ports(schedule: str, phases: Iterable[Phase]) -> None:
    """Raise ScheduleError if two units write a bank in the same phase: it has one write port, and no arbiter.

    Gates are left out: each has a bank, and an activation unit of its own or none. So it is h that can be written by
    two, in a wavefront of layers of different kinds: an RNN's by the activation unit, others' by the element-wise one.
    """
    for phase in phases:
        users: dict[str, set[str]] = {}
        for buffer, unit in phase.accesses.writers:
            if buffer.memory == MEMORY and buffer.bank != GATE_BANKS:
                users.setdefault(buffer.bank, set()).add(unit)
        for bank, units in users.items():
            if len(units) > 1:
                who = " and ".join(sorted(units))
                raise ScheduleError(
                    f"--schedule {schedule}: {who} would write {bank} at a time ({phase.name}), and its bank of the "
                    f"{MEMORY} has one write port; {MEMORY}.banks=one gives each unit a port, or take a schedule that "
                    "runs the layers one after the other"
                )
