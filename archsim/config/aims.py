"""What a user wants to become less."""

from __future__ import annotations

from enum import StrEnum


class By(StrEnum):
    """What is to become less."""

    LATENCY = "latency"
    """The cycles of the run."""
    STEP = "step"
    """The cycles of a time step in the steady state."""
    ENERGY = "energy"
    """The energy of the run; of a machine without a model of energy its cycles."""
