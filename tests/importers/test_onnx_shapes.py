"""Sizes of an ONNX graph's values by hand: products with named axes, what a -1 stands for, and what operators move."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_shapes import (
    Cut,
    Shapes,
    Size,
    Sizes,
    cuts_of,
    declared,
    filled,
    forced,
    permutation,
    product,
)
from tests.importers.onnx_scopes import node, scope_of

T, B, ONE = Size(1, ("T",)), Size(1, ("B",)), Size(1)
REST = Size(-1)


def shape(nodes: list[Any], value: str = "y", **more: Any) -> Sizes | None:
    return Shapes(lambda _scope, _value, _depth: None).shape(scope_of(nodes, **more), value)


def vector(nodes: list[Any], value: str = "y", **more: Any) -> Sizes | None:
    return Shapes(lambda _scope, _value, _depth: None).vector(scope_of(nodes, **more), value)


def sizes(*given: int | str) -> Sizes:
    return tuple(Size(1, (one,)) if isinstance(one, str) else Size(one) for one in given)


def test_products_and_what_is_left_of_them() -> None:
    """6 T B: without 3 B it is 2 T, without 4 or without a second T it is no whole size."""
    whole = product((Size(2), T, Size(3), B))
    assert whole == Size(6, ("B", "T")) == Size(2, ("T",)).times(Size(3, ("B",)))
    assert whole.divided(Size(3, ("B",))) == Size(2, ("T",))
    assert whole.divided(Size(6, ("B", "T"))) == ONE
    assert [whole.divided(Size(count, axes)) for count, axes in ((4, ()), (0, ()), (1, ("T", "T")), (1, ("C",)))] == [
        None
    ] * 4
    assert product(()) == ONE


def test_a_named_axis_gets_a_number() -> None:
    """As often as it stands in the product: 3 T T B with 5 for T is 75 B."""
    assert Size(3, ("T", "T", "B")).bound("T", 5) == Size(75, ("B",))
    assert Size(3, ("B",)).bound("T", 5) == Size(3, ("B",))


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ((T, Size(8)), (T, Size(2), Size(4)), (T, Size(8))),
        ((T, Size(7)), (T, Size(2), Size(4)), None),
        ((T, REST), (T, Size(2), Size(4)), (T, Size(8))),
        ((REST, Size(4)), (T, B, Size(4)), (Size(1, ("B", "T")), Size(4))),
        ((REST, REST), (T, Size(4)), None),
        ((REST, Size(3)), (T, Size(4)), None),
        ((REST, T), (Size(4), B), None),
    ],
)
def test_what_a_minus_1_stands_for(new: Sizes, old: Sizes, expected: Sizes | None) -> None:
    assert filled(new, old) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Size(8, ("T",)), Size(40), ("T", 5)),
        (Size(8, ("B", "T")), Size(40, ("B",)), ("T", 5)),
        (Size(8, ("T",)), Size(8), ("T", 1)),
        (Size(8, ("T",)), Size(41), None),
        (Size(8, ("T",)), Size(4), None),
        (Size(8, ("T",)), Size(0), None),
        (Size(0, ("T",)), Size(8), None),
        (Size(1, ("T",)), Size(1), ("T", 1)),
        (Size(8, ("B", "T")), Size(40), None),
        (Size(8, ("T", "T")), Size(32), None),
        (Size(8), Size(8), None),
        (Size(8, ("T",)), Size(40, ("B",)), None),
    ],
)
def test_the_only_size_with_which_both_are_equally_many(old: Size, new: Size, expected: tuple[str, int] | None) -> None:
    assert forced(old, new) == expected


GIVEN: dict[str, Any] = {"inputs": {"x": ["T", 1, 4]}}


@pytest.mark.parametrize(
    ("made", "stored", "expected"),
    [
        (node("Identity", "x"), {}, ("T", 1, 4)),
        (node("Cast", "x", to=1), {}, ("T", 1, 4)),
        (node("Dropout", "x"), {}, ("T", 1, 4)),
        (node("Transpose", "x"), {}, (4, 1, "T")),
        (node("Transpose", "x", perm=[2, 0, 1]), {}, (4, "T", 1)),
        (node("Transpose", "x", perm=[0, 1]), {}, None),
        (node("Squeeze", "x a"), {"a": [1]}, ("T", 4)),
        (node("Squeeze", "x", axes=[-2]), {}, ("T", 4)),
        (node("Squeeze", "x"), {}, None),
        (node("Squeeze", "x a"), {"a": [3]}, None),
        (node("Unsqueeze", "x a"), {"a": [0, -1]}, (1, "T", 1, 4, 1)),
        (node("Unsqueeze", "x", axes=[2]), {}, ("T", 1, 1, 4)),
        (node("Unsqueeze", "x a"), {"a": [4]}, None),
        (node("Relu", "x"), {}, None),
    ],
)  # fmt: skip
def test_operators_that_move_axes(made: Any, stored: dict[str, Any], expected: tuple[int | str, ...] | None) -> None:
    assert shape([made], stored=stored, **GIVEN) == (None if expected is None else sizes(*expected))


def test_a_chain_and_what_the_file_declares() -> None:
    """A second output, another domain's operator, and what no operator tells, has the sizes that the file gives."""
    chain = [node("Transpose", "x", "a", perm=[1, 0, 2]), node("Identity", "a", "y")]
    assert shape(chain, **GIVEN) == sizes(1, "T", 4)
    assert shape([node("Relu", "x")], outputs={"y": [2, "N"]}, **GIVEN) == sizes(2, "N")
    assert shape([node("Identity", "x", domain="own")], outputs={"y": [2]}, **GIVEN) == sizes(2)
    assert shape([node("Dropout", "x", "a y")], outputs={"y": [2]}, **GIVEN) == sizes(2)
    assert shape([node("Identity", "x", domain="ai.onnx")], outputs={"y": [2]}, **GIVEN) == sizes("T", 1, 4)
    assert shape([], "w", stored={"w": [[1.0, 2.0]]}) == sizes(1, 2)
    assert shape([], "none") is None
    loop = [node("Identity", "y", "a"), node("Identity", "a", "y")]
    assert shape(loop) is None


