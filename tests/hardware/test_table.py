"""Functions from tables, by hand: entries, ends, ties, lines between entries, inventory, configs."""

import numpy as np
import pytest

from archsim.config import parse_document, validate
from archsim.errors import ArchError, SimulatorBug
from archsim.formats import BlockFloat, Encoding, Fixed, Float16, Float32, Rounding, Scaled, parse_format
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.table import TableConfig, TableMethod
from archsim.hardware.lane_inventory import LaneInventory
from archsim.workload import FunctionSpec
from tests.hardware.exact_rules import int_, q
from tests.hardware.tables import SIGMOID, TANH, method, results


def test_the_entries_are_the_function_at_the_steps() -> None:
    """sigmoid at -2, -1, 0, 1, 2 is 0.11920, 0.26894, 0.5, 0.73106, 0.88080; in 64ths 7.63, 17.21, 32, 46.79, 56.37."""
    unit = method(4, 2.0, Fixed(3, 2))
    assert unit.table(SIGMOID, q(2, 6)).tolist() == [8, 17, 32, 47, 56]
    assert unit.table(SIGMOID, q(2, 6, Rounding.TRUNCATE)).tolist() == [7, 17, 32, 46, 56]


def test_nearest_entry_of_every_address() -> None:
    """x = code / 4: below -1.5 entry 0, -1.5 (a tie, rounded up) to -0.75 entry 1, -0.5 to 0.25 entry 2, then 3."""
    expected = [8] * 10 + [17] * 4 + [32] * 4 + [47] * 14
    assert results(method(4, 2.0, Fixed(3, 2)), SIGMOID, q(2, 6), range(-16, 16)) == expected


def test_line_between_entries_at_every_address() -> None:
    """The rises are 9, 15, 15, 9; quarters of 9 are 2.25, 4.5, 6.75, those of 15 are 3.75, 7.5, 11.25; ties to even."""
    inside = [8, 10, 12, 15, 17, 21, 25, 28, 32, 36, 40, 43, 47, 49, 51, 54]
    unit = method(4, 2.0, Fixed(3, 2), "linear")
    assert results(unit, SIGMOID, q(2, 6), range(-16, 16)) == [8] * 8 + inside + [56] * 8


@pytest.mark.parametrize(
    ("rounding", "rising", "falling"), [("even", 4, -4), ("half_up", 5, -4), ("truncate", 4, -5), ("gemmlowp", 5, -5)]
)
def test_a_rise_is_rounded_as_the_target_says(rounding: str, rising: int, falling: int) -> None:
    """scaledtanh(+-a, 40) from x = 0 to 1 rises by +-9 codes, half of which is +-4.5."""
    target = q(2, 6, Rounding(rounding))
    for alpha, expected in ((9.0 / 64, rising), (-9.0 / 64, falling)):
        unit = method(4, 2.0, Fixed(3, 2), "linear")
        function = FunctionSpec("scaledtanh", alpha, 40.0)
        assert unit.table(function, target)[2:4].tolist() == [0, alpha * 64]
        assert results(unit, function, target, [2]) == [expected]


def test_addresses_coarser_than_the_step_hit_entries() -> None:
    """q3.0, step 1/2: x = -4 .. 3 are entries 0, 0, 0, 2, 4, 6, then beyond: 7 (nearest), 8 (the line's end)."""
    target = q(2, 20)
    for interpolation, last in (("nearest", 7), ("linear", 8)):
        unit = method(8, 2.0, Fixed(3, 0), interpolation)
        table = unit.table(TANH, target)
        assert results(unit, TANH, target, range(-4, 4)) == table[[0, 0, 0, 2, 4, 6, last, last]].tolist()


def test_addresses_coarser_than_the_range() -> None:
    """q3.0 and R = 1/16: all but 0 is beyond the range."""
    target = q(2, 20)
    for interpolation, last in (("nearest", 3), ("linear", 4)):
        unit = method(4, 1 / 16, Fixed(3, 0), interpolation)
        table = unit.table(TANH, target)
        assert results(unit, TANH, target, range(-4, 4)) == table[[0, 0, 0, 0, 2, last, last, last]].tolist()


def test_addresses_that_reach_only_a_part_of_the_range() -> None:
    """q1.3, R = 8, step 1: -1 is entry 7; -0.5, a tie, 8; 0.5 is 9."""
    target = q(2, 20)
    unit = method(16, 8.0, Fixed(1, 3))
    table = unit.table(TANH, target)
    assert results(unit, TANH, target, [-8, -5, -4, 3, 4, 7]) == table[[7, 7, 8, 8, 9, 9]].tolist()


def test_asymmetric_codes() -> None:
    """Scale 1/200, zero point -100: sigmoid is 23.84, 53.79, 100, 146.21, 176.16 steps above the zero point."""
    target = int_(8, 1 / 200, -100)
    assert method(4, 2.0, Fixed(3, 2)).table(SIGMOID, target).tolist() == [-76, -46, 0, 46, 76]
    linear = method(4, 2.0, Fixed(3, 2), "linear")
    assert results(linear, SIGMOID, target, [-8, -7, -4, -1, 0, 1, 8]) == [-76, -68, -46, -12, 0, 12, 76]


def test_entries_beyond_the_range_saturate_in_the_table_and_are_no_overflow_later() -> None:
    target = q(1, 7)
    unit = method(4, 8.0, Fixed(4, 4))
    assert unit.table(TANH, target).tolist() == [-128, -128, 0, 127, 127]
    assert results(unit, TANH, target, [100]) == [127]


