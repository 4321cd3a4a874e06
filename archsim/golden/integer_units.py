"""The units of a machine with one cell's grids, as the steps of its integer reference use them.

Source: docs/numerics.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Activation, Float
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_functions import Method, activate, clipped
from archsim.golden.integer_tiles import Array, coded_matrix

States = tuple[Coded, ...]
"""The hidden state (B, P), which is the output too, and then the cell state (B, H) of an LSTM."""
Step = Callable[[Coded, States], States]
"""A function from x (B, I) and the states to the new states."""


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
    the product; cell for an LSTM, peephole for one with peepholes; layer_norm, gamma's, and sums, those of i, f, g and
    o before they are normalized, for one that normalizes; projected, of a projection's sums if they
    have another than the gates'. Scales of rows are in torch's order (i, f, g, o and r, z, n).
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
    layer_norm: Grid | None = None
    sums: Sequence[Grid] = ()
    projected: Grid | None = None


@dataclass(frozen=True)
class IntegerUnits:
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


def one_minus(a: Coded) -> Coded:
    """1 - a, where 1 is its code or the largest one; not narrowed, so that it may need a bit more."""
    one = min(round(1.0 / float(a.grid.scale)), a.grid.high)
    return Coded(one - a.codes, replace(a.grid, bits=a.grid.bits + 1))
