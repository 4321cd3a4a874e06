"""Walks the graphs of an ONNX model: a `Scope` is one, with those around it.

A body of If or Loop sees the values of the graphs around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from archsim.config.text import shown
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_external import ExternalData

MAX_DEPTH = 100
"""Longest chain of operators, and deepest nest of graphs, that is followed."""

Proto = Any
"""A message of the package onnx, which is optional: ModelProto, GraphProto, NodeProto or TensorProto."""

STANDARD_DOMAINS = ("", "ai.onnx")
_GRAPH = 5


@dataclass(eq=False)
class Budget:
    """The bytes that constants may still take, as a graph can double a tensor again and again; and its other files."""

    left: int
    external: ExternalData

    def take(self, size: int) -> None:
        """Count `size` bytes; Refused if they are too many."""
        self.left -= size
        if self.left < 0:
            raise Refused("its constants are larger than the file's size allows")


@dataclass(eq=False)
class Scope:
    """One graph: who produces which value."""

    graph: Proto
    path: str
    parent: Scope | None
    budget: Budget
    producers: dict[str, tuple[Any, int]] = field(default_factory=dict)
    initializers: dict[str, Any] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    declared: dict[str, Any] = field(default_factory=dict)
    """What the file says of a value's type and shape."""
    known: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    """Constants that have been read."""
    zeros: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_texts(self.graph)
        for node in self.graph.node:
            for number, output in enumerate(node.output):
                if output:
                    self.producers.setdefault(output, (node, number))
        self.initializers = {tensor.name: tensor for tensor in self.graph.initializer}
        self.inputs = frozenset(value.name for value in self.graph.input) - self.initializers.keys()
        infos = (*self.graph.value_info, *self.graph.output, *self.graph.input)
        self.declared = {info.name: info for info in infos}

    def home(self, value: str) -> Scope | None:
        """The scope, this one or one around it, that defines the value."""
        scope: Scope | None = self
        while scope is not None:
            if value in scope.producers or value in scope.initializers or value in scope.inputs:
                return scope
            scope = scope.parent
        return None


def _check_texts(graph: Proto) -> None:
    """Raise Refused if a name is no text: protobuf gives bytes for what is not UTF-8."""
    values = (*graph.input, *graph.initializer, *graph.value_info, *graph.output)
    names = [value.name for value in values]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
    if not all(isinstance(name, str) for name in names):
        raise Refused("not a valid ONNX file: a name in it is not UTF-8")


def attributes(node: Proto) -> dict[str, Any]:
    """The attributes of a node as int, float, bytes, lists of them, or a TensorProto."""
    fields = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings"}
    values = {}
    for attribute in node.attribute:
        kind = fields.get(attribute.type)
        if kind is None:
            raise Refused(f"its attribute {shown(attribute.name)} has a type that is not supported")
        value = getattr(attribute, kind)
        values[attribute.name] = list(value) if kind.endswith("s") and kind != "s" else value
    return values


def scopes(
    graph: Proto, budget: Budget, path: str = "", parent: Scope | None = None, depth: int = 0
) -> Iterator[Scope]:
    """The graph and all graphs inside its nodes."""
    if depth > MAX_DEPTH:
        raise Refused(f"has more than {MAX_DEPTH} graphs inside each other")
    scope = Scope(graph, path, parent, budget)
    yield scope
    for number, node in enumerate(graph.node):
        for attribute in node.attribute:
            inner = [attribute.g] if attribute.type == _GRAPH else list(attribute.graphs)
            for body in inner:
                name = f"{path}{node_name(node, number)}.{attribute.name}/"
                yield from scopes(body, budget, name, scope, depth + 1)


def node_name(node: Proto, number: int) -> str:
    """The name of a node, or of its output, or where it stands."""
    name: str = node.name or next((output for output in node.output if output), "")
    return name or f"{node.op_type}_{number}"
