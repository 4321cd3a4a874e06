"""Lists the ops that cells are made of, whatever multiplies for them."""

from __future__ import annotations

from archsim.families.cells.activation import Activate
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.merge import MergeProduct, MergeSum
from archsim.families.cells.normalize import Normalize
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import Op

REFERENCE_CELL_OPS: frozenset[type[Op]] = frozenset(
    {
        Transfer,
        Activate,
        CellUpdate,
        HiddenUpdate,
        Peephole,
        Normalize,
        CandidateSum,
        ResetHidden,
        GruUpdate,
        MergeProduct,
        MergeSum,
    }
)
"""Transfers, activations, and what the element-wise unit does."""
