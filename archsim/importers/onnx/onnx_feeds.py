"""Finds which recurrent operators of an ONNX graph feed one another.

The output of a recurrent operator is followed through operators that only rename, reorder, split or join its axes. A
`Flow` is such a value: its axes by name (T time, B batch, D directions, H units, F the units of all directions side by
side, 1 an axis of size 1), and whose outputs lie along D or F. A value that is anything else is described in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archsim.config.text import shown
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Scope
from archsim.importers.onnx.onnx_linear import Linear
from archsim.importers.onnx.onnx_shapes import Shapes, Size, Sizes, permutation
from archsim.importers.onnx.onnx_steps import STEPS

TIME_FIRST, BATCH_FIRST = ("T", "B", "F"), ("B", "T", "F")


@dataclass(frozen=True, slots=True)
class Output:
    """A recurrent operator that can be followed: its layer's name, directions, units and layout, and its input."""

    layer: str
    directions: int
    units: int
    layout: int
    scope: Scope
    x: str

    def flow(self, x: Sizes | None) -> Flow:
        """The operator's output Y as a flow, with the sizes of the input's time and batch."""
        axes = ("B", "T", "D", "H") if self.layout else ("T", "D", "B", "H")
        parts = tuple((self.layer, place) for place in range(self.directions))
        unknown = Size(1, (f"time steps of {self.layer}",)), Size(1, (f"sequences of {self.layer}",))
        first, second = unknown if x is None or len(x) != 3 else x[:2]
        time, batch = (second, first) if self.layout and x is not None else (first, second)
        return Flow(axes, parts, self.units, time, batch)


class Feeds:
    """Follows values back to the recurrent operators that made them.

    `outputs` are those operators, by the node's identity.
    """

    def __init__(
        self,
        outputs: dict[int, Output],
        linears: Mapping[int, Linear] = MappingProxyType({}),
        first: tuple[str, ...] = TIME_FIRST,
    ) -> None:
        """`linears`: linear layers by the identity of their last node; `first`: the axes of the first one's input."""
        self._outputs = outputs
        self._linears, self._first = linears, first
        self._flows: dict[tuple[int, str], Flow | str] = {}
        self._shapes = Shapes(self._flow_shape)

    def flow(self, scope: Scope, value: str, depth: int = 0) -> Flow | str:
        """The flow that the value is made of."""
        home = scope.home(value)
        if home is None:
            return f"{shown(value)}, which nothing in the file defines"
        key = (id(home), value)
        if key not in self._flows:
            self._flows[key] = f"a loop through {shown(value)}"  # a graph with a cycle is not valid, but may come
            self._flows[key] = self._follow(home, value, depth)
        return self._flows[key]

    def source(self, scope: Scope, value: str) -> tuple[int, str]:
        """The value behind renamings: two operators with the same source have the same input."""
        for _ in range(MAX_DEPTH):
            home = scope.home(value)
            if home is None or value not in home.producers:
                return id(home), value
            node, output = home.producers[value]
            if node.op_type != "Identity" or output or not node.input or node.domain not in STANDARD_DOMAINS:
                return id(home), value
            scope, value = home, node.input[0]
        return id(scope), value

    def turned(self, scope: Scope, value: str) -> bool:
        """Whether the value is an input of the graph with its first two axes exchanged."""
        home, name = self.source(scope, value)
        while scope.parent is not None and id(scope) != home:
            scope = scope.parent
        node, _ = scope.producers.get(name, (None, 0))
        if node is None or node.op_type != "Transpose" or node.domain not in STANDARD_DOMAINS or len(node.input) != 1:
            return False
        return permutation(node, 3) == [1, 0, 2] and self.source(scope, node.input[0])[1] in scope.inputs

    def _flow_shape(self, scope: Scope, value: str, depth: int) -> Sizes | None:
        flow = self.flow(scope, value, depth)
        return flow.sizes if isinstance(flow, Flow) else None

    def _follow(self, scope: Scope, value: str, depth: int) -> Flow | str:
        if value in scope.inputs:
            return f"the graph's input {shown(value)}"
        if value in scope.initializers:
            return f"the constant {shown(value)}"
        node, number = scope.producers[value]
        words = f"the output of {node.op_type} {shown(node.name)}"
        linear = self._linears.get(id(node))
        if linear is not None:
            below, sizes = self.flow(scope, linear.x, depth + 1), self._shapes.shape(scope, linear.x, depth + 1)
            return linear.flow(below, self._first, sizes)
        output = self._outputs.get(id(node))
        if output is not None:
            if number == 0:
                return output.flow(self._shapes.shape(output.scope, output.x, depth + 1))
            return f"output {number} (no sequence) of {node.op_type} {shown(node.name)}"
        step = STEPS.get(node.op_type)
        if step is None or not node.input or node.domain not in STANDARD_DOMAINS or depth > MAX_DEPTH:
            return words
        joins = node.op_type == "Concat"
        flows = [self.flow(scope, name, depth + 1) for name in (node.input if joins else node.input[:1])]
        made = [flow for flow in flows if isinstance(flow, Flow)]
        if len(made) < len(flows):
            return next(flow for flow in flows if isinstance(flow, str)) if not made else words
        try:
            return step(scope, node, number, made, self._shapes) or words
        except (Refused, ValueError, IndexError, KeyError, TypeError):
            return words
