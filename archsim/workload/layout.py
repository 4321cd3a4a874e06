"""Converts between torch's layouts, as files hold them, and archsim's own: (T, B, features)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
Float = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout of sequences and states in torch.

    `batch_first`: sequences are (B, T, features). Not `batched`: (T, features), and states are (cells, features).
    """

    batch_first: bool
    batched: bool

    @property
    def time_axis(self) -> int:
        """The axis of a sequence's time steps."""
        return 1 if self.batched and self.batch_first else 0

    def sequence_shape(self, steps: int, batch: int, features: int) -> Shape:
        """The shape of an input or output."""
        if not self.batched:
            return (steps, features)
        return (batch, steps, features) if self.batch_first else (steps, batch, features)

    def state_shape(self, cells: int, batch: int, features: int) -> Shape:
        """The shape of h_0, c_0, h_n and c_n; `batch_first` does not change it."""
        return (cells, batch, features) if self.batched else (cells, features)

    def sequence_in(self, array: Float) -> Float:
        """Convert an input to (T, B, features)."""
        if not self.batched:
            return array[:, None]
        return array.swapaxes(0, 1) if self.batch_first else array

    def sequence_out(self, array: Float) -> Float:
        """Convert (T, B, features) to the layout of an output."""
        if not self.batched:
            return array[:, 0]
        return np.ascontiguousarray(array.swapaxes(0, 1)) if self.batch_first else array

    def state_in(self, array: Float) -> Float:
        """Convert a state to (cells, B, features)."""
        return array if self.batched else array[:, None]

    def state_out(self, array: Float) -> Float:
        """Convert (cells, B, features) to the layout of a state."""
        return array if self.batched else array[:, 0]
