"""Lists the constant tensors of an ONNX model in which nothing is recurrent, without reading their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from archsim.importers.listed import MOST_LISTED, ListedTensor
from archsim.importers.onnx.onnx_graph import Proto, Scope

_CONSTANT, _VALUE = "Constant", "value"


def constant_tensors(graphs: Sequence[Scope]) -> tuple[list[ListedTensor], int]:
    """The first MOST_LISTED initializers and constants of all graphs, and how many there are."""
    found = list(islice(_tensors(graphs), MOST_LISTED))
    return found, len(found) if len(found) < MOST_LISTED else sum(1 for _ in _tensors(graphs))


def _tensors(graphs: Sequence[Scope]) -> Iterator[ListedTensor]:
    for scope in graphs:
        for tensor in scope.graph.initializer:
            yield _listed(scope.path + tensor.name, tensor)
        for node in scope.graph.node:
            if node.op_type == _CONSTANT and node.output:
                for attribute in node.attribute:
                    if attribute.name == _VALUE:
                        yield _listed(scope.path + node.output[0], attribute.t)


def _listed(name: str, tensor: Proto) -> ListedTensor:
    return ListedTensor(name, tuple(tensor.dims), _dtype(tensor))


def _dtype(tensor: Proto) -> str:
    """The name of a tensor's type, as NumPy or else ONNX has it; its number if that is none of ONNX's."""
    try:
        name = str(type(tensor).DataType.Name(tensor.data_type)).lower()
        return {"float": "float32", "double": "float64"}.get(name, name)
    except ValueError:
        return f"type {tensor.data_type}"
