"""Builds a cell's weights in torch's layout from tensors of any layout: where each gate is, and which way it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.config.text import shorten
from archsim.importers.found import Float32Array, FoundLayer, Refused, Shape, float32, layer_config
from archsim.workload.network import CellKind

Array = npt.NDArray[Any]
Reader = Callable[[Mapping[str, Shape]], Mapping[str, Array]]
"""Reads the named tensors."""

TORCH_GATES = {CellKind.LSTM: ("i", "f", "g", "o"), CellKind.GRU: ("r", "z", "n"), CellKind.RNN: ("h",)}
"""torch's order of the gates, by the names that a recipe gives them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which tensors make a cell. Several names are put together in the order of `gates`; None is zero for one gate.

    `weight` instead of both others is over [x, h]. `transposed`: matrices are (inputs, rows), as TensorFlow has them.
    `forget_bias` is added to the bias of an LSTM's forget gate, as TensorFlow 1 does when the model runs.
    """

    kind: CellKind
    gates: tuple[str, ...]
    weight_ih: tuple[str, ...] = ()
    weight_hh: tuple[str, ...] = ()
    weight: tuple[str, ...] = ()
    bias_ih: tuple[str | None, ...] = ()
    bias_hh: tuple[str | None, ...] = ()
    transposed: bool = False
    forget_bias: float = 0.0
    linear_before_reset: bool = True
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of all its tensors."""
        given = (*self.weight_ih, *self.weight_hh, *self.weight, *self.bias_ih, *self.bias_hh)
        return frozenset(name for name in given if name is not None)


def recipe_layer(
    name: str, recipe: Recipe, shapes: Mapping[str, Shape], read: Reader, nonlinearity: str | None
) -> FoundLayer:
    """The layer of one cell that the recipe makes; Refused if its tensors do not go together."""
    for tensor in sorted(recipe.names):
        if tensor not in shapes:
            raise Refused(f"there is no tensor {shorten(tensor)}")
    rows, columns = _size(recipe, recipe.weight or recipe.weight_hh, shapes)
    gates = recipe.kind.gates
    hidden = rows // gates
    if rows % gates or not hidden:
        raise Refused(f"its matrices have {rows:,} rows, which are no {gates} gates of one size")
    input_size = columns - hidden if recipe.weight else _size(recipe, recipe.weight_ih, shapes)[1]
    _check(recipe, shapes, rows, columns, hidden, input_size)
    found = _matrices(recipe, read({tensor: shapes[tensor] for tensor in recipe.names}), input_size, hidden)
    config = layer_config(
        kind=recipe.kind,
        hidden_size=hidden,
        bias="bias_ih" in found,
        linear_before_reset=recipe.linear_before_reset,
        nonlinearity=nonlinearity or "tanh" if recipe.kind is CellKind.RNN else "tanh",
    )
    tensors = {f"{what}_l0": float32(what, _in_torch_order(recipe, array, hidden)) for what, array in found.items()}
    words = "something that the file does not name"
    return FoundLayer(name, config, input_size, tensors, input_from=words, notes=recipe.notes)


def _size(recipe: Recipe, names: tuple[str, ...], shapes: Mapping[str, Shape]) -> tuple[int, int]:
    """The rows of all these matrices together, and the columns of each."""
    sizes = [shapes[name] for name in names]
    if any(len(size) != 2 for size in sizes):
        wrong = next(name for name, size in zip(names, sizes, strict=True) if len(size) != 2)
        raise Refused(f"{shorten(wrong)} has shape {list(shapes[wrong])}, expected two dimensions")
    rows, columns = (1, 0) if recipe.transposed else (0, 1)
    if len({size[columns] for size in sizes}) != 1:
        raise Refused(f"{shorten(', '.join(names), 200)} are not of one width")
    return sum(size[rows] for size in sizes), sizes[0][columns]


def _check(recipe: Recipe, shapes: Mapping[str, Shape], rows: int, columns: int, hidden: int, input_size: int) -> None:
    """Raise Refused where sizes contradict each other."""
    if input_size < 1 or (not recipe.weight and columns != hidden):
        raise Refused(f"its recurrent matrix is {rows:,} x {columns:,}, which does not fit {hidden:,} units")
    if not recipe.weight and _size(recipe, recipe.weight_ih, shapes)[0] != rows:
        raise Refused("its two matrices have different numbers of rows")
    for names in (recipe.bias_ih, recipe.bias_hh):
        found = sum(hidden if name is None else _length(shapes[name]) for name in names)
        if names and found != rows:
            raise Refused(f"its biases have {found:,} numbers, expected {rows:,}")


def _length(shape: Shape) -> int:
    """The numbers of a vector, which may lie in a matrix of one row or column; 0 if it is none."""
    sizes = [size for size in shape if size != 1]
    return 0 if len(sizes) > 1 or not shape else (sizes or [1])[0]


def _matrices(recipe: Recipe, read: Mapping[str, Array], input_size: int, hidden: int) -> dict[str, Array]:
    """The matrices and biases, gates in the file's order."""

    def joined(names: tuple[str, ...]) -> Array:
        arrays = [read[name].T if recipe.transposed else read[name] for name in names]
        return np.concatenate(arrays)

    def vector(names: tuple[str | None, ...]) -> Array:
        return np.concatenate([np.zeros(hidden) if name is None else read[name].ravel() for name in names])

    if recipe.weight:
        whole = joined(recipe.weight)
        found = {"weight_ih": whole[:, :input_size], "weight_hh": whole[:, input_size:]}
    else:
        found = {"weight_ih": joined(recipe.weight_ih), "weight_hh": joined(recipe.weight_hh)}
    if recipe.bias_ih or recipe.bias_hh or recipe.forget_bias:
        zero = np.zeros(recipe.kind.gates * hidden)
        found["bias_ih"] = vector(recipe.bias_ih) if recipe.bias_ih else zero
        found["bias_hh"] = vector(recipe.bias_hh) if recipe.bias_hh else zero
    if recipe.forget_bias:
        start = recipe.gates.index("f") * hidden
        found["bias_ih"] = found["bias_ih"].astype(np.float64)
        found["bias_ih"][start : start + hidden] += recipe.forget_bias
    return found


def _in_torch_order(recipe: Recipe, array: Array, hidden: int) -> Float32Array:
    places = [recipe.gates.index(gate) for gate in TORCH_GATES[recipe.kind]]
    ordered: Float32Array = np.concatenate([array[place * hidden : (place + 1) * hidden] for place in places])
    return ordered
