"""Writes values of an ONNX graph as sums of matrix times something, plus a bias: what the gates of a cell are.

`something` is an atom: a value that is no such sum itself, perhaps one step of it along an axis. The matrices are those
of MatMul and Gemm, put together, taken apart and added up by the operators behind them, whatever their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Proto, Scope, attributes
from archsim.importers.onnx.onnx_shapes import Shapes, cuts_of
from archsim.importers.onnx.onnx_values import constant

Array = npt.NDArray[Any]
PASSING = ("Identity", "Cast", "Dropout", "Squeeze", "Unsqueeze")
_WHOLE = 1 << 31


@dataclass(frozen=True, slots=True)
class Atom:
    """A value, or its step `index` along `axis`; `flipped`: the axis is to be read backwards."""

    value: str
    axis: int | None = None
    index: int | None = None
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The sum of matrix (rows, size of the atom) times atom, and a bias (rows); a matrix of None is the identity."""

    terms: Mapping[Atom, Array | None]
    bias: Array | None = None


class Forms:
    """The forms of the values of one graph."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._shapes = Shapes(lambda _scope, _value, _depth: None)
        self._forms: dict[str, Form] = {}

    def plain(self, value: str) -> str:
        """The value behind operators that hand on their input."""
        for _ in range(MAX_DEPTH):
            node = self.producer(value)
            if node is None or node.op_type not in PASSING:
                break
            value = node.input[0]
        return value

    def producer(self, value: str) -> Proto | None:
        """The standard operator whose first output the value is; None if there is none in this graph."""
        node, number = self.scope.producers.get(value, (None, 0))
        return node if node is not None and not number and node.domain in STANDARD_DOMAINS and node.input else None

    def form(self, value: str, depth: int = 0) -> Form:
        """The value as a form; if it is no sum, itself."""
        value = self.plain(value)
        if value not in self._forms:
            self._forms[value] = Form({Atom(value): None})  # a loop, which no valid graph has, ends here
            self._forms[value] = self._form(value, depth) or self._forms[value]
        return self._forms[value]

    def _form(self, value: str, depth: int) -> Form | None:
        node, number = self.scope.producers.get(value, (None, 0))
        if node is None or depth > MAX_DEPTH or node.domain not in STANDARD_DOMAINS:
            return None
        way = {"Add": self._add, "MatMul": self._matmul, "Gemm": self._gemm, "Slice": self._slice}.get(node.op_type)
        try:
            if node.op_type == "Split":
                return self._split(node, number, depth)
            if node.op_type == "Gather":
                return self._gather(node, depth)
            return None if way is None or number else way(node, depth)
        except (Refused, ValueError, IndexError, KeyError, TypeError):
            return None

    def _vector(self, value: str) -> Array | None:
        """A constant that is the same along all axes but the last; None if the value is not one."""
        try:
            array = constant(self.scope, value)
        except Refused:
            return None
        if array.dtype.kind != "f" or array.ndim < 1:
            return None
        rows = array.reshape(-1, array.shape[-1])
        return rows[0] if len(rows) and (rows == rows[0]).all() else None

    def _add(self, node: Proto, depth: int) -> Form | None:
        made: Form | None = None
        for value in node.input:
            vector = self._vector(value)
            part = self.form(value, depth + 1) if vector is None else Form({}, vector)
            made = part if made is None else _sum(made, part)
            if made is None:
                return None
        bare = made is None or any(matrix is None for matrix in made.terms.values())
        return None if bare else made  # a sum without a matrix, as the h of a GRU, is something itself

    def _matmul(self, node: Proto, depth: int) -> Form | None:
        return self._times(self.form(node.input[0], depth + 1), constant(self.scope, node.input[1]).T)

    def _gemm(self, node: Proto, depth: int) -> Form | None:
        attrs = attributes(node)
        matrix = constant(self.scope, node.input[1])
        made = self._times(self.form(node.input[0], depth + 1), matrix if attrs.get("transB", 0) else matrix.T)
        if made is None or attrs.get("transA", 0) or attrs.get("alpha", 1.0) != 1 or attrs.get("beta", 1.0) != 1:
            return None
        if len(node.input) < 3 or not node.input[2]:
            return made
        vector = self._vector(node.input[2])
        return None if vector is None else _sum(made, Form({}, vector))

    def _times(self, form: Form, matrix: Array) -> Form | None:
        """The matrix (rows, columns) times the form."""
        if matrix.ndim != 2 or matrix.dtype.kind != "f":
            return None
        self.scope.budget.take(sum(old is not None for old in form.terms.values()) * matrix.nbytes)
        terms = {atom: matrix if old is None else matrix @ old for atom, old in form.terms.items()}
        return Form(terms, None if form.bias is None else matrix @ form.bias)

    def _split(self, node: Proto, number: int, depth: int) -> Form | None:
        attrs = attributes(node)
        form = self.form(node.input[0], depth + 1)
        rows = _rows(form)
        if rows is None or not self._is_last(node.input[0], attrs.get("axis", 0)):
            return None
        if len(node.input) > 1 and node.input[1]:
            lengths = [int(length) for length in constant(self.scope, node.input[1]).ravel()]
        else:
            lengths = attrs.get("split", [rows // len(node.output)] * len(node.output))
        if sum(lengths) != rows or min(lengths) < 1:
            return None
        start = sum(lengths[:number])
        return _cut(form, slice(start, start + lengths[number]))

    def _is_last(self, value: str, axis: int) -> bool:
        """Whether an axis is that of the features."""
        sizes = self._shapes.shape(self.scope, value)
        return axis == -1 or (axis >= 1 if sizes is None else axis == len(sizes) - 1)

    def _slice(self, node: Proto, depth: int) -> Form | None:
        cuts = cuts_of(self.scope, node)
        form = self.form(node.input[0], depth + 1)
        if len(cuts) != 1:
            return None
        cut = cuts[0]
        if self._is_last(node.input[0], cut.axis) and cut.step == 1 and _rows(form) is not None:
            return _cut(form, slice(cut.start, cut.end))
        if cut.step == -1 and cut.start == -1 and cut.end < -_WHOLE + 2:
            return _each(form, cut.axis, None)
        return _each(form, cut.axis, cut.start) if cut.step == 1 and cut.end == cut.start + 1 else None

    def _gather(self, node: Proto, depth: int) -> Form | None:
        index, axis = constant(self.scope, node.input[1]), attributes(node).get("axis", 0)
        if index.dtype.kind != "i" or index.size != 1:
            return None
        return _each(self.form(node.input[0], depth + 1), axis, int(index.ravel()[0]))


def _rows(form: Form) -> int | None:
    """The rows of the form; None if no matrix tells them."""
    matrices = [matrix for matrix in form.terms.values() if matrix is not None]
    if len(matrices) < len(form.terms):
        return None
    return len(matrices[0]) if matrices else None if form.bias is None else len(form.bias)


def _cut(form: Form, rows: slice) -> Form:
    terms = {atom: None if matrix is None else matrix[rows] for atom, matrix in form.terms.items()}
    return Form(terms, None if form.bias is None else form.bias[rows])


def _each(form: Form, axis: int, index: int | None) -> Form | None:
    """One step of all atoms along an axis; with no index, the axis turned round."""
    terms: dict[Atom, Array | None] = {}
    for atom, matrix in form.terms.items():
        if atom.index is not None or (atom.axis is not None and atom.axis != axis):
            return None
        if index is None:
            terms[replace(atom, axis=axis, flipped=not atom.flipped)] = matrix
        else:
            terms[Atom(atom.value, axis, -1 - index if atom.flipped else index)] = matrix
    return Form(terms, form.bias)


def _sum(first: Form, second: Form) -> Form | None:
    """The sum of two forms; None if they do not fit."""
    terms = dict(first.terms)
    for atom, matrix in second.terms.items():
        old = terms.get(atom)
        if atom in terms:
            if old is None or matrix is None:
                return None
            terms[atom] = old + matrix
        else:
            terms[atom] = matrix
    biases = [bias for bias in (first.bias, second.bias) if bias is not None]
    return Form(terms, biases[0] + biases[1] if len(biases) == 2 else biases[0] if biases else None)
