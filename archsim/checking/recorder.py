"""What the machine computes over time: c and the activated gates of every cell, at every time step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.families.cells.activation import Activate
from archsim.families.cells.lstm_ops import CellUpdate
from archsim.families.cells.streams import cell_prefixes
from archsim.families.npu.loader import WriteBack
from archsim.formats import Encoding
from archsim.formats.number import Array
from archsim.program.ir import DataKind, Op, Region

Float32 = npt.NDArray[np.float32]


class Recorder:
    """An observer of the machine's ops. `values[cell]` maps "c" and gate names to (T, B, H), by the sequence's time."""

    def __init__(self, numbers: Numbers) -> None:
        spec = numbers.spec
        self._encodings = numbers.encodings
        self._cells: dict[str, int] = {}
        for number, prefix in enumerate(cell_prefixes(spec)):
            self._cells |= {f"{prefix}{name}": number for name in ("gates", "c")}
        self._shapes = [(spec.steps, spec.batch, cell.hidden_size) for cell in spec.cells]
        self._reverse = [cell.reverse for cell in spec.cells]
        self.values: list[dict[str, Float32]] = [{} for _ in spec.cells]

    def __call__(self, op: Op, repetition: int, results: Sequence[Array]) -> None:
        """Keep what a gate's activation or a cell update gave."""
        if isinstance(op, Activate) and op.gates:
            self._gates(op, repetition, results[0])
        elif isinstance(op, CellUpdate):
            real = self._real(op.target, results[0])
            self._keep("c", op, op.target, repetition, op.target.start, real)
        elif isinstance(op, WriteBack) and op.targets[0].buffer.kind is DataKind.C:
            self._keep("c", op, op.targets[0], repetition, op.targets[0].start, self._real(op.targets[0], results[0]))

    def _gates(self, op: Activate, repetition: int, result: Array) -> None:
        real = self._real(op.target, result)
        first = 0
        for rows in op.gates:
            self._keep(rows.gate, op, op.target, repetition, rows.first_unit, real[first : first + rows.units])
            first += rows.units

    def _keep(self, name: str, op: Op, region: Region, repetition: int, first: int, values: Float32) -> None:
        cell = self._cells.get(region.buffer.name)
        if cell is None:  # an RNN's activation gives h itself, which is in the output
            return
        steps = self._shapes[cell][0]
        step = op.step(repetition)
        time = steps - 1 - step if self._reverse[cell] else step
        kept = self.values[cell].get(name)
        if kept is None:
            kept = self.values[cell][name] = np.zeros(self._shapes[cell], np.float32)
        kept[time, :, first : first + len(values)] = values.T

    def _real(self, region: Region, stored: Array) -> Float32:
        encoding: Encoding = self._encodings[region.buffer.name]
        return np.asarray(encoding.decoded(stored), np.float32)
