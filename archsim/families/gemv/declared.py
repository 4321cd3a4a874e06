"""Holds a schedule to what it declares of the numbers: a wrong declaration would have them judged by another's."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.errors import ScheduleError
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.order import WorkOrder
from archsim.program.ir import PhaseKind, Program
from archsim.workload.network import CellKind, NetworkSpec


def check_declared(order: WorkOrder, spec: NetworkSpec, cells: Sequence[GemvCell], program: Program) -> None:
    """Raise ScheduleError if a program's tiles round sums in another way than its schedule declares.

    A tile of [x, h] leaves one sum of both products; a tile that continues or begins with sums adds W_hh h to a W_ih x
    that was rounded before. A GRU has tiles of the second kind under every schedule (its candidate keeps the two parts
    apart), so that its programs say nothing here.
    """
    if any(cell.kind is CellKind.GRU for cell in spec.cells):
        return
    tiles = [op for body in program.of_kind(PhaseKind.BODY) for op in body.ops if isinstance(op, MacTile)]
    first = {cell.buffers.sums: order.split_groups(cell) for cell in cells} if order.split_groups else {}
    for tile in tiles:
        declared = order.splits_sums or _group(tile) < first.get(tile.sums.buffer, 0)
        if _splits(tile) is (not declared):
            what = "adds W_ih x and W_hh h in one sum" if declared else "adds W_hh h to sums that were rounded"
            count = first.get(tile.sums.buffer)
            said = f"splits_sums={order.splits_sums}" + ("" if count is None else f" and split_groups={count}")
            other = f"; declare splits_sums={not order.splits_sums}" if count is None else ""
            raise ScheduleError(
                f"schedule {order.name}: '{tile.label}' {what}, but the schedule declares {said}{other}"
            )


def _group(tile: MacTile) -> int:
    """The number of the group whose sums a tile makes, in whatever repetition they stand."""
    return tile.sums.offset % tile.sums.stride


def _splits(tile: MacTile) -> bool | None:
    """Whether a tile rounds W_ih x before W_hh h is added; None of a tile that does not say."""
    if len(tile.vectors) > 1:
        return False
    return True if not tile.start or tile.onto is not None else None