def test_sizes_are_followed_through_so_many_operators() -> None:
    """x behind 100 of them has sizes, behind 101 none."""
    chain = [node("Identity", f"v{number}" if number else "x", f"v{number + 1}") for number in range(101)]
    assert shape(chain, "v100", **GIVEN) == sizes("T", 1, 4)
    assert shape(chain, "v101", **GIVEN) is None


def test_declared_sizes() -> None:
    """An axis without number or name has one of its own, by its place; at most 17 are looked at."""
    scope = scope_of([], inputs={"x": [3, None, "N"], "z": None, "long": [1] * 20})  # type: ignore[list-item]
    assert declared(scope, "x") == (Size(3), Size(1, ("x[1]",)), Size(1, ("N",)))
    assert declared(scope, "z") is None
    assert declared(scope, "none") is None
    assert declared(scope, "long") == sizes(*[1] * 17)
    assert declared(scope_of([], inputs={"x": [0, -1]}), "x") is None
    assert declared(scope_of([], inputs={"x": [0]}), "x") == (Size(0),)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (node("Shape", "x"), ("T", 1, 4)),
        (node("Shape", "x", start=1), (1, 4)),
        (node("Shape", "x", start=-2, end=-1), (1,)),
        (node("Shape", "x", "y", end=2), ("T", 1)),
        (node("Shape", "x", domain="own"), None),
        (node("Gather", "s i"), (4, "T")),
        (node("Slice", "s one two"), (1,)),
        (node("Slice", "s zero two"), ("T", 1)),
        (node("Slice", "s zero two minus"), ("T", 1)),
        (node("Slice", "s zero two one"), None),
        (node("Slice", "s zero two zero two"), None),
        (node("Concat", "s two", axis=0), ("T", 1, 4, 2)),
        (node("Mul", "s three"), None),
        (node("Mul", "two two"), (4,)),
        (node("Cast", "s", to=7), ("T", 1, 4)),
        (node("Reshape", "s i"), ("T", 1, 4)),
        (node("Squeeze", "s"), ("T", 1, 4)),
        (node("Unsqueeze", "s i"), ("T", 1, 4)),
        (node("Add", "s s"), None),
        (node("Gather", "s far"), None),
        (node("Concat", "s none", axis=0), None),
        (node("Concat", "s s s s s two", axis=0), ("T", 1, 4) * 5 + (2,)),
        (node("Concat", "s s s s s two two", axis=0), None),
    ],
)
def test_shapes_that_a_graph_computes(made: Any, expected: tuple[int | str, ...] | None) -> None:
    """A vector of at most 16 elements, from the shape s of x; a Reshape to one element or a vector of it is the same."""
    stored = {"i": [2, 0], "zero": [0], "one": [1], "two": [2], "three": [3, 3], "minus": [-1], "far": [3]}
    found = vector([node("Shape", "x", "s"), made], stored=stored, **GIVEN)
    assert found == (None if expected is None else sizes(*expected))


def test_products_of_shapes_are_of_each_element() -> None:
    made = [node("Shape", "x", "s"), node("Mul", "s three")]
    assert vector(made, stored={"three": [3, 2, 5]}, **GIVEN) == (Size(3, ("T",)), Size(2), Size(20))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([2, -1], (2, -1)), ([1] * 16, (1,) * 16), ([1] * 17, None), ([1.0], None), (3, (3,))],
)
def test_constant_vectors(numbers: Any, expected: tuple[int, ...] | None) -> None:
    assert vector([], "v", stored={"v": numbers}) == (None if expected is None else sizes(*expected))


