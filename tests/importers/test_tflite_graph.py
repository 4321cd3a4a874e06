"""Tensors of a .tflite graph by their sizes, types and scales, and what feeds an LSTM, on tables that stand for the schema's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from archsim.importers.found import FoundLayer, Refused, layer_config
from archsim.importers.tflite.tflite_file import _fed, _rest
from archsim.importers.tflite.tflite_model import Graph, Operator
from archsim.workload.network import CellKind


def tensor(shape: tuple[int, ...] = (2,), kind: int = 0, buffer: int = 1, **more: Any) -> Any:
    """A table with the schema's accessors."""
    scales = SimpleNamespace(
        ScaleLength=lambda: len(more.get("scales", ())),
        ScaleAsNumpy=lambda: np.array(more["scales"], np.float32),
        ZeroPointLength=lambda: len(more.get("zeros", ())),
        ZeroPointAsNumpy=lambda: np.array(more["zeros"], np.int64),
        QuantizedDimension=lambda: more.get("axis", 0),
    )
    return SimpleNamespace(
        Buffer=lambda: buffer,
        Type=lambda: kind,
        ShapeLength=lambda: len(shape),
        Shape=lambda axis: shape[axis],
        Name=lambda: more.get("name", b"t"),
        Sparsity=lambda: more.get("sparsity"),
        Quantization=lambda: scales if "scales" in more else None,
    )


def graph(
    *tensors: Any, data: bytes = b"", budget: int = 1000, offset: int = 0, operators: tuple[Operator, ...] = ()
) -> Graph:
    """A graph with these tensors; buffer 0 is empty, buffer 1 has the data."""
    buffers = [
        SimpleNamespace(DataLength=lambda one=one: len(one), DataAsNumpy=lambda one=one: np.frombuffer(one, np.uint8), Offset=lambda: offset)
        for one in (b"", data)
    ]  # fmt: skip
    model = SimpleNamespace(BuffersLength=lambda: 2, Buffers=lambda place: buffers[place])
    table = SimpleNamespace(TensorsLength=lambda: len(tensors), Tensors=lambda number: tensors[number])
    return Graph(0, table, model, operators, [budget])


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [(0, b"\0\0\xc0\x3f", 1.5), (1, b"\0\x3e", 1.5), (2, b"\xff" * 4, -1), (3, b"\xff", 255), (4, b"\2" + bytes(7), 2), (7, b"\xfe\xff", -2), (9, b"\xff", -1)],
)  # fmt: skip
def test_numbers_by_type(kind: int, data: bytes, expected: float) -> None:
    found = graph(tensor((1, 1), kind), data=data).constant(0)
    assert found is not None
    assert found.tolist() == [[expected]]


def test_tensors_without_numbers() -> None:
    """In buffer 0, in one that is not there, or in an empty one."""
    for buffer in (0, 2, -1):
        one = graph(tensor(buffer=buffer), data=bytes(8))
        assert (one.constant(0), one.is_constant(0)) == (None, False)
    empty = graph(tensor())
    assert (empty.constant(0), empty.is_constant(0)) == (None, False)
    assert graph(tensor(), data=bytes(8)).is_constant(0)
    assert graph(tensor(), offset=1).constant(0) is None
    assert not graph(tensor(), offset=1).is_constant(0)
    behind = graph(tensor(), offset=2)
    assert behind.is_constant(0)
    with pytest.raises(Refused, match="its weights lie behind the model in the file"):
        behind.constant(0)


@pytest.mark.parametrize(
    ("one", "data", "said"),
    [
        (tensor((2,)), bytes(7), r"the tensor t has shape \[2\], but 7 bytes"),
        (tensor((2,)), bytes(12), r"the tensor t has shape \[2\], but 12 bytes"),
        (tensor((-1, -2)), bytes(8), r"the tensor t has shape \[-1, -2\], but 8 bytes"),
        (tensor((1,) * 9), bytes(4), "has a tensor of more than 8 dimensions"),
        (tensor((1,), 5), bytes(4), "the tensor t has the type 5, which is not read"),
        (tensor((2,), sparsity=1), bytes(8), "the tensor t is sparse, which is not read"),
    ],
)
def test_tensors_that_are_refused(one: Any, data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}$"):
        graph(one, data=data).constant(0)


