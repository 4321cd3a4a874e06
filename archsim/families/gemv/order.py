"""Defines how a schedule orders the work of a layer: its tiles, and the phases that its time steps make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.matrices.streaming import with_loads
from archsim.program.builder import build_phase
from archsim.program.ir import Op, Phase, PhaseKind

Compute = Callable[[GemvCell], Sequence[Op]]
"""A schedule's order of one time step's work, without loading x and storing h."""


@dataclass(frozen=True, slots=True)
class StepPhases:
    """How the time steps of a layer become phases.

    `first_inputs`: the loads of x before the first of them; `phases`: the phases of a layer's cells, whose names end
    with a suffix; `in_blocks`: whether W_ih x is made for several steps at once. `first_sums`: the tiles that leave in
    the accumulators what the first step adds to. `marks_all`: whether no two steps need be alike, as Phase has it.
    """

    first_inputs: Callable[[GemvCell], list[Op]]
    phases: Callable[[Sequence[GemvCell], Compute, str], list[Phase]]
    in_blocks: bool = False
    first_sums: Callable[[GemvCell], list[Op]] = lambda cell: []
    marks_all: bool = False


def _step_by_step(cells: Sequence[GemvCell], compute: Compute, suffix: str) -> list[Phase]:
    """The phases whose body has the time steps as repetitions."""
    body = [op for cell in cells for op in cell.transfers.load_input_ahead()]
    body += [op for cell in cells for op in with_loads(cell, compute(cell))]
    body += [op for cell in cells for op in cell.transfers.store_output()]
    return [build_phase(f"body{suffix}", PhaseKind.BODY, body, repeat=cells[0].context.steps)]


STEP_BY_STEP = StepPhases(lambda cell: cell.transfers.load_first_inputs(), _step_by_step)


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """How a schedule orders the work.

    `interleaved`: whether a group holds rows of all gates of some hidden units, or of whole gates one after the other.
    `compute`: the MAC tiles of a step and what follows them. `splits_sums`: whether they leave W_ih x in the sums
    before W_hh h is added, as Schedule.splits_sums. `streamed`: weights that do not fit into the weight SRAM come from
    DRAM every step. `phases`: how the time steps become phases. `streamed_sibling`: the name of the schedule that
    differs in that it streams, which the error for too small a weight SRAM names; "" if there is none. `split_groups`:
    of an order that splits the sums of a cell's first groups alone, how many; `splits_sums` is then False, for the
    others.
    """

    name: str
    interleaved: bool
    compute: Compute
    splits_sums: bool
    streamed: bool = False
    phases: StepPhases = STEP_BY_STEP
    streamed_sibling: str = ""
    split_groups: Callable[[GemvCell], int] | None = None
