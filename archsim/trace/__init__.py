"""The record of a machine's run: the timing of units, phases and (for a window of steps) single ops."""

from archsim.trace.data import OpRecord, OpTimes, PhaseTrace, Trace, UnitTrace, Window
from archsim.trace.timeline import Timeline, TimelineBuilder

__all__ = ["OpRecord", "OpTimes", "PhaseTrace", "Timeline", "TimelineBuilder", "Trace", "UnitTrace", "Window"]
