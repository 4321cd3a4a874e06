"""A program without time, by hand: what buffers hold, what ops see of them, and in which repetitions they take part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, parse_format
from archsim.program.interpreter import commit, interpret, interpret_repetition, sample
from archsim.program.ir import Buffer, DataKind, Op, Phase, PhaseKind, Program, Region
from archsim.program.state import State
from tests.laws.generic_ops import Mix

Array = npt.NDArray[Any]
SINGLE = parse_format("float32")


def buffer(name: str, slots: int | None = 1, *, is_input: bool = False) -> Buffer:
    """3 entries of 2 elements."""
    return Buffer(name, "m", DataKind.H, 3, 2, SINGLE, slots, is_input=is_input)


X, H, C = buffer("x", None, is_input=True), buffer("h", 2), buffer("c")


class Sums:
    """An op's results are the sum of its operands, and what it updates grows by them twice."""

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        total = sum(operand.sum() for operand in operands)
        return tuple(np.full((region.entries, region.buffer.width), total, np.float32) for region in op.writes)

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        found: Array = old + 2 * result
        return found


def op(label: str, reads: Sequence[Region], writes: Sequence[Region] = (), updates: Sequence[Region] = ()) -> Mix:
    return Mix(unit="u", label=label, inputs=tuple(reads), outputs=tuple(writes), accumulated=tuple(updates))


def body(*ops: Op, repeat: int = 4) -> Phase:
    return Phase("body", PhaseKind.BODY, repeat, ops, ((),) * len(ops))


def state_of(repetitions: int = 4) -> State:
    """Every number of x in repetition r is r + 1."""
    x = np.broadcast_to(np.arange(1.0, repetitions + 1, dtype=np.float32).reshape(-1, 1, 1), (repetitions, 3, 2))
    return State(Program("by hand", (X, H, C), ()), {"x": x.copy()}, repetitions)


def test_buffers_have_their_slots_and_one_for_each_repetition_if_they_are_not_used_again() -> None:
    state = state_of(5)
    assert [state.array(held).shape for held in (X, H, C)] == [(5, 3, 2), (2, 3, 2), (1, 3, 2)]
    assert (state.slot(X, 3) == 4).all()
    assert not state.array(H).any()


def test_what_is_stored_for_0_is_the_encodings() -> None:
    held = replace(C, number_format=parse_format("int8"))
    state = State(Program("by hand", (held,), ()), {}, 1, {"c": Encoding(held.number_format, 0.5, 7)})
    assert (state.array(held) == 7).all()
    assert not State(Program("by hand", (held,), ()), {}, 1).array(held).any()


def test_an_image_of_another_shape_is_refused() -> None:
    image = {"x": np.zeros((5, 3, 1), np.float32)}
    wanted = r"image of x has shape \(5, 3, 1\), the program wants \(4, 3, 2\)"
    with pytest.raises(SimulatorBug, match=wanted):
        State(Program("by hand", (X,), ()), image, 4)


def test_a_read_is_a_copy_and_a_view_is_none() -> None:
    state = state_of()
    region = Region(H, 1, 3, offset=1, stride=1)  # slot 1 in even repetitions
    state.write(region, 2, np.array([[1, 2], [3, 4]], np.float32))
    copied, seen = state.read(region, 0), state.view(region, 4)
    assert state.slot(H, 1).tolist() == [[0, 0], [1, 2], [3, 4]]
    assert not state.slot(H, 0).any()
    state.write(region, 0, np.array([[5, 6], [7, 8]], np.float32))
    assert (copied.tolist(), seen.tolist()) == ([[1, 2], [3, 4]], [[5, 6], [7, 8]])


def test_an_op_samples_when_it_starts_and_is_seen_when_it_completes() -> None:
    """Of x in repetition 2 two entries of two numbers are 3 each: 12. h becomes 12, c grows by twice as much."""
    state, semantics = state_of(), Sums()
    c = Region(C, 0, 1)
    state.write(c, 0, np.array([[5, 6]], np.float32))
    work = op("a", [Region(X, 0, 2, 0, 1)], [Region(H, 0, 1, 0, 1)], [c])
    results = sample(work, 2, state, semantics)
    assert not state.array(H).any()
    commit(work, 2, state, semantics, results)
    assert state.array(H)[:, :, 0].tolist() == [[12, 0, 0], [0, 0, 0]]
    assert state.slot(C, 0)[0].tolist() == [5 + 24, 6 + 24]


def test_a_result_that_is_an_operand_is_kept_as_it_was() -> None:
    """What lies behind it may change before the op completes."""

    class Moves(Sums):
        def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(operands)

    state, source = state_of(), Region(C, 0, 3)
    state.write(source, 0, np.full((3, 2), 5, np.float32))
    (result,) = sample(op("a", [source], [Region(H, 0, 3)]), 0, state, Moves())
    state.write(source, 0, np.full((3, 2), 9, np.float32))
    assert (result == 5).all()


def test_ops_come_in_order_in_the_repetitions_in_which_they_take_part() -> None:
    """a leaves out the first of three, b the last; each adds the numbers of x, 2 (r + 1), twice to c."""
    x, c = Region(X, 0, 1, 0, 1), Region(C, 0, 1)
    a = replace(op("a", [x], updates=[c]), skip_first=1)
    b = replace(op("b", [x], updates=[c]), skip_last=1)
    seen: list[tuple[str, int, float]] = []
    phase = body(a, b, repeat=3)
    state = state_of(3)
    interpret(
        Program("by hand", (X, H, C), (phase,)),
        Sums(),
        state,
        lambda op, repetition, results: seen.append((op.label, repetition, float(results[0][0, 0]))),
    )
    assert seen == [("b", 0, 2), ("a", 1, 4), ("b", 1, 4), ("a", 2, 6)]
    assert state.slot(C, 0)[0].tolist() == [2 * (2 + 4 + 4 + 6)] * 2
    one = state_of(3)
    interpret_repetition(phase, 1, Sums(), one)
    assert one.slot(C, 0)[0].tolist() == [2 * (4 + 4)] * 2