def test_floating_point_entries_are_rounded_values() -> None:
    unit = method(4, 2.0, Fixed(3, 2))
    exact = evaluate(SIGMOID, np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    assert np.array_equal(unit.table(SIGMOID, Encoding(Float32())), exact.astype(np.float32))
    half = exact.astype(np.float16).astype(np.float32)
    assert np.array_equal(unit.table(SIGMOID, Encoding(Float16())), half)
    assert results(unit, SIGMOID, Encoding(Float16()), [-8, -6, 7]) == half[[0, 1, 3]].tolist()


def test_a_line_in_floating_point_is_computed_in_float32_and_rounded_once() -> None:
    """x = -1.75 is a quarter of the way from -2 to -1."""
    linear = method(4, 2.0, Fixed(3, 2), "linear")
    for number_format in (Float32(), Float16()):
        table = linear.table(SIGMOID, Encoding(number_format))
        between = table[0] + (table[1] - table[0]) * np.float32(0.25)
        expected = number_format.rounded(np.array([between]))[0].tolist()
        assert results(linear, SIGMOID, Encoding(number_format), [-7]) == expected
    assert (
        results(linear, SIGMOID, Encoding(Float32()), [-16, 15])
        == linear.table(SIGMOID, Encoding(Float32()))[[0, 4]].astype(float).tolist()
    )


def test_blocks_are_made_of_results_not_of_entries() -> None:
    target = BlockFloat(4, 2)
    unit = method(4, 2.0, Fixed(3, 2))
    assert np.array_equal(unit.table(TANH, Encoding(target)), unit.table(TANH, Encoding(Float32())))
    codes = np.array([[-8, 0], [0, 4]])
    found, beyond = unit.evaluator(TANH, Encoding(target))(codes)
    expected = target.rounded(unit.table(TANH, Encoding(Float32()))[[[0, 2], [2, 3]]])
    assert (found.tolist(), beyond) == (expected[0].tolist(), expected[1])


def test_stages() -> None:
    assert method(4, 2.0, Fixed(3, 2)).latency_cycles == 2
    assert method(4, 2.0, Fixed(3, 2), "linear").latency_cycles == 4


def test_inventory() -> None:
    """64 entries over [-8, 8): a step of 1/4, 2^10 last places of q4.12, whose range is [-8, 8) too."""
    q16 = parse_format("q1.15")
    assert method(64, 8.0, Fixed(4, 12)).resources(q16) == LaneInventory(64 * 16, (), (16,), (), read_bits=16)
    linear = method(64, 8.0, Fixed(4, 12), "linear")
    assert linear.resources(q16) == LaneInventory(65 * 16, ((17, 11),), (17, 16), (), read_bits=2 * 16)
    assert linear.resources(Float16()) == LaneInventory(
        65 * 16, ((24, 24),), (24, 24), (), floating=True, read_bits=2 * 16
    )
    assert linear.resources(BlockFloat(8)) == LaneInventory(
        65 * 32, ((24, 24),), (24, 24), (), floating=True, read_bits=2 * 32
    )
    assert method(64, 8.0, Fixed(5, 11)).resources(Scaled(8)) == LaneInventory(64 * 8, (), (16,), (16, 16), read_bits=8)
    assert method(64, 8.0, Fixed(5, 2)).resources(Scaled(8)) == LaneInventory(64 * 8, (), (), (7, 7), read_bits=8), (
        "nothing to round"
    )


def test_defaults_and_shape() -> None:
    config = TableConfig()
    assert (config.entries, config.span, config.interpolation) == (64, 8.0, "nearest")
    evaluator = TableMethod(config, Fixed(4, 12)).evaluator(SIGMOID, q(1, 15))
    for shape in ((0, 3), (5, 1), (2, 3)):
        assert evaluator(np.zeros(shape, np.int64))[0].shape == shape


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "entries: 48",
            "a.yaml:1: entries: expected a power of two from 2 to 65,536 (entries of the table, N; the argument's step "
            "is 2 R / N), got 48: not a power of two; next to it are 32 and 64",
        ),
        (
            "span: 3.0",
            "a.yaml:1: span: expected a power of two from 0.0625 to 64 (R of the range [-R, R) that the table covers), "
            "got 3.0: not a power of two; next to it are 2 and 4",
        ),
        (
            "span: 128",
            "a.yaml:1: span: expected a power of two from 0.0625 to 64 (R of the range [-R, R) that the table covers), "
            "got 128",
        ),
        (
            "interpolation: cubic",
            "a.yaml:1: interpolation: expected one of 'nearest', 'linear' (what is read: the nearest entry, or the "
            "line between two entries), got 'cubic'",
        ),
    ],
)
def test_bad_configs_have_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(ArchError) as caught:
        validate(TableConfig, parse_document(text, "a.yaml", ArchError), (), ArchError)
    assert str(caught.value) == message


def test_refusals() -> None:
    with pytest.raises(ValueError, match="^address format q16.32: more than 32 bits$"):
        TableMethod(TableConfig(), Fixed(16, 32))
    with pytest.raises(SimulatorBug, match="relu is no curved function"):
        TableMethod(TableConfig(), Fixed(4, 12)).evaluator(FunctionSpec("relu"), q(1, 15))
