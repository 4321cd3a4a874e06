"""Defines the order `ahead`: W_ih x of the first groups while h_{t-1} is on its way, the other groups fused.

At the end of a step the array waits until the last hidden update has drained. The x parts of the next step's first
groups need no h and fill that wait; each takes a slot of the accumulators until its h part comes. Between `fused`, of
which none runs ahead, and `split`, of which all do: a split group may take a chunk more than a fused one, so that as
many as fill the wait are best, and no more.
"""

from __future__ import annotations

from itertools import accumulate

from archsim.errors import CapacityError
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.fused import fused
from archsim.families.gemv.units import gemv_units
from archsim.hardware.unit import Units, by_name
from archsim.program.builder import build_phase
from archsim.program.ir import After, Op, PhaseKind


def ahead(cell: GemvCell) -> list[Op]:
    """The ops of one time step."""
    count = groups_ahead(cell)
    ops: list[Op] = [op for group in cell.groups[:count] for op in cell.input_tiles(group)]
    for group, following in zip(cell.groups, cell.after_macs(), strict=True):
        ops += cell.hidden_tiles(group) if group.index < count else cell.fused_tiles(group)
        ops += following
    return ops


def groups_ahead(cell: GemvCell) -> int:
    """How many groups' W_ih x runs ahead: `accumulators.ahead_groups`, or as many as make a step shortest.

    CapacityError if more are asked for than the accumulators hold.
    """
    asked, slots = cell.config.accumulators.ahead_groups, cell.accumulator_slots
    if asked is None:
        return _best(cell, min(slots, len(cell.groups))) if cell.context.x_is_early else 0
    count = min(asked, len(cell.groups))
    if count > slots:
        entries = cell.buffers.sums.entries * cell.context.batch * cell.context.sharers
        what = f"{count} groups ahead (accumulators.ahead_groups) of {entries} each"
        knobs = ("more accumulators.entries", "fewer accumulators.ahead_groups")
        raise CapacityError("accumulators", count * entries, cell.config.accumulators.entries, "entries", what, knobs)
    return count


def _best(cell: GemvCell, most: int) -> int:
    """The fewest groups with which a step is shortest, of up to `most`.

    With k groups ahead the array works for longer by what splitting k groups costs, and h is there earlier by what
    their x parts took behind it. A step takes the longer of the two. Where cells share the array the others' tiles fill
    the wait, too; they are taken to be as long as this one's.
    """
    units = by_name(gemv_units(cell.config))
    array_cycles, h_cycles = _fused_step(cell, units)
    others = (cell.context.sharers - 1) * array_cycles
    work, closing = [array_cycles + others], [h_cycles]
    for group in cell.groups[:most]:
        x, h, both = (
            sum(units[op.unit].cycles(op).occupancy_cycles for op in tiles)
            for tiles in (cell.input_tiles(group), cell.hidden_tiles(group), cell.fused_tiles(group))
        )
        work.append(x + h - both)
        closing.append(h - both)
    steps = [max(both) for both in zip(accumulate(work), accumulate(closing), strict=True)]
    return steps.index(min(steps))


def _fused_step(cell: GemvCell, units: Units) -> tuple[int, int]:
    """Cycles of a fused step that nothing else disturbs: until the array is free, and until the next may read h."""
    phase = build_phase("step", PhaseKind.BODY, fused(cell))
    token = cell.config.sequencer.token_latency_cycles
    unit_free: dict[str, int] = {}
    events: list[dict[After, int]] = []
    h_done = 0
    for op, deps in zip(phase.ops, phase.deps, strict=True):
        service = units[op.unit].cycles(op)
        tokens = [events[dep.op][dep.after] + token for dep in deps if dep.lag == 0]
        start = max([unit_free.get(op.unit, 0), *tokens])
        unit_free[op.unit] = free = start + service.occupancy_cycles
        events.append({After.FREE: free, After.DONE: start + service.latency_cycles})
        if any(region.buffer is cell.buffers.h for region in op.writes):
            h_done = max(h_done, events[-1][After.DONE] + token)
    return unit_free[MacArray.name], h_done
