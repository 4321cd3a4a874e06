"""Cells that a graph writes out, on graphs of one to three steps by hand: weights, order, states, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pytest

from archsim.importers.found import FoundLayer, Refused
from archsim.importers.onnx.onnx_affine import Atom, Forms
from archsim.importers.onnx.onnx_step import Step
from archsim.importers.onnx.onnx_unrolled import Written, _direction, _order, _states, written_out
from archsim.workload.network import CellKind
from tests.importers.onnx_scopes import node, scope_of

I, H = 3, 2
W = np.arange(24, dtype=np.float32).reshape(8, I)
R = np.arange(16, dtype=np.float32).reshape(8, H) + 100
BIAS = np.arange(8, dtype=np.float32) + 200
WEIGHTS: dict[str, Any] = {"W": W.T, "R": R.T, "b": BIAS, "V": 2 * W.T, "S": 2 * R.T, "d": 2 * BIAS}
WEIGHTS |= {str(number): number for number in range(-4, 5)}


def lstm(number: int, x: str, h: str, c: str, w: str = "W", r: str = "R", b: str = "b", tag: str = "") -> list[Any]:
    """A step that makes h1 and c1 (of step 1); h "" leaves its product out, c "" what it keeps."""
    own = f"{tag}{number}"
    made = [node("MatMul", f"{x} {w}", f"wx{own}"), node("Add", f"wx{own} {b}", f"wb{own}")]
    if h:
        made += [node("MatMul", f"{h} {r}", f"rh{own}"), node("Add", f"wb{own} rh{own}", f"z{own}")]
    else:
        made.append(node("Identity", f"wb{own}", f"z{own}"))
    made.append(node("Split", f"z{own}", f"zi{own} zf{own} zg{own} zo{own}", axis=-1))
    made += [node("Tanh" if gate == "g" else "Sigmoid", f"z{gate}{own}", f"{gate}{own}") for gate in "ifgo"]
    made += [
        node("Mul", f"f{own} {c}", f"kept{own}"),
        node("Mul", f"i{own} g{own}", f"new{own}"),
        node("Add", f"kept{own} new{own}", f"c{own}"),
        node("Tanh", f"c{own}", f"squashed{own}"),
        node("Mul", f"o{own} squashed{own}", f"h{own}", name=f"enc{tag}/cell/Mul"),
    ]
    return made


def unrolled(places: Sequence[int], first: tuple[str, str] = ("h", "c"), axis: int = 0, x: str = "X") -> list[Any]:
    """Steps over these places of x."""
    nodes: list[Any] = []
    for number, place in enumerate(places):
        before = (f"h{number - 1}", f"c{number - 1}") if number else first
        nodes += [node("Gather", f"{x} {place}", f"x{number}", axis=axis), *lstm(number, f"x{number}", *before)]
    return nodes


ZEROS = {"h": np.zeros((1, H), np.float32), "c": np.zeros((1, H), np.float32)}


def read(nodes: list[Any], **stored: Any) -> Written:
    scope = scope_of(nodes, WEIGHTS | ZEROS | stored, {"X": [5, 4, I], "u": [4, H], "v": [4, I], "p": [4, H]})
    return written_out([scope])


def only(nodes: list[Any], **stored: Any) -> FoundLayer:
    found = read(nodes, **stored)
    assert found.unsupported == ()
    (layer,) = found.layers
    return layer


def reason(nodes: list[Any], **stored: Any) -> str:
    found = read(nodes, **stored)
    (entry,) = found.unsupported
    return entry.reason.partition("elementary operators: ")[2].partition("; ")[0]


def test_three_steps_are_a_layer() -> None:
    layer = only(unrolled([0, 1, 2]))
    assert (layer.name, str(layer), layer.config.reverse, layer.batch_first) == ("enc/cell", "LSTM(3, 2)", False, False)
    assert layer.tensors["weight_ih_l0"].tolist() == W.tolist()
    assert layer.tensors["weight_hh_l0"].tolist() == R.tolist()
    assert layer.tensors["bias_ih_l0"].tolist() == BIAS.tolist()
    assert not layer.tensors["bias_hh_l0"].any()
    assert (layer.h_0, layer.c_0, layer.any_batch, layer.input_from) == (None, None, False, "the value 'X'")
    assert layer.notes == ("written out in 3 steps of elementary operators, read as one layer",)
    assert not layer.turns_input


@pytest.mark.parametrize(
    ("places", "reverse"),
    [
        ([0, 1], False), ([0, 1, 2, 3], False), ([2, 1, 0], True), ([-1, -2, -3], True), ([1, 0], True), ([-1, -2], True),
        ([1, 2, 3], None), ([3, 2, 1], None), ([0, 2, 4], None), ([0, 2, 1], None), ([-2, -3], None), ([0, -1], None),
        ([-1, 0], None), ([0, 1, 1], None),
    ],
)  # fmt: skip
def test_the_order_of_the_steps(places: list[int], reverse: bool | None) -> None:
    """From the first step on, or from the last one, which is called -1 or whose order ends at 0."""
    atoms = [Atom("X", 0, place) for place in places]
    if reverse is None:
        with pytest.raises(Refused, match="its steps do not take the time steps of its input in order"):
            _order(atoms)
    else:
        assert _order(atoms) == (-1 if reverse else 1, "the value 'X'")


def test_steps_of_other_inputs() -> None:
    assert _order([Atom("a"), Atom("b")]) == (1, "values that the graph computes for each step")
    assert _order([Atom("a", 0, 0), Atom("b", 0, 1)])[0] == 1
    assert _order([Atom("a", 0, 0), Atom("a", 1, 1)])[1] == "values that the graph computes for each step"
    assert _order([Atom("a", 0, 3)]) == (1, "the value 'a'")
    for twice in ([Atom("a"), Atom("a")], [Atom("a"), Atom("b"), Atom("a")]):
        with pytest.raises(Refused, match="two of its steps have the same input"):
            _order(twice)


def test_time_along_the_second_axis_is_batch_first_and_reverse_is_read() -> None:
    assert only(unrolled([0, 1], axis=1)).batch_first
    assert only(unrolled([1, 0])).config.reverse
    turned = [node("Transpose", "X", "Xt", perm=[1, 0, 2]), *unrolled([0, 1], x="Xt")]
    assert only(turned).turns_input
    other = [node("Transpose", "X", "Xt", perm=[0, 2, 1]), *unrolled([0, 1], x="Xt")]
    assert not only(other).turns_input


def test_steps_with_other_weights_are_no_layer() -> None:
    """Each of W, R and b of the second or of the last step is twice the others."""
    gathered = [node("Gather", f"X {place}", f"x{place}") for place in range(3)]
    for changed in ({"w": "V"}, {"r": "S"}, {"b": "d"}):
        steps = [lstm(0, "x0", "h", "c"), lstm(1, "x1", "h0", "c0"), lstm(2, "x2", "h1", "c1", **changed)]
        assert reason([*gathered, *chain(*steps)]) == "its steps have different weights"
        steps = [lstm(0, "x0", "h", "c", **changed), lstm(1, "x1", "h0", "c0"), lstm(2, "x2", "h1", "c1")]
        assert reason([*gathered, *chain(*steps)]) == "its first step has other weights than the next"


def test_a_first_step_may_leave_out_a_state_of_zeros() -> None:
    """Its product with h is gone; other weights of x are others still."""
    gathered = [node("Gather", f"X {place}", f"x{place}") for place in range(2)]
    assert only([*gathered, *lstm(0, "x0", "", "c"), *lstm(1, "x1", "h0", "c0")]).h_0 is None
    steps = [*lstm(0, "x0", "", "c", w="V"), *lstm(1, "x1", "h0", "c0")]
    assert reason([*gathered, *steps]) == "its first step has other weights than the next"


def test_constant_states() -> None:
    """One sequence's is that of all; of three it is spread beside theirs; 2 and 3 do not go together."""
    one, three = np.full((1, 1, H), 5, np.float32), np.full((3, H), 6, np.float32)
    layer = only(unrolled([0, 1]), h=one, c=one)
    assert layer.h_0 is not None
    assert (layer.h_0.tolist(), layer.any_batch) == ([[[5, 5]]], True)
    layer = only(unrolled([0, 1]), h=one, c=three)
    assert layer.h_0 is not None
    assert layer.c_0 is not None
    assert (layer.h_0.shape, layer.c_0.shape, layer.any_batch) == ((1, 3, H), (1, 3, H), False)
    layer = only(unrolled([0, 1]), c=three)
    assert (layer.h_0, layer.any_batch) == (None, False)
    assert (
        reason(unrolled([0, 1]), h=np.ones((2, H), np.float32), c=three) == "its initial states have different shapes"
    )


