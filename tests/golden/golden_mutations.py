"""Mistakes to make in a golden direction: each must show in the comparison with a witness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from archsim.golden import Direction, LstmOptions, LstmWeights, lstm_direction
from tests.present import present

Mutation = Callable[[Direction], Direction]

GATES = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}
ROWS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def rows_in(order: Sequence[int], fields: Sequence[str] = ROWS) -> Mutation:
    """The blocks of rows of the gates in another order."""

    def mutate(direction: Direction) -> Direction:
        blocks = {field: np.split(getattr(direction.weights, field), len(order)) for field in fields}
        changed: dict[str, Any] = {
            field: np.concatenate([parts[gate] for gate in order]) for field, parts in blocks.items()
        }
        return replace(direction, weights=replace(direction.weights, **changed))

    return mutate


def without(field: str) -> Mutation:
    """A weight set to zero."""

    def mutate(direction: Direction) -> Direction:
        zeros = np.zeros_like(getattr(direction.weights, field))
        changed: dict[str, Any] = {field: zeros}
        return replace(direction, weights=replace(direction.weights, **changed))

    return mutate


def flipped(direction: Direction) -> Direction:
    return replace(direction, options=replace(direction.options, reverse=not direction.options.reverse))


def transposed_recurrence(direction: Direction) -> Direction:
    """weight_hh (H, H) of each gate read by columns."""
    given = present(direction.weights.weight_hh)
    turned = np.concatenate([block.T for block in np.split(given, given.shape[0] // given.shape[1])])
    return replace(direction, weights=replace(direction.weights, weight_hh=turned))


def without_state(field: str) -> Mutation:
    return lambda direction: replace(direction, **{field: np.zeros_like(getattr(direction, field))})


def with_option(**changes: Any) -> Mutation:
    return lambda direction: replace(direction, options=replace(direction.options, **changes))


def exchanged_candidate_biases(direction: Direction) -> Direction:
    """b_in and b_hn of a GRU, one inside r * (...) and one outside."""
    weights = direction.weights
    third = present(weights.bias_ih).size // 3
    b_ih, b_hh = present(weights.bias_ih).copy(), present(weights.bias_hh).copy()
    b_ih[2 * third :], b_hh[2 * third :] = present(weights.bias_hh)[2 * third :], present(weights.bias_ih)[2 * third :]
    return replace(direction, weights=replace(weights, bias_ih=b_ih, bias_hh=b_hh))


def mutations_of(kind: str) -> dict[str, Mutation]:
    """What can be done to any layer of a kind (LSTM, GRU or RNN) with biases and states."""
    gates = GATES[kind]
    swaps = {}
    for a, b in combinations(range(len(gates)), 2):
        order = list(range(len(gates)))
        order[a], order[b] = b, a
        swaps[f"gates {gates[a]} and {gates[b]} swapped"] = rows_in(order)
        swaps[f"gates {gates[a]} and {gates[b]} swapped in weight_hh"] = rows_in(order, ["weight_hh"])
    return swaps | {
        "no bias_ih": without("bias_ih"),
        "no bias_hh": without("bias_hh"),
        "no recurrence": without("weight_hh"),
        "recurrence transposed": transposed_recurrence,
        "direction flipped": flipped,
        "no h_0": without_state("h_0"),
        **({"no c_0": without_state("c_0")} if kind == "LSTM" else {}),
    }


def stepwise(old_cell: bool) -> Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A forward LSTM taken row by row and step by step; its output peephole sees the old cell if old_cell is set."""

    def run(x: np.ndarray, direction: Direction, lengths: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = direction.weights
        assert isinstance(weights, LstmWeights)
        assert isinstance(direction.options, LstmOptions)
        hidden = weights.weight_ih.shape[0] // 4
        p_o = present(weights.peephole)[2 * hidden :].astype(np.float64)
        peephole = present(weights.peephole).copy()
        peephole[2 * hidden :] *= not old_cell
        outputs, last = np.empty((*x.shape[:2], hidden)), []
        for row in range(x.shape[1]):
            h, c = direction.h_0[row : row + 1], present(direction.c_0)[row : row + 1]
            for t in range(x.shape[0]):
                bias = present(weights.bias_ih).astype(np.float64)
                bias[3 * hidden :] += old_cell * p_o * c[0]
                moved = replace(weights, bias_ih=bias, peephole=peephole)
                _, h, c = lstm_direction(x[t : t + 1, row : row + 1], moved, h, c, direction.options)
                outputs[t, row] = h[0]
            last.append((h[0], c[0]))
        return outputs, np.array([h for h, _ in last]), np.array([c for _, c in last])

    return run
