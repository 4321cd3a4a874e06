"""Reads sequences from files: as many of their first time steps as a workload asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from archsim.workload.files import read_tensors, tensor_shape
from archsim.workload.layout import Layout


@dataclass(frozen=True, slots=True)
class Sequence:
    """The first time steps of a sequence in a file, (T, B, features), and how many the file has."""

    values: npt.NDArray[np.float32]
    steps_in_file: int

    @property
    def whole(self) -> bool:
        """Whether these are all steps of the file."""
        return len(self.values) == self.steps_in_file


def read_sequence(path: Path, name: str, layout: Layout, steps: int, batch: int, features: int) -> Sequence:
    """Read the first `steps` time steps; WorkloadError if there are fewer, or any other size differs."""
    wanted = layout.sequence_shape(steps, batch, features)
    got = tensor_shape(path, name)
    axis = layout.time_axis
    if len(got) == len(wanted) and got[axis] > steps:
        wanted = (*wanted[:axis], got[axis], *wanted[axis + 1 :])
    read = layout.sequence_in(read_tensors(path, {name: wanted})[name])
    return Sequence(np.ascontiguousarray(read[:steps], np.float32), len(read))
