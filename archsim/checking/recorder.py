"""Records what the machine computes over time: c and the activated gates of every cell, at every time step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding, IntegerFormat
from archsim.formats.number import Array
from archsim.program.ir import Observed, Op, Region

Float = npt.NDArray[np.floating]

FLOAT32_BITS = 24
"""Integers of so many bits are exact in float32."""


class Recorder:
    """Observes the machine's ops; `values[cell]` maps "c" and gate names to (T, B, H), by the sequence's time."""

    def __init__(self, numbers: Numbers) -> None:
        spec = numbers.spec
        self._encodings = numbers.encodings
        self._cells: dict[str, int] = {}
        for number, prefix in enumerate(cell_prefixes(spec)):
            self._cells |= {f"{prefix}{name}": number for name in ("gates", "c")}
        self._shapes = [(spec.steps, spec.batch, cell.hidden_size) for cell in spec.cells]
        self._reverse = [cell.reverse for cell in spec.cells]
        self.values: list[dict[str, Float]] = [{} for _ in spec.cells]

    def __call__(self, op: Op, repetition: int, results: Sequence[Array]) -> None:
        """Keep what the op says may be kept: activated gates or cell states."""
        for part in op.observed:
            region = op.writes[0]
            real = self._real(region, results[0])
            self._keep(part, op, region, repetition, real[part.first_row : part.first_row + part.rows])

    def _keep(self, part: Observed, op: Op, region: Region, repetition: int, values: Float) -> None:
        cell = self._cells.get(region.buffer.name)
        if cell is None:  # an RNN's activation gives h itself, which is in the output
            return
        steps = self._shapes[cell][0]
        step = op.step(repetition)
        time = steps - 1 - step if self._reverse[cell] else step
        kept = self.values[cell].get(part.quantity)
        if kept is None:
            kept = self.values[cell][part.quantity] = np.zeros(self._shapes[cell], values.dtype)
        kept[time, :, part.first_unit : part.first_unit + len(values)] = values.T

    def _real(self, region: Region, stored: Array) -> Float:
        """The values, float32, or float64 where that does not tell all codes apart."""
        encoding: Encoding = self._encodings[region.buffer.name]
        wide = isinstance(encoding.format, IntegerFormat) and encoding.format.bits > FLOAT32_BITS
        return np.asarray(encoding.decoded(stored), np.float64 if wide else np.float32)
