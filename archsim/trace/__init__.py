"""The record of a machine's run: the timing of units, phases and (for a window of steps) single ops."""

from archsim.trace.data import OpRecord, PhaseTrace, Trace, UnitTrace, Window
from archsim.trace.timeline import Timeline, TimelineBuilder

__all__ = ["OpRecord", "PhaseTrace", "Timeline", "TimelineBuilder", "Trace", "UnitTrace", "Window"]
