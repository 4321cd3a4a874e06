"""Says what a file of tensors holds where no cell is known by its names, and what its shapes would fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from archsim.config.text import shorten
from archsim.importers.found import Shape
from archsim.workload.network import CellKind

_LISTED = 8
_RECURRENT = re.compile("hh|h2h|rec|hid", re.IGNORECASE)


def tensors_in_words(shapes: Mapping[str, Shape], total: int) -> str:
    """The first of so many tensors with their shapes, on one line."""
    listed = [f"{shorten(name, 80)} {list(shape)}" for name, shape in list(shapes.items())[:_LISTED]]
    more = total - len(listed)
    return ", ".join(listed) + (f" and {more:,} more" if more > 0 else "")


def nearest(shapes: Mapping[str, Shape]) -> str:
    """What the shapes of two tensors would fit, and what to type then; else what to do at all."""
    for hint in _hints(shapes):
        return hint
    return "say which are its matrices with --rename or --map (docs/model_files.md)"


def _hints(shapes: Mapping[str, Shape]) -> Iterator[str]:
    matrices = {name: shape for name, shape in shapes.items() if len(shape) == 2}
    kinds = {kind.gates: kind for kind in (CellKind.LSTM, CellKind.GRU)}
    for name in sorted(matrices, key=lambda name: _RECURRENT.search(name) is None):
        rows, columns = matrices[name]
        kind = kinds.get(rows // columns) if columns and rows % columns == 0 else None
        inputs = [other for other, shape in matrices.items() if shape[0] == rows and other != name]
        if kind is not None and len(inputs) == 1 and not name.endswith("_hh"):
            first, second = shorten(inputs[0], 80), shorten(name, 80)
            yield (
                f"{second} has {kind.gates} rows a column, as weight_hh of {_article(kind)} of {columns:,} units: "
                f"--rename '{first}=rnn.weight_ih_l0' --rename '{second}=rnn.weight_hh_l0', and so for the biases"
            )
    for name, (rows, columns) in matrices.items():
        kind = kinds.get(columns // rows) if rows and columns % rows == 0 else None
        inputs = [other for other, shape in matrices.items() if shape[1] == columns and other != name]
        if kind is not None and len(inputs) == 1:
            biases = [other for other, shape in shapes.items() if shape == (columns,)]
            tensors = {"weight_ih": inputs[0], "weight_hh": name} | ({"bias": biases[0]} if len(biases) == 1 else {})
            named = ", ".join(f"{key}: {json.dumps(shorten(other, 80))}" for key, other in tensors.items())
            yield (
                f"{shorten(name, 80)} has {kind.gates} columns a row, as Keras' recurrent_kernel of {_article(kind)} "
                f"of {rows:,} units: --map FILE with layers: {{rnn: {{kind: {kind.value}, {named}, transposed: true}}}}"
            )
    for name, (rows, columns) in matrices.items():
        for gates, kind in kinds.items():
            units = columns // gates
            if units and columns % gates == 0 and rows > units and len(matrices) <= 2:
                yield (
                    f"{shorten(name, 80)} may be one matrix over [x, h] of {_article(kind)} of {units:,} units, "
                    "as TensorFlow's kernels: describe it in a --map file, with weight, transposed: true and the gates"
                )


def _article(kind: CellKind) -> str:
    return "an LSTM" if kind is CellKind.LSTM else "a GRU"
