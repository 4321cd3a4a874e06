"""Finds the recurrent operators of an .onnx file, also inside If, Loop and Scan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from archsim.config.text import shorten, shown
from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes, optional_package
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, unique_names
from archsim.importers.onnx.onnx_external import ExternalData
from archsim.importers.onnx.onnx_feeds import Feeds, Output
from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_graph import STANDARD_DOMAINS, Budget, Proto, Scope, node_name, scopes
from archsim.importers.onnx.onnx_layer import OPERATORS, onnx_layer
from archsim.importers.onnx.onnx_quantized import is_dynamic
from archsim.importers.onnx.onnx_unrolled import ADVICE, written_out

OLDEST_OPSET = 7
_RECURRENT = re.compile("lstm|gru|rnn", re.IGNORECASE)
Place = tuple[Scope, Proto, str]


def find_in_onnx(path: Path) -> Found:
    """All recurrent layers of the file, those not supported with the reason."""
    size = file_bytes(path)
    onnx = optional_package(path, "onnx", "onnx")
    try:
        model = onnx.load_model(str(path), load_external_data=False, format="protobuf")
    except Exception as error:  # whatever the parser raises for bytes that are no model
        raise fault(path, f"not a valid ONNX file: {first_line(error)}") from error
    try:
        return _find(path, model, size)
    except Refused as error:
        raise fault(path, str(error)) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise fault(path, f"not a valid ONNX file: {first_line(error)}") from error


def _find(path: Path, model: Proto, size: int) -> Found:
    if not model.graph.node:
        raise fault(path, "not a valid ONNX file: its graph is empty")
    budget = Budget(most_tensor_bytes(size), ExternalData(path.parent))
    graphs = list(scopes(model.graph, budget))
    budget.left += budget.external.opened(tensor for scope in graphs for tensor in scope.graph.initializer)
    opset = max((entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS), default=1)
    places = list(_recurrent_nodes(graphs))
    names = unique_names([name for _, _, name in places])
    layers: dict[int, FoundLayer] = {}
    unsupported = []
    for (scope, node, _), name in zip(places, names, strict=True):
        try:
            layers[id(node)] = _layer(scope, node, name, opset)
        except Refused as error:
            unsupported.append(Unsupported(f"{name} ({shorten(node.op_type)})", str(error)))
    unsupported += _elsewhere(model)
    linked, pairs = _linked(places, layers, graphs)
    written = written_out(graphs)
    unsupported += written.unsupported
    found = Found(path, (*linked, *written.layers), tuple(unsupported), (*pairs, *written.pairs), _rest(graphs))
    if not found.layers and not found.unsupported and _may_recur(graphs):
        raise fault(path, f"has no LSTM, GRU or RNN operator, nor one written out, only {found.rest}; {ADVICE}")
    return found


def _may_recur(graphs: list[Scope]) -> bool:
    """Whether a graph has what cells are made of."""
    kinds = {node.op_type for scope in graphs for node in scope.graph.node}
    return "Tanh" in kinds and bool(kinds & {"MatMul", "Gemm"})


def _recurrent_nodes(graphs: list[Scope]) -> Iterator[Place]:
    """Yield operators that are recurrent, or are called so."""
    for scope in graphs:
        for number, node in enumerate(scope.graph.node):
            if _RECURRENT.search(node.op_type):
                yield scope, node, scope.path + node_name(node, number)


def _layer(scope: Scope, node: Proto, name: str, opset: int) -> FoundLayer:
    if is_dynamic(node):
        return onnx_layer(scope, node, name)
    if node.domain not in STANDARD_DOMAINS or node.op_type not in OPERATORS:
        operator = f"{node.domain}.{node.op_type}".lstrip(".")
        raise Refused(f"the operator {shown(operator)} is not one of ONNX's {', '.join(OPERATORS)}")
    if opset < OLDEST_OPSET:
        raise Refused(f"the model has opset {opset}, before {OLDEST_OPSET}, when {node.op_type} had other inputs")
    return onnx_layer(scope, node, name)


def _elsewhere(model: Proto) -> Iterator[Unsupported]:
    """The recurrences that are operators inside the model's own functions."""
    for function in model.functions:
        if not isinstance(function.name, str):
            raise Refused("not a valid ONNX file: a name in it is not UTF-8")
        for node in function.node:
            if _RECURRENT.search(str(node.op_type)):
                name = f"{function.name}/{node.op_type}"
                yield Unsupported(shorten(name), "operators inside the model's own functions are not read")


