"""Constants of an ONNX graph by hand: what moves them, what codes stand for, initial states, zeros, and what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_dequantize import dequantized
from archsim.importers.onnx.onnx_external import ExternalData
from archsim.importers.onnx.onnx_graph import Budget, attributes
from archsim.importers.onnx.onnx_states import States, initial_states, of_one_sequence
from archsim.importers.onnx.onnx_values import NotConstant, constant, is_zero, tensor_array
from tests.importers.onnx_scopes import node, scope_of
from tests.optional import need

A = np.arange(6, dtype=np.float32).reshape(2, 3)
STORED: dict[str, Any] = {
    "a": A, "zero": [0], "one": [1], "two": [2], "minus": [-1], "far": [2**31 - 1], "axes": [0, -1], "to": [3, -1], "keep": [0, 3, 1],
    "ones": np.ones((2, 1, 3), np.float32), "nought": np.zeros((4, 2), np.float32), "c": np.array([[1, 2], [3, 4], [5, 6]], np.int8),
    "s": np.float32(0.5), "z": np.int8(1), "z2": np.array([1, 0], np.int8), "s2": np.array([0.5, 2.0], np.float32), "empty": np.zeros(0, np.float32),
}  # fmt: skip


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (node("Identity", "a"), A),
        (node("Identity", "a", domain="ai.onnx"), A),
        (node("Concat", "a a", axis=1), np.concatenate([A, A], axis=1)),
        (node("Transpose", "a"), A.T),
        (node("Transpose", "ones", perm=[1, 0, 2]), np.ones((1, 2, 3))),
        (node("Squeeze", "ones one"), np.ones((2, 3))),
        (node("Squeeze", "ones"), np.ones((2, 3))),
        (node("Squeeze", "ones", axes=[1]), np.ones((2, 3))),
        (node("Unsqueeze", "a axes"), A[None, :, :, None]),
        (node("Unsqueeze", "a", axes=[1]), A[:, None]),
        (node("Slice", "a one two"), A[1:]),
        (node("Slice", "a one far minus"), A[:, 1:]),
        (node("Slice", "a zero far one two"), A[:, ::2]),
        (node("Slice", "a", starts=[0], ends=[1], axes=[1]), A[:, :1]),
        (node("Slice", "a", starts=[1], ends=[2]), A[1:]),
        (node("Reshape", "a to"), A.reshape(3, 2)),
        (node("Reshape", "ones keep"), np.ones((2, 3, 1))),
        (node("Cast", "a", to=7), A.astype(np.int64)),
        (node("Cast", "a", to=10), A.astype(np.float16)),
        (node("Constant", "", value_floats=[1.0, 2.0]), np.array([1, 2], np.float32)),
        (node("Constant", "", value_float=1.5), np.float32(1.5)),
        (node("Constant", "", value_int=7), np.int64(7)),
        (node("Constant", "", value_ints=[7, 8]), np.array([7, 8])),
        (node("DequantizeLinear", "c s z"), (STORED["c"].astype(np.float32) - 1) * 0.5),
        (node("DequantizeLinear", "c s"), STORED["c"] * np.float32(0.5)),
    ],
)
def test_operators_that_move_numbers(made: Any, expected: Any) -> None:
    found = constant(scope_of([made], STORED), "y")
    assert (found.tolist(), str(found.dtype)) == (np.asarray(expected).tolist(), str(np.asarray(expected).dtype).replace(
        "float64", "float32"))  # fmt: skip


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (node("Slice", "a one two zero minus"), "a Slice that goes backwards"),
        (node("Cast", "a", to=8), "a Cast to data type 8"),
        (node("Constant", ""), "a Constant holds no numbers"),
        (node("Constant", "", value_string="x"), "a Constant holds no numbers"),
        (node("Reshape", "ones keep", allowzero=1), "Reshape '' before its weights is not valid"),
        (node("Transpose", "a", perm=[0]), "Transpose '' before its weights is not valid"),
        (node("Relu", "a", name="r"), "computed by the graph (Relu 'r')"),
        (node("Identity", "a", domain="own"), "computed by the graph (Identity '')"),
        (node("Identity", "x"), "the graph's input 'x'"),
        (node("Identity", "none"), "'none', which nothing in the file defines"),
        (node("Identity", "a", "b y"), "computed by the graph (Identity '')"),
    ],
)
def test_what_is_no_constant(made: Any, said: str) -> None:
    with pytest.raises(Refused) as caught:
        constant(scope_of([made], STORED, {"x": [1]}), "y")
    assert str(caught.value) == said


def test_constants_are_followed_so_far_and_no_farther() -> None:
    """The constant behind 101 renamings is found, behind 102 it is not."""

    def chain(count: int) -> Any:
        nodes = [node("Identity", f"v{number}" if number else "a", f"v{number + 1}") for number in range(count)]
        return constant(scope_of(nodes, STORED), f"v{count}")

    assert chain(101).tolist() == A.tolist()
    with pytest.raises(NotConstant, match="more than 100 operators"):
        chain(102)


def test_a_tensors_numbers_by_type(tmp_path: Path) -> None:
    """Raw little-endian bytes, or fields of their own; bfloat16 is the upper half of a float32; sizes must agree."""
    onnx = need("onnx")
    external = ExternalData(tmp_path)
    make = onnx.helper.make_tensor
    for kind, raw, expected in (
        (1, b"\0\0\xc0\x3f", 1.5), (2, b"\xff", 255), (3, b"\xff", -1), (4, b"\xff\xff", 65535), (5, b"\xfe\xff", -2), (9, b"\1", True),
        (6, b"\xff\xff\xff\xff", -1), (7, b"\2" + bytes(7), 2), (10, b"\0\x3e", 1.5), (11, bytes(6) + b"\xf8\x3f", 1.5),
        (16, b"\xc0\x3f", 1.5),
    ):  # fmt: skip
        assert tensor_array(make("t", kind, [1], raw, raw=True), external).tolist() == [expected]
    typed = onnx.TensorProto(name="t", dims=[2], data_type=10, int32_data=[0x3E00, 0x4000])
    assert tensor_array(typed, external).tolist() == [1.5, 2.0]
    typed = onnx.TensorProto(name="t", dims=[2], data_type=16, int32_data=[0x3FC0, 0x4000])
    assert tensor_array(typed, external).tolist() == [1.5, 2.0]
    typed = onnx.TensorProto(name="t", dims=[2], data_type=3, int32_data=[-1, 127])
    assert tensor_array(typed, external).tolist() == [-1, 127]
    for field, kind in (("float_data", 1), ("int32_data", 6), ("int64_data", 7), ("double_data", 11)):
        typed = onnx.TensorProto(name="t", dims=[1, 2], data_type=kind, **{field: [1, -2]})
        assert tensor_array(typed, external).tolist() == [[1, -2]]
    for bad, said in (
        (onnx.TensorProto(name="t", dims=[3], data_type=1, float_data=[1, 2]), r"has shape \[3\], but 2 numbers"),
        (onnx.TensorProto(name="t", dims=[1], data_type=1, raw_data=bytes(5)), r"has shape \[1\], but 1 numbers"),
        (onnx.TensorProto(name="t", dims=[1], data_type=8), "has data type 8, expected a float or integer type"),
        (onnx.TensorProto(name="t", dims=[1] * 9, data_type=1, float_data=[1]), "has an impossible shape"),
        (onnx.TensorProto(name="t", dims=[-1], data_type=1), "has an impossible shape"),
    ):
        with pytest.raises(Refused, match=said):
            tensor_array(bad, external)
    assert tensor_array(onnx.TensorProto(dims=[1] * 8, data_type=1, float_data=[1]), external).ndim == 8
    assert tensor_array(onnx.TensorProto(dims=[0], data_type=1), external).shape == (0,)


def codes(scale: Any, zero: Any = None, codes: Any = STORED["c"], left: int = 1000, **attrs: Any) -> Any:
    given = None if zero is None else np.asarray(zero)
    return dequantized(Budget(left, ExternalData(Path())), attrs, codes, np.asarray(scale), given).tolist()


def test_scales_along_an_axis() -> None:
    """By default along axis 1, the columns; -2 and 0 are the rows; one scale is for all, in a list or not."""
    two, three = np.array([0.5, 2.0], np.float32), np.array([1.0, 2.0, 3.0], np.float32)
    assert codes(two, [1, 0]) == [[0, 4], [1, 8], [2, 12]]
    assert codes(three, axis=0) == codes(three, axis=-2) == [[1, 2], [6, 8], [15, 18]]
    assert codes(two, axis=-1) == [[0.5, 4], [1.5, 8], [2.5, 12]]
    assert codes(np.float32(0.5)) == codes(np.array([0.5], np.float32)) == [[0.5, 1], [1.5, 2], [2.5, 3]]
    assert codes(np.float32(1), np.int8(3)) == [[-2, -1], [0, 1], [2, 3]]
    assert codes(np.float32(1), np.uint8(255), np.array([0], np.uint8)) == [-255]


@pytest.mark.parametrize(
    ("scale", "more", "said"),
    [
        ([0.5, 2.0], {"axis": 2}, "along axis 2 of codes with 2 dimensions"),
        ([0.5, 2.0], {"axis": -3}, "along axis -3 of codes with 2 dimensions"),
        ([0.5, 2.0], {"axis": 0}, "with 2 scales for 3 parts"),
        ([0.5, 2.0], {"axis": 1.0}, "whose axis is no number"),
        ([[0.5, 2.0]], {}, "with 2 scales for 2 parts"),
        ([[0.5]], {}, "whose scale is no number or list"),
        ([1, 2], {}, "of something else than integers with a real scale"),
        ([0.5, 2.0], {"codes": np.ones((3, 2))}, "of something else than integers with a real scale"),
        ([0.5, 2.0], {"zero": [1]}, "whose zero points do not match its scales"),
        ([0.5, 2.0], {"zero": [1.0, 0.0]}, "whose zero points do not match its scales"),
        ([0.5, 2.0], {"block_size": 2}, r"with blocks \(block_size\), which is not read"),
    ],
)
def test_codes_that_are_refused(scale: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        codes(scale, **more)


def test_codes_count_16_bytes_each() -> None:
    assert codes(np.float32(1), left=6 * 16)
    with pytest.raises(Refused, match="larger than the file's size allows"):
        codes(np.float32(1), left=6 * 16 - 1)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (node("Identity", "nought"), True), (node("Identity", "a"), False), (node("Expand", "nought x"), True),
        (node("Expand", "a x"), False), (node("Tile", "nought x"), True), (node("ConstantOfShape", "x"), True),
        (node("Concat", "nought nought", axis=0), True), (node("Concat", "nought a", axis=0), False),
        (node("Concat", "a nought", axis=0), False), (node("Slice", "nought x x"), True), (node("Relu", "nought"), False),
        (node("Identity", "x"), False), (node("Identity", "nought", domain="own"), False), (node("Identity", "nought", "b y"), False),
        (node("Constant", "", value_floats=[0.0, 0.0]), True), (node("Constant", "", value_floats=[0.0, 1.0]), False),
        (node("Expand", ""), False),
    ],
)  # fmt: skip
def test_what_is_zero_whatever_its_shape(made: Any, expected: bool) -> None:
    assert is_zero(scope_of([made], STORED, {"x": [1]}), "y") is expected


def test_a_filled_constant_is_zero_if_its_value_is() -> None:
    onnx = need("onnx")
    for value, expected in ((0.0, True), (1.0, False)):
        fill = onnx.helper.make_tensor("v", 1, [1], [value])
        assert is_zero(scope_of([node("ConstantOfShape", "x", value=fill)], STORED, {"x": [1]}), "y") is expected


H = 2


def states(h: Any = None, c: Any = None, nodes: Any = (), directions: int = 1, layout: int = 0) -> States:
    stored = {name: np.asarray(array, np.float32) for name, array in (("h", h), ("c", c)) if array is not None}
    scope = scope_of(list(nodes), STORED | stored, {"x": [1]})
    keys = {"h": "initial_h", "c": "initial_c"} | {"hy": "initial_h", "cy": "initial_c"}
    there = {keys[name]: name for name in ("h", "c", "hy", "cy") if name in stored or name in scope.producers}
    return initial_states(scope, there, (directions, H), layout)


def filled(*shape: int) -> np.ndarray:
    return np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)


def test_states_of_an_operator() -> None:
    """(directions, B, H); with layout 1 the file has the batch first; zeros are none."""
    found = states(filled(1, 3, H), filled(1, 3, H) * 2)
    assert {name: state.tolist() for name, state in found.given.items()} == {
        "initial_h": [[[1, 2], [3, 4], [5, 6]]],
        "initial_c": [[[2, 4], [6, 8], [10, 12]]],
    }
    assert (found.any_batch, found.notes) == (False, ())
    turned = states(filled(3, 2, H), directions=2, layout=1).given["initial_h"]
    assert turned.tolist() == [[[1, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]]
    assert states(np.zeros((1, 3, H))).given == {}
    assert list(states(np.zeros((1, 3, H)), filled(1, 3, H)).given) == ["initial_c"]


@pytest.mark.parametrize(
    ("h", "c", "said"),
    [
        (filled(1, 3, H), filled(1, 2, H), "its initial_h and initial_c have different shapes"),
        (filled(2, 3, H), None, r"its initial_h is for 2 directions of 2 units, expected \(1, 2\)"),
        (filled(1, 3, H + 1), None, r"its initial_h is for 1 directions of 3 units, expected \(1, 2\)"),
        (filled(3, H), None, r"its initial_h has shape \[3, 2\], expected three dimensions of floats"),
        (None, np.zeros((1, 3, 5)), "its initial_c is for 5 units, its R for 2; if it was an LSTM with proj_size"),
    ],
)
def test_states_that_are_refused(h: Any, c: Any, said: str) -> None:
    with pytest.raises(Refused, match=said):
        states(h, c)


def test_a_state_that_is_repeated_is_that_of_one_sequence() -> None:
    """Behind an Expand or Tile; of one axis it is that of each direction; beside a batch of 3 it is spread to 3."""
    for kind in ("Expand", "Tile"):
        found = states(filled(1, 1, H), nodes=[node(kind, "h x", "hy")])
        assert (found.given["initial_h"].tolist(), found.any_batch) == ([[[1, 2]]], True)
    both = states(filled(H), nodes=[node("Expand", "h x", "hy")], directions=2)
    assert (both.given["initial_h"].tolist(), both.any_batch) == ([[[1, 2]], [[1, 2]]], True)
    mixed = states(filled(1, 1, H), filled(1, 3, H), [node("Expand", "h x", "hy")])
    assert mixed.given["initial_h"].tolist() == [[[1, 2]] * 3]
    assert not mixed.any_batch
    several = states(filled(1, 3, H), nodes=[node("Expand", "h x", "hy")])
    assert (several.given["initial_h"].shape, several.any_batch) == ((1, 3, H), False)
    wide = states(filled(1, 1, 1, H), nodes=[node("Expand", "h x", "hy")])
    assert wide.notes == (
        "initial_h is computed by the graph (an Expand of shape [1, 1, 1, 2]): the workload starts at 0",
    )
    other = states(filled(1, 1, H + 1), nodes=[node("Expand", "h x", "hy")])
    assert other.notes[0].startswith("initial_h is computed by the graph (an Expand of shape [1, 1, 3])")


def test_what_lies_behind_a_repeated_constant() -> None:
    """Moved on by operators that only move; joined of several; not computed, and not a second output."""

    def behind(*nodes: Any) -> list[Any]:
        found: list[Any] = of_one_sequence(scope_of(list(nodes), STORED, {"x": [1]}), "y").tolist()
        return found

    expand = node("Expand", "a x", "e")
    assert behind(expand, node("Transpose", "e")) == A.T.tolist()
    assert behind(expand, node("Slice", "e one far minus")) == A[:, 1:].tolist()
    assert behind(expand, node("Concat", "e a", axis=0)) == [*A.tolist(), *A.tolist()]
    for wrong in (
        node("Relu", "e"),
        node("Expand", "e x", "y", domain="own"),
        node("Tile", "e x", "b y"),
        node("Slice", "e x x"),
    ):
        with pytest.raises(NotConstant):
            behind(expand, wrong)


def test_attributes_by_their_kinds() -> None:
    onnx = need("onnx")
    made = node("X", "a", f=1.5, i=2, s="t", floats=[1.5], ints=[1, 2], texts=["u"])
    assert attributes(made) == {"f": 1.5, "i": 2, "s": b"t", "floats": [1.5], "ints": [1, 2], "texts": [b"u"]}
    sparse = onnx.AttributeProto(name="q", type=onnx.AttributeProto.SPARSE_TENSOR)
    with pytest.raises(Refused, match="its attribute 'q' has a type that is not supported"):
        attributes(onnx.NodeProto(op_type="X", attribute=[sparse]))
