"""What units have in common, by hand: service times, names, encodings of regions, and what is counted of overflows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, parse_format
from archsim.hardware.constants import ElementwiseConstants
from archsim.hardware.elementwise_arithmetic import Operand, RecordingArithmetic, arithmetic_for, one_of
from archsim.hardware.lane_hold import Hold, check_hold, held
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Numerics, Overflows
from archsim.hardware.operators import CONSTANT_BIT, Operator, OperatorKind, table_of
from archsim.hardware.unit import Service, ceil_div, unit_name
from archsim.program.ir import Buffer, DataKind, Region


@pytest.mark.parametrize(
    ("compute", "port", "occupancy", "latency", "first"), [(5, 3, 5, 12, 9), (3, 5, 5, 12, 9), (4, 4, 4, 11, 9)]
)
def test_an_op_holds_its_unit_for_the_longer_of_datapath_and_port(
    compute: int, port: int, occupancy: int, latency: int, first: int
) -> None:
    """Its results are there 7 cycles behind, and its first word, of cycle 2, 7 behind that."""
    service = Service(compute, port, 7, first_cycles=2)
    assert (service.occupancy_cycles, service.latency_cycles, service.first_word_cycles) == (occupancy, latency, first)
    assert Service(1, 0, 7).first_word_cycles == 8
    assert Service(1, 0, 7).write_cycles == 0


def test_of_several_units_of_a_kind_the_first_has_the_kinds_name() -> None:
    assert [unit_name("mac_array", number) for number in range(3)] == ["mac_array", "mac_array_1", "mac_array_2"]


def test_quotients_are_rounded_up() -> None:
    assert [ceil_div(amount, 4) for amount in (0, 1, 3, 4, 5, 8, 9)] == [0, 1, 1, 1, 2, 2, 3]


Q = parse_format("q4.4")


def region(start: int, stop: int, name: str = "b", encoding: str = "") -> Region:
    return Region(Buffer(name, "m", DataKind.H, 6, 2, Q), start, stop, encoding=encoding)


def test_overflows_are_counted_by_kind() -> None:
    """Of 6 values twice brought into the range, and 4 once, 3 and 2 were beyond it; a kind without any is not there."""
    found = Overflows()
    values = np.zeros((3, 2))
    assert found.add("gate", (values, 3), 2) is values
    found.add("gate", (np.zeros(4), 2))
    found.add("cell", (np.zeros(5), 0))
    assert found.values == {"gate": 6 * 2 + 4, "cell": 5}
    assert found.overflowed == {"gate": 3 + 2}


def test_a_region_has_the_encoding_of_its_rows() -> None:
    """Scales of 6 rows; one that is named otherwise has that one's, and one that nobody has named its format's own."""
    scales = np.arange(1.0, 7.0).reshape(6, 1)
    numerics = Numerics({"b": Encoding(Q, scales), "other": Encoding(Q, 0.5)})
    assert np.ravel(numerics.encoding_of(region(2, 4)).scale).tolist() == [3.0, 4.0]
    assert numerics.encoding_of(region(2, 4, encoding="other")).scale == 0.5
    unknown = numerics.encoding_of(region(2, 4, "unknown"))
    assert (unknown.format, unknown.scale, unknown.zero) == (Q, Encoding(Q).scale, 0)
    assert np.ravel(numerics.joined([region(4, 6), region(0, 1)]).scale).tolist() == [5.0, 6.0, 1.0]
    assert np.ravel(numerics.joined([region(4, 6)]).scale).tolist() == [5.0, 6.0]
    assert numerics.joined([region(0, 1, "other"), region(3, 4, "other")]).scale == 0.5
    assert numerics.joined([region(0, 1, "other")]).scale == 0.5


def test_numbers_are_moved_only_to_where_they_mean_the_same() -> None:
    int8 = parse_format("int8")
    numerics = Numerics({"a": Encoding(Q, 0.5), "b": Encoding(Q, 0.5), "z": Encoding(Q, 0.5, 3), "i": Encoding(int8)})
    numerics.same([region(0, 1, "a")], region(0, 1, "b"))
    for other in ("z", "i"):
        with pytest.raises(SimulatorBug, match=f"{other} and b are not stored alike"):
            numerics.same([region(0, 1, "a"), region(0, 1, other)], region(0, 1, "b"))
        with pytest.raises(SimulatorBug, match="b is not stored alike|not stored alike"):
            check_hold(Hold(region(0, 1), region(0, 1, other)), region(0, 1, "b"), numerics)
    check_hold(None, region(0, 1, "b"), numerics)


def test_a_lane_whose_sequence_is_over_keeps_what_it_had() -> None:
    """Lanes 0 and 2 are there; the operands in front are nobody's here."""
    result, old = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[7, 8, 9], [10, 11, 12]])
    hold = Hold(region(0, 1), region(0, 2))
    found = held(hold, result, [np.zeros((2, 3)), np.array([[1, 0, 1]]), old])
    assert found.tolist() == [[1, 8, 3], [4, 11, 6]]
    assert held(None, result, []) is result
    assert hold.regions == (hold.valid, hold.old)


