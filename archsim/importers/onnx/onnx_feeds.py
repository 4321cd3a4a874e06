"""Finds which recurrent operators of an ONNX graph feed one another.

The output of a recurrent operator is followed through operators that only rename, reorder or join its axes. A `Flow` is
such a value: its axes by name (T time, B batch, D directions, H units, F the units of all directions side by side), and
whose outputs lie along D or F. A value that is anything else is described in words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from archsim.config.text import shown
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Proto, Scope, attributes
from archsim.importers.onnx.onnx_values import constant


@dataclass(frozen=True, slots=True)
class Flow:
    """Outputs of recurrent layers: the axes, and (layer, direction) along D or F."""

    axes: tuple[str, ...]
    parts: tuple[tuple[str, int], ...]
    units: int


@dataclass(frozen=True, slots=True)
class Output:
    """A recurrent operator that can be followed: its layer's name, directions, units and layout."""

    layer: str
    directions: int
    units: int
    layout: int

    def flow(self) -> Flow:
        """The operator's output Y as a flow."""
        axes = ("B", "T", "D", "H") if self.layout else ("T", "D", "B", "H")
        return Flow(axes, tuple((self.layer, place) for place in range(self.directions)), self.units)


class Feeds:
    """Follows values back to the recurrent operators that made them.

    `outputs` are those operators, by the node's identity.
    """

    def __init__(self, outputs: dict[int, Output]) -> None:
        self._outputs = outputs
        self._flows: dict[tuple[int, str], Flow | str] = {}

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

    def _follow(self, scope: Scope, value: str, depth: int) -> Flow | str:
        if value in scope.inputs:
            return f"the graph's input {shown(value)}"
        if value in scope.initializers:
            return f"the constant {shown(value)}"
        node, number = scope.producers[value]
        words = f"the output of {node.op_type} {shown(node.name)}"
        if id(node) in self._outputs:
            if number == 0:
                return self._outputs[id(node)].flow()
            return f"output {number} (no sequence) of {node.op_type} {shown(node.name)}"
        step = _STEPS.get(node.op_type)
        if step is None or number or not node.input or node.domain not in STANDARD_DOMAINS or depth > MAX_DEPTH:
            return words
        flows = [self.flow(scope, name, depth + 1) for name in (node.input if step is _concat else node.input[:1])]
        made = [flow for flow in flows if isinstance(flow, Flow)]
        if len(made) < len(flows):
            return next(flow for flow in flows if isinstance(flow, str)) if not made else words
        try:
            return step(scope, node, made) or words
        except (Refused, ValueError, IndexError, KeyError, TypeError):
            return words


def _same(_scope: Scope, _node: Proto, flows: list[Flow]) -> Flow | None:
    return flows[0]


def _cast(_scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    return flows[0] if attributes(node).get("to") in (1, 11) else None


def _dropout(scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    training = len(node.input) > 2 and node.input[2] and bool(np.any(constant(scope, node.input[2])))
    return None if training else flows[0]


def _transpose(_scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    flow = flows[0]
    order = attributes(node).get("perm", range(len(flow.axes))[::-1])
    if sorted(order) != list(range(len(flow.axes))):
        return None
    return replace(flow, axes=tuple(flow.axes[axis] for axis in order))


def _squeeze(scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    """The flow without the axis of directions, where there is one direction."""
    flow = flows[0]
    given = constant(scope, node.input[1]).ravel().tolist() if len(node.input) > 1 else attributes(node).get("axes")
    if given is None or len(given) != 1 or flow.axes[given[0]] != "D" or len(flow.parts) != 1:
        return None
    return replace(flow, axes=tuple("F" if axis == "H" else axis for axis in flow.axes if axis != "D"))


def _reshape(scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    """The flow after (T, B, D, H) to (T, B, D H), or with B first, if the new shape can mean nothing else."""
    flow = flows[0]
    sizes = constant(scope, node.input[1]).ravel().tolist()
    features = len(flow.parts) * flow.units
    zero_copies = not attributes(node).get("allowzero", 0)
    if flow.axes == ("T", "D", "B", "H") and len(flow.parts) == 1 and len(sizes) == 3:
        # The axis of one direction, of size 1, goes away: the second size can be no copy (that is the 1), only -1.
        kept = sizes[0] == 0 and zero_copies and sizes[1] == -1 and sizes[2] == features
        return replace(flow, axes=("T", "B", "F")) if kept else None
    if len(sizes) != 3 or flow.axes[2:] != ("D", "H"):
        return None
    copied = [size == 0 and zero_copies for size in sizes[:2]]
    if all(copied) and sizes[2] in (-1, features):
        return replace(flow, axes=(*flow.axes[:2], "F"))
    if any(copied) and sorted(sizes[:2]) == [-1, 0] and sizes[2] == features:
        return replace(flow, axes=(*flow.axes[:2], "F"))
    return None


def _concat(_scope: Scope, node: Proto, flows: list[Flow]) -> Flow | None:
    """The flow of directions beside each other."""
    first = flows[0]
    along = first.axes[attributes(node)["axis"]]
    if any(flow.axes != first.axes or flow.units != first.units for flow in flows) or along not in "DF":
        return None
    if len(flows) > 2:
        return None
    return replace(first, parts=tuple(part for flow in flows for part in flow.parts))


_STEPS = {
    "Identity": _same,
    "Cast": _cast,
    "Dropout": _dropout,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Concat": _concat,
}
"""Operators after which a sequence is still the same sequence."""
