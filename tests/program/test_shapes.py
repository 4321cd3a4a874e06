"""Ops that differ only in where their operands lie have one shape, and are counted by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archsim.program.ir import Op, Phase, PhaseKind, Program, Region
from archsim.program.shapes import Shapes, op_shape
from tests.laws.generic_ops import Mix, buffer


def op(label: str = "op", reads: Sequence[Region] = (), writes: Sequence[Region] = (), **fields: object) -> Mix:
    return Mix(unit="u", label=label, inputs=tuple(reads), outputs=tuple(writes), **fields)  # type: ignore[arg-type]


def phase(*ops: Op, repeat: int) -> Phase:
    return Phase("body", PhaseKind.BODY, repeat, ops, ((),) * len(ops))


def test_ops_of_one_shape() -> None:
    """Which op it is, and where its operands lie, is nothing to its shape; all else is."""
    word, other = buffer("word", 8, 4), buffer("other", 8, 4)
    of = op("a", reads=[Region(word, 0, 2)])
    same = op("b", reads=[Region(word, 4, 6, 3, 1)], skip_first=1, skip_last=2, step_stride=3, step_offset=4)
    assert op_shape(same) == op_shape(of)
    for different in (
        op("a", reads=[Region(word, 0, 3)]),
        op("a", reads=[Region(other, 0, 2)]),
        op("a", reads=[Region(word, 0, 2, encoding="another")]),
        op("a", writes=[Region(word, 0, 2)]),
        op("a", reads=[Region(word, 0, 2), Region(word, 0, 2)]),
        replace(of, unit="another"),
        replace(of, joined=True),
    ):
        assert op_shape(different) != op_shape(of)


def test_shapes_are_counted_over_phases() -> None:
    """Shapes A (one entry), B (two) and C (three): A and B in one phase of 4 repetitions, B, C and B in one of 5.

    The second B of that takes part in 3 of the 5.
    """
    word = buffer("word", 8)
    a, b, c = (op("abc"[count - 1], reads=[Region(word, 0, count)]) for count in (1, 2, 3))
    later = replace(b, inputs=(Region(word, 2, 4),), skip_first=1, skip_last=1)
    program = Program("by hand", (), (phase(a, b, repeat=4), phase(b, c, later, repeat=5)))
    shapes = Shapes.from_program(program)
    assert shapes.ops == (a, b, c)
    assert shapes.of_phase == ((0, 1), (1, 2, 1))
    assert shapes.times(program) == (4, 4 + 5 + 3, 5)
    assert program.phases[1].distinct == ((b, 5 + 3), (c, 5))
