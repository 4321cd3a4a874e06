"""What the units of a serial machine compute and are built of, by hand: elasticai_lstm, codes of q4.4 (16 is 1)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from archsim.errors import SimulatorBug
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.families.serial.fixed_point import cut, hard_sigmoid, hard_tanh, wrapped
from archsim.families.serial.units import CopyStates, FinishStep, StartStep, UnitSums, UpdateUnit
from archsim.fidelity.peers.elasticai import drawn_cell
from archsim.formats import Encoding
from archsim.hardware.numerics import Numerics
from archsim.hardware.operators import REGISTER_BIT, Operator, OperatorKind, Width, integer_adder, multiplier
from archsim.hardware.unit import Work
from archsim.program.ir import Op
from archsim.workload import load_workload
from tests.families.serial.numbers import run_on_codes

CONFIG = load_arch("elasticai_lstm").config
UNITS = build_units(CONFIG)
BYTE = Width(8, floating=False)
COMPARE = Operator(OperatorKind.COMPARE, 8)


def ops_of(size: int, *, steps: int = 2) -> tuple[Op, ...]:
    program = find_schedule(None, "serial").build(load_workload(f"lstm:1,{size},t={steps}").spec, CONFIG)
    return program.phases[0].ops


def computed(op: Op, *operands: list[int]) -> list[list[int]]:
    """What an op writes; each operand is a column, but a row where the buffer is a matrix of several inputs."""
    encodings = {r.buffer.name: Encoding(r.buffer.number_format) for r in (*op.reads, *op.writes)}
    kernel = UNITS[op.unit].kernel(op, Numerics(encodings))
    shaped = [
        np.array(given).reshape(region.entries, region.buffer.width)
        for region, given in zip(op.reads, operands, strict=True)
    ]
    return [found.ravel().tolist() for found in kernel.effect(shaped)]


def first(kind: type[Op], ops: tuple[Op, ...]) -> Op:
    return next(op for op in ops if isinstance(op, kind))


def test_sums_of_a_hidden_unit() -> None:
    """x = 1.5 (24), h = (8, -16), of each gate w_ih, w_hh and b, which has the width of sums: 16 b + 3 is read as b.

    i: 24 x 16 + 8 x 16 - 16 x 8 = 384, cut to 24; + 5. f: -72 - 16 = -88, -5.5 to -5; - 2.
    g: 24 x 127 = 3,048, 190, beyond 127 and would change its sign: 127; + 1 wraps to -128.
    o: 24 x 100 - 128 x 8 + 100 x 16 = 2,976, 186: 127; -1.
    """
    op = first(UnitSums, ops_of(2))
    w_ih, w_hh = ([16], [-3], [127], [100]), ([16, 8], [0, 1], [0, 0], [-128, -100])
    bias = ([16 * 5 + 3], [-16 * 2 - 3], [16 + 3], [-16])
    assert computed(op, *w_ih, *w_hh, [24], [8, -16], *bias) == [[29, -7, -128, 126]]


def test_sums_wrap_in_twice_the_width_before_they_are_cut() -> None:
    """3 x 127 x 127 = 48,387 is -17,149 in 16 bits, -1,071.8 in units of 1/16: -1,072 is 208 in 8 bits, or -48.

    Something was dropped: -47. Of -3 x 127 x 127: 17,149, 1,071 is 47. Without biases nothing more is added.
    """
    op = first(UnitSums, ops_of(2))
    assert isinstance(op, UnitSums)
    most, least, none = [127], [-127], [0]
    rows = ([127, 127], [-127, -127], [0, 0], [16, 0])
    found = computed(replace(op, bias=()), most, least, none, none, *rows, [127], [127, 127])
    assert found == [[-47, 47, 0, 127]]


@pytest.mark.parametrize(
    ("sums", "old_c", "c", "h"),
    [
        # i = 1, f = 1/2, g = 1/2, o = 7: f c = 20, i g = 8; tanh(c) is 1, o tanh(c) = 7.
        ((48, 0, 8, -8), 40, 28, 7),
        # i = 8, f = 16, o = 16: f c = -20, i g = -4; tanh(c) is -1.
        ((0, 48, -8, 48), -20, -24, -16),
        # i = 9, f = 7, o = 16: f c = 1.3 to 1, i g = 2.8 to 2: each is cut for itself. tanh is its argument.
        ((8, -8, 5, 48), 3, 3, 3),
        # g is limited to 1, f c + i g = 120 + 16 wraps to -120; o = 8, h = -8.
        ((48, 48, 100, 0), 120, -120, -8),
        # What is negative is cut toward zero: f c = 8 x -3 / 16 = -1.5 to -1; h = 9 x -1 / 16 to 0.
        ((-48, 0, 16, 8), -3, -1, 0),
    ],
)
def test_a_hidden_units_cell_and_output(sums: tuple[int, ...], old_c: int, c: int, h: int) -> None:
    assert computed(first(UpdateUnit, ops_of(2)), list(sums), [old_c]) == [[c], [h]]


def test_states_are_moved_as_they_are() -> None:
    """Copies take h to h and c to c; at the end h goes to h_n and to the output, c to c_n."""
    ops = ops_of(2)
    copy, finish = first(CopyStates, ops), first(FinishStep, ops)
    assert [region.buffer.name for region in copy.writes] == ["h", "c"]
    assert computed(copy, [1, 2], [3, 4]) == [[1, 2], [3, 4]]
    assert [region.buffer.name for region in finish.writes] == ["dram.h_n", "dram.c_n", "dram.output"]
    assert computed(finish, [1, 2], [3, 4]) == [[1, 2], [3, 4], [1, 2]]
    assert computed(first(StartStep, ops), [5]) == [[5]]


def test_which_weights_a_hidden_unit_reads() -> None:
    """Of 3 hidden units the second one has rows 1, 4, 7, 10 of weights and biases, and entry 1 of c and h."""
    ops = ops_of(3)
    sums = [op for op in ops if isinstance(op, UnitSums)][1]
    update = [op for op in ops if isinstance(op, UpdateUnit)][1]
    for regions in (sums.w_ih, sums.w_hh, sums.bias):
        assert [(region.start, region.stop) for region in regions] == [(1, 2), (4, 5), (7, 8), (10, 11)]
    for region in (update.old_c, update.new_c, update.new_h):
        assert (region.start, region.stop) == (1, 2)
    assert [seen.first_unit for seen in update.observed] == [1]
    assert sums.operands == 1 + 3
    assert sums.macs == 4 * (1 + 3)


def test_what_ops_switch() -> None:
    """A hidden unit: five evaluations, each a multiplier by a constant, an adder and two comparators of 8 bits; three
    products, one sum, and a register behind each of the nine. A copy of 3 units' h and c: 2 x 3 x 8 bits of registers.
    """
    ops = ops_of(3)
    elementwise, dots = UNITS["elementwise"], UNITS["dot_product"]
    update, copy, sums = first(UpdateUnit, ops), first(CopyStates, ops), first(UnitSums, ops)
    assert elementwise.tally(update) == {
        multiplier(BYTE, BYTE): 5 + 3,
        integer_adder(8): 5 + 1,
        COMPARE: 2 * 5,
        REGISTER_BIT: (5 + 3 + 1) * 8,
    }
    assert elementwise.tally(copy) == {REGISTER_BIT: 2 * 3 * 8}
    lane = {multiplier(BYTE, BYTE): 1, integer_adder(16): 1, REGISTER_BIT: 16}
    assert dots.tally(sums) == {operator: 4 * (1 + 3) * number for operator, number in lane.items()}
    assert UNITS["controller"].tally(ops[0]) == Counter()


def test_what_the_units_are_built_of() -> None:
    """Behind the sums one sigmoid and one tanh, each as above, a multiplier and an adder, and a register for each."""
    lane = {multiplier(BYTE, BYTE): 1, integer_adder(16): 1, REGISTER_BIT: 16}
    assert UNITS["dot_product"].inventory() == {operator: 4 * number for operator, number in lane.items()}
    found = {operator: number for operator, number in UNITS["elementwise"].inventory().items() if number}
    assert found == {multiplier(BYTE, BYTE): 2 + 1, integer_adder(8): 2 + 1, COMPARE: 2 * 2, REGISTER_BIT: 4 * 8}
    assert UNITS["controller"].inventory() == Counter()


def test_how_much_work_ops_are() -> None:
    """4 MACs a cycle at best; a hidden unit has 4 + 1 + 1 + 1 states of the machine behind the sums, a copy 2 each."""
    ops = ops_of(3)
    assert UNITS["dot_product"].work(first(UnitSums, ops)) == Work(16, Fraction(4))
    assert UNITS["elementwise"].work(first(UpdateUnit, ops)) == Work(7, Fraction(1))
    assert UNITS["elementwise"].work(first(CopyStates, ops)) == Work(6, Fraction(1))
    assert UNITS["controller"].work(first(StartStep, ops)) == Work(3, Fraction(1))
    assert UNITS["controller"].work(first(FinishStep, ops)) == Work(2, Fraction(1))


@pytest.mark.parametrize("unit", ["dot_product", "elementwise", "controller"])
def test_a_unit_takes_no_op_of_another_one(unit: str) -> None:
    ops = ops_of(1)
    other = next(op for op in ops if op.unit != unit and not (unit == "elementwise" and isinstance(op, CopyStates)))
    with pytest.raises(SimulatorBug):
        UNITS[unit].compute_cycles(other)


def test_a_whole_cell() -> None:
    """Five units, six steps of drawn codes, some of whose sums wrap, with the equations for all units at once."""
    units = 5
    cell = drawn_cell(units, 6, seed=3)
    h = c = np.zeros((units, 1), np.int64)
    expected = []
    for x in cell.x:
        sums = wrapped(cut(wrapped(cell.w_ih * x + cell.w_hh @ h, 16), 8, 4) + cell.bias[:, np.newaxis], 8)
        i, f, g, o = sums.reshape(4, units, 1)
        kept, added = cut(hard_sigmoid(f, 8, 4) * c, 8, 4), cut(hard_sigmoid(i, 8, 4) * hard_tanh(g, 8, 4), 8, 4)
        c = wrapped(kept + added, 8)
        h = cut(hard_sigmoid(o, 8, 4) * hard_tanh(c, 8, 4), 8, 4)
        expected.append(h.ravel())
    assert np.array_equal(run_on_codes(cell), expected)
    assert len(np.unique(expected)) > 8