def test_tensors_of_a_graph_by_number() -> None:
    both = graph(tensor((2, 3), 9, name=b"a"), tensor((1,) * 8, 7, name=None))
    assert (both.shape(0), both.type(0), both.name(0)) == ((2, 3), 9, "a")
    assert (len(both.shape(1)), both.type(1), both.name(1)) == (8, 7, "")
    for number in (-1, 2):
        with pytest.raises(Refused, match=f"names a tensor {number}, and the graph has 2"):
            both.tensor(number)


def test_numbers_count_8_bytes_each_and_scales_16() -> None:
    assert graph(tensor((2,)), data=bytes(8), budget=16).constant(0) is not None
    with pytest.raises(Refused, match="its tensors are larger than the file's size allows"):
        graph(tensor((2,)), data=bytes(8), budget=15).constant(0)
    assert graph(tensor(scales=(1.0,)), budget=16).quantization(0) is not None
    with pytest.raises(Refused, match="its tensors are larger than the file's size allows"):
        graph(tensor(scales=(1.0,)), budget=15).quantization(0)


def test_scales_of_a_tensor() -> None:
    """Zero points are 0 where there are none; there are as many as scales, which are above 0."""
    found = graph(tensor(scales=(0.5, 2.0), zeros=(3, -1), axis=1)).quantization(0)
    assert found is not None
    assert (found.scales.tolist(), found.zeros.tolist(), found.axis) == ([0.5, 2], [3, -1], 1)
    plain = graph(tensor(scales=(0.5, 2.0))).quantization(0)
    assert plain is not None
    assert plain.zeros.tolist() == [0, 0]
    assert graph(tensor()).quantization(0) is None
    assert graph(tensor(scales=())).quantization(0) is None
    wrong: tuple[dict[str, Any], ...] = (
        {"scales": (0.0,)}, {"scales": (1.0, -1.0)}, {"scales": (np.inf,)}, {"scales": (np.nan,)}, {"scales": (1.0,), "zeros": (1, 2)},
    )  # fmt: skip
    for more in wrong:
        with pytest.raises(Refused, match="the tensor t has scales that are not above 0, or other zero points"):
            graph(tensor(**more)).quantization(0)


def operator(place: int, inputs: tuple[int, ...], outputs: tuple[int, ...], code: int = 44) -> Operator:
    return Operator(place, code, inputs, outputs, (), None)


def layer(name: str, inputs: int, **more: Any) -> FoundLayer:
    own = {key: more.pop(key) for key in list(more) if key != "batch_first"}
    return FoundLayer(name, layer_config(kind=CellKind.LSTM, hidden_size=4, **own), inputs, {}, **more)


@pytest.mark.parametrize(
    ("below", "above", "fed"),
    [
        ({}, {"inputs": 4}, True),
        ({}, {"inputs": 5}, False),
        ({"bidirectional": True}, {"inputs": 8}, True),
        ({"proj_size": 2}, {"inputs": 2}, True),
        ({"proj_size": 2}, {"inputs": 4}, False),
        ({"batch_first": True}, {"inputs": 4}, False),
        ({"batch_first": True}, {"inputs": 4, "batch_first": True}, True),
    ],
)
def test_what_feeds_a_layer(below: dict[str, Any], above: dict[str, Any], fed: bool) -> None:
    """The operator that makes its input, if the sizes and the order of the axes go together."""
    one, two = operator(0, (0,), (1,)), operator(1, (1,), (2,))
    found = _fed(graph(operators=(one, two)), two, {(0, 0): layer("low", 3, **below), (0, 1): layer("top", **above)})
    assert found.fed_by == (("low",) if fed else ())
    assert found.input_from == "the output of low" + ("" if fed else ", but not as a sequence of its features")


def test_what_else_feeds_a_layer() -> None:
    one, two = operator(3, (0,), (1,), 9), operator(4, (1,), (2,))
    layers = {(0, 4): layer("top", 4), (1, 3): layer("elsewhere", 4)}
    assert _fed(graph(operators=(one, two)), two, layers).input_from == "operator 3 (number 9 of the schema)"
    assert _fed(graph(operators=(two,)), two, layers).input_from == "the graph's input"
    many = graph(operators=(one, two, operator(5, (), (), 9)))
    assert [_rest((many, many), count) for count in (6, 5, 0)] == ["", "1 other operators", "6 other operators"]
    again = graph(operators=(one, operator(5, (0,), (1,), 9)))
    assert again.producers[1] is one, "the first that makes a tensor"
