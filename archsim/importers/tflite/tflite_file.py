"""Finds the LSTM operators of a .tflite file."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from archsim.config.text import shorten
from archsim.importers.faults import fault, first_line
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, unique_names
from archsim.importers.listed import nothing_fits
from archsim.importers.tflite.tflite_layer import BIDIRECTIONAL, UNIDIRECTIONAL, tflite_layer
from archsim.importers.tflite.tflite_model import BROKEN, Graph, Operator, read_graphs, schema_of
from archsim.importers.tflite.tflite_tensors import constant_tensors

OTHERS = {
    16: ("LSTM", "one step at a time"),
    27: ("SVDF", "no recurrent layer that a workload has"),
    24: ("RNN", "one step at a time"),
    35: ("UNIDIRECTIONAL_SEQUENCE_RNN", "only LSTMs are read"),
    46: ("BIDIRECTIONAL_SEQUENCE_RNN", "only LSTMs are read"),
}
"""Other recurrent operators by their number in the schema, and why they are not read."""


def find_in_tflite(path: Path) -> Found:
    """All LSTM operators of the file, those not supported with the reason."""
    graphs = read_graphs(path)
    schema = schema_of(path)
    places = [
        (graph, operator)
        for graph in graphs
        for operator in graph.operators
        if operator.code in (UNIDIRECTIONAL, BIDIRECTIONAL, *OTHERS)
    ]
    try:
        names = unique_names([_name(graph, operator) for graph, operator in places])
    except (Refused, *BROKEN) as error:
        raise fault(path, f"not a valid .tflite file: {first_line(error)}") from error
    layers: dict[tuple[int, int], FoundLayer] = {}
    unsupported = []
    for (graph, operator), name in zip(places, names, strict=True):
        if operator.code in OTHERS:
            kind, reason = OTHERS[operator.code]
            unsupported.append(Unsupported(f"{name} ({kind})", reason))
            continue
        try:
            layers[graph.number, operator.place] = tflite_layer(graph, operator, name, schema)
        except Refused as error:
            unsupported.append(Unsupported(name, str(error)))
        except BROKEN as error:
            unsupported.append(Unsupported(name, f"is not valid: {first_line(error)}"))
    linked = tuple(
        _fed(graph, operator, layers) for graph, operator in places if (graph.number, operator.place) in layers
    )
    rest = _rest(graphs, len(places))
    if not linked and not unsupported:
        try:
            listed, total = constant_tensors(graphs, schema)
        except (Refused, *BROKEN) as error:
            raise fault(path, f"not a valid .tflite file: {first_line(error)}") from error
        raise nothing_fits(path, "has no recurrent layer" + (f", only {rest}" if rest else ""), listed, total)
    return Found(path, linked, tuple(unsupported), rest=rest)


def _name(graph: Graph, operator: Operator) -> str:
    """The name of the operator's output, or where it stands."""
    name = graph.name(operator.outputs[0]) if operator.outputs else ""
    return shorten(name, 300) or f"lstm_{operator.place}"


def _fed(graph: Graph, operator: Operator, layers: dict[tuple[int, int], FoundLayer]) -> FoundLayer:
    layer = layers[graph.number, operator.place]
    x = operator.inputs[0]
    producer = graph.producers.get(x)
    if producer is None:
        return replace(layer, input_from="the graph's input")
    below = layers.get((graph.number, producer.place))
    if below is None:
        return replace(layer, input_from=f"operator {producer.place} (number {producer.code} of the schema)")
    words = f"the output of {below.name}"
    if below.config.output_size != layer.input_size or below.batch_first != layer.batch_first:
        return replace(layer, input_from=f"{words}, but not as a sequence of its features")
    return replace(layer, input_from=words, fed_by=(below.name,))


def _rest(graphs: tuple[Graph, ...], found: int) -> str:
    kinds = Counter(operator.code for graph in graphs for operator in graph.operators)
    others = kinds.total() - found
    return f"{others:,} other operators" if others else ""
