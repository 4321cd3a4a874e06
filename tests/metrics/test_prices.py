"""Between the points of a technology's tables, beyond them, and at them."""

from __future__ import annotations

from itertools import pairwise
from math import isclose, log, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archsim.config.presets import PresetKind, preset_names
from archsim.hardware.operators import Operator, OperatorKind, table_of
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.technology import Prices, load_prices
from archsim.technology.conditions import Conditions
from archsim.technology.interpolate import interpolate, interpolate_grid

NODES = preset_names(PresetKind.TECHNOLOGY)
points = st.lists(st.integers(1, 10_000), min_size=2, max_size=6, unique=True).map(sorted)
positive = st.floats(1e-3, 1e3)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Rising points with values that do not fall, no steeper than the 25th power: beyond that, what the laws compare is
    no number that a double holds (e^709). Prices grow with a power of 1 to 2."""
    at = draw(points)
    values = sorted(draw(positive) for _ in at)
    assume(all(log(v / u) <= 25 * log(b / a) for (a, b), (u, v) in zip(pairwise(at), pairwise(values), strict=True)))
    return at, values


@given(tables())
def test_exact_at_the_points(table: tuple[list[int], list[float]]) -> None:
    at, values = table
    assert [interpolate(at, values, x) for x in at] == values


@given(tables(), st.floats(0.5, 20_000), st.floats(1, 4))
def test_never_falls_where_the_table_does_not(table: tuple[list[int], list[float]], x: float, factor: float) -> None:
    at, values = table
    assert interpolate(at, values, x) <= interpolate(at, values, factor * x) * (1 + 1e-9)


@given(st.floats(0.1, 10), st.floats(0, 3), tables(), st.floats(0.5, 20_000))
def test_a_power_is_met_everywhere(scale: float, power: float, table: tuple[list[int], list[float]], x: float) -> None:
    """Between the points and beyond them."""
    at, _ = table
    assert isclose(interpolate(at, [scale * a**power for a in at], x), scale * x**power, rel_tol=1e-6)


@given(tables(), tables(), st.floats(0.5, 20_000), st.floats(0.5, 20_000))
def test_a_grid_of_products_is_a_product(
    rows: tuple[list[int], list[float]], columns: tuple[list[int], list[float]], row: float, column: float
) -> None:
    grid = [[a * b for b in columns[1]] for a in rows[1]]
    found = interpolate_grid(rows[0], columns[0], grid, row, column)
    assert isclose(found, interpolate(*rows, row) * interpolate(*columns, column), rel_tol=1e-6)


def test_beyond_a_grid_by_hand() -> None:
    """Rows at 1 and 4, columns at 2 and 8. Row 1 has slope log 2 / log 4 = 1/2, row 4 slope log 8 / log 4 = 3/2.

    At column 1/2 (edge 2, a quarter of it) the factors are (1/4)^(1/2) = 1/2 and (1/4)^(3/2) = 1/8, in the mean 1/4; at
    column 2 the line of the rows has 1, 2 (the middle of 1 and 4), 4 and, at 16, 16.
    """
    grid = [[1.0, 2.0], [4.0, 32.0]]
    for row, at_edge in ((1, 1), (2, 2), (4, 4), (16, 16)):
        assert interpolate_grid([1, 4], [2, 8], grid, row, 2) == pytest.approx(at_edge)
        assert interpolate_grid([1, 4], [2, 8], grid, row, 0.5) == pytest.approx(at_edge / 4)
    assert interpolate_grid([1, 4], [2, 8], grid, 1, 32) == pytest.approx(2 * 4)


gentle = st.lists(st.integers(0, 12), min_size=2, max_size=5, unique=True).map(lambda p: [2**x for x in sorted(p)])
"""Points an octave or more apart, so that no line is steep."""


@given(gentle, gentle, st.data())
def test_no_grid_falls_from_row_to_row(rows: list[int], columns: list[int], data: st.DataObject) -> None:
    """Up to eight times beyond it: in a grid that rises both ways, of slopes that differ from line to line."""
    steps = [[data.draw(st.floats(0, 2)) for _ in columns] for _ in rows]
    grid = [
        [1e-3 + sum(sum(line[: c + 1]) for line in steps[: r + 1]) for c in range(len(steps[0]))]
        for r in range(len(steps))
    ]
    column = columns[0] * 2 ** data.draw(st.floats(-3, 3))
    row = rows[0] * 2 ** data.draw(st.floats(-3, 3))
    factor = data.draw(st.floats(1, 8))
    low = interpolate_grid(rows, columns, grid, row, column)
    assert low <= interpolate_grid(rows, columns, grid, factor * row, column) * (1 + 1e-9)


@pytest.mark.parametrize("node", NODES)
def test_every_point_of_the_sram_tables_is_the_price_of_that_sram(node: str) -> None:
    prices = load_prices(node)
    table = prices.technology.sram
    for dual_port, grids in ((False, table.single_port), (True, table.dual_port)):
        for r, words in enumerate(table.words):
            for c, width in enumerate(table.width_bits):
                price = prices.memory(Sram(1, words * width // 8, width, dual_port))
                assert (price.access_bits, price.extrapolated) == (width, "")
                assert price.read_pj == grids.read_pj[r][c]
                assert price.write_pj == grids.write_pj[r][c]
                assert price.leakage_mw == grids.leakage_mw[r][c]
                assert price.area_mm2 == grids.area_mm2[r][c]


def test_banks_add_up_and_a_wide_port_is_macros_side_by_side() -> None:
    prices = load_prices("node_45nm")
    one = prices.memory(Sram(1, 64 * 1024, 512, dual_port=True))
    four = prices.memory(Sram(4, 4 * 64 * 1024, 512, dual_port=True))
    wide = prices.memory(Sram(1, 4 * 64 * 1024, 2048, dual_port=True))
    assert four == wide
    assert (four.read_pj, four.write_pj, four.access_bits) == (one.read_pj, one.write_pj, 512)
    assert (four.area_mm2, four.leakage_mw) == (4 * one.area_mm2, 4 * one.leakage_mw)


def test_operators_at_between_and_beyond_the_points() -> None:
    """45 nm. 16 x 16 bits lie half way, in the logarithm, from 8 to 32; 8 x 32 bits are as many cells."""
    prices = load_prices("node_45nm")

    def energy(kind: str, bits: int, other: int = 0, floating: bool = False) -> float:
        return prices.operator(Operator(OperatorKind(kind), bits, other, floating)).energy_pj

    assert energy("multiply", 8, 8) == 0.2
    assert energy("multiply", 32, 32) == 3.1
    assert energy("multiply", 16, 16) == pytest.approx(sqrt(0.2 * 3.1))
    assert energy("multiply", 8, 32) == energy("multiply", 16, 16)
    assert energy("multiply", 4, 4) == pytest.approx(0.2 / sqrt(3.1 / 0.2))
    assert energy("add", 16) == energy("compare", 16) == 0.05
    assert energy("multiplex", 16) == pytest.approx(0.05 * 7 / 16)
    assert energy("add", 64) == pytest.approx(0.2)
    assert energy("multiply", 24, 24, floating=True) == 3.7
    slope = log(3.7 / 1.1) / log(24 / 11)
    assert energy("multiply", 8, 8, floating=True) == pytest.approx(1.1 * (8 / 11) ** slope)
    assert energy("register", 1) == energy("table", 1) == 0.009


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (Operator(OperatorKind.MULTIPLY, 8, 8), ""),
        (Operator(OperatorKind.MULTIPLY, 4, 16), ""),
        (Operator(OperatorKind.MULTIPLY, 4, 15), "the table has 8 to 32 bits"),
        (Operator(OperatorKind.ADD, 33), "the table has 8 to 32 bits"),
        (Operator(OperatorKind.MULTIPLEX, 33), "the table has 8 to 32 bits"),
        (Operator(OperatorKind.ADD, 8, floating=True), "the table has 11 to 24 bits"),
        (Operator(OperatorKind.REGISTER), ""),
    ],
)
def test_what_is_extrapolated_is_said(operator: Operator, said: str) -> None:
    assert load_prices("node_45nm").operator(operator).extrapolated == said


@pytest.mark.parametrize(
    ("words", "bits", "area_um2", "read_pj"),
    [
        (4, 40, 160 * 5.98, 40 * 0.009),  # 957 um2, where the least SRAM has 1,054
        (6, 32, 1054, 0.3577),  # 192 bits of registers are 1,148 um2: the least SRAM, with its energy
        (64, 32, 1054, 0.3577),  # points of the table
        (256, 128, 15_880, 3.63),
        (2048, 16, 13_860, 2.562),  # two to a word: 1,024 words x 32 bits
    ],
)
def test_a_table_is_an_sram_where_that_is_smaller(words: int, bits: int, area_um2: float, read_pj: float) -> None:
    """Of 45 nm: registers of 5.98 um2 and 0.009 pJ a bit, or an SRAM, no smaller than 64 words x 32 bits."""
    price = load_prices("node_45nm").operator(table_of(words, bits))
    assert price.area_mm2 == pytest.approx(area_um2 / 1e6)
    assert price.energy_pj == pytest.approx(read_pj)


@given(st.sampled_from(NODES), st.integers(1, 5000), st.integers(1, 200), st.integers(1, 4), st.integers(1, 4))
def test_a_larger_table_takes_no_less_area(node: str, words: int, bits: int, more: int, wider: int) -> None:
    prices = load_prices(node)
    small, large = (prices.operator(table_of(*size)) for size in ((words, bits), (words * more, bits * wider)))
    assert large.area_mm2 >= small.area_mm2 * (1 - 1e-12)
    assert large.energy_pj >= small.energy_pj * (1 - 1e-12)


def test_registers_and_dram() -> None:
    prices = load_prices("node_45nm")
    registers = prices.memory(Registers(1000))
    assert (registers.read_pj, registers.write_pj, registers.access_bits) == (0.009, 0.009, 1)
    assert registers.area_mm2 == pytest.approx(5.98e-3)
    assert registers.leakage_mw == pytest.approx(5.98e-3 * 12.3)
    assert prices.memory(OffChip("lpddr4")).read_pj == 5.9
    assert prices.memory(OffChip("hbm2")).area_mm2 == 0
    with pytest.raises(ValueError, match="no DRAM of type 'sdram'; the technology has lpddr4, ddr4, hbm2, ddr3, gddr6"):
        prices.memory(OffChip("sdram"))


@given(
    st.sampled_from(NODES),
    st.integers(1, 8),
    st.integers(1, 1 << 22),
    st.sampled_from([1, 2, 8, 16, 32, 64, 200, 512, 600]),
    st.floats(1, 100),
    st.booleans(),
)
def test_a_larger_sram_costs_no_less(
    node: str, banks: int, capacity: int, port_bits: int, factor: float, dual: bool
) -> None:
    """Within the table and beyond it on every side: one word of one bit, and 4 MiB of 8 bits."""
    prices: Prices = load_prices(node)
    small = prices.memory(Sram(banks, capacity, port_bits, dual))
    large = prices.memory(Sram(banks, int(capacity * factor), port_bits, dual))
    for quantity in ("read_pj", "write_pj", "leakage_mw", "area_mm2"):
        assert getattr(small, quantity) <= getattr(large, quantity) * (1 + 1e-9)


@given(st.sampled_from(NODES), st.integers(1, 48), st.integers(1, 48), st.booleans())
def test_a_wider_operator_costs_no_less(node: str, bits: int, more: int, floating: bool) -> None:
    prices = load_prices(node)
    for kind, other in ((OperatorKind.MULTIPLY, bits), (OperatorKind.ADD, 0)):
        narrow = prices.operator(Operator(kind, bits, other, floating))
        wide = prices.operator(Operator(kind, bits + more, other, floating))
        assert 0 < narrow.energy_pj <= wide.energy_pj
        assert 0 < narrow.area_mm2 <= wide.area_mm2


def test_two_ports_cost_more_than_one() -> None:
    """But for some reads: CACTI cuts the array of either anew."""
    for node in ("node_45nm", "node_22nm"):
        prices = load_prices(node)
        one, two = (prices.memory(Sram(1, 8192, 64, dual_port)) for dual_port in (False, True))
        assert one.write_pj < two.write_pj
        assert one.area_mm2 < two.area_mm2
        assert one.leakage_mw < two.leakage_mw


def test_cacti_lies_near_what_was_published_at_45_nm() -> None:
    """Horowitz, ISSCC 2014: 10, 20 and 100 pJ for 64 bits of 8 KiB, 32 KiB and 1 MiB (of a cache, with its tags):
    CACTI's RAM takes 55 %, 47 % and, extrapolated, 46 % of that."""
    prices = load_prices("node_45nm")
    for kib, published, share in ((8, 10, 0.55), (32, 20, 0.47), (1024, 100, 0.46)):
        found = prices.memory(Sram(1, kib * 1024, 64, dual_port=False)).read_pj
        assert found / published == pytest.approx(share, abs=5e-3)


