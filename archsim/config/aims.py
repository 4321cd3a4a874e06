"""What a user wants to become less."""

from __future__ import annotations

from enum import StrEnum


class By(StrEnum):
    """What is to become less."""

    LATENCY = "latency"
    """The cycles of the run; of a streaming workload a frame's."""
    STEP = "step"
    """The cycles of a time step in the steady state; the interval of frames."""
    ENERGY = "energy"
    """The energy of the run, or of a frame; of a machine without a model of energy its cycles."""
