"""Makes a layer from one UNIDIRECTIONAL_SEQUENCE_LSTM or BIDIRECTIONAL_SEQUENCE_LSTM of TensorFlow Lite.

Source: tensorflow/lite/kernels/{unidirectional,bidirectional}_sequence_lstm.cc, lstm_eval.cc, lstm_shared.h. A gate has
tensors of its own, in the order i, f, g (cell), o, which is torch's. Where i is coupled (CIFG) it is 1 - f there and f
is 1 - i here: i's rows are those of f with the other sign, as sigmoid(-z) = 1 - sigmoid(z).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.importers.codes import Codes
from archsim.importers.found import Float32Array, FoundLayer, Refused, float32, layer_config
from archsim.importers.tflite.tflite_model import Array, Graph, Operator, Schema
from archsim.workload.calibration import LSTM_GATES, Range
from archsim.workload.network import CellKind

UNIDIRECTIONAL, BIDIRECTIONAL, DEQUANTIZE = 44, 52, 6
"""Operators, as the schema numbers them."""
TANH = 4
"""The activation that LSTMs have, as the schema numbers them."""
INT8, INT16 = 9, 7
X_FORMAT = "int8/asymmetric/gemmlowp"
C_FORMAT = "int16/power_of_two/gemmlowp"
SUMS_FORMAT = "int16/gemmlowp"
_HIDDEN = 4
"""The place of the vector before the projection among the tensors that the operator keeps inside."""


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
_AUXILIARY = slice(39, 48)


def tflite_layer(graph: Graph, operator: Operator, name: str, schema: Schema) -> FoundLayer:
    """The layer of an operator; Refused if anything about it is not supported."""
    both = operator.code == BIDIRECTIONAL
    time_major, notes = _options(operator, schema, both)
    inputs = [*operator.inputs, *[-1] * 48][:48]
    if both and any(number >= 0 for number in inputs[_AUXILIARY]):
        raise Refused("has an auxiliary input, which no workload has")
    directions = [_Direction(graph, inputs, places) for places in (BOTH if both else (FORWARD,))]
    first = directions[0]
    hidden, size, output = first.sizes
    if any(other.sizes != first.sizes or other.coupled != first.coupled for other in directions):
        raise Refused("its directions have different sizes or options")
    config = layer_config(
        kind=CellKind.LSTM,
        hidden_size=hidden,
        proj_size=output if first.projects else 0,
        bidirectional=both,
        input_forget=first.coupled,
        peepholes=first.peeks,
        layer_norm=first.normalizes,
    )
    tensors: dict[str, Float32Array] = {}
    codes: dict[str, Codes] = {}
    for direction, suffix in zip(directions, ("_l0", "_l0_reverse"), strict=False):
        tensors |= {key + suffix: tensor for key, tensor in direction.tensors()}
        codes |= {key + suffix: found for key, found in direction.codes.items()}
    if first.normalizes and graph.type(operator.inputs[0]) == INT8:
        _check_norm_bias(graph, inputs, first.coupled)
    ranges = {} if both else dict(_ranges(graph, operator, first))
    return FoundLayer(
        name,
        config,
        size,
        tensors,
        batch_first=not time_major,
        codes=codes,
        ranges=ranges,
        notes=(*notes, *_kind_notes(codes, ranges, first)),
    )


_NORM_FRACTION = 1024
"""The kernel adds the bias in such parts of a code of the normalization's weights, whatever scale the file says."""


def _check_norm_bias(graph: Graph, inputs: Sequence[int], coupled: bool) -> None:
    """Refused if a bias says another scale than the one that the integer kernel gives it."""
    for gate in range(int(coupled), 4):
        norm, bias = (graph.quantization(inputs[place + gate]) for place in (NORM, FORWARD.bias))
        if norm is None or bias is None:
            raise Refused("is an integer LSTM whose layer normalization has no scale")
        if not np.allclose(bias.scales * _NORM_FRACTION, norm.scales, rtol=1e-5):
            raise Refused("has a bias whose scale is not a 1,024th of its layer_norm's, as the integer kernel takes it")


