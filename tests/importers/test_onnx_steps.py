"""What operators make of the outputs of recurrent layers, and which linear layers stand around them, each by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.importers.onnx.onnx_feeds import Output
from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_linear import Linear, linears, on_the_host
from archsim.importers.onnx.onnx_shapes import Shapes, Size
from archsim.importers.onnx.onnx_steps import STEPS
from tests.importers.onnx_scopes import node, scope_of

T, B = Size(1, ("T",)), Size(1, ("B",))
NUMBERS = {str(number): [number] for number in (-2, -1, 0, 1, 2, 3, 4, 5, 8, 9)} | {
    "all": [2**31 - 1],
    "less": [2**31 - 2],
}
STORED: dict[str, Any] = {f"n{name}": value for name, value in NUMBERS.items()} | {
    "ones": [1, 1], "swap": [1, 0], "turn": [0, -1], "single": 1, "s44": [4, 4], "s42": [4, 2], "less": [8, -4, 4], "s35": [3, 5], "s80": [8, 0], "s440": [4, 4, 0], "real": [1.0],
    "square": [[0]], "yes": True, "no": False, "join": [0, 0, -1], "apart": [0, 0, 2, 4], "three": [0, 0, 0], "five": [5, -1, 8], "long": [1] * 9,
    "axes": [0, -1], "twice": [1, 1], "i012": [0, 1, 1],
}  # fmt: skip


def flow(axes: str = "TDBH", directions: int = 2, layer: str = "l") -> Flow:
    """Of 4 units a direction."""
    return Flow(tuple(axes), tuple((layer, place) for place in range(directions)), 4, T, B)


def after(made: Any, *flows: Flow, number: int = 0, outputs: dict[str, Any] | None = None) -> tuple[str, str] | None:
    """The axes, and the directions along D or F."""
    scope = scope_of([made], STORED, outputs=outputs)
    found = STEPS[made.op_type](scope, made, number, list(flows), Shapes(lambda _scope, _value, _depth: None))
    return None if found is None else ("".join(found.axes), " ".join(f"{name}{place}" for name, place in found.parts))


@pytest.mark.parametrize(
    ("made", "axes", "expected"),
    [
        (node("Identity", "x"), "TDBH", "TDBH"),
        (node("Cast", "x", to=1), "TDBH", "TDBH"),
        (node("Cast", "x", to=11), "TDBH", "TDBH"),
        (node("Cast", "x", to=10), "TDBH", None),
        (node("Cast", "x"), "TDBH", None),
        (node("Dropout", "x"), "TDBH", "TDBH"),
        (node("Dropout", "x r no"), "TDBH", "TDBH"),
        (node("Dropout", "x r yes"), "TDBH", None),
        (node("Dropout", "x r -"), "TDBH", "TDBH"),
        (node("Transpose", "x", perm=[0, 2, 1, 3]), "TDBH", "TBDH"),
        (node("Transpose", "x"), "TDBH", "HBDT"),
        (node("Transpose", "x", perm=[0, 1]), "TDBH", None),
        (node("Squeeze", "x n1"), "T1BF", "TBF"),
        (node("Squeeze", "x n-1"), "TBF1", "TBF"),
        (node("Squeeze", "x n1"), "TDBH", None),
        (node("Squeeze", "x"), "T1BF", None),
        (node("Unsqueeze", "x axes"), "TBF", "1TBF1"),
        (node("Unsqueeze", "x n1"), "TBF", "T1BF"),
        (node("Unsqueeze", "x n1"), "TBF11111", None),
        (node("Unsqueeze", "x n1"), "TBF1111", "T1BF1111"),
        (node("Reshape", "x join"), "TBDH", "TBF"),
        (node("Reshape", "x apart"), "TBF", "TBDH"),
        (node("Reshape", "x join", allowzero=1), "TBDH", None),
        (node("Reshape", "x three"), "TBF", "TBF"),
        (node("Reshape", "x long"), "TBF", None),
    ],
)
def test_operators_on_one_flow(made: Any, axes: str, expected: str | None) -> None:
    assert after(made, flow(axes)) == (None if expected is None else (expected, "l0 l1"))


def test_a_second_output_is_no_sequence() -> None:
    for kind in ("Identity", "Dropout"):
        assert after(node(kind, "x", "y z"), flow(), number=1) is None


def test_a_single_direction_is_squeezed_away() -> None:
    assert after(node("Squeeze", "x n1"), flow(directions=1)) == ("TBF", "l0")


def test_a_reshape_for_one_size_of_an_axis() -> None:
    """(T, B, 2, 4) to (5, -1, 8) where the file declares (5, B, 8): T is 5; nothing, or another size, says nothing."""
    made = node("Reshape", "x five")
    assert after(made, flow("TBDH"), outputs={"y": [5, "B", 8]}) == ("TBF", "l0 l1")
    for told in ([5, "B"], [6, "B", 8], [5, "B", 9], ["N", "B", 8, 1]):
        assert after(made, flow("TBDH"), outputs={"y": told}) is None
    assert after(made, flow("TBDH"), outputs={"y": ["N", "B", 8]}) == ("TBF", "l0 l1")


def test_directions_side_by_side() -> None:
    """Of two operators along D or F; of equal axes and units; two and no more."""
    one, two = flow("TBF", 1, "a"), flow("TBF", 1, "b")
    assert after(node("Concat", "x z", axis=-1), one, two) == ("TBF", "a0 b0")
    assert after(node("Concat", "x z", axis=2), two, one) == ("TBF", "b0 a0")
    assert after(node("Concat", "x z", axis=1), one, two) is None
    assert after(node("Concat", "x z", axis=-1), one, flow("BTF", 1)) is None
    assert after(node("Concat", "x z", axis=-1), one, Flow(("T", "B", "F"), (("c", 0),), 5, T, B)) is None
    assert after(node("Concat", "x z u", axis=-1), one, two, one) is None
    assert after(node("Concat", "x z", axis=1), flow(directions=1), flow(directions=1, layer="k")) == ("TDBH", "l0 k0")
    assert after(node("Concat", "x", axis=-1), one) == ("TBF", "a0")


@pytest.mark.parametrize(
    ("inputs", "axes", "expected"),
    [
        ("n0 n1 n1", "TDBH", "l0"),
        ("n1 n2 n1", "TDBH", "l1"),
        ("n-1 nall n1", "TDBH", "l1"),
        ("n0 n4 n2", "TBF", "l0"),
        ("n4 n8 n-1", "TBF", "l1"),
        ("n0 n8 n2", "TBF", "l0 l1"),
        ("n4 n9 n2", "TBF", "l1"),
        ("n0 n5 n2", "TBF", None),
        ("n1 n5 n2", "TBF", None),
        ("n2 n4 n2", "TBF", None),
        ("n8 n9 n2", "TBF", None),
        ("n0 nall n0", "TBF", "l0 l1"),
        ("n0 nless n0", "TBF", None),
        ("n1 nall n0", "TBF", None),
        ("n0 n1 n2", "TDBH", None),
        ("n0 nall n1 n2", "TDBH", None),
        ("n0 nall n1 n1", "TDBH", "l0 l1"),
    ],
)
def test_directions_that_a_slice_takes(inputs: str, axes: str, expected: str | None) -> None:
    """Whole ones: places 0 to 3 and 4 to 7 of F; all of another axis changes nothing."""
    found = after(node("Slice", f"x {inputs}"), flow(axes))
    assert found == (None if expected is None else (axes, expected))


@pytest.mark.parametrize(
    ("made", "number", "axes", "expected"),
    [
        (node("Split", "x s44", "a b", axis=-1), 0, "TBF", "l0"),
        (node("Split", "x s44", "a b", axis=-1), 1, "TBF", "l1"),
        (node("Split", "x s35", "a b", axis=-1), 0, "TBF", None),
        (node("Split", "x s42", "a b", axis=-1), 0, "TBF", None),
        (node("Split", "x less", "a b c", axis=-1), 0, "TBF", None),
        (node("Split", "x s80", "a b", axis=-1), 0, "TBF", "l0 l1"),
        (node("Split", "x s80", "a b", axis=-1), 1, "TBF", None),
        (node("Split", "x s440", "a b", axis=-1), 0, "TBF", None),
        (node("Split", "x s440", "a b c", axis=-1), 1, "TBF", "l1"),
        (node("Split", "x ones", "a b", axis=1), 1, "TDBH", "l1"),
        (node("Split", "x ones", "a b", axis=-1), 0, "TBF", None),
        (node("Split", "x", "a b", axis=1, num_outputs=2), 0, "TDBH", "l0"),
        (node("Split", "x -", "a b", axis=1), 1, "TDBH", "l1"),
        (node("Split", "x", "a b", axis=2, split=[4, 4]), 1, "TBF", "l1"),
        (node("Split", "x", "a b c", axis=2, num_outputs=3), 0, "TBF", None),
        (node("Split", "x", "a b"), 0, "TBF", None),
        (node("Split", "x", "a b"), 0, "FTB", "l0"),
    ],
)
def test_directions_that_a_split_gives(made: Any, number: int, axes: str, expected: str | None) -> None:
    found = after(made, flow(axes), number=number)
    assert found == (None if expected is None else (axes, expected))


@pytest.mark.parametrize(
    ("made", "axes", "expected"),
    [
        (node("Gather", "x swap", axis=1), "TDBH", ("TDBH", "l1 l0")),
        (node("Gather", "x n1", axis=1), "TDBH", ("TDBH", "l1")),
        (node("Gather", "x single", axis=1), "TDBH", ("TBF", "l1")),
        (node("Gather", "x single", axis=-3), "TDBH", ("TBF", "l1")),
        (node("Gather", "x single"), "DTBH", ("TBF", "l1")),
        (node("Gather", "x single", axis=-1), "TBF", None),
        (node("Gather", "x real", axis=1), "TDBH", None),
        (node("Gather", "x square", axis=1), "TDBH", None),
        (node("Gather", "x i012", axis=1), "TDBH", None),
    ],
)
def test_directions_that_a_gather_takes(made: Any, axes: str, expected: tuple[str, str] | None) -> None:
    assert after(made, flow(axes)) == expected


def test_the_output_of_an_operator() -> None:
    """Y is (T, D, B, H), with layout 1 (B, T, D, H), of the input's first two sizes; without them they get names."""
    x = (Size(5), Size(3), Size(7))
    for layout, axes, sizes in ((0, "TDBH", (5, 2, 3, 4)), (1, "BTDH", (5, 3, 2, 4))):
        output = Output("l", 2, 4, layout, scope_of([]), "x")
        found = output.flow(x)
        assert ("".join(found.axes), found.parts) == (axes, (("l", 0), ("l", 1)))
        assert found.sizes == tuple(Size(size) for size in sizes)
        for unknown in (None, x[:2]):
            bare = output.flow(unknown)
            names = {bare.time.axes, bare.batch.axes}
            assert names == {("time steps of l",), ("sequences of l",)}
    assert Output("l", 2, 4, 1, scope_of([]), "x").flow(None).time.axes == ("time steps of l",)


