"""Lists the constant tensors of a .tflite model in which nothing is recurrent, without reading their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.importers.listed import MOST_LISTED, ListedTensor
from archsim.importers.tflite.tflite_model import MAX_OPERATORS, Graph, Schema


def constant_tensors(graphs: Sequence[Graph], schema: Schema) -> tuple[list[ListedTensor], int]:
    """The first MOST_LISTED constant tensors of all graphs, and how many there are (MAX_OPERATORS a graph at most)."""
    names = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
    found: list[ListedTensor] = []
    total = 0
    for graph in graphs:
        for number in range(min(graph.table.TensorsLength(), MAX_OPERATORS)):
            if graph.is_constant(number):
                total += 1
                if len(found) < MOST_LISTED:
                    kind = graph.type(number)
                    dtype = names.get(kind, f"type {kind}").lower()
                    found.append(ListedTensor(graph.name(number), graph.shape(number), dtype))
    return found, total
