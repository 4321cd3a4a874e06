"""Names the banks that a cell's state lies in, where its memory has one for each kind of data."""

from __future__ import annotations

from typing import Final

H_BANK: Final = "h"
C_BANK: Final = "c"
GATE_BANKS: Final = "gates"
"""A bank for each gate."""
SCRATCH_BANK: Final = "scratch"
"""tanh(c) of an LSTM, the candidate's pre-activation of a GRU."""
VECTOR_BANK: Final = "vector"
"""A whole vector that is multiplied again: o * tanh(c) before a projection, r * h."""
SUMS_BANK: Final = "input_sums"
"""W_ih x of further time steps."""
