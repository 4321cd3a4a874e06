"""One direction of an LSTM, GRU or RNN layer on integers and fixed point, bit for bit as the machine computes it.

Source: docs/numerics.md ("MAC tile", "Activation unit", "Element-wise unit"); the equations are those of lstm.py,
gru.py and rnn.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Float, Float64
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.integer import Coded, Codes, Grid
from archsim.golden.integer_lstm import lstm_step
from archsim.golden.integer_products import Part
from archsim.golden.integer_tiles import rows_of
from archsim.golden.integer_units import Grids, IntegerMachine, IntegerUnits, States, Step, one_minus
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.sequence import Lengths
from archsim.golden.stack import Direction


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
    units = IntegerUnits(grids, machine, Counter())
    match direction:
        case Direction(LstmWeights() as lstm, LstmOptions() as lstm_options, _, c_0) if c_0 is not None:
            step = lstm_step(units, lstm, lstm_options)
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


def _rows(given: Float | None, rows: Codes) -> Float | None:
    return None if given is None else given[rows]


def _gru(units: IntegerUnits, weights: GruWeights, options: GruOptions) -> Step:
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
        return (to_hidden.narrow(to_hidden.product(one_minus(z), n) + to_hidden.product(z, h)),)

    return step


def _rnn(units: IntegerUnits, weights: RnnWeights, options: RnnOptions) -> Step:
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
