"""Makes weights in torch's layout from a recognized step of a cell, and compares the steps of one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from archsim.importers.found import Float32Array, Refused, float32
from archsim.importers.onnx.onnx_affine import Array, Atom, Form, Forms
from archsim.importers.onnx.onnx_step import Step
from archsim.workload.network import CellKind

_GATES = {CellKind.LSTM: ("i", "f", "g", "o"), CellKind.GRU: ("r", "z", "n"), CellKind.RNN: ("h",)}


@dataclass(frozen=True, slots=True)
class Sums:
    """The gates' sums of a step, each a form, by the gate; a GRU's "reset" is what r multiplies."""

    step: Step
    forms: Mapping[str, Form]

    @property
    def atoms(self) -> set[Atom]:
        """What the sums are over, but the product r * h of a GRU."""
        found = {atom for form in self.forms.values() for atom in form.terms}
        return {atom for atom in found if atom.value != self.step.reset_product or atom.index is not None}

    def matrix(self, atom: Atom, hidden: bool) -> Array:
        """The matrix over x, or over h, of all gates in torch's order; Refused if a gate has none."""
        parts = []
        for gate in _GATES[self.step.kind]:
            name, wanted = gate, atom
            if gate == "n" and hidden:
                name = "reset" if "reset" in self.forms else "n"
                wanted = Atom(self.step.reset_product) if self.step.reset_product else atom
            part = self.forms[name].terms.get(wanted)
            if part is None:
                raise Refused(f"its gate {gate} is no matrix times {'h' if hidden else 'x'}")
            parts.append(part)
        if len({part.shape for part in parts}) > 1:
            raise Refused("its gates are of different sizes")
        joined: Array = np.concatenate(parts)
        return joined

    def bias(self, hidden: bool) -> Array | None:
        """The bias of all gates; of h it is that of the product which r multiplies."""
        forms = [self.forms[gate] for gate in _GATES[self.step.kind]]
        if hidden:
            forms = [Form({}), Form({}), self.forms["reset"]] if "reset" in self.forms else []
        if all(form.bias is None for form in forms):
            return None
        rows = max(len(form.bias) for form in forms if form.bias is not None)
        joined: Array = np.concatenate([np.zeros(rows) if form.bias is None else form.bias for form in forms])
        return joined


def sums_of(forms: Forms, step: Step) -> Sums:
    """The sums of a step."""
    return Sums(step, {gate: forms.form(value) for gate, value in step.gates.items()})


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a cell in torch's layout, before they are float32."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None
    bias_hh: Array | None

    @property
    def hidden(self) -> int:
        """The units of the cell."""
        return int(self.weight_hh.shape[1])

    def same_input(self, other: Array, bias: Array | None) -> bool:
        """Whether another step has the same matrix over x and the same bias."""
        return np.array_equal(self.weight_ih, other) and _same(self.bias_ih, bias)

    def same(self, other: Weights) -> bool:
        """Whether another step has the same weights."""
        return (
            self.same_input(other.weight_ih, other.bias_ih)
            and np.array_equal(self.weight_hh, other.weight_hh)
            and _same(self.bias_hh, other.bias_hh)
        )

    def tensors(self) -> dict[str, Float32Array]:
        """The weights under torch's names; with one bias the other is 0."""
        found = {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh}
        if self.bias_ih is not None or self.bias_hh is not None:
            zero = np.zeros(len(self.weight_ih))
            found["bias_ih"] = zero if self.bias_ih is None else self.bias_ih
            found["bias_hh"] = zero if self.bias_hh is None else self.bias_hh
        return {f"{name}_l0": float32(name, array) for name, array in found.items()}


def weights_of(sums: Sums, x: Atom, h: Atom) -> Weights:
    """The weights of a step over this x and this h; Refused if it is no cell of its kind."""
    weight_ih, weight_hh = sums.matrix(x, hidden=False), sums.matrix(h, hidden=True)
    if len(weight_hh) != len(_GATES[sums.step.kind]) * weight_hh.shape[1]:
        raise Refused(f"its matrix over h is {weight_hh.shape[0]:,} x {weight_hh.shape[1]:,}")
    return Weights(weight_ih, weight_hh, sums.bias(hidden=False), sums.bias(hidden=True))


def _same(first: Array | None, second: Array | None) -> bool:
    """Whether two biases are the same; none is one of zeros, to which exporters fold W_hh h of an h of 0."""
    if first is None or second is None:
        return not any(bias.any() for bias in (first, second) if bias is not None)
    return np.array_equal(first, second)