@pytest.mark.parametrize(("scale", "code"), [(2.0**-4, 16), (2.0**-7, 127), (2.0**-6, 64), (1 / 100, 100)])
def test_the_code_of_1_or_the_largest_there_is(scale: float, code: int) -> None:
    """Of 8 bits the largest is 127: 128 steps of 2^-7 are one too many."""
    encoding = Encoding(parse_format("int8"), scale)
    assert one_of(encoding) == code
    lanes = arithmetic_for(encoding, [encoding])
    assert lanes.one_minus(Operand(np.array([10, -3]), encoding)).stored.tolist() == [code - 10, code + 3]


def test_a_gate_has_no_zero_point() -> None:
    encoding = Encoding(parse_format("int8"), 0.5, 1)
    with pytest.raises(SimulatorBug, match="a gate has no zero point"):
        arithmetic_for(encoding, [encoding]).one_minus(Operand(np.array([1]), encoding))


def test_products_and_values_come_into_the_targets_scale() -> None:
    """Codes of 1/4 and of 1/8 with zero point 3, into 1/16: (5 1/4) ((7 - 3) 1/8) is 5/8, ten sixteenths.

    A value of 1/4 is 4 sixteenths, with weight 1/2 it is 2; with a zero point that one goes first.
    """
    q = parse_format("int16")
    a, b, target = Encoding(q, 0.25), Encoding(q, 0.125, 3), Encoding(q, 0.0625)
    lanes = arithmetic_for(target, [a, b])
    five, seven = Operand(np.array([5]), a), Operand(np.array([7]), b)
    for _ in range(2):  # the second time with what is known of the pair
        assert lanes.product(five, seven).tolist() == [10]
        assert lanes.product(seven, seven).tolist() == [4]
    assert (lanes.value(five).tolist(), lanes.value(five, 0.5).tolist()) == ([20], [10])
    assert lanes.value(seven).tolist() == [8]
    assert lanes.value(Operand(np.array([9]), target)).tolist() == [9]
    assert lanes.value(Operand(np.array([9]), target), 2.0).tolist() == [18]


def test_the_integers_of_a_formula_in_the_order_in_which_it_needs_them() -> None:
    """Scales 1/4 and 1/8, zero points 0 and 3, into 1/16: a product is half, a value of 1/4 four times as many steps.

    Of two differences 1 - a the code of 1 is the first one's: 4 of 1/4.
    """
    q = parse_format("int16")
    a, b, target = Encoding(q, 0.25), Encoding(q, 0.125, 3), Encoding(q, 0.0625)
    lanes = RecordingArithmetic(target)
    assert lanes.constants() == ElementwiseConstants((), (), None)
    five, seven = Operand(np.array([5]), a), Operand(np.array([7]), b)
    assert lanes.product(five, seven).tolist() == [10]
    assert (lanes.value(five).tolist(), lanes.value(five, 0.5).tolist()) == ([20], [10])
    assert lanes.one_minus(five).stored.tolist() == [-1]
    lanes.one_minus(Operand(np.array([5]), target))
    found = lanes.constants()
    (product,) = found.products
    assert (product.a_zero, product.b_zero) == (0, 3)
    assert (product.rescale.multipliers, product.rescale.shifts) == ((1,), (1,))
    assert [value.shifts for value in found.values] == [(-2,), (-1,)]
    assert found.one == 4


def test_an_operand_that_is_no_integer_makes_the_arithmetic_floating() -> None:
    """0.5 times 3 steps of 1/4, and half of those 3: in float32; 1 - 0.5, and 4 - 3 steps of 1/4."""
    single, codes = Encoding(parse_format("float32")), Encoding(parse_format("int8"), 0.25)
    half = Operand(np.array([0.5], np.float32), single)
    three = Operand(np.array([3]), codes)
    for target, operands in ((single, [codes]), (codes, [codes, single])):
        lanes = arithmetic_for(target, operands)
        assert lanes.product(half, three).tolist() == [0.375]
        assert [lanes.value(three, weight).tolist() for weight in (1.0, 0.5, 2.0)] == [[0.75], [0.375], [1.5]]
        assert lanes.one_minus(half).stored.tolist() == [0.5]
        assert lanes.one_minus(three).stored.tolist() == [1]
    assert arithmetic_for(codes, [codes]).value(three).dtype == np.int64


def test_what_a_lane_is_built_of_and_what_one_value_switches() -> None:
    """Two multipliers that are alike whichever operand is named first; a table of 100 bits in words of 8 has 13."""
    lane = LaneInventory(100, ((8, 9), (9, 8)), (12,), (16, 16, 4), read_bits=8, constant_bits=30)
    operators = {
        Operator(OperatorKind.MULTIPLY, 8, 9): 2,
        Operator(OperatorKind.ADD, 12): 1,
        Operator(OperatorKind.COMPARE, 16): 2,
        Operator(OperatorKind.COMPARE, 4): 1,
    }
    assert lane.operators == operators
    assert lane.evaluation == Counter({**operators, table_of(13, 8): 1})
    assert lane.inventory == Counter({**operators, table_of(13, 8): 1, CONSTANT_BIT: 30})
    floating = LaneInventory(0, ((24, 24),), (24,), (16,), floating=True)
    assert floating.operators == {
        Operator(OperatorKind.MULTIPLY, 24, 24, floating=True): 1,
        Operator(OperatorKind.ADD, 24, floating=True): 1,
        Operator(OperatorKind.COMPARE, 16): 1,
    }
    assert floating.evaluation == floating.operators, "it reads no table"
    assert +floating.inventory == floating.operators
    assert LaneInventory(5).evaluation == Counter({table_of(5, 1): 1}), "words of a bit, if nothing says more"
