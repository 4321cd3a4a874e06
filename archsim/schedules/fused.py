"""fused: the textbook concatenation [x_t, h_{t-1}], one GEMV of K = I + H for each tile."""

from __future__ import annotations

from archsim.program.ir import Op
from archsim.schedules.base import Schedule
from archsim.schedules.lstm import LstmOps


def _body(lstm: LstmOps) -> list[Op]:
    ops = [lstm.load_input_ahead()]
    for group, following in zip(lstm.groups, lstm.after_macs(lstm.groups), strict=True):
        ops += lstm.fused_tiles(group)
        ops += following
    ops.append(lstm.store_output())
    return ops


FUSED = (
    Schedule(
        "fused_interleaved",
        "one GEMV of [x, h] a tile; a tile holds i, f, o, g of R/4 hidden units",
        "interleaved",
        _body,
    ),
    Schedule("fused_gate_major", "one GEMV of [x, h] a tile; whole i, then f, g, o", "gate_major", _body),
)
