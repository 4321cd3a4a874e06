"""Functions from tables: the page's rules in fractions, error bounds, monotony, and that wrong entries are noticed."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archsim.formats import Encoding, Fixed, IntegerFormat, Rounding
from archsim.formats.rounding import Int
from archsim.hardware.functions.approximation_range import CURVED
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.table import TableConfig, TableMethod
from archsim.workload import FunctionSpec
from tests.hardware.exact_rules import convert, int_, q
from tests.hardware.tables import ADDRESSES, FUNCTIONS, PARTS, SPANS, TANH, TARGETS, addresses, method, results


def test_every_curved_function_is_tried() -> None:
    assert {function.name for function in FUNCTIONS} == CURVED


def expected(config: TableConfig, address: Fixed, target: Encoding, table: list[int], code: int) -> int:
    """The page's rules, in fractions."""
    span, d = Fraction(config.span), Fraction(2 * config.span) / config.entries
    assert isinstance(target.format, IntegerFormat)
    x = Fraction(code, 2**address.fraction_bits)
    if config.interpolation == "nearest":
        return table[max(0, min(config.entries - 1, floor((x + span) / d + Fraction(1, 2))))]
    x = max(-span, min(span, x))
    j = min(floor((x + span) / d), config.entries - 1)
    unit = min(d, Fraction(1, 2**address.fraction_bits))
    rest = (x + span - j * d) / unit
    assert rest.denominator == 1
    rise = (table[j + 1] - table[j]) * rest.numerator
    return table[j] + convert(rise, float(unit / d), target.format.rounding)


CONFIGS = st.builds(
    TableConfig,
    entries=st.integers(1, 10).map(lambda log: 2**log),
    span=SPANS,
    interpolation=st.sampled_from(["nearest", "linear"]),
)
WIDEST = int_(32, 2.0**-31, rounding=Rounding.GEMMLOWP)


@given(CONFIGS, ADDRESSES, st.sampled_from(FUNCTIONS), TARGETS, PARTS)
@example(TableConfig(entries=2, span=64.0, interpolation="linear"), Fixed(1, 31), TANH, WIDEST, [0.3, 0.7001, 0.99])
@example(TableConfig(entries=2, span=8.0, interpolation="linear"), Fixed(5, 27), TANH, WIDEST, [0.3, 0.7001, 0.99])
def test_the_page_rules_in_fractions(
    config: TableConfig, address: Fixed, function: FunctionSpec, target: Encoding, parts: list[float]
) -> None:
    unit, codes = TableMethod(config, address), addresses(address, parts)
    table = unit.table(function, target).tolist()
    assert results(unit, function, target, codes) == [expected(config, address, target, table, c) for c in codes]


@given(
    st.sampled_from(FUNCTIONS),
    st.integers(1, 10),
    st.sampled_from([1.0, 2.0, 8.0]),
    st.integers(4, 24),
    st.lists(st.integers(-(2**20), 2**20 - 1), min_size=50, max_size=50),
)
def test_error_bounds_and_monotony(
    function: FunctionSpec, log: int, span: float, fraction: int, drawn: list[int]
) -> None:
    """Nearest: largest slope times half a step. Linear: d^2 / 8 times the largest curvature (elu's kink at 0 is an
    entry). Half a last place for the entries, and one more for the product."""
    address, target = Fixed(4, 16), q(8, fraction)
    d, place = 2 * span / 2**log, 2.0**-fraction
    grid = np.linspace(-span, span, 20_001)
    slopes = np.diff(evaluate(function, grid)) / np.diff(grid)
    bends = np.abs(np.diff(slopes) / np.diff(grid)[1:])
    bends = np.delete(bends, slice(9_998, 10_001)) if function.name == "elu" else bends
    for interpolation, bound, end in (
        ("nearest", np.abs(slopes).max() * d / 2 * 1.001 + place / 2, span - d / 2),
        ("linear", d * d / 8 * bends.max() * 1.01 + place + place / 2, span),
    ):
        codes = np.unique([c for c in drawn if -span <= c / 2**16 <= end])
        x = codes / 2**16
        found = results(method(2**log, span, address, interpolation), function, target, codes)
        assert np.abs(np.array(found) * place - evaluate(function, x)).max(initial=0) <= bound
        steps = np.diff(found) * (-1 if function.alpha is not None and function.alpha < 0 else 1)
        assert (steps >= 0).all()


class _Late(TableMethod):
    """Reads the entry behind."""

    def _nearest(self, codes: Int) -> Int:
        return np.minimum(super()._nearest(codes) + 1, self._config.entries - 1)


class _Swapped(TableMethod):
    """Two entries have changed places."""

    def table(self, function: FunctionSpec, target: Encoding) -> np.ndarray:
        table = super().table(function, target)
        table[[30, 31]] = table[[31, 30]]
        return table


@pytest.mark.parametrize(("kind", "right"), [(TableMethod, True), (_Late, False), (_Swapped, False)])
def test_a_wrong_entry_breaks_the_error_bound(kind: type[TableMethod], right: bool) -> None:
    unit = kind(TableConfig(entries=64, span=8.0), Fixed(4, 8))
    codes = np.arange(-2048, 2048 - 32)
    found = unit.evaluator(TANH, q(2, 14))(codes)[0] / 2**14
    assert bool((np.abs(found - np.tanh(codes / 256)) <= 1 / 8 + 2**-15).all()) is right
