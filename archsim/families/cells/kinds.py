"""Chooses the ops that follow the sums by the kind of cell."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.families.cells.cell import CellOps
from archsim.families.cells.gru import GruOps
from archsim.families.cells.lstm import LstmOps
from archsim.families.cells.rnn import LinearOps, RnnOps
from archsim.workload.network import CellKind

CELL_OPS: Mapping[CellKind, type[CellOps]] = {
    CellKind.LSTM: LstmOps,
    CellKind.GRU: GruOps,
    CellKind.RNN: RnnOps,
    CellKind.LINEAR: LinearOps,
}
