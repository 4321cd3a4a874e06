"""Finds the recurrent operators of an .onnx file, also inside If, Loop and Scan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from archsim.config.text import shorten, shown
from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes, optional_package
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, unique_names
from archsim.importers.listed import nothing_fits
from archsim.importers.onnx.onnx_checks import check_operators
from archsim.importers.onnx.onnx_external import ExternalData
from archsim.importers.onnx.onnx_graph import STANDARD_DOMAINS, Budget, Proto, Scope, node_name, scopes
from archsim.importers.onnx.onnx_layer import OPERATORS, onnx_layer
from archsim.importers.onnx.onnx_links import Place, linked, whole_network
from archsim.importers.onnx.onnx_quantized import is_dynamic
from archsim.importers.onnx.onnx_tensors import constant_tensors
from archsim.importers.onnx.onnx_unrolled import ADVICE, written_out

OLDEST_OPSET = 7
_RECURRENT = re.compile("lstm|gru|rnn", re.IGNORECASE)


def find_in_onnx(path: Path, whole: bool = False) -> Found:
    """All recurrent layers of the file, those not supported with the reason; `whole`: and linear layers around them."""
    size = file_bytes(path)
    onnx = optional_package(path, "onnx", "onnx")
    try:
        model = onnx.load_model(str(path), load_external_data=False, format="protobuf")
    except Exception as error:  # whatever the parser raises for bytes that are no model
        raise fault(path, f"not a valid ONNX file: {first_line(error)}") from error
    try:
        return _find(path, model, size, whole)
    except Refused as error:
        raise fault(path, str(error)) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise fault(path, f"not a valid ONNX file: {first_line(error)}") from error


def _find(path: Path, model: Proto, size: int, whole: bool) -> Found:
    if not model.graph.node:
        raise fault(path, "not a valid ONNX file: its graph is empty")
    budget = Budget(most_tensor_bytes(size), ExternalData(path.parent))
    graphs = list(scopes(model.graph, budget))
    budget.left += budget.external.opened(tensor for scope in graphs for tensor in scope.graph.initializer)
    opset = max((entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS), default=1)
    check_operators(graphs, opset)
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
    if whole:
        network = whole_network(graphs, places, layers)
        return Found(path, network.layers, tuple(unsupported), network.pairs, host=network.host)
    joined, pairs = linked(places, layers, graphs)
    written = written_out(graphs)
    unsupported += written.unsupported
    found = Found(path, (*joined, *written.layers), tuple(unsupported), (*pairs, *written.pairs), _rest(graphs))
    if not found.layers and not found.unsupported:
        listed, total = constant_tensors(graphs)
        advice = ADVICE if _may_recur(graphs) else ""
        written_too = ", nor one written out" if advice else ""
        message = f"has no LSTM, GRU or RNN operator{written_too}, only {found.rest}" + (advice and f"; {advice}")
        raise nothing_fits(path, message, listed, total, advice)
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


def _rest(graphs: list[Scope]) -> str:
    """The words for what else the model has, as "61 other operators (Conv, Relu, ...)"."""
    nodes = (node for scope in graphs for node in scope.graph.node)
    kinds = Counter(node.op_type for node in nodes if not _RECURRENT.search(node.op_type))
    listed = ", ".join(shorten(kind, 30) for kind, _ in kinds.most_common(6)) + (", ..." if len(kinds) > 6 else "")
    return f"{kinds.total():,} other operators ({listed})" if kinds else ""
