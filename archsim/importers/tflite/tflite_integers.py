"""Reads scales and zero points of a fully quantized TensorFlow Lite LSTM (8x8->16), and says what of it is reproduced.

Source: tensorflow/lite/kernels/unidirectional_sequence_lstm.cc (PopulateQuantizedLstmParams8x8_16), lstm_eval.cc.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from archsim.importers.codes import Codes
from archsim.importers.found import Refused
from archsim.importers.tflite.tflite_direction import FORWARD, NORM, Direction
from archsim.importers.tflite.tflite_model import Graph, Operator
from archsim.workload.calibration import LSTM_GATES, Range

INT8, INT16 = 9, 7
"""Types, as the schema numbers them."""
X_FORMAT = "int8/asymmetric/gemmlowp"
C_FORMAT = "int16/power_of_two/gemmlowp"
SUMS_FORMAT = "int16/gemmlowp"
_HIDDEN = 4
"""The place of the vector before the projection among the tensors that the operator keeps inside."""
_NORM_FRACTION = 1024
"""The kernel adds the bias in such parts of a code of the normalization's weights, whatever scale the file says."""


def check_norm_bias(graph: Graph, inputs: Sequence[int], coupled: bool) -> None:
    """Refused if a bias says another scale than the one that the integer kernel gives it."""
    for gate in range(int(coupled), 4):
        norm, bias = (graph.quantization(inputs[place + gate]) for place in (NORM, FORWARD.bias))
        if norm is None or bias is None:
            raise Refused("is an integer LSTM whose layer normalization has no scale")
        if not np.allclose(bias.scales * _NORM_FRACTION, norm.scales, rtol=1e-5):
            raise Refused("has a bias whose scale is not a 1,024th of its layer_norm's, as the integer kernel takes it")


def integer_ranges(graph: Graph, operator: Operator, direction: Direction) -> Iterator[tuple[str, Range]]:
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
        # Before a projection the kernel takes the zero point off instead of adding it, and its bias makes up for that.
        yield name, _range(scale, -zero if name == "vector_l0" else zero, number_format)
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


def kind_notes(codes: Mapping[str, Codes], ranges: Mapping[str, Range], direction: Direction) -> Iterator[str]:
    if ranges:
        yield (
            "an integer LSTM (8x8->16): its codes, scales and zero points run as they are on a machine with formats "
            "tflite_int8; with --set activation.method=gemmlowp each code of h is TensorFlow Lite's"
        )
        if direction.projects and direction.peeks:
            yield (
                "with a projection TensorFlow Lite's integer kernel adds peepholes to the first P hidden units alone, "
                "so that the others' weights are 0 here; of several sequences it takes cells of others, which is not "
                "reproduced"
            )
    elif codes:
        kinds = ", ".join(dict.fromkeys(str(found.values.dtype) for found in codes.values()))
        yield (
            f"weights are {kinds}, and stay so on a machine whose weights are intN; TensorFlow Lite rounds x and h to "
            "int8 at run time, with a scale from the values of each step (a hybrid operator), which is not reproduced"
        )
