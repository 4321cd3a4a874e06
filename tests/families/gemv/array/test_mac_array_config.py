"""The sizes that follow from a MAC array's columns, by hand."""

from __future__ import annotations

import pytest

from archsim.families.gemv.array.mac_config import MacArrayConfig
from archsim.program.ir import DataKind


def array(columns: int, x_columns: int | None = None) -> MacArrayConfig:
    return MacArrayConfig(
        rows=4, columns=columns, x_columns=x_columns, multiplier_latency_cycles=1, adder_latency_cycles=1
    )


@pytest.mark.parametrize(
    ("x_columns", "one_accumulation", "chunks"),
    [
        (None, True, 2),  # 5 + 9 = 14 inputs on 8 columns
        (None, False, 3),  # 1 of x and 2 of h
        (3, True, 2),  # beside each other: 2 of x on 3 columns, 2 of h on 5
        (3, False, 2),
        (1, True, 5),  # 5 of x on one column, 2 of h on 7
        (7, True, 9),  # 1 of x, 9 of h on one column
    ],
)
def test_chunks_of_a_tile(x_columns: int | None, one_accumulation: bool, chunks: int) -> None:
    """I = 5 and H = 9 on 8 columns. Trees of their own count, whatever the accumulators could take in one."""
    inputs = [(DataKind.W_IH, 5), (DataKind.W_HH, 9)]
    assert array(8, x_columns).chunks(inputs, one_accumulation) == chunks