W, BIAS = np.ones((3, 5), np.float32), np.ones(5, np.float32)
MATRICES: dict[str, Any] = {"W": W, "b": BIAS, "row": BIAS[None], "vector": BIAS, "none": np.ones((3, 0), np.float32)}
PRODUCT = node("MatMul", "x W", "p", name="m")


def found_in(*nodes: Any, outputs: tuple[str, ...] = ()) -> list[Linear]:
    return list(linears(scope_of(nodes, MATRICES, {"x": [3]}, outputs=dict.fromkeys(outputs))))


@pytest.mark.parametrize(
    ("nodes", "outputs", "bias", "function", "count"),
    [
        ([PRODUCT], (), False, None, 1),
        ([PRODUCT, node("Add", "p b", "s")], (), True, None, 2),
        ([PRODUCT, node("Add", "b p", "s"), node("Relu", "s")], (), True, "relu", 3),
        ([PRODUCT, node("Tanh", "p")], (), False, "tanh", 2),
        ([PRODUCT, node("Add", "p b", "s"), node("Sigmoid", "s")], ("s",), True, None, 2),
        ([PRODUCT, node("Add", "p b", "s")], ("p",), False, None, 1),
        ([PRODUCT, node("Add", "p row", "s"), node("Relu", "s")], (), False, None, 1),
        ([PRODUCT, node("Add", "p p", "s")], (), False, None, 1),
        ([PRODUCT, node("Add", "p x", "s")], (), False, None, 1),
        ([PRODUCT, node("Relu", "p"), node("Tanh", "p", "z")], (), False, None, 1),
        ([PRODUCT, node("Relu", "p", domain="own")], (), False, None, 1),
        ([PRODUCT, node("Softmax", "p")], (), False, None, 1),
    ],
)
def test_linear_layers(
    nodes: list[Any], outputs: tuple[str, ...], bias: bool, function: str | None, count: int
) -> None:
    """A product, its bias and function, as far as nothing else reads what is between them."""
    (linear,) = found_in(*nodes, outputs=outputs)
    config = linear.layer.config
    names = [one.name for one in config.activations or ()]
    assert (linear.layer.name, linear.x, len(linear.nodes)) == ("m", "x", count)
    assert (linear.layer.input_size, config.hidden_size, config.bias) == (3, 5, bias)
    assert names == ([] if function is None else [function])
    assert linear.layer.tensors["weight_ih_l0"].shape == (5, 3)


