"""Holds a schedule to what it declares of the numbers: a wrong declaration would have them judged by another's."""

from __future__ import annotations

from archsim.errors import ScheduleError
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.program.ir import PhaseKind, Program
from archsim.workload.network import CellKind, NetworkSpec


def check_declared(name: str, splits_sums: bool, spec: NetworkSpec, program: Program) -> None:
    """Raise ScheduleError if a program's tiles round sums in another way than its schedule declares.

    A tile of [x, h] leaves one sum of both products; a tile that continues or begins with sums adds W_hh h to a W_ih x
    that was rounded before. A GRU has tiles of the second kind under every schedule (its candidate keeps the two parts
    apart), so that its programs say nothing here.
    """
    if any(cell.kind is CellKind.GRU for cell in spec.cells):
        return
    tiles = [op for body in program.of_kind(PhaseKind.BODY) for op in body.ops if isinstance(op, MacTile)]
    other = next((tile for tile in tiles if _splits(tile) is (not splits_sums)), None)
    if other is not None:
        what = "adds W_hh h to sums that were rounded" if not splits_sums else "adds W_ih x and W_hh h in one sum"
        raise ScheduleError(
            f"schedule {name}: '{other.label}' {what}, but the schedule declares splits_sums={splits_sums}; "
            f"declare splits_sums={not splits_sums}"
        )


def _splits(tile: MacTile) -> bool | None:
    """Whether a tile rounds W_ih x before W_hh h is added; None of a tile that does not say."""
    if len(tile.vectors) > 1:
        return False
    return True if not tile.start or tile.onto is not None else None
