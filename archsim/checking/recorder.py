"""Records what the machine computes over time: c and the activated gates of every cell, at every time step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding, IntegerFormat
from archsim.formats.number import Array
from archsim.program.ir import Op

Float = npt.NDArray[np.floating]

FLOAT32_BITS = 24
"""Integers of so many bits are exact in float32."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of results, one of each hidden unit, that are a part of a quantity."""

    quantity: str
    rows: npt.NDArray[np.int64]
    units: npt.NDArray[np.int64]


class Recorder:
    """Observes ops, alone or joined, as they complete, and keeps what they compute as it is stored."""

    def __init__(self, numbers: Numbers) -> None:
        spec = numbers.spec
        self._encodings = numbers.encodings
        self._cells: dict[str, int] = {}
        for number, prefix in enumerate(cell_prefixes(spec)):
            self._cells |= {f"{prefix}{name}": number for name in ("gates", "c")}
        self._shapes = [(spec.steps, spec.batch, cell.hidden_size) for cell in spec.cells]
        self._reverse = [cell.reverse for cell in spec.cells]
        self._kept: list[dict[str, tuple[Encoding, Array]]] = [{} for _ in spec.cells]
        self._joined: dict[int, tuple[Sequence[Op], list[_Rows]]] = {}

    @cached_property
    def values(self) -> list[dict[str, Float]]:
        """For each cell from "c" and the names of gates to (T, B, H), by the sequence's time; once a run is over."""
        return [{name: _real(*kept) for name, kept in of_cell.items()} for of_cell in self._kept]

    def __call__(self, op: Op, repetition: int, results: Sequence[Array]) -> None:
        """Keep what the op says may be kept: activated gates or cell states."""
        for part in op.observed:
            rows = slice(part.first_row, part.first_row + part.rows)
            self._keep(
                part.quantity, op, repetition, results[0][rows], slice(part.first_unit, part.first_unit + part.rows)
            )

    def joined(self, ops: Sequence[Op], repetition: int, results: Array) -> None:
        """Keep it of several ops of one shape."""
        known = self._joined.get(id(ops))
        if known is None:  # ops are kept, and so is their id
            known = self._joined[id(ops)] = (ops, _rows_of(ops))
        for part in known[1]:
            self._keep(part.quantity, ops[0], repetition, results[part.rows], part.units)

    def _keep(
        self, quantity: str, op: Op, repetition: int, stored: Array, units: slice | npt.NDArray[np.int64]
    ) -> None:
        name = op.writes[0].buffer.name
        cell = self._cells.get(name)
        if cell is None:  # an RNN's activation gives h itself, which is in the output
            return
        steps = self._shapes[cell][0]
        step = op.step(repetition)
        time = steps - 1 - step if self._reverse[cell] else step
        found = self._kept[cell].get(quantity)
        if found is None:
            encoding = self._encodings[name]
            found = self._kept[cell][quantity] = encoding, encoding.zeros(self._shapes[cell])
        found[1][time][:, units] = stored.T


def _rows_of(ops: Sequence[Op]) -> list[_Rows]:
    """The rows to keep of the results of ops, which follow each other, by what they are of."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for number, op in enumerate(ops):
        first = number * op.writes[0].entries
        for part in op.observed:
            rows, units = found.setdefault(part.quantity, ([], []))
            rows += range(first + part.first_row, first + part.first_row + part.rows)
            units += range(part.first_unit, part.first_unit + part.rows)
    return [_Rows(quantity, np.array(rows), np.array(units)) for quantity, (rows, units) in found.items()]


def _real(encoding: Encoding, stored: Array) -> Float:
    """The values, float32, or float64 where that does not tell all codes apart."""
    wide = isinstance(encoding.format, IntegerFormat) and encoding.format.bits > FLOAT32_BITS
    return np.asarray(encoding.decoded(stored), np.float64 if wide else np.float32)
