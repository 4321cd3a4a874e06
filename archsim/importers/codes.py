"""Holds the integer codes of a quantized model's tensors, as the file has them, beside the real numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """The codes of a tensor, rows first. `scale` and `zero` are one number (), or one for each row (rows,)."""

    values: Array
    scale: npt.NDArray[np.float64]
    zero: npt.NDArray[np.int64]

    def real(self) -> npt.NDArray[np.float64]:
        """The numbers that the codes stand for: (code - zero) * scale."""
        behind = (-1, *(1,) * (self.values.ndim - 1)) if self.scale.ndim else ()
        return (self.values.astype(np.int64) - self.zero.reshape(behind)) * self.scale.reshape(behind)

    def rows(self, chosen: npt.NDArray[np.intp]) -> Codes:
        """Some of the rows, in an order."""
        if not self.scale.ndim:
            return Codes(self.values[chosen], self.scale, self.zero)
        return Codes(self.values[chosen], self.scale[chosen], self.zero[chosen])


def coded_tensors(codes: Mapping[str, Codes]) -> Iterator[tuple[str, Array]]:
    """The tensors that stand for codes in a workload's file: codes, scales, and zero points if any is not 0."""
    for name, found in codes.items():
        yield name, np.ascontiguousarray(found.values)
        yield f"{name}_scale", np.asarray(found.scale, np.float64)
        if found.zero.any():
            yield f"{name}_zero", np.asarray(found.zero, np.int64)
