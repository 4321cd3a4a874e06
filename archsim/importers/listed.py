"""The tensors of a file that holds nothing known, listed for the user who can say which are a cell's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.errors import Fault, WorkloadError
from archsim.importers.faults import fault
from archsim.importers.found import Shape

MOST_LISTED = 200
"""The most tensors that are listed."""


@dataclass(frozen=True, slots=True)
class ListedTensor:
    """A tensor of a file: name, shape, and the type of its numbers as NumPy or the file's own library calls it."""

    name: str
    shape: Shape
    dtype: str
    may_be_weights: bool = True


class NothingFits(WorkloadError):
    """The file has tensors, and none that is known to be a recurrent layer's.

    `tensors` are the first MOST_LISTED of `total`, `nearest` says what their shapes would fit, and what to type then.
    """

    def __init__(
        self, faults: tuple[Fault, ...], tensors: tuple[ListedTensor, ...] = (), total: int = 0, nearest: str = ""
    ) -> None:
        super().__init__(faults)
        self.args = (faults, tensors, total, nearest)
        self.tensors = tensors
        self.total = total
        self.nearest = nearest


def nothing_fits(
    path: Path, message: str, tensors: Sequence[ListedTensor], total: int, nearest: str = ""
) -> NothingFits:
    """The error about a file in which nothing fits, with the first of its tensors."""
    return NothingFits(fault(path, message).faults, tuple(tensors[:MOST_LISTED]), total, nearest)
