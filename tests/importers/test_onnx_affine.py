"""Values of an ONNX graph as matrix times something and a bias, by hand: what operators make of them, and what is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_affine import Atom, Form, Forms
from tests.importers.onnx_scopes import node, scope_of

M = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
"""Of 2 inputs and 4 rows; MatMul takes it transposed."""
BIAS = np.array([10.0, 20.0, 30.0, 40.0])
STORED: dict[str, Any] = {
    "Mt": M.T, "M": M, "b": BIAS, "row": BIAS[None], "wide": np.stack([BIAS, BIAS]), "uneven": np.stack([BIAS, -BIAS]),
    "scalar": np.array(1.0), "whole": np.array([1, 2, 3, 4]), "cube": np.ones((1, 2, 4)), "ints": np.ones((2, 4), np.int64),
    "S": np.array([[0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]).T, "none": np.zeros((0, 4)),
    "zero": [0], "one": [1], "two": [2], "three": [3], "minus": [-1], "least": [-(2**63) + 1], "pair": [1, 3], "parts": [1, 2, 1],
    "bad": [1, 2], "empty": [0, 4], "half": np.array(0.5), "other": np.array([1.0, 2.0, 3.0, 4.0]),
    "E": np.eye(2), "edge": [-(2**31) + 1], "over": [-(2**31) + 2], "all": [9], "first": [1],
}  # fmt: skip
PRODUCT = node("MatMul", "x Mt", "p")
SUM = [PRODUCT, node("Add", "b p", "s")]
X = Atom("x")


def form(*nodes: Any, value: str = "y", sizes: tuple[int, ...] | None = (5, 3, 2)) -> Form:
    inputs, told = {"x": sizes, "z": sizes}, {} if sizes is None else {"s": (*sizes[:2], 4)}
    return Forms(scope_of(list(nodes), STORED, inputs, outputs=told)).form(value)


def terms(found: Form) -> dict[Atom, list[list[float]] | None]:
    return {atom: None if matrix is None else matrix.tolist() for atom, matrix in found.terms.items()}


def itself(found: Form, value: str = "y") -> bool:
    """Whether the value is no sum, but something itself."""
    return found.bias is None and terms(found) == {Atom(value): None}


def test_a_product_and_a_bias_in_any_order() -> None:
    for nodes in (
        [PRODUCT, node("Add", "p b")],
        [PRODUCT, node("Add", "row p")],
        [PRODUCT, node("Add", "wide p")],
        [node("Identity", "x", "i"), node("Cast", "i", "j", to=1), node("MatMul", "j Mt", "p"), node("Add", "p b")],
        [node("Gemm", "x Mt b")],
        [node("Gemm", "x M row", transB=1)],
    ):
        found = form(*nodes)
        assert terms(found) == {X: M.tolist()}
        assert found.bias is not None
        assert found.bias.tolist() == BIAS.tolist()
    for nodes in ([node("MatMul", "x Mt")], [node("Gemm", "x Mt")], [node("Gemm", "x Mt -")]):
        assert (terms(form(*nodes)), form(*nodes).bias) == ({X: M.tolist()}, None)


def test_sums_of_sums() -> None:
    """Matrices over one thing are added, and so are biases; over two things they stay apart."""
    found = form(*SUM, node("Add", "s s"))
    assert terms(found) == {X: (2 * M).tolist()}
    assert found.bias is not None
    assert found.bias.tolist() == (2 * BIAS).tolist()
    more = form(*SUM, node("Add", "s other")).bias
    assert more is not None
    assert more.tolist() == [11, 22, 33, 44]
    apart = form(*SUM, node("MatMul", "z Mt", "q"), node("Add", "q s"))
    assert terms(apart) == {Atom("z"): M.tolist(), X: M.tolist()}
    assert apart.bias is not None
    assert apart.bias.tolist() == BIAS.tolist()


def test_a_product_of_a_product() -> None:
    """S (2 rows) picks row 1, and twice row 0: of the matrix and of the bias."""
    found = form(*SUM, node("MatMul", "s S"))
    assert terms(found) == {X: [[3, 4], [2, 4]]}
    assert found.bias is not None
    assert found.bias.tolist() == [20, 20]


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", "x b")],
        [node("Add", "x z")],
        [node("Add", "x uneven")],
        [PRODUCT, node("Add", "p uneven")],
        [PRODUCT, node("Add", "p whole")],
        [PRODUCT, node("Add", "p scalar")],
        [PRODUCT, node("Add", "p none")],
        [node("MatMul", "x z")],
        [node("MatMul", "x cube")],
        [node("MatMul", "x ints")],
        [node("Gemm", "x Mt b", transA=1)],
        [node("Gemm", "x Mt b", alpha=0.5)],
        [node("Gemm", "x Mt b", beta=2.0)],
        [node("Gemm", "x Mt uneven")],
        [node("MatMul", "x Mt", domain="own")],
        [node("Gemm", "x cube b")],
        [node("Relu", "x")],
        [node("Dropout", "x", "a y")],
        [node("MatMul", "x Mt", "a y")],
        [node("Identity", "x", domain="own")],
        [node("Identity", "")],
    ],
)
def test_what_is_no_sum(nodes: list[Any]) -> None:
    assert itself(form(*nodes))


def rows(*chosen: int) -> tuple[dict[Atom, list[list[float]]], list[float]]:
    return {X: M[list(chosen)].tolist()}, BIAS[list(chosen)].tolist()


def cut(*nodes: Any, value: str = "y") -> tuple[Any, Any]:
    found = form(*SUM, *nodes, value=value)
    return terms(found), None if found.bias is None else found.bias.tolist()


def test_gates_are_split() -> None:
    """Into equal parts, into those of an attribute, or of an input; along the last axis of the features alone."""
    equal = node("Split", "s", "a y", axis=-1)
    assert (cut(equal, value="a"), cut(equal)) == (rows(0, 1), rows(2, 3))
    given = node("Split", "s parts", "a y c", axis=2)
    assert (cut(given, value="a"), cut(given), cut(given, value="c")) == (rows(0), rows(1, 2), rows(3))
    old = node("Split", "s", "a y", axis=-1, split=[3, 1])
    assert (cut(old, value="a"), cut(old)) == (rows(0, 1, 2), rows(3))
    assert cut(node("Split", "s -", "a y", axis=-1)) == rows(2, 3)
    for bad in (
        node("Split", "s bad", "a y", axis=-1),
        node("Split", "s empty", "a y", axis=-1),
        node("Split", "s", "a y"),
        node("Split", "s", "a y", axis=1),
        node("Split", "x", "a y", axis=-1),
        node("Split", "s", "a y", axis=-1, domain="own"),
    ):
        assert itself(form(*SUM, bad))
    assert itself(form(*SUM, node("Split", "s", "a y"), sizes=None)), "without an axis along the first one"


def test_gates_are_sliced() -> None:
    """Rows 1 and 2 of the features' axis, 2 or -1; steps of time along another axis are those of the atom."""
    assert cut(node("Slice", "s one three minus")) == rows(1, 2)
    assert cut(node("Slice", "s one three two")) == rows(1, 2)
    assert cut(node("Slice", "s", "y", starts=[0], ends=[1], axes=[-1])) == rows(0)
    step = cut(node("Slice", "s one two zero"))
    assert step == ({Atom("x", 0, 1): M.tolist()}, BIAS.tolist())
    assert itself(form(*SUM, node("Slice", "s one three zero"))), "two steps of time are no step"
    assert itself(form(*SUM, node("Slice", "s one three minus two"))), "every second row"
    assert itself(form(*SUM, node("Slice", "s one two zero two"))), "a step of 2"
    assert itself(form(*SUM, node("Slice", "s pair pair"))), "two axes"
    bare = form(node("Slice", "x one two two"))
    assert terms(bare) == {Atom("x", 2, 1): None}, "of what no matrix has touched the features are an axis, too"


