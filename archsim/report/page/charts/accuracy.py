"""How the errors of a run go over its time steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation

MOST_POINTS = 1000
"""Points of a line; of more time steps the largest of some are shown."""
MOST_TENSORS = 8


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A tensor's RMS errors, a number a point."""

    tensor: str
    rms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ErrorChart:
    """The errors over time; a point is the largest of `steps_per_point` time steps."""

    steps_per_point: int
    tensors_left_out: int
    lines: tuple[ErrorLine, ...]


def accuracy_chart(simulation: Simulation) -> ErrorChart | None:
    """The RMS error of the output and of states over time; None where none were measured by step."""
    accuracy = simulation.accuracy
    tensors = [] if accuracy is None else [tensor for tensor in accuracy.tensors if len(tensor.rms_by_step)]
    if not tensors:
        return None
    steps_per_point = -(-len(tensors[0].rms_by_step) // MOST_POINTS)
    lines = (ErrorLine(tensor.name, _largest(tensor.rms_by_step, steps_per_point)) for tensor in tensors[:MOST_TENSORS])
    return ErrorChart(steps_per_point, max(0, len(tensors) - MOST_TENSORS), tuple(lines))


def _largest(errors: npt.NDArray[np.float64], each: int) -> tuple[float, ...]:
    """The largest of each so many errors."""
    padded = np.zeros(-(-len(errors) // each) * each)
    padded[: len(errors)] = errors
    return tuple(float(f"{value:.4g}") for value in padded.reshape(-1, each).max(axis=1))
