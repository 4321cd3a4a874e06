"""The tensors of a TensorFlow Lite operator by hand: gates, codes and scales put together, ranges, what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from archsim.importers.codes import Codes
from archsim.importers.found import Refused
from archsim.importers.tflite.tflite_direction import BOTH, FORWARD, Direction, Places
from archsim.importers.tflite.tflite_integers import (
    C_FORMAT,
    INT8,
    INT16,
    SUMS_FORMAT,
    X_FORMAT,
    check_norm_bias,
    integer_ranges,
    kind_notes,
)
from archsim.importers.tflite.tflite_model import Graph, Operator, Quantization
from archsim.workload.calibration import Range

I, H = 3, 2


class Stored:
    """Stands for a graph: its tensors, and scales of some, by the place among the operator's inputs."""

    def __init__(self) -> None:
        self.tensors: dict[int, np.ndarray] = {}
        self.scales: dict[int, Quantization] = {}
        self.producers: dict[int, Any] = {}
        self.types: dict[int, int] = {}

    def constant(self, number: int) -> np.ndarray | None:
        return self.tensors.get(number)

    def quantization(self, number: int) -> Quantization | None:
        return self.scales.get(number)

    def type(self, number: int) -> int:
        return self.types.get(number, 0)

    def coded(self, place: int, codes: Any, scale: Any, zero: Any = 0, axis: int = 0) -> None:
        self.tensors[place] = np.asarray(codes)
        scales = np.atleast_1d(np.asarray(scale, np.float64))
        self.scales[place] = Quantization(scales, np.broadcast_to(np.asarray(zero, np.int64), scales.shape), axis)


def lstm(coupled: bool = False, places: Places = FORWARD) -> Stored:
    """Every tensor's numbers are its place; the gates are i, f, g, o."""
    graph = Stored()
    for gate in range(int(coupled), 4):
        graph.tensors[places.weight_ih + gate] = np.full((H, I), places.weight_ih + gate, np.float32)
        graph.tensors[places.weight_hh + gate] = np.full((H, H), places.weight_hh + gate, np.float32)
        graph.tensors[places.bias + gate] = np.full(H, places.bias + gate, np.float32)
    return graph


def direction(graph: Stored, places: Places = FORWARD) -> Direction:
    inputs = [place if place in graph.tensors else -1 for place in range(48)]
    return Direction(cast("Graph", graph), inputs, places)


def refusal(graph: Stored) -> str:
    with pytest.raises(Refused) as caught:
        direction(graph)
    return str(caught.value)