def test_states_that_only_a_run_knows_are_noted() -> None:
    layer = only(unrolled([0, 1], ("u", "c")))
    assert layer.notes[0] == "the initial h is the graph's input 'u': the workload starts at 0"
    assert (len(layer.notes), layer.h_0) == (2, None)
    layer = only(unrolled([0, 1]), c=np.ones((1, H + 1), np.float32))
    assert layer.notes[0] == "the initial c is of another size: the workload starts at 0"
    layer = only(unrolled([0, 1]), c=np.ones((1, H), np.int64))
    assert layer.notes[0] == "the initial c is of another size: the workload starts at 0"


def test_a_single_step_tells_x_from_h_by_their_sizes() -> None:
    """R fits what has 2 numbers; where x has 2 as well nothing says which is which."""
    layer = only(lstm(0, "v", "u", "p"))
    assert (layer.input_size, layer.input_from) == (I, "the value 'v'")
    assert layer.notes[-1] == "written out in 1 steps of elementary operators, read as one layer"
    assert reason(lstm(0, "p", "u", "c", w="S")) == "a single step does not tell x from h"
    assert reason(lstm(0, "v", "", "c")) == "a single step is not over one x and one h"


def test_two_cells_of_one_graph() -> None:
    """The second takes the first's h, step by step, and is numbered."""
    nodes = unrolled([0, 1])
    wide = {"A": np.ones((H, 8), np.float32), "Q": 3 * R.T}
    for number in range(2):
        before = (f"ht{number - 1}", f"ct{number - 1}") if number else ("h", "c")
        nodes += lstm(number, f"h{number}", *before, w="A", r="Q", tag="t")
    found = read(nodes, **wide)
    names = [(layer.name, layer.fed_by, layer.input_from) for layer in found.layers]
    assert found.unsupported == ()
    assert names == [
        ("enc/cell", (), "the value 'X'"),
        ("enct/cell (2)", ("enc/cell",), "the output of enc/cell"),
    ]


