"""All schedules of machines with one MAC array: products x gate order x where weights live x how layers follow."""

from __future__ import annotations

from archsim.families.gemv.fused import fused
from archsim.families.gemv.hoisted import IN_BLOCKS, hoisted
from archsim.families.gemv.layers import sequential, wavefront
from archsim.families.gemv.order import STEP_BY_STEP, WorkOrder
from archsim.families.gemv.split import split
from archsim.families.schedule import Schedule

_COMPUTE = (
    ("fused", fused, STEP_BY_STEP, "one GEMV of [x, h] a tile"),
    ("split", split, STEP_BY_STEP, "W_ih x ahead of W_hh h on the same accumulators"),
    ("hoisted", hoisted, IN_BLOCKS, "W_ih x of a block of steps as one GEMM, W_hh h in each step"),
)
_ORDER = (
    ("interleaved", "a tile holds all gates of some hidden units"),
    ("gate_major", "whole gates one after the other"),
)
_WEIGHTS = (("", False, ""), ("_streamed", True, "; weights that do not fit stream from DRAM every step"))
_LAYERS = (("", sequential, ""), ("_wavefront", wavefront, "; layer l at step t beside layer l-1 at step t+1"))

SCHEDULES: tuple[Schedule, ...] = tuple(
    Schedule(
        WorkOrder(f"{name}_{order}{weights}{suffix}", order, compute, streamed, bodies),
        f"{what}; {how}{where}{beside}",
        layers,
    )
    for weights, streamed, where in _WEIGHTS
    for suffix, layers, beside in _LAYERS
    for name, compute, bodies, what in _COMPUTE
    for order, how in _ORDER
    if layers is sequential or not bodies.in_blocks  # a layer's h is the next one's x: there is no block of it
)