@pytest.mark.parametrize(
    "made", [node("MatMul", "x W", domain="own"), node("Mul", "x W"), node("MatMul", "x x"), node("MatMul", "x vector"),
             node("MatMul", "x none"), node("MatMul", "W W"), node("MatMul", "W x")],
)  # fmt: skip
def test_what_is_no_linear_layer(made: Any) -> None:
    assert found_in(made) == []


def test_the_flow_of_a_linear_layer() -> None:
    """Of a sequence it keeps time and sequences; of an input they have the sizes in its order, or names."""
    (linear,) = found_in(PRODUCT)
    below = linear.flow(flow("BTF"), ("T", "B", "F"), None)
    assert isinstance(below, Flow)
    assert (below.axes, below.parts, below.units, below.time, below.batch) == (("B", "T", "F"), (("m", 0),), 5, T, B)
    given = linear.flow("x", ("B", "T", "F"), (Size(2), Size(7), Size(3)))
    assert isinstance(given, Flow)
    assert (given.time, given.batch) == (Size(7), Size(2))
    for sizes in (None, (Size(2), Size(7))):
        bare = linear.flow("x", ("T", "B", "F"), sizes)
        assert isinstance(bare, Flow)
        assert (bare.time.axes, bare.batch.axes) == (("time steps of m",), ("sequences of m",))
    assert linear.flow(flow("TDBH"), ("T", "B", "F"), None) == "'m', which takes no sequence"


