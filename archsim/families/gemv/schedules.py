"""Lists the schedules of machines with one MAC array: products x gate order x where weights live x layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.families.gemv.ahead import ahead, groups_ahead
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.fused import fused
from archsim.families.gemv.hoisted import IN_BLOCKS, hoisted
from archsim.families.gemv.layers import sequential, wavefront
from archsim.families.gemv.order import STEP_BY_STEP, Compute, StepPhases, WorkOrder
from archsim.families.gemv.schedule import GemvSchedule, gemv_schedule
from archsim.families.gemv.split import split


@dataclass(frozen=True, slots=True)
class _Products:
    """A way of forming a step's products; the fields are WorkOrder's."""

    name: str
    compute: Compute
    splits_sums: bool
    phases: StepPhases
    summary: str
    split_groups: Callable[[GemvCell], int] | None = None


_PRODUCTS = (
    _Products("fused", fused, False, STEP_BY_STEP, "one GEMV of [x, h] a tile"),
    _Products("split", split, True, STEP_BY_STEP, "W_ih x ahead of W_hh h on the same accumulators"),
    _Products(
        "ahead",
        ahead,
        False,
        STEP_BY_STEP,
        "W_ih x of as many groups as fill the wait for h, one GEMV of [x, h] a tile of the others",
        groups_ahead,
    ),
    _Products("hoisted", hoisted, True, IN_BLOCKS, "W_ih x of a block of steps as one GEMM, W_hh h in each step"),
)
_GATES = (
    ("interleaved", True, "a tile holds all gates of some hidden units"),
    ("gate_major", False, "whole gates one after the other"),
)
_WEIGHTS = ((False, ""), (True, "; weights that do not fit stream from DRAM every step"))
_LAYERS = (("", sequential, ""), ("_wavefront", wavefront, "; layer l at step t beside layer l-1 at step t+1"))

GEMV_SCHEDULES: tuple[GemvSchedule, ...] = tuple(
    gemv_schedule(
        WorkOrder(
            name=f"{products.name}_{gates}{'_streamed' if streamed else ''}{suffix}",
            interleaved=interleaved,
            compute=products.compute,
            splits_sums=products.splits_sums,
            streamed=streamed,
            phases=products.phases,
            split_groups=products.split_groups,
            streamed_sibling="" if streamed else f"{products.name}_{gates}_streamed{suffix}",
        ),
        f"{products.summary}; {how}{where}{beside}",
        layers,
    )
    for streamed, where in _WEIGHTS
    for suffix, layers, beside in _LAYERS
    for products in _PRODUCTS
    for gates, interleaved, how in _GATES
    if layers is sequential or not products.phases.in_blocks  # a layer's h is the next one's x: no block of it
)
"""The first is the one that runs if none is asked for."""
