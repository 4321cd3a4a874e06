"""Reads the tensors of a direction of a TensorFlow Lite LSTM operator.

A gate has tensors of its own, in the order i, f, g (cell), o, which is torch's. Where i is coupled (CIFG) it is 1 - f
there and f is 1 - i here: i's rows are those of f with the other sign, as sigmoid(-z) = 1 - sigmoid(z).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.importers.codes import Codes
from archsim.importers.found import Float32Array, Refused, float32
from archsim.importers.tflite.tflite_model import Array, Graph

DEQUANTIZE = 6
"""The operator, as the schema numbers it."""


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a direction's tensors among the operator's inputs: four of each gate, three peepholes.

    `norm`: of the weights of layer normalization, four, too; None where the operator has none.
    """

    weight_ih: int
    weight_hh: int
    peephole: int
    bias: int
    projection: int
    states: int
    norm: int | None = None


NORM = 20
FORWARD = Places(1, 5, 9, 12, 16, 18, NORM)
BOTH = (Places(1, 5, 9, 12, 16, 35), Places(18, 22, 26, 29, 33, 37))


class Direction:
    """The tensors of a direction, by their places among the operator's inputs; Refused if they make no layer."""

    def __init__(self, graph: Graph, inputs: Sequence[int], places: Places) -> None:
        self._graph = graph
        self.codes: dict[str, Codes] = {}
        ih, hh, bias = (inputs[at : at + 4] for at in (places.weight_ih, places.weight_hh, places.bias))
        self.coupled = ih[0] < 0
        if (hh[0] < 0) != self.coupled:
            raise Refused("has half of an input gate")
        peephole = inputs[places.peephole : places.peephole + 3]
        self.peeks = any(number >= 0 for number in peephole)
        self.projects = inputs[places.projection] >= 0
        self.states = inputs[places.states : places.states + 2]
        self._ih, self._hh = self._matrices("weight_ih", ih), self._matrices("weight_hh", hh)
        units = (len(self._ih) // 4,)
        self._bias = self._gates("bias_ih", bias, units)
        norm = [] if places.norm is None else inputs[places.norm : places.norm + 4]
        self.normalizes = any(number >= 0 for number in norm)
        self._norm = self._norms(norm, units) if self.normalizes else None
        self._peephole = self._peepholes(peephole) if self.peeks else None
        self._projection = None
        if self.projects:
            parts = self._read("weight_hr", [inputs[places.projection]])
            self._projection = self._joined("weight_hr", parts)
            if self._projection.ndim != 2:
                raise Refused("its projection is no matrix")
            number = inputs[places.projection + 1]
            given = None if number < 0 else graph.constant(number)
            if given is not None and given.any():
                raise Refused("its projection has a bias, which no workload has")
        hidden, output = len(self._ih) // 4, self._hh.shape[1]
        rows = hidden if self._projection is None else len(self._projection)
        if len(self._hh) != 4 * hidden or output != rows:
            raise Refused("its weights are of different sizes")
        if self._projection is not None and self._projection.shape[1] != hidden:
            raise Refused("its projection does not fit its hidden units")
        self.sizes = (hidden, self._ih.shape[1], output)

    def drop_further_peepholes(self) -> None:
        """Set the peephole weights of hidden units beyond the projection's outputs to 0."""
        assert self._peephole is not None
        hidden, _, output = self.sizes
        kept = np.tile(np.arange(hidden) < output, 3)
        self._peephole = np.where(kept, self._peephole, 0)
        found = self.codes.get("peephole")
        if found is not None:
            values = np.where(kept, found.values, found.zero).astype(found.values.dtype)
            self.codes["peephole"] = Codes(values, found.scale, found.zero)

    def tensors(self) -> Iterator[tuple[str, Float32Array]]:
        """The tensors under torch's names."""
        yield "weight_ih", float32("weight_ih", self._ih)
        yield "weight_hh", float32("weight_hh", self._hh)
        yield "bias_ih", float32("bias_ih", self._bias)
        yield "bias_hh", np.zeros(self._bias.shape, np.float32)
        if self._projection is not None:
            yield "weight_hr", float32("weight_hr", self._projection)
        if self._peephole is not None:
            yield "peephole", float32("peephole", self._peephole)
        if self._norm is not None:
            yield "layer_norm", float32("layer_norm", self._norm)

    def _matrices(self, key: str, numbers: Sequence[int]) -> Array:
        found = self._gates(key, numbers, None)
        if found.ndim != 2 or 0 in found.shape:
            raise Refused(f"its {key} is no matrix")
        return found

    def _gates(self, key: str, numbers: Sequence[int], shape: tuple[int, ...] | None) -> Array:
        """The gates' tensors one below the other; of a coupled input gate the forget gate's with the other sign."""
        wanted = numbers[1:] if self.coupled else numbers
        if any(number < 0 for number in wanted):
            raise Refused(f"its {key} is missing for a gate")
        parts = self._read(key, wanted)
        if self.coupled:
            parts = [_negated(parts[0]), *parts]
        if len({part.values.shape if isinstance(part, Codes) else part.shape for part in parts}) > 1:
            raise Refused(f"its {key} has different shapes for different gates")
        found = self._joined(key, parts)
        if shape is not None and found.shape != (4 * shape[0],):
            raise Refused(f"its {key} has shape {list(found.shape)}, expected {[4 * shape[0]]}")
        return found

    def _peepholes(self, numbers: Sequence[int]) -> Array:
        wanted = numbers[1:] if self.coupled else numbers
        if any(number < 0 for number in wanted):
            raise Refused("has peepholes for some gates only")
        parts = self._read("peephole", wanted)
        if self.coupled:
            parts = [_negated(parts[0]), *parts]
        found = self._joined("peephole", parts)
        if found.shape != (3 * (len(self._ih) // 4),):
            raise Refused(f"its peephole weights have shape {list(found.shape)}")
        return found

    def _norms(self, numbers: Sequence[int], units: tuple[int, ...]) -> Array:
        """The weights of the normalization; of a coupled input gate the forget gate's, since u's sign passes it."""
        if self.coupled and numbers[0] >= 0:
            raise Refused("normalizes an input gate that it does not have")
        if any(number < 0 for number in numbers[1 if self.coupled else 0 :]):
            raise Refused("has layer normalization for some gates only")
        chosen = [numbers[1], *numbers[1:]] if self.coupled else list(numbers)
        found = self._joined("layer_norm", self._read("layer_norm", chosen))
        if found.shape != (4 * units[0],):
            raise Refused(f"its layer_norm has shape {list(found.shape)}, expected {[4 * units[0]]}")
        return found

    def _read(self, key: str, numbers: Sequence[int]) -> list[Array | Codes]:
        return [_weight(self._graph, number, key) for number in numbers]

    def _joined(self, key: str, parts: Sequence[Array | Codes]) -> Array:
        """The real numbers of all parts; the codes are kept if all have them."""
        coded = [part for part in parts if isinstance(part, Codes)]
        if coded and len(coded) == len(parts):
            rows = [len(part.values) for part in coded]
            one = len({(float(part.scale), int(part.zero)) for part in coded if not part.scale.ndim}) == 1
            if one and all(not part.scale.ndim for part in coded):
                self.codes[key] = Codes(np.concatenate([part.values for part in coded]), coded[0].scale, coded[0].zero)
            else:
                scales = [np.broadcast_to(part.scale, (n,)) for part, n in zip(coded, rows, strict=True)]
                zeros = [np.broadcast_to(part.zero, (n,)) for part, n in zip(coded, rows, strict=True)]
                values = np.concatenate([part.values for part in coded])
                self.codes[key] = Codes(values, np.concatenate(scales), np.concatenate(zeros))
        real = [part.real() if isinstance(part, Codes) else part for part in parts]
        return np.concatenate(real)


def _negated(part: Array | Codes) -> Array | Codes:
    """The tensor with the other sign; codes less their zero point, in a type that holds them."""
    if not isinstance(part, Codes):
        return -part
    whole = part.values.astype(np.int64) - part.zero.reshape((-1, 1) if part.zero.ndim else ())
    kept = -whole
    narrow = part.values.dtype
    if kept.size and (kept.min() < np.iinfo(narrow).min or kept.max() > np.iinfo(narrow).max):
        narrow = np.dtype(np.int64)
    return Codes(kept.astype(narrow), part.scale, np.zeros_like(part.zero))


def _weight(graph: Graph, number: int, key: str) -> Array | Codes:
    """A constant tensor: real numbers, or codes with their scales, also behind DEQUANTIZE."""
    producer = graph.producers.get(number)
    if producer is not None and producer.code == DEQUANTIZE and producer.inputs:
        number = producer.inputs[0]
    found = graph.constant(number)
    if found is None:
        raise Refused(f"its {key} is computed by the graph, not a constant")
    if not found.ndim or not found.size:
        raise Refused(f"its {key} has no numbers")
    if found.dtype.kind == "f":
        return found.astype(np.float32)
    scales = graph.quantization(number)
    if scales is None:
        raise Refused(f"its {key} is of integers without a scale")
    if scales.scales.size == 1:
        return Codes(found, np.array(scales.scales[0]), np.array(scales.zeros[0]))
    if scales.axis != 0 or scales.scales.size != len(found):
        raise Refused(f"its {key} has {scales.scales.size:,} scales, expected one or one for each row")
    return Codes(found, scales.scales, scales.zeros)