def test_the_parts_that_a_slice_takes() -> None:
    """Inputs before attributes; axes are 0, 1, ... and steps 1 where they are left out."""
    stored = {"s": [1, 2], "e": [3, 4], "a": [2, 0], "k": [-1, 5]}
    scope = scope_of([], stored)
    assert cuts_of(scope, node("Slice", "x s e a k")) == [Cut(2, 1, 3, -1), Cut(0, 2, 4, 5)]
    assert cuts_of(scope, node("Slice", "x s e")) == [Cut(0, 1, 3, 1), Cut(1, 2, 4, 1)]
    assert cuts_of(scope, node("Slice", "x s e - k")) == [Cut(0, 1, 3, -1), Cut(1, 2, 4, 5)]
    old = node("Slice", "x", starts=[1], ends=[9], axes=[2])
    assert cuts_of(scope, old) == [Cut(2, 1, 9, 1)]
    assert cuts_of(scope, node("Slice", "x", starts=[1, 0], ends=[9, 8])) == [Cut(0, 1, 9, 1), Cut(1, 0, 8, 1)]
    assert permutation(node("Transpose", "x", perm=[1, 0]), 2) == [1, 0]
    assert permutation(node("Transpose", "x"), 3) == [2, 1, 0]
    assert permutation(node("Transpose", "x", perm=[1, 1]), 2) is None


def flow(axes: str, directions: int = 2, units: int = 4) -> Flow:
    return Flow(tuple(axes), tuple(("l", place) for place in range(directions)), units, T, B)


def test_sizes_of_a_flow() -> None:
    """Of two directions of 4 units: D is 2, H 4, F 8."""
    assert flow("TDBH1").sizes == (T, Size(2), B, Size(4), ONE)
    assert flow("BTF").sizes == (B, T, Size(8))
    assert flow("TBF", 3).with_parts((("l", 2),)).sizes == (T, B, Size(4))
    assert flow("TDBH").with_axes(("T", "B", "H")).axes == ("T", "B", "F")
    assert flow("TDBH").with_axes(("B", "T", "D", "H")).axes == ("B", "T", "D", "H")
    bound = flow("TBF").bound("T", 5)
    assert (bound.time, bound.batch) == (Size(5), B)
    assert flow("TBF").bound("B", 3).sizes == (T, Size(3), Size(8))


@pytest.mark.parametrize(
    ("axes", "directions", "places", "expected"),
    [
        ("TDBH", 1, {1}, "TBF"),
        ("TDBH", 2, {1}, None),
        ("T1BF", 2, {1}, "TBF"),
        ("1TDBH1", 1, {0, 2, 5}, "TBF"),
        ("T1BF", 1, {0}, None),
        ("T1BF", 1, {0, 1}, None),
    ],
)
def test_axes_of_size_1_may_go(axes: str, directions: int, places: set[int], expected: str | None) -> None:
    found = flow(axes, directions).dropped(places)
    assert (None if found is None else "".join(found.axes)) == expected


@pytest.mark.parametrize(
    ("axes", "directions", "new", "expected"),
    [
        ("TBDH", 2, ("T", "B", 8), "TBF"),
        ("TBF", 2, ("T", "B", 2, 4), "TBDH"),
        ("TBF", 2, ("T", "B", 4, 2), None),
        ("TDBH", 2, ("T", "B", 8), None),
        ("TDBH", 1, ("T", "B", 4), "TBF"),
        ("TBF", 2, (1, "T", "B", 1, 8), "1TB1F"),
        ("1TBF", 2, ("T", "B", 8), "TBF"),
        ("TBF", 2, ("T", "B", 8, 1), "TBF1"),
        ("TBF", 2, ("T", "B", 7), None),
        ("TBF", 2, ("B", "T", 8), None),
        ("TBF", 2, ("T", "B"), None),
        ("TB", 2, ("T", "B", 8), None),
        ("TBDH", 2, ("T", "B", 2, 4), "TBDH"),
        ("TBHD", 2, ("T", "B", 8), None),
        ("DHTB", 2, (8, "T", "B"), "FTB"),
        ("FTB", 2, (2, 4, "T", "B"), "DHTB"),
        ("TBDH", 2, ("T", "B", 7), None),
        ("TBDH", 2, ("T", "B"), None),
        ("BT", 2, ("B", 2, 4), None),
        ("TBF", 1, ("B", 4), None),
        ("TBDH", 2, ("T", "B", 4), None),
    ],
)
def test_what_a_reshape_keeps_apart(
    axes: str, directions: int, new: tuple[int | str, ...], expected: str | None
) -> None:
    """Time, sequences and units stay themselves; D and H become F and back, axes of size 1 come and go."""
    found = flow(axes, directions).reshaped(sizes(*new))
    assert (None if found is None else "".join(found.axes)) == expected
