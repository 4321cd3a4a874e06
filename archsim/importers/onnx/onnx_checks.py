"""Checks that the operators of a model have the inputs and the kinds of attributes that ONNX gives them."""

from __future__ import annotations

from typing import Any

from archsim.config.text import shorten
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_graph import STANDARD_DOMAINS, Proto, Scope
from archsim.importers.onnx.onnx_layer import OPERATORS

_MOST_OPSET = (1 << 31) - 1
Schema = Any
"""ONNX's own description of an operator, of onnx.defs, whose package has no types."""


def check_operators(graphs: list[Scope], opset: int) -> None:
    """Refuse a file of which an operator has too few inputs, or an attribute of another kind than ONNX gives it.

    Recurrent operators are left out: what is wrong with one is said of its layer alone. So are operators that ONNX's
    package does not know, which nothing is read of.
    """
    schemas: dict[str, Schema | None] = {}
    for scope in graphs:
        for node in scope.graph.node:
            if node.domain not in STANDARD_DOMAINS or node.op_type in OPERATORS:
                continue
            if node.op_type not in schemas:
                schemas[node.op_type] = _schema(node.op_type, opset)
            schema = schemas[node.op_type]
            if schema is not None:
                _check(node, schema)


def _schema(kind: str, opset: int) -> Schema | None:
    import onnx

    known = 1 <= opset <= _MOST_OPSET and onnx.defs.has(kind, opset)
    return onnx.defs.get_schema(kind, opset) if known else None


def _check(node: Proto, schema: Schema) -> None:
    if len(node.input) < schema.min_input:
        few = f"has {len(node.input)} of at least {schema.min_input} inputs"
        raise Refused(f"not a valid ONNX file: an operator {shorten(node.op_type)} {few}")
    for attribute in node.attribute:
        expected = schema.attributes.get(attribute.name)
        if expected is not None and attribute.type != expected.type.value:
            what = f"{shorten(attribute.name)} of an operator {shorten(node.op_type)}"
            raise Refused(f"not a valid ONNX file: {what} is of another kind than ONNX's {expected.type.name.lower()}")
