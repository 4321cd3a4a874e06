"""Finds the chain of ops and waits that a latency consists of, and the cycle of them that a rate consists of."""

from archsim.critical.path import Cause, Segment, critical_path, frame_path
from archsim.critical.ratio import CriticalCycle, critical_cycle
from archsim.critical.stack import CAUSES, LatencyStack, Link, latency_stack, links, step_stack
from archsim.critical.times import MAX_OPS, AllTimes, Instance, Rules

__all__ = [
    "CAUSES",
    "MAX_OPS",
    "AllTimes",
    "Cause",
    "CriticalCycle",
    "Instance",
    "LatencyStack",
    "Link",
    "Rules",
    "Segment",
    "critical_cycle",
    "critical_path",
    "frame_path",
    "latency_stack",
    "links",
    "step_stack",
]
