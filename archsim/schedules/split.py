"""split: W_ih x_t, then W_hh h_{t-1} onto the same accumulators.

The x parts need no h_{t-1}: they run ahead of the h parts by as many groups as the accumulators can hold besides the
one in work, so that the first ones fill the time in which the last hidden update of the step before drains.
"""

from __future__ import annotations

from archsim.program.ir import Op
from archsim.schedules.base import Schedule
from archsim.schedules.lstm import LstmOps


def _body(lstm: LstmOps) -> list[Op]:
    groups = lstm.groups
    ahead = min(lstm.accumulator_slots - 1, len(groups))
    ops = [lstm.load_input_ahead()]
    for group in groups[:ahead]:
        ops += lstm.input_tiles(group)
    for index, (group, following) in enumerate(zip(groups, lstm.after_macs(groups), strict=True)):
        if not ahead:
            ops += lstm.input_tiles(group)
        ops += lstm.hidden_tiles(group)
        if ahead and index + ahead < len(groups):
            ops += lstm.input_tiles(groups[index + ahead])
        ops += following
    ops.append(lstm.store_output())
    return ops


SPLIT = (
    Schedule(
        "split_interleaved",
        "W_ih x ahead of W_hh h on the same accumulators; a tile holds i, f, o, g of R/4 hidden units",
        "interleaved",
        _body,
    ),
    Schedule(
        "split_gate_major",
        "W_ih x ahead of W_hh h on the same accumulators; whole i, then f, g, o",
        "gate_major",
        _body,
    ),
)
