"""Validation notices what is easily wrong: each fault is planted in the numbers, or in the network, that are simulated.

`compare` then looks at the right numbers and the right network. The ONNX node tests let some of these pass: equal
weights hide a wrong gate order and a dropped recurrence.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from archsim.workload import CellKind, NetworkTensors
from tests.families.cells.hand import MACHINE
from tests.present import present
from tests.strategies import Case, compare, network, tensors

H, T = 4, 5
GATES = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}
SIZES = {"input_size": 3, "hidden_size": H, "steps": T, "batch": 2}


def case_of(kind: str, **fields: Any) -> Case:
    return Case(MACHINE, network(**SIZES | {"kind": CellKind(kind)} | fields), "fused_interleaved")


def noticed(
    right: Case, numbers: NetworkTensors, *, wrong: Case | None = None, other: NetworkTensors | None = None
) -> bool:
    """Whether the results of a wrong network, or of wrong numbers, fail against the right ones (which pass)."""
    assert compare(right.interpret(numbers), numbers, right.spec).passed
    computed = (wrong or right).interpret(other or numbers)
    return not compare(computed, numbers, right.spec).passed


def changed(numbers: NetworkTensors, cell: int, **arrays: np.ndarray) -> NetworkTensors:
    """The same with other numbers in one of the cells."""
    cells = list(numbers.cells)
    cells[cell] = replace(cells[cell], **dict[str, Any](arrays))
    return replace(numbers, cells=tuple(cells))


def swapped(matrix: np.ndarray, first: int, second: int) -> np.ndarray:
    """Two row blocks of H rows in each other's place."""
    blocks = list(np.split(matrix, len(matrix) // H))
    blocks[first], blocks[second] = blocks[second], blocks[first]
    return np.concatenate(blocks)


SWAPS = [
    pytest.param(kind, first, second, id=f"{kind} {gates[first]} and {gates[second]}")
    for kind, gates in GATES.items()
    for first, second in combinations(range(len(gates)), 2)
]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.mark.parametrize(("kind", "first", "second"), SWAPS)
def test_swapped_gates(kind: str, first: int, second: int) -> None:
    """Of all four tensors, as a wrong gate order does; and of each alone, where the kind keeps them apart."""
    case = case_of(kind)
    numbers = tensors(case.spec, 1)
    (cell,) = numbers.cells
    all_parts = {name: swapped(getattr(cell, name), first, second) for name in PARTS}
    assert noticed(case, numbers, other=changed(numbers, 0, **all_parts))
    for name, part in all_parts.items():
        assert noticed(case, numbers, other=changed(numbers, 0, **{name: part})), name


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_swapped_peepholes(first: int, second: int) -> None:
    case = case_of("lstm", peepholes=True)
    numbers = tensors(case.spec, 1)
    peephole = swapped(numbers.cells[0].peephole, first, second)  # type: ignore[arg-type]
    assert noticed(case, numbers, other=changed(numbers, 0, peephole=peephole))


DROPPED = [
    *((kind, name) for kind in GATES for name in (*PARTS, "h_0")),
    *(("lstm", name) for name in ("c_0", "weight_hr", "peephole")),
]


@pytest.mark.parametrize(("kind", "name"), DROPPED)
def test_a_dropped_tensor(kind: str, name: str) -> None:
    """A bias, the recurrent weights, or the initial state taken for 0, in the first cell and in the last."""
    options = {"proj_size": 2, "peepholes": True} if kind == "lstm" else {}
    case = case_of(kind, num_layers=2, bidirectional=True, **options)
    numbers = tensors(case.spec, 2)
    for cell in (0, 3):
        zero = np.zeros_like(getattr(numbers.cells[cell], name))
        assert noticed(case, numbers, other=changed(numbers, cell, **{name: zero})), cell


@pytest.mark.parametrize(("kind", "gate"), [(kind, gate) for kind in GATES for gate in range(len(GATES[kind]))])
@pytest.mark.parametrize("name", ["bias_ih", "bias_hh"])
def test_the_bias_of_a_single_gate_dropped(kind: str, gate: int, name: str) -> None:
    case = case_of(kind)
    numbers = tensors(case.spec, 3)
    bias = getattr(numbers.cells[0], name).copy()
    bias[gate * H : (gate + 1) * H] = 0
    assert noticed(case, numbers, other=changed(numbers, 0, **{name: bias}))


def test_the_two_biases_of_a_grus_candidate_are_not_one() -> None:
    """b_hn lies inside r * (...): added to b_in it is something else; before the product (ONNX) it is the same."""
    for form in (True, False):
        case = case_of("gru", linear_before_reset=form)
        numbers = tensors(case.spec, 4)
        (cell,) = numbers.cells
        joined, left = cell.bias_ih.copy(), cell.bias_hh.copy()  # type: ignore[union-attr]
        joined[2 * H :] += left[2 * H :]
        left[2 * H :] = 0
        assert noticed(case, numbers, other=changed(numbers, 0, bias_ih=joined, bias_hh=left)) is form


@pytest.mark.parametrize("kind", GATES)
def test_exchanged_biases(kind: str) -> None:
    """b_ih and b_hh only ever come as a sum, but for the candidate of a GRU that resets after the product."""
    case = case_of(kind)
    numbers = tensors(case.spec, 5)
    (cell,) = numbers.cells
    other = changed(numbers, 0, bias_ih=cell.bias_hh, bias_hh=cell.bias_ih)  # type: ignore[arg-type]
    assert noticed(case, numbers, other=other) == (kind == "gru")


@pytest.mark.parametrize("kind", GATES)
def test_a_transposed_recurrent_matrix(kind: str) -> None:
    case = case_of(kind)
    numbers = tensors(case.spec, 6)
    blocks = np.split(present(numbers.cells[0].weight_hh), len(GATES[kind]))
    transposed = np.concatenate([block.T for block in blocks])
    assert noticed(case, numbers, other=changed(numbers, 0, weight_hh=transposed))


FLIPS = {
    "forward taken for reverse": ({}, {"reverse": True}),
    "reverse taken for forward": ({"reverse": True}, {}),
    "reset before taken for after": ({"linear_before_reset": False}, {}),
    "clip left out": ({"clip": 0.4}, {}),
    "another clip": ({"clip": 0.4}, {"clip": 0.5}),
    "coupled gates left out": ({"input_forget": True}, {}),
    "lengths left out": ({"sequence_lens": (T, 2)}, {}),
    "other lengths": ({"sequence_lens": (T, 2)}, {"sequence_lens": (T, 3)}),
    "lengths of the other sequence": ({"sequence_lens": (T, 2)}, {"sequence_lens": (2, T)}),
    "relu taken for tanh": ({"nonlinearity": "relu"}, {}),
}
ONLY = {"linear_before_reset": "gru", "input_forget": "lstm", "nonlinearity": "rnn"}
FITTING = [
    (kind, flip)
    for kind in GATES
    for flip, (right, _) in FLIPS.items()
    if all(ONLY.get(option, kind) == kind for option in right)  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("kind", "flip"), FITTING)
def test_a_wrong_option(kind: str, flip: str) -> None:
    right_fields, wrong_fields = FLIPS[flip]
    right, wrong = case_of(kind, **right_fields), case_of(kind, **wrong_fields)  # type: ignore[arg-type]
    assert noticed(right, tensors(right.spec, 7), wrong=wrong)


@pytest.mark.parametrize("kind", GATES)
def test_the_direction_of_one_cell_of_two_layers(kind: str) -> None:
    """The only reversed cell of a network run forward, in either layer."""
    small = {"kind": CellKind(kind), "hidden_size": 3}
    for first, second in ((True, False), (False, True)):
        right = case_of(kind, reverse=first, next_layers=({**small, "reverse": second},))
        wrong = case_of(kind, next_layers=(small,))
        assert noticed(right, tensors(right.spec, 8), wrong=wrong)


@pytest.mark.parametrize("kind", GATES)
def test_exchanged_directions(kind: str) -> None:
    """The weights of the two directions in each other's place; and the two halves of what the next layer reads."""
    case = case_of(kind, bidirectional=True, num_layers=2)
    numbers = tensors(case.spec, 9)
    forward, reverse, *upper = numbers.cells
    assert noticed(case, numbers, other=replace(numbers, cells=(reverse, forward, *upper)))
    halves = np.split(upper[0].weight_ih, 2, axis=1)
    crossed = np.concatenate(halves[::-1], axis=1)
    assert noticed(case, numbers, other=changed(numbers, 2, weight_ih=crossed))


@pytest.mark.parametrize("schedule", ["fused_interleaved", "fused_interleaved_wavefront"])
@pytest.mark.parametrize("kind", GATES)
def test_exchanged_layers(kind: str, schedule: str) -> None:
    case = replace(case_of(kind, input_size=H, num_layers=3), schedule=schedule)
    numbers = tensors(case.spec, 10)
    first, second, third = numbers.cells
    assert noticed(case, numbers, other=replace(numbers, cells=(second, first, third)))
    assert noticed(case, numbers, other=replace(numbers, cells=(first, third, second)))


@pytest.mark.parametrize("schedule", ["fused_interleaved", "split_gate_major_wavefront"])
@pytest.mark.parametrize("kind", GATES)
def test_a_single_number(kind: str, schedule: str) -> None:
    """One weight of each matrix off by a tenth; one input; the tolerance hides none of them."""
    case = replace(case_of(kind, num_layers=2), schedule=schedule)
    numbers = tensors(case.spec, 11)
    for cell, given in enumerate(numbers.cells):
        for name in PARTS:
            array = getattr(given, name).copy()
            array.flat[array.size // 2] += 0.1
            assert noticed(case, numbers, other=changed(numbers, cell, **{name: array})), (cell, name)
    x = numbers.x.copy()
    x[0, 0, 0] += 0.1
    assert noticed(case, numbers, other=replace(numbers, x=x))
