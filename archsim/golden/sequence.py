"""Runs what every kind of layer does alike over a sequence: order of time, rows of lengths, clipping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Float, Float64

Lengths = npt.NDArray[np.integer[Any]]
State = tuple[Float64, ...]
"""The hidden state (B, P), which is the output too, and then the cell state (B, H) where the kind has one."""


class Inside(NamedTuple):
    """What a step passes through between two states, each (B, H); trajectory.DirectionTrace says what."""

    gates: Mapping[str, Float64]
    pre: Mapping[str, Float64]
    vector: Float64 | None = None
    tanh_c: Float64 | None = None
    sums: Mapping[str, Float64] = MappingProxyType({})


Step = Callable[[Float64, State], tuple[State, Inside]]
"""From the sums of the input's products (B, G) and the state to the next state."""

Record = Callable[[int, State, Inside, npt.NDArray[np.bool_] | None], None]
"""Takes the time t, the state after it, what was inside, and which rows (B, 1) have that time (None: all)."""


_HELD = 1 << 25
"""Weights up to which a matrix is held in float64; of a larger one some rows are converted at a time."""

_ROWS_OF_WEIGHTS = 1 << 21
"""Weights that are converted at once, of a matrix that is not held: 16 MiB in float64."""


class Transposed:
    """The transpose of a matrix (rows, columns), in float64, to stand right of a row vector: vector @ transposed."""

    __array_ufunc__ = None  # NumPy leaves `@` to this class

    def __init__(self, weight: Float) -> None:
        self._weight = weight
        held = weight.size <= _HELD
        self._whole = np.ascontiguousarray(np.transpose(weight), np.float64) if held else None

    def __rmatmul__(self, vectors: Float64) -> Float64:
        if self._whole is not None:
            whole: Float64 = vectors @ self._whole
            return whole
        return _by_rows(vectors, self._weight)


def transposed(weight: Float) -> Transposed:
    """A matrix (rows, columns) as a float64 (columns, rows), ready to stand right of a row vector."""
    return Transposed(weight)


def _by_rows(vectors: Float64, weight: Float) -> Float64:
    """The products of vectors (..., K) and a matrix (G, K), some of its rows in float64 at a time: (..., G)."""
    found = np.empty((*vectors.shape[:-1], len(weight)))
    rows = max(1, _ROWS_OF_WEIGHTS // weight.shape[1])
    for first in range(0, len(weight), rows):
        some = slice(first, first + rows)
        found[..., some] = vectors @ np.asarray(weight[some], np.float64).T
    return found


def projected(x: Float, weight: Float, *biases: Float | None) -> Float64:
    """The whole sequence x (T, B, I) through weight (G, I) at once, plus the biases (G) there are: (T, B, G)."""
    if x.ndim != 3 or x.shape[2] != weight.shape[1]:
        raise ValueError(f"x {x.shape} does not fit (T, B, {weight.shape[1]})")
    sequence = np.asarray(x, np.float64)
    gates = sequence @ np.asarray(weight, np.float64).T if weight.size <= _HELD else _by_rows(sequence, weight)
    given = [np.asarray(bias, np.float64) for bias in biases if bias is not None]
    if any(bias.shape != weight.shape[:1] for bias in given):
        raise ValueError(f"a bias must have the shape {weight.shape[:1]}, not {[bias.shape for bias in given]}")
    if given:
        gates += sum(given[1:], start=given[0])
    return gates


def clipped(z: Float64, clip: float | None) -> Float64:
    """A pre-activation bound to [-clip, clip] (ONNX attribute clip), or as it is."""
    if clip is not None and clip < 0.0:
        raise ValueError(f"clip is a bound on the magnitude: {clip} < 0")
    return z if clip is None else np.clip(z, -clip, clip)


def scan(
    step: Step,
    gates: Float64,
    state: State,
    *,
    reverse: bool,
    lengths: Lengths | None,
    record: Record | None = None,
) -> tuple[Float64, State]:
    """Take the state through all T steps of gates (T, B, G); returns the outputs (T, B, P) and the last state.

    With lengths (B), a row does nothing at the times from its length on: its state stays, its output there is 0. Going
    backwards this leaves the initial state untouched until the row's own last step, as the ONNX operators and torch's
    packed sequences want it. An output stands at the index of its input. A row of length 0 keeps its initial state.
    `record` is called after each step.
    """
    steps, batch, _ = gates.shape
    _check(state, batch, steps, lengths)
    output = np.zeros((steps, batch, state[0].shape[1]), np.float64)
    for t in reversed(range(steps)) if reverse else range(steps):
        new, inside = step(gates[t], state)
        valid = None
        if lengths is None:
            output[t] = new[0]
        else:
            valid = (t < lengths)[:, np.newaxis]
            output[t] = np.where(valid, new[0], 0.0)
            new = tuple(np.where(valid, after, before) for after, before in zip(new, state, strict=True))
        state = new
        if record is not None:
            record(t, state, inside, valid)
    return output, state


def _check(state: State, batch: int, steps: int, lengths: Lengths | None) -> None:
    """NumPy would stretch a state or lengths of one row over the batch without a word."""
    if any(part.ndim != 2 or part.shape[0] != batch for part in state):
        raise ValueError(f"each state must have {batch} rows: {[part.shape for part in state]}")
    if lengths is None:
        return
    if lengths.shape != (batch,) or not np.issubdtype(lengths.dtype, np.integer):
        raise ValueError(f"lengths must be {batch} whole numbers, not {lengths.dtype} {lengths.shape}")
    if np.any(lengths < 0) or np.any(lengths > steps):
        raise ValueError(f"lengths must lie in 0 .. {steps}: {lengths.tolist()}")
