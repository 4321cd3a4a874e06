"""A layer of a delta network on fixed point, bit for bit as the machine computes it, one column after the other.

Source: docs/delta.md, "Numbers"; the equations are those of delta.py. A column that is sent adds its products to the
accumulators of its rows, each product rounded into their format and each sum narrowed, in the order of the columns:
the bias (column 0, in the first step), x, h.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from archsim.golden.functions import Activation, Float, Float64
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.integer import Coded, Codes, Grid, Target, convert
from archsim.golden.integer_functions import Method, activate
from archsim.golden.integer_units import Grids
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.stack import Direction


@dataclass(frozen=True)
class DeltaMachine:
    """The method of the activation unit, and the thresholds as real numbers."""

    method: Method
    threshold_x: float
    threshold_h: float


@dataclass(frozen=True)
class IntegerDelta:
    """The results of a layer as real values: output (T, H), h_n (H), c_n (H) of an LSTM.

    `columns`: for each step the columns that were sent, 0 the bias, 1 to I of x, I + 1 to I + H of h. `overflows`: how
    many values each kind's range has changed; of accumulator those are the sums that saturated. Kinds without any are
    not in.
    """

    output: Float64
    h_n: Float64
    c_n: Float64 | None
    columns: tuple[tuple[int, ...], ...]
    overflows: Mapping[str, int]


def run_integer_delta(x: Float | Codes, direction: Direction, grids: Grids, machine: DeltaMachine) -> IntegerDelta:
    """Run one forward layer over one sequence x (T, I): real numbers, or, if of an integer type, codes of x's grid."""
    layer = _Layer(direction, grids, machine)
    codes = x if np.issubdtype(x.dtype, np.integer) else layer.to("input", grids.x).encode(np.asarray(x)).codes
    h = layer.to("hidden", grids.h).encode(np.asarray(direction.h_0, np.float64)[0])
    c = None if direction.c_0 is None else layer.to("cell", grids.cell).encode(np.asarray(direction.c_0)[0])
    outputs, columns = [], []
    for given in codes:
        columns.append(layer.send(Coded(given, grids.x), h))
        h, c = layer.update(h, c)
        outputs.append(h.values)
    c_n = None if c is None else c.values
    return IntegerDelta(np.array(outputs), h.values, c_n, tuple(columns), layer.overflows)


