"""Recognizes one time step of a cell among elementary operators: sigmoid and tanh of sums, and what follows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_affine import Forms
from archsim.importers.onnx.onnx_graph import Proto
from archsim.importers.onnx.onnx_values import constant
from archsim.workload.network import CellKind


@dataclass(frozen=True, slots=True)
class Step:
    """A step: the value of h that it makes, of c before and after (LSTM), and each gate's sum before its function.

    A GRU's n has two sums: W_in x + b_in and, under "reset", W_hn h + b_hn, which r multiplies; or one over x and r * h
    (`reset_product`), whose h is `before`.
    """

    kind: CellKind
    node: Proto
    h: str
    gates: Mapping[str, str]
    c: str = ""
    c_before: str = ""
    function: str = "tanh"
    before: str = ""
    reset_product: str = ""


def steps_in(forms: Forms) -> Iterator[Step]:
    """All steps of LSTMs and GRUs in the graph, and what may be steps of RNNs."""
    taken: set[str] = set()
    nodes = forms.scope.graph.node
    for match in (_lstm, _gru):
        for node in nodes:
            step = match(forms, node) if len(node.output) == 1 and len(node.input) == 2 else None
            if step is not None:
                taken |= {step.h, step.c, *step.gates.values()}
                yield step
    for node in nodes:
        if node.op_type in ("Tanh", "Relu") and len(node.input) == 1 and node.output and node.input[0] not in taken:
            yield Step(CellKind.RNN, node, node.output[0], {"h": node.input[0]}, function=node.op_type.lower())


def _of(forms: Forms, value: str, *kinds: str) -> Proto | None:
    """The operator behind a value if it is of one of these kinds."""
    node = forms.producer(forms.plain(value))
    return node if node is not None and node.op_type in kinds else None


def _either(forms: Forms, node: Proto, kind: str) -> Iterator[tuple[Proto, str]]:
    """The operators of that kind among both inputs of a node, each with the other input."""
    if len(node.input) != 2:
        return
    for first, second in (node.input, node.input[::-1]):
        found = _of(forms, first, kind)
        if found is not None:
            yield found, second


def _lstm(forms: Forms, node: Proto) -> Step | None:
    """h = o * tanh(c), c = f * c_before + i * g."""
    if node.op_type != "Mul":
        return None
    for squashed, other in _either(forms, node, "Tanh"):
        out, total = _of(forms, other, "Sigmoid"), _of(forms, squashed.input[0], "Add")
        if out is None or total is None or len(total.input) != 2:
            continue
        for product, rest in _either(forms, total, "Mul"):
            kept = _of(forms, rest, "Mul")
            for new, gate in _either(forms, product, "Tanh"):
                into = _of(forms, gate, "Sigmoid")
                for forget, before in _either(forms, kept, "Sigmoid") if kept is not None else ():
                    if into is not None and _of(forms, before, "Tanh", "Sigmoid") is None:
                        sums = {"i": into, "f": forget, "g": new, "o": out}
                        gates = {name: one.input[0] for name, one in sums.items()}
                        c = total.output[0]
                        return Step(CellKind.LSTM, node, node.output[0], gates, c, forms.plain(before))
    return None


def _gru(forms: Forms, node: Proto) -> Step | None:
    """h = (h_before - n) * z + n, or (1 - z) * n + z * h_before."""
    if node.op_type != "Add":
        return None
    for product, rest in _either(forms, node, "Mul"):
        for difference, gate in _either(forms, product, "Sub"):
            if len(difference.input) != 2:
                continue
            first, second = (forms.plain(value) for value in difference.input)
            z = _of(forms, gate, "Sigmoid")
            if z is not None and second == forms.plain(rest):
                step = _with_new(forms, node, z, second, first)
            else:
                z, kept = _of(forms, second, "Sigmoid"), _of(forms, rest, "Mul")
                if z is None or kept is None or not _is_one(forms, first):
                    continue
                others = [value for found, value in _either(forms, kept, "Sigmoid") if found is z]
                step = _with_new(forms, node, z, forms.plain(gate), forms.plain(others[0])) if others else None
            if step is not None:
                return step
    return None


def _with_new(forms: Forms, node: Proto, z: Proto, new: str, before: str) -> Step | None:
    """The step with its candidate n = tanh(a + r * b), or tanh of a sum over x and r * h."""
    squashed = _of(forms, new, "Tanh")
    if squashed is None:
        return None
    gates = {"z": z.input[0]}
    total = _of(forms, squashed.input[0], "Add")
    for product, other in _either(forms, total, "Mul") if total is not None and len(total.input) == 2 else ():
        for r, inner in _either(forms, product, "Sigmoid"):
            if forms.plain(inner) != before:
                gates |= {"r": r.input[0], "n": other, "reset": inner}
                return Step(CellKind.GRU, node, node.output[0], gates, before=before)
    for atom in forms.form(squashed.input[0]).terms:
        mixed = _of(forms, atom.value, "Mul") if atom.index is None else None
        for r, inner in _either(forms, mixed, "Sigmoid") if mixed is not None else ():
            if forms.plain(inner) == before:
                gates |= {"r": r.input[0], "n": squashed.input[0]}
                product_name = atom.value
                return Step(CellKind.GRU, node, node.output[0], gates, before=before, reset_product=product_name)
    return None


def _is_one(forms: Forms, value: str) -> bool:
    try:
        return bool(np.all(constant(forms.scope, value) == 1))
    except Refused:
        return False
