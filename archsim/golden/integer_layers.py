"""One direction of an LSTM, GRU or RNN layer on integers and fixed point, bit for bit as the machine computes it.

Source: docs/numerics.md ("MAC tile", "Activation unit", "Element-wise unit"); the equations are those of lstm.py,
gru.py and rnn.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Activation, Float, Float64
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.integer import Coded, Codes, Grid, Target
from archsim.golden.integer_functions import Method, activate, clipped
from archsim.golden.integer_products import Part
from archsim.golden.integer_tiles import Array, coded, coded_matrix, rows_of
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.sequence import Lengths
from archsim.golden.stack import Direction

States = tuple[Coded, ...]
"""The hidden state (B, P), which is the output too, and then the cell state (B, H) of an LSTM."""
Step = Callable[[Coded, States], States]
"""From x (B, I) and the states to the new states."""


@dataclass(frozen=True)
class IntegerMachine:
    """columns: inputs of a chunk; method: of the activation unit.

    split: the x tile and the h tile are two tiles, or, as the format of the first layer's x is another than that of h,
    two accumulations in every layer. interleaved: a tile has rows of all gates, so that those of a GRU that resets
    after the product are two tiles in any case. x_columns: inputs of a chunk of x, where x and h pass side by side, in
    accumulators of their own. late_bias: the bias is added to the sums, in their format, just before the activation.
    split_rows: without split, the rows, in torch's order, whose x tile and h tile are two all the same. group: columns
    of a group of structured sparsity, of which a chunk takes whole ones; weights that are not kept are 0.
    thresholds: of a delta network, the least changes of x and of h that are multiplied; None of an ordinary one.
    """

    columns: int
    split: bool
    method: Method
    interleaved: bool = True
    x_columns: int | None = None
    late_bias: bool = False
    split_rows: frozenset[int] = frozenset()
    group: int = 1
    thresholds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Grids:
    """The grid of each kind of data in one direction of a layer; x, h and vector alone may have a zero point.

    w_hr and vector with a projection (vector: what it multiplies), vector also for r * h of a GRU that resets before
    the product; cell for an LSTM, peephole for one with peepholes. Scales of rows are in torch's order (i, f, g, o and
    r, z, n).
    """

    w_ih: Grid
    w_hh: Grid | None
    x: Grid
    h: Grid
    accumulator: Grid
    gate: Grid
    activation: Grid
    w_hr: Grid | None = None
    vector: Grid | None = None
    cell: Grid | None = None
    peephole: Grid | None = None


@dataclass(frozen=True)
class IntegerResult:
    """The result of a direction of a layer, as the real values of the codes.

    output (T, B, P), h_n (B, P), c_n (B, H) or None; overflows by kind. The kinds are weight, input, hidden,
    accumulator, gate, activation, cell and address; those without any are not in.
    """

    output: Float64
    h_n: Float64
    c_n: Float64 | None
    overflows: Mapping[str, int]


def run_integer(
    x: Float | npt.NDArray[np.integer[Any]],
    direction: Direction,
    grids: Grids,
    machine: IntegerMachine,
    lengths: Lengths | None = None,
) -> IntegerResult:
    """Run one direction of one layer over x (T, B, I): real numbers, or, if of an integer type, codes of the x grid.

    Codes are for the output of the layer below, which is not converted again. lengths (B) as in sequence.scan.
    """
    units = _Units(grids, machine, Counter())
    match direction:
        case Direction(LstmWeights() as lstm, LstmOptions() as lstm_options, _, c_0) if c_0 is not None:
            step = _lstm(units, lstm, lstm_options)
        case Direction(GruWeights() as gru, GruOptions() as gru_options, _, None):
            step = _gru(units, gru, gru_options)
        case Direction(RnnWeights() as rnn, RnnOptions() as rnn_options, _, None):
            step = _rnn(units, rnn, rnn_options)
        case _:
            raise TypeError("weights, options and c_0 do not make one kind of layer")
    inputs = units.inputs(x)
    states: States = (units.to("hidden", grids.h).encode(direction.h_0),)
    if direction.c_0 is not None:
        states += (units.to("cell", grids.cell).encode(direction.c_0),)
    output, last = _scan(step, inputs, states, direction.options.reverse, lengths)
    c_n = last[1].values if len(last) > 1 else None
    return IntegerResult(output, last[0].values, c_n, dict(+units.overflows))


def _scan(step: Step, x: Coded, states: States, reverse: bool, lengths: Lengths | None) -> tuple[Float64, States]:
    """The real outputs (T, B, P) and the last states. Beyond its length a lane keeps its states and its output is 0."""
    steps, batch, _ = x.codes.shape
    if any(state.codes.ndim != 2 or state.codes.shape[0] != batch for state in states):
        raise ValueError(f"each state must have {batch} rows: {[state.codes.shape for state in states]}")
    if lengths is not None and (lengths.shape != (batch,) or np.any(lengths < 0) or np.any(lengths > steps)):
        raise ValueError(f"lengths must be {batch} numbers in 0 .. {steps}: {lengths}")
    ends = np.full(batch, steps) if lengths is None else lengths
    output = np.zeros((steps, *states[0].codes.shape))
    for t in reversed(range(steps)) if reverse else range(steps):
        new = step(Coded(x.codes[t], x.grid), states)
        if any(after.codes.shape != before.codes.shape for after, before in zip(new, states, strict=True)):
            raise ValueError(f"the states must have the shapes {[state.codes.shape for state in new]}")
        valid = (t < ends)[:, np.newaxis]
        output[t] = np.where(valid, new[0].values, 0.0)
        states = tuple(
            Coded(np.where(valid, after.codes, before.codes), before.grid)
            for after, before in zip(new, states, strict=True)
        )
    return output, states


@dataclass(frozen=True)
class _Units:
    """The machine's units with the layer's grids."""

    grids: Grids
    machine: IntegerMachine
    overflows: Counter[str]

    def to(self, kind: str, grid: Grid | None) -> Target:
        """The grid as a target of a kind."""
        if grid is None:
            raise ValueError(f"the layer needs another grid of the kind {kind}")
        return Target(kind, grid, self.overflows)

    @property
    def array(self) -> Array:
        accumulator, gate = self.to("accumulator", self.grids.accumulator), self.to("gate", self.grids.gate)
        machine = self.machine
        return Array(
            machine.columns,
            machine.split,
            accumulator,
            gate,
            machine.x_columns,
            machine.late_bias,
            machine.split_rows,
            machine.group,
            machine.thresholds,
        )

    def inputs(self, x: Float | npt.NDArray[np.integer[Any]]) -> Coded:
        """The codes of x (T, B, I), which integers already are."""
        if np.issubdtype(x.dtype, np.integer):
            return Coded(x.astype(np.int64), self.grids.x)
        return self.to("input", self.grids.x).encode(np.asarray(x, np.float64))

    def matrix(self, weight: Float, grid: Grid | None) -> Coded:
        """A weight matrix (G, K) as codes, which integers already are, less the zero point."""
        return coded_matrix(weight, self.to("weight", grid))

    def activated(self, activation: Activation, sums: Coded, clip: float | None, target: Target) -> Coded:
        """The activation of clipped sums."""
        return activate(activation, clipped(sums, clip), target, self.machine.method)

    def identity(self, source: Coded, target: Target) -> Coded:
        """The value itself on another grid."""
        return target.narrow(target.convert(source))


def _one_minus(a: Coded) -> Coded:
    """1 - a, where 1 is its code or the largest one; not narrowed, so that it may need a bit more."""
    one = min(round(1.0 / float(a.grid.scale)), a.grid.high)
    return Coded(one - a.codes, replace(a.grid, bits=a.grid.bits + 1))


def _rows(given: Float | None, rows: Codes) -> Float | None:
    return None if given is None else given[rows]


def _lstm(units: _Units, weights: LstmWeights, options: LstmOptions) -> Step:
    """The gates' rows in the order i, f, g, o; with coupled gates those of f are not computed."""
    grids, array = units.grids, units.array
    projection = weights.weight_hr is not None
    to_gate, to_activation = units.to("gate", grids.gate), units.to("activation", grids.activation)
    to_cell, to_hidden = units.to("cell", grids.cell), units.to("hidden", grids.vector if projection else grids.h)
    blocks = np.arange(weights.weight_ih.shape[0]).reshape(4, -1)
    rows = blocks[[0, 2, 3] if options.input_forget else [0, 1, 2, 3]].ravel()
    ih, hh = units.matrix(weights.weight_ih, grids.w_ih), units.matrix(weights.weight_hh, grids.w_hh)
    bias = array.bias([weights.bias_ih, weights.bias_hh], (ih, grids.x))
    parts = [(rows_of(ih, rows), grids.x), (rows_of(hh, rows), grids.h)]
    gates = array.rows_tile(rows, parts, bias and rows_of(bias, rows))
    project = _projection(units, weights.weight_hr)
    peepholes: list[Coded | None] = [None, None, None]
    if weights.peephole is not None:
        peepholes = [*coded(weights.peephole, units.to("cell", grids.peephole)).split(3)]
    gate, candidate, cell = options.activations

    def gated(sums: Coded, peephole: Coded | None, c: Coded) -> Coded:
        if peephole is not None:
            sums = to_gate.narrow(sums.codes + to_gate.product(peephole, c))
        return units.activated(gate, sums, options.clip, to_activation)

    def step(x: Coded, states: States) -> States:
        h, c = states
        sums = gates.run(x, h).split(len(rows) // blocks.shape[1])
        i = gated(sums[0], peepholes[0], c)
        f = _one_minus(i) if options.input_forget else gated(sums[1], peepholes[1], c)
        g = units.activated(candidate, sums[-2], options.clip, to_activation)
        c = to_cell.narrow(to_cell.product(f, c) + to_cell.product(i, g))
        o = gated(sums[-1], peepholes[2], c)
        h = to_hidden.narrow(to_hidden.product(o, units.activated(cell, c, None, to_activation)))
        return project(h), c

    return step


def _projection(units: _Units, weight_hr: Float | None) -> Callable[[Coded], Coded]:
    """The function from the vector before the projection to h; without a projection the two are one."""
    if weight_hr is None:
        return lambda vector: vector
    vector = units.to("hidden", units.grids.vector)
    array = replace(units.array, thresholds=None)  # the whole vector is multiplied in a delta network, too
    tile = array.tile([(units.matrix(weight_hr, units.grids.w_hr), vector.grid)])
    to_hidden = units.to("hidden", units.grids.h)
    return lambda vector: units.identity(tile.run(vector), to_hidden)


def _gru(units: _Units, weights: GruWeights, options: GruOptions) -> Step:
    """The rows in the order r, z, n. With linear_before_reset the parts of n are apart: they become two sums."""
    grids, array, linear = units.grids, units.array, options.linear_before_reset
    to_gate, to_activation = units.to("gate", grids.gate), units.to("activation", grids.activation)
    to_hidden = units.to("hidden", grids.h)
    rows = weights.weight_hh.shape[1]
    both, last = np.arange(2 * rows), np.arange(2 * rows, 3 * rows)
    ih, hh = units.matrix(weights.weight_ih, grids.w_ih), units.matrix(weights.weight_hh, grids.w_hh)

    def parts(chosen: Codes, vector: Grid) -> tuple[Part, Part]:
        return (rows_of(ih, chosen), grids.x), (rows_of(hh, chosen), vector)

    def biases(chosen: Codes) -> tuple[Float | None, Float | None]:
        return _rows(weights.bias_ih, chosen), _rows(weights.bias_hh, chosen)

    from_x, from_h = parts(both, grids.h)
    apart = linear and units.machine.interleaved
    gates = array.rows_tile(both, [from_x, from_h], array.bias(biases(both), from_x), apart=apart)
    reset = units.to("hidden", grids.h if linear else grids.vector)
    from_x, from_h = parts(last, reset.grid)
    b_in, b_hn = biases(last)
    if linear:
        x_part = array.tile([from_x], array.bias([b_in], from_x), of_x=True)
        h_part = array.tile([from_h], array.bias([b_hn], from_h), held=True)
    else:
        x_and_h = array.rows_tile(last, [from_x, from_h], array.bias([b_in, b_hn], from_x))
    gate, candidate = options.activations

    def candidate_sums(x: Coded, h: Coded, r: Coded) -> Coded:
        if not linear:
            return x_and_h.run(x, reset.narrow(reset.product(r, h)))
        return to_gate.narrow(x_part.run(x).codes + to_gate.product(r, h_part.run(h)))

    def step(x: Coded, states: States) -> States:
        (h,) = states
        r, z = units.activated(gate, gates.run(x, h), options.clip, to_activation).split(2)
        n = units.activated(candidate, candidate_sums(x, h, r), options.clip, to_activation)
        return (to_hidden.narrow(to_hidden.product(_one_minus(z), n) + to_hidden.product(z, h)),)

    return step


def _rnn(units: _Units, weights: RnnWeights, options: RnnOptions) -> Step:
    """The activation of the one sum gives h; without W_hh it is a linear layer."""
    grids, array, to_hidden = units.grids, units.array, units.to("hidden", units.grids.h)
    ih = units.matrix(weights.weight_ih, grids.w_ih)
    bias = array.bias([weights.bias_ih, weights.bias_hh], (ih, grids.x))
    rows = np.arange(weights.weight_ih.shape[0])
    parts = [(ih, grids.x)]
    if weights.weight_hh is not None:
        parts.append((units.matrix(weights.weight_hh, grids.w_hh), grids.h))
    linear = None if len(parts) > 1 else array.tile(parts, bias, of_x=True)
    tile = linear or array.rows_tile(rows, parts, bias)

    def step(x: Coded, states: States) -> States:
        sums = tile.run(x) if linear else tile.run(x, states[0])
        return (units.activated(options.activation, sums, options.clip, to_hidden),)

    return step