class _Layer:
    """The memories of a layer: what was sent of every column, and the accumulators."""

    def __init__(self, direction: Direction, grids: Grids, machine: DeltaMachine) -> None:
        self._direction, self._grids, self._machine = direction, grids, machine
        self._overflows: Counter[str] = Counter()
        weights = direction.weights
        assert weights.weight_hh is not None, "a layer without h sends no deltas of it"
        self._w_ih = self.to("weight", grids.w_ih).encode(weights.weight_ih)
        self._w_hh = self.to("weight", grids.w_hh).encode(weights.weight_hh)
        self._to_sums = self.to("accumulator", grids.accumulator)
        rows, hidden = self._w_ih.codes.shape[0], self._w_hh.codes.shape[1]
        gru = isinstance(weights, GruWeights)
        self._rows_x = np.arange(rows)
        self._rows_h = np.concatenate([np.arange(2 * hidden), np.arange(rows, rows + hidden)]) if gru else self._rows_x
        bias = np.zeros(rows + hidden if gru else rows)
        for rows_of, given in ((self._rows_x, weights.bias_ih), (self._rows_h, weights.bias_hh)):
            if given is not None:
                bias[rows_of] += np.asarray(given, np.float64)
        self._bias = self._to_sums.encode(bias).codes
        self._has_bias = weights.bias_ih is not None or weights.bias_hh is not None
        self._sums = np.zeros(len(bias), np.int64)
        self._sent_x, self._sent_h = np.zeros(self._w_ih.codes.shape[1], np.int64), np.zeros(hidden, np.int64)
        self._first = True

    @property
    def overflows(self) -> Mapping[str, int]:
        """How many values each kind's range has changed so far."""
        return dict(+self._overflows)

    def to(self, kind: str, grid: Grid | None) -> Target:
        """The grid as a target of a kind."""
        if grid is None:
            raise ValueError(f"the layer needs another grid of the kind {kind}")
        return Target(kind, grid, self._overflows)

    def send(self, x: Coded, h: Coded) -> tuple[int, ...]:
        """Send what has changed enough; which columns that was."""
        columns: list[int] = []
        if self._first and self._has_bias:
            columns.append(0)
            self._sums = self._to_sums.narrow(self._sums + self._bias).codes
        self._first = False
        parts = (
            (x, self._w_ih, self._sent_x, self._machine.threshold_x, self._rows_x, 1),
            (h, self._w_hh, self._sent_h, self._machine.threshold_h, self._rows_h, 1 + len(x.codes)),
        )
        for vector, matrix, sent, threshold, rows, first in parts:
            deltas = vector.codes - sent
            enough = (deltas != 0) & (np.abs(deltas) * float(vector.grid.scale) >= threshold)
            places = np.flatnonzero(enough)
            sent[places] = vector.codes[places]
            columns += (first + places).tolist()
            self._add(rows, matrix, places, deltas[places], vector)
        return tuple(columns)

    def _add(self, rows: Codes, matrix: Coded, places: Codes, deltas: Codes, vector: Coded) -> None:
        """Add the products of columns to the sums of their rows, one column after the other."""
        bound = 2 * matrix.grid.magnitude * vector.grid.magnitude
        ratio = float(matrix.grid.scale) * float(vector.grid.scale) / float(self._to_sums.grid.scale)
        products = convert(matrix.codes[:, places] * deltas, bound, ratio, self._to_sums.grid.rounding)
        for product in products.T:
            self._sums[rows] = self._to_sums.narrow(self._sums[rows] + product).codes

    def update(self, h: Coded, c: Coded | None) -> tuple[Coded, Coded | None]:
        """The new states from the sums."""
        to_gate, to_hidden = self.to("gate", self._grids.gate), self.to("hidden", self._grids.h)
        to_activation = self.to("activation", self._grids.activation)
        parts = to_gate.narrow(to_gate.convert(Coded(self._sums, self._to_sums.grid))).split(
            len(self._sums) // len(h.codes)
        )

        def function(activation: Activation, argument: Coded, target: Target = to_activation) -> Coded:
            return activate(activation, argument, target, self._machine.method)

        match self._direction:
            case Direction(GruWeights(), GruOptions() as gru):
                gate, candidate = gru.activations
                r, z = function(gate, parts[0]), function(gate, parts[1])
                n = function(candidate, to_gate.narrow(parts[2].codes + to_gate.product(r, parts[3])))
                return to_hidden.narrow(to_hidden.product(_one_minus(z), n) + to_hidden.product(z, h)), None
            case Direction(LstmWeights(), LstmOptions() as lstm) if c is not None:
                gate, candidate, cell = lstm.activations
                i, f, o = (function(gate, parts[place]) for place in (0, 1, 3))
                to_cell = self.to("cell", self._grids.cell)
                c = to_cell.narrow(to_cell.product(f, c) + to_cell.product(i, function(candidate, parts[2])))
                return to_hidden.narrow(to_hidden.product(o, function(cell, c))), c
            case Direction(RnnWeights(), RnnOptions() as rnn):
                return function(rnn.activation, parts[0], to_hidden), None
        raise TypeError("weights, options and c_0 do not make one kind of layer")


def _one_minus(a: Coded) -> Coded:
    """1 - a, where 1 is its code or the largest one; not narrowed, so that it may need a bit more."""
    one = min(round(1.0 / float(a.grid.scale)), a.grid.high)
    return Coded(one - a.codes, replace(a.grid, bits=a.grid.bits + 1))