def rnn(number: int, x: str, h: str, function: str = "Tanh") -> list[Any]:
    return [
        node("MatMul", f"{x} Wr", f"wx{number}"),
        node("MatMul", f"{h} Rr", f"rh{number}"),
        node("Add", f"wx{number} rh{number}", f"z{number}"),
        node(function, f"z{number}", f"h{number}"),
    ]


@pytest.mark.parametrize(("function", "word"), [("Tanh", "tanh"), ("Relu", "relu")])
def test_an_rnn_has_its_function_and_no_bias(function: str, word: str) -> None:
    nodes = [node("Gather", f"X {place}", f"x{place}") for place in range(2)]
    nodes += rnn(0, "x0", "h", function) + rnn(1, "x1", "h0", function)
    layer = only(nodes, Wr=W[:H].T, Rr=R[:H].T)
    assert (str(layer), layer.config.nonlinearity, layer.config.bias) == ("RNN(3, 2)", word, False)
    assert layer.tensors["weight_ih_l0"].tolist() == W[:H].tolist()


def test_a_tanh_of_something_else_is_no_cell_and_not_said() -> None:
    found = read([node("MatMul", "v Wr", "z"), node("Tanh", "z", "y")], Wr=W[:H].T)
    assert (found.layers, found.unsupported) == ((), ())


def scan_direction(x: Atom, **attributes: Any) -> tuple[bool, int]:
    """Of a Scan with the state h and the scanned a and b."""
    body = scope_of([], inputs={"h": [H], "a": [I], "b": [I]})
    return _direction(node("Scan", "h0 A B", "y", **attributes), body, Forms(body), x)


def test_the_direction_of_a_scan() -> None:
    """Each scanned input has its own direction and axis; by default forward along the first one."""
    assert scan_direction(Atom("b"), num_scan_inputs=2) == (False, 0)
    given: dict[str, Any] = {"num_scan_inputs": 2, "scan_input_directions": [0, 1], "scan_input_axes": [2, 1]}
    assert scan_direction(Atom("a"), **given) == (False, 2)
    assert scan_direction(Atom("b"), **given) == (True, 1)
    for x, number in ((Atom("h"), 2), (Atom("a"), 1), (Atom("a"), 0), (Atom("a", 0, 0), 2), (Atom("z"), 2)):
        with pytest.raises(Refused, match="its x is no step of an input that it scans"):
            scan_direction(x, num_scan_inputs=number)
    for short in ({"scan_input_directions": [0]}, {"scan_input_axes": [0]}):
        with pytest.raises(Refused, match="its scan_input_directions or scan_input_axes are too few"):
            scan_direction(Atom("b"), num_scan_inputs=2, **short)
        assert scan_direction(Atom("a"), num_scan_inputs=2, **short) == (False, 0)


def test_the_direction_of_a_loop_is_that_of_its_counter() -> None:
    def loop(*nodes: Any) -> tuple[bool, int]:
        body = scope_of(list(nodes), {"k": 0}, {"i": [], "go": [], "h": [H]})
        return _direction(node("Loop", "m go h0", "y"), body, Forms(body), Atom("x"))

    assert loop(node("Gather", "X i", "x", axis=1)) == (False, 1)
    assert loop(node("Identity", "i", "j"), node("Gather", "X j", "x")) == (False, 0)
    for other in (
        node("Gather", "X k", "x"),
        node("Gather", "X go", "x"),
        node("Slice", "X i", "x"),
        node("Relu", "i", "z"),
    ):
        with pytest.raises(Refused, match="its x is not the step of a sequence that the loop's counter names"):
            loop(other)


def test_states_are_found_by_hand() -> None:
    scope = scope_of([], {"h": np.ones((2, H), np.float32), "z": np.zeros((2, H), np.float32)})
    step = Forms(scope)
    first = Step(CellKind.GRU, None, "y", {}, before="h")
    h, c, any_batch, notes = _states(step, first, Atom("z"), H)
    assert h is not None
    assert (h.shape, c, any_batch, notes) == ((1, 2, H), None, False, ())
    assert _states(step, Step(CellKind.RNN, None, "y", {}), Atom("h"), H)[0] is not None
    assert _states(step, Step(CellKind.RNN, None, "y", {}), None, H) == (None, None, False, ())