def _linked(
    places: list[Place], layers: dict[int, FoundLayer], graphs: list[Scope]
) -> tuple[tuple[FoundLayer, ...], tuple[tuple[str, str], ...]]:
    """The layers with what feeds them, and the pairs of directions."""
    outputs = {id(node): _output(layers[id(node)], scope, node) for scope, node, _ in places if id(node) in layers}
    feeds = Feeds(outputs)
    by_name = {layer.name: layer for layer in layers.values()}
    sources = {}
    linked = []
    for scope, node, _ in places:
        layer = layers.get(id(node))
        if layer is None:
            continue
        flow = feeds.flow(scope, node.input[0])
        sources[layer.name] = feeds.source(scope, node.input[0])
        turned = feeds.turned(scope, node.input[0])
        linked.append(replace(_fed(layer, flow, by_name), turns_input=turned))
    return tuple(linked), _pairs(feeds, graphs, {layer.name: layer for layer in linked}, sources)


def _output(layer: FoundLayer, scope: Scope, node: Proto) -> Output:
    layout = int(layer.batch_first)
    return Output(layer.name, layer.cells, layer.config.hidden_size, layout, scope, node.input[0])


def _fed(layer: FoundLayer, flow: Flow | str, layers: dict[str, FoundLayer]) -> FoundLayer:
    if isinstance(flow, str):
        return replace(layer, input_from=flow)
    names = tuple(dict.fromkeys(name for name, _ in flow.parts))
    words = "the output of " + " and ".join(names)
    wanted = ("B", "T", "F") if layer.batch_first else ("T", "B", "F")
    whole = [(name, place) for name in names for place in range(layers[name].cells)]
    if flow.axes != wanted or list(flow.parts) != whole or layer.input_size != len(flow.parts) * flow.units:
        return replace(layer, input_from=f"{words}, but not as a sequence of its features")
    return replace(layer, input_from=words, fed_by=names)


def _pairs(
    feeds: Feeds, graphs: list[Scope], layers: dict[str, FoundLayer], sources: dict[str, tuple[int, str]]
) -> tuple[tuple[str, str], ...]:
    """The pairs of layers, forward and reverse over one input, whose outputs the graph puts side by side."""
    pairs: dict[tuple[str, str], None] = {}
    for scope in graphs:
        for node in scope.graph.node:
            if node.op_type != "Concat" or not node.output or len(node.input) != 2:
                continue
            flow = feeds.flow(scope, node.output[0])
            if isinstance(flow, str) or len(flow.parts) != 2 or len({name for name, _ in flow.parts}) != 2:
                continue
            forward, reverse = (name for name, _ in flow.parts)
            ways = (layers[forward].config.reverse, layers[reverse].config.reverse)
            if ways == (False, True) and sources[forward] == sources[reverse]:
                pairs[forward, reverse] = None
    return tuple(pairs)


def _rest(graphs: list[Scope]) -> str:
    """The words for what else the model has, as "61 other operators (Conv, Relu, ...)"."""
    nodes = (node for scope in graphs for node in scope.graph.node)
    kinds = Counter(node.op_type for node in nodes if not _RECURRENT.search(node.op_type))
    listed = ", ".join(shorten(kind, 30) for kind, _ in kinds.most_common(6)) + (", ..." if len(kinds) > 6 else "")
    return f"{kinds.total():,} other operators ({listed})" if kinds else ""