def test_a_step_of_time_and_a_sequence_turned_round() -> None:
    """Step 1 of the axis read backwards is step -2 of it; turned twice it is as before."""
    turn = "minus least zero minus"
    turned = [node("Slice", f"x {turn}", "t")]
    assert terms(form(*turned, value="t")) == {Atom("x", 0, None, True): None}
    assert terms(form(*turned, node("Gather", "t first"))) == {Atom("x", 0, -2): None}
    assert terms(form(node("Gather", "x first", axis=1))) == {Atom("x", 1, 1): None}
    twice = [*turned, node("Slice", f"t {turn}", "u"), node("Gather", "u first")]
    assert terms(form(*twice)) == {Atom("x", 0, 1): None}
    assert terms(form(*twice, value="u")) == {Atom("x", 0, None): None}
    assert itself(form(*turned, node("Gather", "t first", axis=1))), "turned along another axis"
    assert itself(form(node("Gather", "x first", "g"), node("Gather", "g first"))), "a step of a step"
    assert itself(form(node("Gather", "x pair"))), "two steps"
    assert itself(form(node("Gather", "x half"))), "no whole number"
    assert terms(form(node("Slice", "x minus edge zero minus"))) == {Atom("x", 0, None, True): None}
    for almost in ("minus over zero minus", "minus three zero minus", "zero least zero minus", "minus least zero two"):
        assert itself(form(node("Slice", f"x {almost}")))


