"""Collects the golden model's values by kind of data, each with the machine's encoding for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.checking.calibrate import Observed
from archsim.checking.numbers import Numbers
from archsim.families.cells.merge import MERGED
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding, FloatFormat, IntegerFormat
from archsim.formats.config import NORMALIZED_SUMS
from archsim.formats.rounding import rounded
from archsim.workload.calibration import LSTM_GATES, range_kinds
from archsim.workload.network import suffixes

_BUFFERS = {"c": "c", "vector": "vector", "gate": "sums", "activation": "gates"}
_BUFFERS |= {name: name for name in (f"sums_{gate}" for gate in LSTM_GATES)}
"""A cell's tensor -> the buffer, or the numbers in one, whose encoding it has."""


@dataclass(frozen=True, eq=False)
class Values:
    """Values with one encoding: a vector's (n), or a matrix (rows, n) whose rows may have scales of their own."""

    name: str
    values: npt.NDArray[np.floating]
    encoding: Encoding

    @property
    def beyond(self) -> npt.NDArray[np.bool_]:
        """Whether the format's range would change each value."""
        number_format = self.encoding.format
        if isinstance(number_format, IntegerFormat):
            scaled = np.asarray(self.values, np.float64) / self.encoding.scale
            codes = rounded(scaled, number_format.rounding) + self.encoding.zero
            return (codes < number_format.lowest) | (codes > number_format.highest)
        assert isinstance(number_format, FloatFormat)
        return np.asarray(np.abs(self.values) > number_format.largest, np.bool_)

    @property
    def scales(self) -> tuple[float, float]:
        """The finest and the coarsest scale of an integer format: what a code's last place stands for."""
        return float(np.min(self.encoding.scale)), float(np.max(self.encoding.scale))

    def ends(self, scale: float) -> tuple[float, float]:
        """The least and the largest number that the format can hold, with one of its scales."""
        number_format, zero = self.encoding.format, self.encoding.zero
        if isinstance(number_format, IntegerFormat):
            return (number_format.lowest - zero) * scale, (number_format.highest - zero) * scale
        assert isinstance(number_format, FloatFormat)
        return -number_format.largest, number_format.largest


def golden_values(numbers: Numbers, kind: str) -> list[Values]:
    """The values of a kind of data; none of the accumulator, whose partial sums the golden model does not have."""
    return list(_matrices(numbers) if kind == "weight" else _vectors(numbers, kind))


def reach(parts: Sequence[Values]) -> tuple[float, float]:
    """The least and the largest of all values."""
    return min(float(part.values.min()) for part in parts), max(float(part.values.max()) for part in parts)


def _matrices(numbers: Numbers) -> Iterator[Values]:
    for cell, prefix in zip(numbers.tensors.cells, cell_prefixes(numbers.spec), strict=True):
        matrices = {"W_ih": cell.weight_ih, "W_hh": cell.weight_hh, "W_hr": cell.weight_hr}
        for name, matrix in matrices.items():
            if matrix is not None:
                yield Values(f"{prefix}{name}", matrix, numbers.encodings[f"{prefix}dram.{name}"])


def _vectors(numbers: Numbers, kind: str) -> Iterator[Values]:
    spec, tensors, traces = numbers.spec, numbers.tensors, numbers.golden.traces
    assert traces is not None
    observed = Observed(spec, np.asarray(tensors.x, np.float64), traces, tensors.cells)
    buffers = {"x": "dram.x"}
    cells = iter(zip(cell_prefixes(spec), suffixes(spec), strict=True))
    for number, layer in enumerate(spec.layers):
        for _ in layer:
            prefix, suffix = next(cells)
            buffers[f"h_l{number}"] = f"{prefix}h"  # a layer's directions have the same
            buffers[f"y_l{number}"] = f"l{number}.{MERGED}"
            buffers |= {f"{tensor}{suffix}": f"{prefix}{buffer}" for tensor, buffer in _BUFFERS.items()}
    for name, its_kind in range_kinds(spec).items():
        if its_kind == kind or (its_kind == NORMALIZED_SUMS and kind == "gate"):
            yield Values(name, observed.samples(name), numbers.encodings[buffers[name]])
