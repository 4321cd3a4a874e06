"""What the tests of tables and lines share: functions, addresses, and how to ask a unit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import strategies as st

from archsim.formats import Encoding, Fixed, Rounding
from archsim.hardware.functions.table import TableConfig, TableMethod
from archsim.workload import FunctionSpec
from tests.hardware.exact_rules import int_

SIGMOID, TANH = FunctionSpec("sigmoid"), FunctionSpec("tanh")
FUNCTIONS = [
    SIGMOID,
    TANH,
    FunctionSpec("scaledtanh", 1.7159, 2 / 3),
    FunctionSpec("scaledtanh", -0.5, 3.0),
    FunctionSpec("elu", 1.0),
    FunctionSpec("elu", 2.5),
    FunctionSpec("softsign"),
    FunctionSpec("softplus"),
]


def method(entries: int, span: float, address: Fixed, interpolation: str = "nearest") -> TableMethod:
    config = TableConfig.model_validate({"entries": entries, "span": span, "interpolation": interpolation})
    return TableMethod(config, address)


def results(unit: TableMethod, function: FunctionSpec, target: Encoding, codes: Iterable[int]) -> list[float]:
    found, beyond = unit.evaluator(function, target)(np.array(list(codes), np.int64))
    assert beyond == 0
    assert found.dtype == (np.int64 if target.is_integer else np.float32)
    listed: list[float] = found.tolist()
    return listed


ADDRESSES = st.integers(1, 10).flatmap(lambda m: st.builds(Fixed, st.just(m), st.integers(2 if m == 1 else 1, 32 - m)))
SPANS = st.integers(-4, 6).map(lambda log: 2.0**log)
PARTS = st.lists(st.floats(0, 1), min_size=1, max_size=20)
TARGETS = st.builds(
    lambda bits, zero, rounding, wraps: int_(bits, 3.0 / 2**bits, round(zero * 2 ** (bits - 1)), rounding, wraps),
    st.integers(2, 32),
    st.floats(-0.9, 0.9),
    st.sampled_from(list(Rounding)),
    st.booleans(),
)


def addresses(address: Fixed, parts: list[float]) -> list[int]:
    """Codes all over the range of a format, ends included; `parts` from 0 to 1."""
    inside = [address.lowest + round(part * (address.highest - address.lowest)) for part in parts]
    return [address.lowest, address.highest, -1, 0, 1, *inside]