def gates(found: Direction, name: str) -> list[float]:
    tensor = dict(found.tensors())[name]
    return [float(part.flat[0]) for part in np.split(tensor, len(tensor) // H)]


def test_gates_stand_one_below_the_other() -> None:
    for places in (FORWARD, *BOTH):
        found = direction(lstm(places=places), places)
        assert gates(found, "weight_ih") == [places.weight_ih + gate for gate in range(4)]
        assert gates(found, "weight_hh") == [places.weight_hh + gate for gate in range(4)]
        assert gates(found, "bias_ih") == [places.bias + gate for gate in range(4)]
        assert gates(found, "bias_hh") == [0] * 4
        assert (found.sizes, found.coupled, found.peeks, found.projects, found.normalizes) == ((H, I, H), *[False] * 4)


def test_a_coupled_input_gate_is_the_forget_gate_with_the_other_sign() -> None:
    """Weights, bias and peepholes change the sign; the weights of a normalization do not, which the sign passes."""
    graph = lstm(coupled=True)
    for place in (10, 11, 21, 22, 23):
        graph.tensors[place] = np.full(H, place, np.float32)
    found = direction(graph)
    assert found.coupled
    assert gates(found, "weight_ih") == [-2, 2, 3, 4]
    assert gates(found, "weight_hh") == [-6, 6, 7, 8]
    assert gates(found, "bias_ih") == [-13, 13, 14, 15]
    assert gates(found, "peephole") == [-10, 10, 11]
    assert gates(found, "layer_norm") == [21, 21, 22, 23]
    graph.tensors[20] = graph.tensors[21]
    assert refusal(graph) == "normalizes an input gate that it does not have"


def test_peepholes_norms_and_a_projection() -> None:
    graph = lstm()
    for place in (9, 10, 11, 20, 21, 22, 23):
        graph.tensors[place] = np.full(H, place, np.float32)
    graph.tensors[16], graph.tensors[17] = np.full((1, H), 16, np.float32), np.zeros(1, np.float32)
    for gate in range(4):
        graph.tensors[5 + gate] = np.full((H, 1), 5 + gate, np.float32)
    found = direction(graph)
    assert gates(found, "peephole") == [9, 10, 11]
    assert gates(found, "layer_norm") == [20, 21, 22, 23]
    assert found.sizes == (H, I, 1)
    assert dict(found.tensors())["weight_hr"].tolist() == [[16, 16]]
    found.drop_further_peepholes()
    assert dict(found.tensors())["peephole"].tolist() == [9, 0, 10, 0, 11, 0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({1: None}, "has half of an input gate"),
        ({5: None}, "has half of an input gate"),
        ({4: None}, "its weight_ih is missing for a gate"),
        ({6: None}, "its weight_hh is missing for a gate"),
        ({12: None}, "its bias_ih is missing for a gate"),
        ({15: None}, "its bias_ih is missing for a gate"),
        ({2: (H, I + 1)}, "its weight_ih has different shapes for different gates"),
        (dict.fromkeys((1, 2, 3, 4), (H,)), "its weight_ih is no matrix"),
        (dict.fromkeys((1, 2, 3, 4), (H, I, 1)), "its weight_ih is no matrix"),
        (dict.fromkeys((12, 13, 14, 15), (H + 1,)), "its bias_ih has shape [12], expected [8]"),
        (dict.fromkeys((5, 6, 7, 8), (H + 1, H)), "its weights are of different sizes"),
        (dict.fromkeys((5, 6, 7, 8), (H, H + 1)), "its weights are of different sizes"),
        ({9: (H,), 10: (H,)}, "has peepholes for some gates only"),
        ({11: (H,)}, "has peepholes for some gates only"),
        (dict.fromkeys((9, 10, 11), (H + 1,)), "its peephole weights have shape [9]"),
        ({20: (H,), 21: (H,), 22: (H,)}, "has layer normalization for some gates only"),
        ({21: (H,), 22: (H,), 23: (H,)}, "has layer normalization for some gates only"),
        (dict.fromkeys((20, 21, 22, 23), (H + 1,)), "its layer_norm has shape [12], expected [8]"),
        ({16: (H,)}, "its projection is no matrix"),
        ({16: (H, H + 1)}, "its projection does not fit its hidden units"),
        ({16: (H + 1, H)}, "its weights are of different sizes"),
        ({16: (H, H), 17: (H,)}, "its projection has a bias, which no workload has"),
        ({3: ()}, "its weight_ih has no numbers"),
        ({3: (0, I)}, "its weight_ih has no numbers"),
    ],
)
def test_tensors_that_make_no_layer(changes: dict[int, tuple[int, ...] | None], said: str) -> None:
    graph = lstm()
    for place, shape in changes.items():
        graph.tensors.pop(place, None)
        if shape is not None:
            graph.tensors[place] = np.ones(shape, np.float32)
    assert refusal(graph) == said


def test_codes_of_gates_keep_one_scale_or_one_for_each_row() -> None:
    """Four gates with one scale and zero point have it together; else each row has its gate's, or its own."""
    graph = lstm()
    for gate in range(4):
        graph.coded(1 + gate, np.full((H, I), gate, np.int8), 0.5, 1)
    found = direction(graph)
    assert (found.codes["weight_ih"].scale.tolist(), found.codes["weight_ih"].zero.tolist()) == (0.5, 1)
    assert found.codes["weight_ih"].values[::H, 0].tolist() == [0, 1, 2, 3]
    assert gates(found, "weight_ih") == [-0.5, 0, 0.5, 1]
    assert sorted(found.codes) == ["weight_ih"]
    graph.coded(2, np.full((H, I), 1, np.int8), 0.5, 3)
    assert direction(graph).codes["weight_ih"].zero.tolist() == [1, 1, 3, 3, 1, 1, 1, 1]
    graph.coded(2, np.full((H, I), 1, np.int8), [0.25, 2.0], [0, 7])
    rows = direction(graph).codes["weight_ih"]
    assert rows.scale.tolist() == [0.5, 0.5, 0.25, 2.0, 0.5, 0.5, 0.5, 0.5]
    assert rows.zero.tolist() == [1, 1, 0, 7, 1, 1, 1, 1]
    graph.coded(2, np.full((H, I), 1, np.int8), [0.5, 0.5], 1)
    assert direction(graph).codes["weight_ih"].scale.shape == (4 * H,)
    graph.tensors[2] = np.ones((H, I), np.float32)
    assert "weight_ih" not in direction(graph).codes, "one gate of real numbers: all are"


def test_codes_without_scales_that_fit_are_refused() -> None:
    graph = lstm()
    graph.tensors[1] = np.ones((H, I), np.int8)
    assert refusal(graph) == "its weight_ih is of integers without a scale"
    graph.coded(1, np.ones((H, I), np.int8), [1.0, 2.0], axis=1)
    assert refusal(graph) == "its weight_ih has 2 scales, expected one or one for each row"
    graph.coded(1, np.ones((H, I), np.int8), [1.0, 2.0, 3.0])
    assert refusal(graph) == "its weight_ih has 3 scales, expected one or one for each row"
    del graph.tensors[1]
    inputs = list(range(48))
    with pytest.raises(Refused, match="its weight_ih is computed by the graph, not a constant"):
        Direction(cast("Graph", graph), inputs, FORWARD)


def test_weights_behind_dequantize_are_its_inputs() -> None:
    """Operator 6 and no other."""
    graph = lstm()
    graph.tensors[47] = np.full((H, I), 47, np.float32)
    graph.producers[1] = SimpleNamespace(code=6, inputs=(47,))
    assert gates(direction(graph), "weight_ih")[0] == 47
    graph.producers[1] = SimpleNamespace(code=5, inputs=(47,))
    assert gates(direction(graph), "weight_ih")[0] == 1
    graph.producers[1] = SimpleNamespace(code=6, inputs=())
    assert gates(direction(graph), "weight_ih")[0] == 1


def test_dropped_peepholes_have_the_code_of_zero() -> None:
    graph = lstm()
    for place in (9, 10, 11):
        graph.coded(place, np.full(H, place, np.int16), 0.5, 4)
    graph.tensors[16] = np.ones((1, H), np.float32)
    for gate in range(4):
        graph.tensors[5 + gate] = np.ones((H, 1), np.float32)
    found = direction(graph)
    found.drop_further_peepholes()
    assert found.codes["peephole"].values.tolist() == [9, 4, 10, 4, 11, 4]
    assert found.codes["peephole"].values.dtype == np.int16
    assert dict(found.tensors())["peephole"].tolist() == [2.5, 0, 3, 0, 3.5, 0]


def ranges(projects: bool = False, coupled: bool = False, normalizes: bool = False, inside: int = 5,
           **scales: tuple[float, int]) -> dict[str, Range]:  # fmt: skip
    """Of x at 0, h and c at 1 and 2, the sums of the gates at 10 to 13, and o tanh(c) at 14."""
    graph = Stored()
    graph.types = {0: INT8, 2: INT16}
    given = {"x": (0.5, 3), "h": (0.25, -128), "c": (2.0**-11, 0), "vector": (0.125, 5)} | scales
    for name, place in (("x", 0), ("h", 1), ("c", 2), ("vector", 14)):
        graph.coded(place, 0, *given[name])
    for gate in range(4):
        graph.coded(10 + gate, 0, 0.001 * (gate + 1), 9)
    operator = SimpleNamespace(inputs=(0,), intermediates=tuple(range(10, 15))[:inside])
    side = SimpleNamespace(states=[1, 2], projects=projects, coupled=coupled, normalizes=normalizes)
    return dict(integer_ranges(cast("Graph", graph), cast("Operator", operator), cast("Direction", side)))


def test_ranges_of_an_integer_lstm() -> None:
    """From (-128 - zero) to (127 - zero) codes; without a projection h has the scale of o * tanh(c)."""
    found = ranges()
    assert found["x"] == Range(-131 * 0.5, 124 * 0.5, X_FORMAT, 0.5, 3)
    assert found["h_l0"] == Range(-133 * 0.125, 122 * 0.125, X_FORMAT, 0.125, 5)
    assert found["c_l0"] == Range(-16.0, 32767 / 2048, C_FORMAT, 2.0**-11, 0)
    assert sorted(found) == ["c_l0", "h_l0", "x"]
    both = ranges(projects=True)
    assert both["h_l0"] == Range(0.0, 255 * 0.25, X_FORMAT, 0.25, -128)
    assert both["vector_l0"] == Range(-123 * 0.125, 132 * 0.125, X_FORMAT, 0.125, -5), "its zero point is taken off"


def test_zero_points_at_the_edge() -> None:
    assert ranges(x=(0.5, 127))["x"].high == 0
    for zero in (128, -129):
        with pytest.raises(Refused, match=f"has the zero point {zero}, which {X_FORMAT} cannot have"):
            ranges(x=(0.5, zero))
    assert ranges(c=(0.5, -32768))["c_l0"].low == 0
    assert ranges(c=(0.5, 32767))["c_l0"].high == 0
    for zero in (32768, -32769):
        with pytest.raises(Refused, match=f"has the zero point {zero}"):
            ranges(c=(0.5, zero))


def test_sums_before_a_normalization_have_scales_of_their_own() -> None:
    """Of each gate; of a coupled i that of f; their zero point is 0, whatever the file says."""
    for coupled, numbers in ((False, (1, 2, 3, 4)), (True, (2, 2, 3, 4))):
        found = ranges(normalizes=True, coupled=coupled)
        for gate, number in zip("ifgo", numbers, strict=True):
            one = found[f"sums_{gate}_l0"]
            scale = 0.001 * number
            assert one == Range(-32768 * scale, 32767 * scale, SUMS_FORMAT, scale, 0)
    with pytest.raises(Refused, match=r"does not say the scale of o \* tanh"):
        ranges(inside=4)


def test_a_bias_is_a_1024th_of_its_normalizations_scale() -> None:
    """Within a 100,000th of it; of a coupled gate's missing one nothing is asked."""

    def checked(factor: float = 1.0, gate: int = 0, coupled: bool = False, missing: int = -1) -> None:
        graph = Stored()
        for number in range(4):
            graph.coded(20 + number, 0, 1.024)
            graph.coded(12 + number, 0, 0.001 * (factor if number == gate else 1))
        graph.scales.pop(missing, None)
        check_norm_bias(cast("Graph", graph), list(range(48)), coupled)

    checked()
    checked(1 + 5e-6)
    checked(2.0, coupled=True)
    checked(missing=20, coupled=True)
    for gate in range(4):
        for factor in (1 + 2e-5, 1 - 2e-5):
            with pytest.raises(Refused, match="is not a 1,024th"):
                checked(factor, gate)
    for missing in (20, 12, 23, 15):
        with pytest.raises(Refused, match="whose layer normalization has no scale"):
            checked(missing=missing)


@pytest.mark.parametrize(
    ("codes", "integer", "projects", "peeks", "begins"),
    [
        (False, False, False, False, []),
        (True, False, True, True, ["weights are int8, and stay so"]),
        (True, True, False, False, ["an integer LSTM"]),
        (True, True, True, False, ["an integer LSTM"]),
        (True, True, False, True, ["an integer LSTM"]),
        (True, True, True, True, ["an integer LSTM", "with a projection TensorFlow Lite's"]),
    ],
)
def test_what_is_said_of_codes(codes: bool, integer: bool, projects: bool, peeks: bool, begins: list[str]) -> None:
    given = {"w": Codes(np.ones(1, np.int8), np.array(1.0), np.array(0))} if codes else {}
    found = {"x": Range(-1.0, 1.0, X_FORMAT)} if integer else {}
    side = cast("Direction", SimpleNamespace(projects=projects, peeks=peeks))
    notes = list(kind_notes(given, found, side))
    assert [note.startswith(begin) for note, begin in zip(notes, begins, strict=True)] == [True] * len(begins)
