"""The initial states of an ONNX operator: constants of the graph, or one learned state given to every sequence.

A learned state is a constant of one sequence behind an Expand or a Tile to the batch, which only the running model
knows. It is read as that of one sequence, `any_batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from archsim.importers.found import Float32Array, Refused, float32
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Scope
from archsim.importers.onnx.onnx_values import Array, NotConstant, constant, is_zero, moved, moves

_REPEATING = ("Expand", "Tile")


@dataclass(frozen=True, slots=True)
class States:
    """The states by input (directions, B, H) with B = 1 if `any_batch`, and notes on those known only at run time."""

    given: Mapping[str, Float32Array]
    any_batch: bool = False
    notes: tuple[str, ...] = ()


def initial_states(scope: Scope, inputs: Mapping[str, str], shape: tuple[int, int], layout: int) -> States:
    """The initial states of an operator of `shape` (directions, H); Refused if one cannot be its."""
    given: dict[str, Float32Array] = {}
    notes = []
    repeats = []
    for key in ("initial_h", "initial_c"):
        if key not in inputs:
            continue
        if is_zero(scope, inputs[key]):
            _check_zeros(scope, key, inputs[key], shape[1])
            continue
        try:
            given[key], repeated = _state(scope, key, inputs[key], shape, layout)
            repeats.append(repeated)
        except NotConstant as error:
            notes.append(f"{key} is {error}: the workload starts at 0")
    if len({state.shape for state in given.values()}) > 1:
        if not any(repeats):
            raise Refused("its initial_h and initial_c have different shapes")
        batch = max(state.shape[1] for state in given.values())
        given = {key: np.repeat(state, batch // state.shape[1], axis=1) for key, state in given.items()}
    return States(given, bool(repeats) and all(repeats), tuple(notes))


def _check_zeros(scope: Scope, key: str, value: str, units: int) -> None:
    """Refused if zeros of a stored shape are for another number of units.

    torch's exporter writes an LSTM with `proj_size` so: with the weights of its first units, and c of all of them.
    """
    try:
        state = constant(scope, value)
    except NotConstant:
        return
    if state.ndim == 3 and state.shape[2] != units:
        raise Refused(
            f"its {key} is for {state.shape[2]:,} units, its R for {units:,}; if it was an LSTM with proj_size, which "
            "ONNX does not have, import its state_dict (torch.save(model.state_dict(), 'weights.pt'))"
        )


def _state(scope: Scope, key: str, value: str, shape: tuple[int, int], layout: int) -> tuple[Float32Array, bool]:
    """A state (directions, B, H), and whether it is one sequence's, given to all."""
    try:
        state, repeated = constant(scope, value), False
    except NotConstant:
        state, repeated = of_one_sequence(scope, value), True
    if state.dtype.kind != "f" or (state.ndim != 3 and not repeated):
        raise Refused(f"its {key} has shape {list(state.shape)}, expected three dimensions of floats")
    if state.ndim < 3:
        state = state.reshape((1,) * (3 - state.ndim) + state.shape)
    state = state.swapaxes(0, 1) if layout else state
    if repeated:
        state = _broadcast(key, state, shape)
    if (state.shape[0], state.shape[2]) != shape or not state.shape[1]:
        raise Refused(f"its {key} is for {state.shape[0]} directions of {state.shape[2]} units, expected {shape}")
    return float32(key, state), repeated and state.shape[1] == 1


def _broadcast(key: str, state: Array, shape: tuple[int, int]) -> Array:
    """The state of each direction, where one was given to both."""
    target = (shape[0], state.shape[1], shape[1]) if state.ndim == 3 else ()
    if state.ndim != 3 or any(old not in (1, new) for old, new in zip(state.shape, target, strict=True)):
        raise NotConstant(f"computed by the graph (an Expand of shape {list(state.shape)})")
    return np.broadcast_to(state, target)


def of_one_sequence(scope: Scope, value: str, depth: int = 0) -> Array:
    """The constant behind an Expand or a Tile, and operators that move it; NotConstant if there is none.

    Axes of size 1 may be longer when the model runs, as the batch is.
    """
    home = scope.home(value)
    if home is None or value not in home.producers or depth > MAX_DEPTH:
        return constant(scope, value)
    node, output = home.producers[value]
    try:
        return constant(home, value)
    except NotConstant:
        repeats = node.domain in STANDARD_DOMAINS and node.op_type in _REPEATING
        if output or not node.input or not (repeats or moves(node)):
            raise
        if repeats:
            return of_one_sequence(home, node.input[0], depth + 1)
        joins = node.op_type == "Concat"
        inputs = [
            of_one_sequence(home, name, depth + 1) if joins or place == 0 else constant(home, name) if name else None
            for place, name in enumerate(node.input)
        ]
        return moved(home, node, inputs)
