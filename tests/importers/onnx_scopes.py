"""Graphs of a few ONNX operators, as the readers see them, without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archsim.importers.onnx.onnx_external import ExternalData
from archsim.importers.onnx.onnx_graph import Budget, Scope
from tests.optional import need


def node(kind: str, inputs: str, output: str = "y", **attributes: Any) -> Any:
    """An operator with inputs and outputs by names with blanks between; "-" is one left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return need("onnx").helper.make_node(kind, names, output.split(), **attributes)


def scope_of(
    nodes: Sequence[Any],
    stored: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[int | str] | None] | None = None,
    left: int = 1 << 20,
    outputs: Mapping[str, Sequence[int | str] | None] | None = None,
) -> Scope:
    """The scope of a graph with these operators, constants, and inputs (and outputs) of these sizes."""
    onnx = need("onnx")

    def infos(values: Mapping[str, Sequence[int | str] | None]) -> list[Any]:
        return [onnx.helper.make_tensor_value_info(name, 1, sizes) for name, sizes in values.items()]

    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in (stored or {}).items()]
    graph = onnx.helper.make_graph(list(nodes), "g", infos(inputs or {}), infos(outputs or {}), tensors)
    return Scope(graph, "", None, Budget(left, ExternalData(Path())))