def _options(operator: Operator, schema: Schema, both: bool) -> tuple[bool, list[str]]:
    table = operator.table.BuiltinOptions()
    if table is None:
        raise Refused("has no options")
    options = (schema.BidirectionalSequenceLSTMOptions if both else schema.UnidirectionalSequenceLSTMOptions)()
    options.Init(table.Bytes, table.Pos)
    if options.FusedActivationFunction() != TANH:
        raise Refused(f"its activation is number {options.FusedActivationFunction()} of the schema, expected tanh")
    cell, projection = float(options.CellClip()), float(options.ProjClip())
    if projection > 0:
        raise Refused(f"bounds h to {projection:g} (proj_clip), which no workload does")
    if not both and getattr(options, "DiagonalRecurrentTensors", bool)():
        raise Refused("its recurrent weights are diagonals, which are not read")
    if both and not options.MergeOutputs():
        raise Refused("gives the outputs of its directions apart (merge_outputs is false)")
    notes = [f"c is bounded to {cell:g} in the model (cell_clip), and not here: a larger c differs"] if cell > 0 else []
    return bool(options.TimeMajor()), notes


class _Direction:
    """The tensors of a direction."""

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


def _ranges(graph: Graph, operator: Operator, direction: _Direction) -> Iterator[tuple[str, Range]]:
    """The scales of x, h, c and the vector before a projection of an integer LSTM."""
    x, (h, c) = operator.inputs[0], direction.states
    if graph.type(x) != INT8 or h < 0 or c < 0 or graph.type(c) != INT16:
        return
    inside = operator.intermediates[_HIDDEN] if len(operator.intermediates) > _HIDDEN else -1
    if inside < 0:
        raise Refused("is an integer LSTM that does not say the scale of o * tanh(c) (intermediate 4)")
    wanted = {"x": (x, X_FORMAT), "h_l0": (h, X_FORMAT), "c_l0": (c, C_FORMAT)}
    wanted |= {"vector_l0" if direction.projects else "h_l0": (inside, X_FORMAT)}
    for name, (number, number_format) in wanted.items():
        scale, zero = _scale_of(graph, number, name)
        yield name, _range(scale, zero, number_format)
    if direction.normalizes:
        for gate, name in enumerate(LSTM_GATES):  # a coupled i has the forget gate's, whose zero point nothing uses
            number = operator.intermediates[max(gate, int(direction.coupled))]
            yield f"sums_{name}_l0", _range(_scale_of(graph, number, f"the sums of {name}")[0], 0, SUMS_FORMAT)


def _scale_of(graph: Graph, number: int, name: str) -> tuple[float, int]:
    """The one scale of a tensor, and its zero point."""
    found = graph.quantization(number) if number >= 0 else None
    if found is None or found.scales.size != 1:
        raise Refused(f"is an integer LSTM without one scale for {name}")
    return float(found.scales[0]), int(found.zeros[0])


def _range(scale: float, zero: int, number_format: str) -> Range:
    low, high = (-128, 127) if number_format == X_FORMAT else (-32768, 32767)
    if not low <= zero <= high:
        raise Refused(f"has the zero point {zero}, which {number_format} cannot have")
    return Range((low - zero) * scale, (high - zero) * scale, number_format, scale, zero)


def _kind_notes(codes: Mapping[str, Codes], ranges: Mapping[str, Range], direction: _Direction) -> Iterator[str]:
    if ranges:
        yield (
            "an integer LSTM (8x8->16): its codes, scales and zero points run as they are on a machine with formats "
            "tflite_int8"
        )
        if direction.projects:
            yield (
                "a projection's sums are rounded to the gate's format and then to h's, where TensorFlow Lite rounds "
                "once: codes of h can be one off"
            )
        if direction.projects and direction.peeks:
            yield (
                "with a projection TensorFlow Lite's integer kernel adds peepholes to the first P hidden units alone; "
                "here all have theirs"
            )
    elif codes:
        kinds = ", ".join(dict.fromkeys(str(found.values.dtype) for found in codes.values()))
        yield (
            f"weights are {kinds}, and stay so on a machine whose weights are intN; TensorFlow Lite rounds x and h to "
            "int8 at run time, with a scale from the values of each step (a hybrid operator), which is not reproduced"
        )
