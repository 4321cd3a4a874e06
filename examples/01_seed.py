"""One LSTM in full: LSTM(200, 1000), 70 time steps, in NumPy first, then on a machine.

What goes in and comes out, in the shapes that PyTorch prints; two ways to multiply ([x, h] joined, or W_ih x and W_hh h
apart) and two orders (one gate after the other, or all four as one GEMV of 4H rows); that all are equal, and what each
costs. The NumPy part uses nothing of archsim but the numbers that it draws.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from archsim import load_workload, simulate
from archsim.workload.tensors import load_tensors

Array = npt.NDArray[np.float64]

WORKLOAD = load_workload("lstm_200_1000_t70")
TENSORS = load_tensors(WORKLOAD)
CELL = TENSORS.cells[0]
STEPS, INPUT, HIDDEN = 70, 200, 1000

assert CELL.weight_hh is not None
assert CELL.bias_ih is not None
assert CELL.bias_hh is not None
assert CELL.c_0 is not None
X = TENSORS.x.astype(np.float64)
W_IH, W_HH = CELL.weight_ih.astype(np.float64), CELL.weight_hh.astype(np.float64)
BIAS = CELL.bias_ih.astype(np.float64) + CELL.bias_hh
W = np.concatenate([W_IH, W_HH], axis=1)
"""[W_ih W_hh], (4000, 1200): what multiplies [x, h]."""


def joined(x: Array, h: Array) -> Array:
    """All gates before their activation: one GEMV of 4H rows and I + H columns."""
    return np.asarray(W @ np.concatenate([x, h]) + BIAS)


def apart(x: Array, h: Array) -> Array:
    """The same from two GEMVs, as PyTorch writes it."""
    return np.asarray(W_IH @ x + W_HH @ h + BIAS)


def gate_by_gate(x: Array, h: Array) -> Array:
    """The same from four GEMVs of H rows: i, then f, g and o."""
    xh = np.concatenate([x, h])
    rows = [slice(gate * HIDDEN, (gate + 1) * HIDDEN) for gate in range(4)]
    return np.concatenate([W[gate] @ xh + BIAS[gate] for gate in rows])


def lstm(gates_of: Callable[[Array, Array], Array]) -> tuple[Array, Array, Array]:
    """The whole sequence: output (T, H), and the last h and c."""
    h, c = np.zeros(HIDDEN), np.zeros(HIDDEN)
    output = []
    for x in X[:, 0]:
        i, f, g, o = np.split(gates_of(x, h), 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        output.append(h)
    return np.stack(output), h, c


def sigmoid(v: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-v)))


print("Shapes, as PyTorch prints them")
for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
    print(f"  {name + '_l0':<13} {getattr(CELL, name).shape}")
print(f"  {'input':<13} {TENSORS.x.shape}")
print(f"  {'h_0, c_0':<13} {CELL.h_0[np.newaxis].shape} {CELL.c_0[np.newaxis].shape}")

output, h_n, c_n = lstm(joined)
print(f"  {'output':<13} {output[:, np.newaxis].shape}")
print(f"  {'h_n, c_n':<13} {h_n[np.newaxis, np.newaxis].shape} {c_n[np.newaxis, np.newaxis].shape}")

print("\nIn NumPy, float64: what differs from [x, h] joined")
for text, form in (("W_ih x and W_hh h apart", apart), ("one gate after the other", gate_by_gate)):
    others = lstm(form)
    same = all(np.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip((output, h_n, c_n), others, strict=True))
    print(f"  {text:<25} {'nothing above 1e-12' if same else 'DIFFERENT'}")

FORMS = {
    "[x, h] joined, the four gates in one GEMV of 4H rows": "fused_interleaved",
    "[x, h] joined, one gate after the other": "fused_gate_major",
    "W_ih x and W_hh h apart, the four gates in one": "split_interleaved",
    "W_ih x and W_hh h apart, one gate after the other": "split_gate_major",
}

print("\nOn edge_64x64, int8, with every number computed: cycles of a time step")
runs = {name: simulate("edge_64x64", WORKLOAD, schedule) for name, schedule in FORMS.items()}
for name, run in runs.items():
    print(f"  {run.stats.cycles_per_step:,.0f}  {name}")

results = [run.results for run in runs.values()]
first = results[0]
assert first is not None
same = all(found is not None and np.array_equal(found.output, first.output) for found in results)
print(f"  outputs of the four, {first.output.shape}: {'equal in every bit' if same else 'DIFFERENT'}")
print(f"  against the integer reference: {'passed' if all(r.validation.passed for r in runs.values()) else 'FAILED'}")

MACS = 4 * HIDDEN * (INPUT + HIDDEN)
CHUNKS = -(-(INPUT + HIDDEN) // 64)
together, apart_tiles = -(-4 * HIDDEN // 64), 4 * -(-HIDDEN // 64)
print(f"\nWhy: a step has {MACS:,} multiplications, of 4,096 a cycle.")
print(f"  A tile is 64 rows by {INPUT + HIDDEN:,} columns, 64 of these a cycle: {CHUNKS} cycles")
print(f"  4,000 rows in one: {together} tiles, {together * CHUNKS:,} cycles of the array")
print(f"  gate by gate:      {apart_tiles} tiles, {apart_tiles * CHUNKS:,} cycles: the last of each gate is not full")
print("  The rest is the wait for h of the step before; W_ih x, which needs no h, fills a part of it.")