def test_a_port_wider_than_the_table_and_copies_of_a_bank_by_hand() -> None:
    """600 bits are two macros of 300, each of the words of its bank: 64 KiB of 2 banks are 524,288 / 4 / 300 words.

    A bank of which there are three copies is two banks more, so 2 + 2 of twice a macro each, that leak and take area;
    an access is to one.
    """
    prices = load_prices("node_45nm")
    assert prices.technology.sram.width_bits[-1] == 512
    found = prices.memory(Sram(2, 65_536, 600, dual_port=True, copies=(("x", 3),)))
    grids, words = prices.technology.sram.dual_port, 8 * 65_536 / (2 * 2 * 300)
    axes = prices.technology.sram.words, prices.technology.sram.width_bits

    def at(grid: tuple[tuple[float, ...], ...]) -> float:
        return interpolate_grid(*axes, grid, words, 300)

    assert found.access_bits == 300
    assert (found.read_pj, found.write_pj) == pytest.approx((at(grids.read_pj), at(grids.write_pj)))
    assert found.leakage_mw == pytest.approx(8 * at(grids.leakage_mw))
    assert found.area_mm2 == pytest.approx(8 * at(grids.area_mm2))
    assert (found.access_pj("read"), found.access_pj("write")) == (found.read_pj, found.write_pj)
    assert found.read_pj != found.write_pj


