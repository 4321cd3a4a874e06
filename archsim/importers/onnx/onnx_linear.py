"""Finds the linear layers around the recurrent ones of an ONNX graph: MatMul by a constant, Add of one, and a function.

That is how torch and tf2onnx export a Linear or Dense layer of a sequence. What else the graph computes is named, with
the shapes of its weights and the multiply-accumulates of one position, and left to the host.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archsim.config.text import shorten, shown
from archsim.importers.found import Float32Array, FoundLayer, Refused, float32, layer_config
from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_graph import STANDARD_DOMAINS, Proto, Scope, node_name
from archsim.importers.onnx.onnx_shapes import Size, Sizes
from archsim.importers.onnx.onnx_steps import STEPS
from archsim.importers.onnx.onnx_values import Array, NotConstant, constant
from archsim.workload.config import FunctionConfig
from archsim.workload.network import CellKind

_FUNCTIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softsign": "softsign", "Softplus": "softplus"}
"""Operators without attributes that an activation unit evaluates."""
_OF_SHAPES = frozenset({"Constant", "ConstantOfShape", "Shape", "Identity", "Cast", "Expand"})
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer of the graph: where it takes its input, and the nodes that it is made of, the last one last."""

    layer: FoundLayer
    x: str
    nodes: tuple[Proto, ...]

    def flow(self, below: Flow | str, first: tuple[str, ...], sizes: Sizes | None) -> Flow | str:
        """Its output, from that of what it takes.

        `first`: the axes of an input that no layer of the graph makes, and `sizes` those of that input.
        """
        parts, units = ((self.layer.name, 0),), self.layer.config.hidden_size
        if isinstance(below, str):
            unknown = Size(1, (f"time steps of {self.layer.name}",)), Size(1, (f"sequences of {self.layer.name}",))
            known = dict(zip(first, sizes, strict=True)) if sizes is not None and len(sizes) == len(first) else {}
            return Flow(first, parts, units, known.get("T", unknown[0]), known.get("B", unknown[1]))
        if below.axes not in (("T", "B", "F"), ("B", "T", "F")):
            return f"{shown(self.layer.name)}, which takes no sequence"
        return Flow(below.axes, parts, units, below.time, below.batch)


def linears(scope: Scope) -> Iterator[Linear]:
    """All products with constant matrices of a graph, each with its bias and function."""
    readers: dict[str, list[Proto]] = {}
    for node in scope.graph.node:
        for value in node.input:
            readers.setdefault(value, []).append(node)
    given = {value.name for value in scope.graph.output}
    for number, node in enumerate(scope.graph.node):
        if node.op_type != "MatMul" or node.domain not in STANDARD_DOMAINS or len(node.input) != 2:
            continue
        weights = _constant(scope, node.input[1])
        if weights is None or weights.ndim != 2 or 0 in weights.shape or _constant(scope, node.input[0]) is not None:
            continue
        nodes, bias, function = [node], None, None
        following = _only_reader(nodes[-1], readers, given)
        if following is not None and following.op_type == "Add":
            bias = _bias(scope, following, node.output[0], weights.shape[1])
            if bias is not None:
                nodes.append(following)
                following = _only_reader(following, readers, given)
        if following is not None and following.op_type in _FUNCTIONS and following.domain in STANDARD_DOMAINS:
            function = _FUNCTIONS[following.op_type]
            nodes.append(following)
        try:
            layer = _layer(scope.path + node_name(node, number), weights, bias, function)
        except Refused:
            continue
        yield Linear(layer, node.input[0], tuple(nodes))


def on_the_host(graphs: list[Scope], taken: Mapping[int, str]) -> tuple[str, ...]:
    """What of the graphs no layer does: operators by name, with weights and MACs; the others counted by kind."""
    named: list[str] = []
    others: Counter[str] = Counter()
    for scope in graphs:
        for number, node in enumerate(scope.graph.node):
            shapes = [tuple(scope.initializers[name].dims) for name in node.input if name in scope.initializers]
            shapes = [shape for shape in shapes if len(shape) > 1]
            embeds = node.op_type == "Gather" and bool(shapes)
            if id(node) in taken or node.op_type in _OF_SHAPES or (node.op_type in STEPS and not embeds):
                continue
            if node.op_type in ("MatMul", "Gemm", "Conv", "Gather") and shapes:
                macs = 0 if node.op_type == "Gather" else math.prod(shapes[0])
                size = " x ".join(f"{length:,}" for length in shapes[0])
                name = shorten(scope.path + node_name(node, number), 60)
                named.append(f"{node.op_type} {name}: weights {size}, {macs:,} MACs a position")
            else:
                others[shorten(node.op_type, 30)] += 1
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"{len(named) - _MOST_NAMED:,} more operators with weights"]
    if others:
        named.append(", ".join(f"{count:,} {kind}" for kind, count in others.most_common(_MOST_NAMED)))
    return tuple(named)


def _layer(name: str, weights: Array, bias: Array | None, function: str | None) -> FoundLayer:
    tensors: dict[str, Float32Array] = {"weight_ih_l0": float32("the matrix", weights.T)}
    if bias is not None:
        tensors["bias_ih_l0"] = float32("the bias", bias)
    inputs, outputs = weights.shape
    activations = None if function is None else (FunctionConfig(name=function),)
    config = layer_config(kind=CellKind.LINEAR, hidden_size=outputs, bias=bias is not None, activations=activations)
    return FoundLayer(shorten(name, 300), config, inputs, tensors)


def _only_reader(node: Proto, readers: Mapping[str, list[Proto]], given: set[str]) -> Proto | None:
    """The one node that reads a node's output, if nothing else does."""
    value = node.output[0] if node.output else ""
    found = readers.get(value, [])
    return found[0] if len(found) == 1 and value not in given else None


def _bias(scope: Scope, node: Proto, product: str, size: int) -> Array | None:
    """The constant vector that an Add has beside the product."""
    others = [name for name in node.input if name != product]
    bias = _constant(scope, others[0]) if len(node.input) == 2 and len(others) == 1 else None
    return bias if bias is not None and bias.shape == (size,) else None


def _constant(scope: Scope, value: str) -> Array | None:
    try:
        return constant(scope, value)
    except NotConstant:
        return None