def test_the_last_axis_is_unknown_where_no_size_is_given() -> None:
    """Then any but the first is taken for that of the features."""
    nodes = [*SUM, node("Slice", "s one three one")]
    assert itself(form(*nodes))
    assert terms(form(*nodes, sizes=None)) == {X: M[1:3].tolist()}
    assert itself(form(*SUM, node("Slice", "s one three zero"), sizes=None))


def test_a_loop_and_a_long_chain_end() -> None:
    loop = [node("Add", "y b", "a"), node("MatMul", "a Mt", "y")]
    assert form(*loop).terms
    names = ["x", *(f"v{number}" for number in range(200))]
    chain = [node("Identity", one, other) for one, other in pairwise(names)]
    forms = Forms(scope_of(chain, STORED, {"x": (5, 3, 2)}))
    assert [forms.plain(f"v{number}") for number in (0, 99, 100)] == ["x", "x", "v0"]


def test_products_count_against_the_budget() -> None:
    """Put together with another one a matrix of 1 x 4 numbers counts once more; alone it does not."""
    nodes = [node("MatMul", "x Mt", "p"), node("MatMul", "p S")]
    stored = {"Mt": M.T, "S": STORED["S"][:, :1]}
    constants = (8 + 4) * 8
    made = 1 * 4 * 8
    for left, whole in ((constants + made, True), (constants + made - 1, False)):
        found = Forms(scope_of(nodes, stored, {"x": (5, 3, 2)}, left)).form("y")
        assert itself(found) is not whole
    with pytest.raises(Refused, match="its constants are larger than the file's size allows"):
        scope_of([], left=7).budget.take(8)


@pytest.mark.parametrize(
    ("kind", "inputs"), [("MatMul", "E"), ("Gemm", "E"), ("Add", "b"), ("Slice", "zero all minus"), ("Split", "")]
)
def test_sums_are_followed_so_far(kind: str, inputs: str) -> None:
    """The value itself and 100 operators below it; what is below them is a thing of its own."""
    steps = [node(kind, f"v{number} {inputs}", f"v{number + 1}", **({"axis": -1} if kind == "Split" else {}))
             for number in range(102)]  # fmt: skip
    scope = scope_of([node("MatMul", "x Mt", "v0"), *steps], STORED | {"E": np.eye(4)}, {"x": None})
    assert list(Forms(scope).form("v99").terms) == [X]
    assert list(Forms(scope).form("v100").terms) == [X]
    deep = Forms(scope).form("v101")
    assert X not in deep.terms
