"""Says which banks the state buffer is built of where it has one for each kind of data, and how many read each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SCRATCH_BANK, SUMS_BANK, VECTOR_BANK
from archsim.program.ir import DataKind

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
        """(kind of data, banks) of the kinds that several units read."""
        return (DataKind.H.value, self.readers[H_BANK]), (DataKind.C.value, self.readers[C_BANK])