def test_what_is_left_to_the_host() -> None:
    """Weights and products of one position of matrices; an embedding has none; others by kind; what moves axes never."""
    stored = {"W": W, "K": np.ones((2, 3, 4), np.float32), "v": BIAS}
    nodes = [node("MatMul", "x W", "a", name="m"), node("Conv", "x K", "c"), node("Gather", "W x", "d", name="g"), node("MatMul", "x v", "e"),
             node("Softmax", "x", "s"), node("Softmax", "x", "t"), node("Relu", "x", "r"), node("Shape", "x", "n"), node("Concat", "x x", "o"),
             node("Gather", "x v", "q")]  # fmt: skip
    scope = scope_of(nodes, stored, {"x": [3]})
    left = on_the_host([scope], {id(scope.graph.node[0]): "m"})
    embedding = "Gather g: weights 3 x 5, 0 MACs a position"
    assert left == ("Conv c: weights 2 x 3 x 4, 24 MACs a position", embedding, "2 Softmax, 1 MatMul, 1 Relu")
    for count, last in ((12, "MatMul m: weights 3 x 5, 15 MACs a position"), (13, "1 more operators with weights")):
        many = scope_of([node("MatMul", "x W", f"y{number}", name="m") for number in range(count)], stored, {"x": [3]})
        named = on_the_host([many], {})
        assert (named[11], named[-1], len(named)) == ("MatMul m: weights 3 x 5, 15 MACs a position", last, count)