def test_how_far_beyond_the_table_an_sram_lies_is_said() -> None:
    """Its ends are among it; less than a word a bank is one."""
    prices = load_prices("node_45nm")
    words, bits = prices.technology.sram.words, prices.technology.sram.width_bits
    ends = f"the table has {words[0]:,} to {words[-1]:,} words x {bits[0]:,} to {bits[-1]:,} bits"
    for words_of, bits_of in ((words[0], bits[0]), (words[-1], bits[-1])):
        assert prices.memory(Sram(1, words_of * bits_of // 8, bits_of, dual_port=False)).extrapolated == ""
    few = prices.memory(Sram(1, (words[0] - 1) * 64 // 8, 64, dual_port=False))
    assert few.extrapolated == f"SRAM of {words[0] - 1} words x 64 bits: {ends}"
    many = prices.memory(Sram(1, (words[-1] + 1) * 64 // 8, 64, dual_port=False))
    assert many.extrapolated == f"SRAM of {words[-1] + 1:,} words x 64 bits: {ends}"
    narrow = prices.memory(Sram(1, 256 * (bits[0] - 8) // 8, bits[0] - 8, dual_port=False))
    assert narrow.extrapolated == f"SRAM of 256 words x {bits[0] - 8} bits: {ends}"
    tiny = prices.memory(Sram(4, 4, 64, dual_port=False))
    assert tiny.extrapolated == f"SRAM of 1 words x 64 bits: {ends}"


def test_what_switches_goes_with_the_square_of_the_voltage() -> None:
    """45 nm at 0.45 instead of 0.9 V: a quarter of the energy of everything on the chip; DRAM and areas stay."""
    usual, half = load_prices("node_45nm"), load_prices("node_45nm", Conditions(voltage_v=0.45))
    for operator in (
        Operator(OperatorKind.ADD, 16),
        Operator(OperatorKind.REGISTER),
        table_of(4, 40),
        table_of(64, 32),
    ):
        before, after = usual.operator(operator), half.operator(operator)
        assert after.energy_pj == pytest.approx(before.energy_pj / 4), operator
        assert after.area_mm2 == before.area_mm2
    for memory in (Registers(100), Sram(1, 8192, 64, dual_port=True)):
        was, now = usual.memory(memory), half.memory(memory)
        assert (now.read_pj, now.write_pj) == pytest.approx((was.read_pj / 4, was.write_pj / 4))
        assert now.leakage_mw == pytest.approx(was.leakage_mw / 2)
        assert now.area_mm2 == was.area_mm2
    assert half.memory(OffChip("lpddr4")) == usual.memory(OffChip("lpddr4"))
    assert half.digest != usual.digest
