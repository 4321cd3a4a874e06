"""The step of an LSTM on integers and fixed point, with peepholes, a projection and layer normalization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from archsim.golden.functions import Float
from archsim.golden.integer import Coded, Codes
from archsim.golden.integer_norm import FRACTION, normalize
from archsim.golden.integer_products import Part
from archsim.golden.integer_tiles import coded, rows_of, total_bias
from archsim.golden.integer_units import IntegerUnits, States, Step, one_minus
from archsim.golden.lstm import LstmOptions, LstmWeights

I, F, G, O = range(4)  # noqa: E741, the gates' names
"""An LSTM's gates in torch's order."""


def lstm_step(units: IntegerUnits, weights: LstmWeights, options: LstmOptions) -> Step:
    """The gates' rows in the order i, f, g, o; with coupled gates those of f are not computed."""
    grids = units.grids
    projection = weights.weight_hr is not None
    to_activation = units.to("activation", grids.activation)
    to_cell, to_hidden = units.to("cell", grids.cell), units.to("hidden", grids.vector if projection else grids.h)
    computed = [I, G, O] if options.input_forget else [I, F, G, O]
    sums_of = _lstm_sums(units, weights, computed)
    norms = _norms(units, weights)
    project = _projection(units, weights.weight_hr)
    peepholes: dict[int, Coded] = {}
    if weights.peephole is not None:
        parts = coded(weights.peephole, units.to("cell", grids.peephole)).split(3)
        peepholes = dict(zip((I, F, O), parts, strict=True))
    gate, candidate, cell = options.activations

    def activated(number: int, sums: Coded, c: Coded) -> Coded:
        if number in peepholes:
            target = units.to("gate", sums.grid)
            sums = target.narrow(sums.codes + target.product(peepholes[number], c))
        if norms:
            sums = norms[number](sums)
        return units.activated(candidate if number == G else gate, sums, options.clip, to_activation)

    def step(x: Coded, states: States) -> States:
        h, c = states
        sums = dict(zip(computed, sums_of(x, h), strict=True))
        i = activated(I, sums[I], c)
        f = one_minus(i) if options.input_forget else activated(F, sums[F], c)
        g = activated(G, sums[G], c)
        c = to_cell.narrow(to_cell.product(f, c) + to_cell.product(i, g))
        o = activated(O, sums[O], c)
        h = to_hidden.narrow(to_hidden.product(o, units.activated(cell, c, None, to_activation)))
        return project(h), c

    return step


def _lstm_sums(
    units: IntegerUnits, weights: LstmWeights, computed: list[int]
) -> Callable[[Coded, Coded], Sequence[Coded]]:
    """The function from x and h to the sums of some gates; without their biases, and on a grid of their own, where they
    are normalized."""
    grids, array = units.grids, units.array
    blocks = np.arange(weights.weight_ih.shape[0]).reshape(4, -1)
    ih, hh = units.matrix(weights.weight_ih, grids.w_ih), units.matrix(weights.weight_hh, grids.w_hh)

    def parts(rows: Codes) -> tuple[Part, Part]:
        return (rows_of(ih, rows), grids.x), (rows_of(hh, rows), grids.h)

    if weights.layer_norm is not None:
        arrays = [replace(array, to_gate=units.to("gate", grid)) for grid in grids.sums]
        tiles = [arrays[gate].rows_tile(blocks[gate], parts(blocks[gate])) for gate in computed]
        return lambda x, h: [tile.run(x, h) for tile in tiles]
    rows = blocks[computed].ravel()
    bias = array.bias([weights.bias_ih, weights.bias_hh], (ih, grids.x))
    gates = array.rows_tile(rows, parts(rows), bias and rows_of(bias, rows))
    return lambda x, h: gates.run(x, h).split(len(computed))


def _norms(units: IntegerUnits, weights: LstmWeights) -> list[Callable[[Coded], Coded]]:
    """The functions that normalize the sums of i, f, g and o; none where they are not normalized."""
    if weights.layer_norm is None:
        return []
    grids = units.grids
    gamma = coded(weights.layer_norm, units.to("cell", grids.layer_norm))
    scale = np.broadcast_to(np.asarray(gamma.grid.scale, np.float64), gamma.codes.shape)
    gamma = Coded(gamma.codes, replace(gamma.grid, scale=scale))
    accumulator = grids.accumulator
    grid = accumulator if accumulator.fixed else replace(accumulator, scale=scale / 2.0**FRACTION)
    bias = total_bias([weights.bias_ih, weights.bias_hh], units.to("accumulator", grid), gamma.codes.shape)
    to_gate = units.to("gate", grids.gate)
    biases: Sequence[Coded | None] = [None] * 4 if bias is None else bias.split(4)
    return [
        lambda sums, own=own, late=late: normalize(sums, own, late, to_gate)  # type: ignore[misc]
        for own, late in zip(gamma.split(4), biases, strict=True)
    ]


def _projection(units: IntegerUnits, weight_hr: Float | None) -> Callable[[Coded], Coded]:
    """The function from the vector before the projection to h; without a projection the two are one."""
    if weight_hr is None:
        return lambda vector: vector
    vector = units.to("hidden", units.grids.vector)
    # In a delta network, too, the whole vector is multiplied.
    to_gate = units.to("gate", units.grids.projected or units.grids.gate)
    array = replace(units.array, to_gate=to_gate, thresholds=None)
    tile = array.tile([(units.matrix(weight_hr, units.grids.w_hr), vector.grid)])
    to_hidden = units.to("hidden", units.grids.h)
    return lambda vector: units.identity(tile.run(vector), to_hidden)
