"""What buffers, regions, ops and phases say of sizes and of repetitions, in numbers that are counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from archsim.program.accesses import Accesses
from archsim.program.ir import (
    After,
    Buffer,
    DataKind,
    Dep,
    Op,
    Phase,
    PhaseKind,
    Program,
    Region,
    Wait,
)
from archsim.program.outline import ProgramOutline
from archsim.program.sparsity import Sparsity
from tests.laws.generic_ops import Mix, Words, buffer


class ThreeBits(Words):
    """Three bits a number, and six more that all numbers of a vector share."""

    name = "three bits"
    bits = 3

    def vector_bits(self, count: int) -> int:
        return 6 + 3 * count if count else 0


def op(label: str = "op", reads: Sequence[Region] = (), writes: Sequence[Region] = (), **fields: object) -> Mix:
    return Mix(unit="u", label=label, inputs=tuple(reads), outputs=tuple(writes), **fields)  # type: ignore[arg-type]


def phase(*ops: Op, repeat: int, **fields: object) -> Phase:
    return Phase("body", PhaseKind.BODY, repeat, ops, ((),) * len(ops), **fields)  # type: ignore[arg-type]


def test_bits_of_entries() -> None:
    """5 columns of 4 entries are 5 vectors of 4 numbers, 18 bits each; 4 rows of a matrix 4 vectors of 5, 21 each."""
    columns = replace(buffer("columns", 4), width=5, number_format=ThreeBits())
    assert columns.bits_of(4) == 5 * 18
    rows = replace(columns, matrix=True)
    assert rows.bits_of(4) == 4 * 21
    assert Region(columns, 1, 3).bits == 5 * 12
    assert (Region(columns, 1, 3).entries, Region(columns, 1, 3).values) == (2, 10)


def test_bits_of_sparse_rows() -> None:
    """Of 5 columns 2 of each 4 are kept, and 1 of the last group: 3 numbers of 3 bits and 6 shared ones, and 2 bits of
    index each, which chooses among 3: 21 a row."""
    rows = replace(buffer("rows", 4), width=5, number_format=ThreeBits(), matrix=True, sparsity=Sparsity(2, 4))
    assert rows.bits_of(2) == 2 * (15 + 3 * 2)


@pytest.mark.parametrize(("slots", "size"), [(1, 6), (2, 12), (3, 17)])
def test_bytes_of_all_slots(slots: int, size: int) -> None:
    """A slot of 3 entries of 3 columns, 15 bits each: 45 and the bits of all slots together round up once.

    45 bits are 6 bytes, 90 are 12, 135 are 17: not 3 times 6.
    """
    assert replace(buffer("b", 3, slots), width=3, number_format=ThreeBits()).size_bytes == size


@pytest.mark.parametrize(
    ("slots", "stride", "distance"), [(1, 0, 1), (4, 0, 1), (4, 1, 4), (4, 2, 2), (6, 4, 3), (6, 5, 6), (4, 4, 1)]
)
def test_the_same_slot_comes_round_again(slots: int, stride: int, distance: int) -> None:
    """After slots / gcd(slots, stride) repetitions; of time never."""
    region = Region(buffer("b", 1, slots), 0, 1, 1, stride)
    assert region.reuse_distance == distance
    first, *others = [region.slot(r) for r in range(distance + 1)]
    assert first == others[-1]
    assert first not in others[:-1]
    assert Region(buffer("b", 1, None), 0, 1, 1, stride).reuse_distance is None


TIMES = buffer("times", 4, None)


def at_time(offset: int, stride: int, start: int = 0, stop: int = 4, held: Buffer = TIMES) -> Region:
    return Region(held, start, stop, offset, stride)


def reuse_distance(ops: tuple[Op, ...]) -> int:
    return Accesses.of(ops).reuse_distance


@pytest.mark.parametrize(
    ("written", "read", "distance"),
    [
        (at_time(0, 1), at_time(-3, 1), 3),  # read three repetitions after it was written
        (at_time(0, 1), at_time(3, 1), 3),
        (at_time(0, 2), at_time(-6, 2), 3),  # two steps a repetition
        (at_time(0, 2), at_time(-7, 2), 3),
        (at_time(6, -2), at_time(0, -2), 3),  # backwards
        (at_time(0, 1), at_time(0, 1), 1),
        (at_time(9, 0), at_time(0, 0), 1),  # nothing moves
        (at_time(0, 1, 0, 2), at_time(-3, 1, 2, 4), 1),  # they share no entry
        (at_time(0, 1, 2, 4), at_time(-3, 1, 0, 2), 1),
        (at_time(0, 1, 0, 3), at_time(-3, 1, 2, 4), 3),
        (at_time(0, 1, 2, 4), at_time(-3, 1, 0, 3), 3),
        (at_time(0, 1), at_time(-3, 1, held=buffer("other", 4, None)), 1),
    ],
)
def test_repetitions_between_two_accesses_through_time(written: Region, read: Region, distance: int) -> None:
    assert reuse_distance((op(writes=[written]), op(reads=[read]))) == distance
    assert reuse_distance((op(reads=[read]), op(writes=[written]))) == distance


def test_the_longest_distance_of_what_is_written_counts() -> None:
    """Slots that are only read, and times that nobody writes, are no matter."""
    three, five = Region(buffer("three", 1, 3), 0, 1, 0, 1), Region(buffer("five", 1, 5), 0, 1, 0, 1)
    assert reuse_distance((op(writes=[three]), op(writes=[five]))) == 5
    assert reuse_distance((op(writes=[five]), op(writes=[three]))) == 5
    assert reuse_distance((op(reads=[five], writes=[three]),)) == 3
    assert reuse_distance((op(writes=[at_time(0, 1), at_time(7, 1)]), op(writes=[three]))) == 7
    assert reuse_distance((op(reads=[at_time(0, 1), at_time(7, 1)]),)) == 1
    assert reuse_distance(()) == 1


def test_instances_of_an_op_that_some_repetitions_leave_out() -> None:
    """Of 8 repetitions the first 2 and the last 3: repetitions 2, 3 and 4 are left."""
    some = op(skip_first=2, skip_last=3)
    assert [r for r in range(8) if some.active(r, 8)] == [2, 3, 4]
    assert (some.instances(8), some.instances(5), some.instances(4)) == (3, 0, 0)
    assert some.window == (2, 3)
    assert (some.conditional, op(skip_first=1).conditional, op(skip_last=1).conditional) == (True, True, True)
    assert not op().conditional


def test_what_a_phase_executes() -> None:
    """One op in all 8 repetitions, one in 3 of them; for each of 4 time steps 2 and 3/4."""
    body = phase(op("all"), op("some", skip_first=2, skip_last=3), repeat=8, steps=4)
    assert body.op_instances == 8 + 3
    assert [body.times_per_step(number) for number in (0, 1)] == [Fraction(2), Fraction(3, 4)]
    assert body.head == 2
    assert (body.time_steps, replace(body, steps=None).time_steps, replace(body, steps=0).time_steps) == (4, 8, 0)


@pytest.mark.parametrize(
    ("repeat", "skips", "marked"),
    [
        (10, (0, 0), (0, 4, 9)),  # the last repetition is 9, and a half of it 4
        (10, (6, 0), (0, 6, 9)),  # the first with all ops comes behind the half
        (10, (0, 3), (0, 3, 6, 9)),
        (1, (0, 0), (0,)),
        (2, (0, 0), (0, 1)),
    ],
)
def test_repetitions_whose_ends_are_marked(repeat: int, skips: tuple[int, int], marked: tuple[int, ...]) -> None:
    body = phase(op(), op(skip_first=skips[0], skip_last=skips[1]), repeat=repeat)
    assert body.marked_repetitions == marked
    assert replace(body, marks_all=True).marked_repetitions == tuple(range(repeat))


def test_a_program_counts_over_its_phases() -> None:
    first, second = phase(op(), repeat=3), phase(op(), op(), repeat=5)
    prologue = replace(first, kind=PhaseKind.PROLOGUE, name="prologue")
    program = Program("by hand", (), (prologue, first, second))
    assert program.op_instances == 3 + 3 + 10
    assert program.of_kind(PhaseKind.BODY) == (first, second)
    assert program.phase(PhaseKind.BODY) is first
    with pytest.raises(KeyError):
        program.phase(PhaseKind.EPILOGUE)
    assert repr(program) == "<program by hand: 3 phases, 16 ops executed>"
    assert [of.distinct for of in ProgramOutline.of(program).of_kind(PhaseKind.BODY)] == [
        first.distinct,
        second.distinct,
    ]


def test_the_slot_of_a_repetition() -> None:
    """Number r * stride + offset, of slots that come round modulo their number: 3 + 2 r of 5 are 3, 0, 2, 4 and 1."""
    assert [Region(buffer("b", 1, 5), 0, 1, 3, 2).slot(r) for r in range(5)] == [3, 0, 2, 4, 1]
    assert [Region(buffer("b", 1, None), 0, 1, 3, 2).slot(r) for r in range(3)] == [3, 5, 7]
    assert [Region(buffer("b", 1, 5), 0, 1, 7).slot(r) for r in range(2)] == [2, 2]


def test_the_longest_lag_of_a_phase() -> None:
    lags = (
        (),
        (Dep(0, 2, After.DONE, Wait.OPERAND), Dep(0, 5, After.DONE, Wait.OPERAND)),
        (Dep(0, 3, After.DONE, Wait.OPERAND),),
    )
    body = phase(op(), op(), op(), repeat=9)
    assert (body.max_lag, replace(body, deps=lags).max_lag) == (0, 5)


def test_an_op_that_says_no_more_multiplies_nothing_and_moves_all_of_its_operands() -> None:
    bare = op()
    assert (bare.macs, bare.block_steps, bare.moved_share(Region(TIMES, 0, 1))) == (0, 0, 1)
    assert (bare.updates, bare.awaits, bare.observed, bare.sent, bare.streams) == ((), (), (), None, False)
    fifo = Region(replace(buffer("fifo"), stream=True), 0, 1)
    assert (op(reads=[fifo]).streams, op(writes=[fifo]).streams) == (True, False)


def test_matrices_of_a_cell() -> None:
    """Its weights of x, of h and of the projection; a tile of them that is on its way is a tile."""
    assert {kind for kind in DataKind if kind.is_matrix} == {DataKind.W_IH, DataKind.W_HH, DataKind.W_HR}
