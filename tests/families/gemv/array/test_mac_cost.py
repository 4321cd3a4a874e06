"""What a MAC array switches and is built of, on arrays on which no two parameters are equal."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.config import parse_override
from archsim.families.gemv.array.mac_config import MacArrayConfig
from archsim.families.gemv.array.mac_cost import ArrayOperators
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.hardware.operators import (
    REGISTER_BIT,
    Operator,
    Width,
    integer_adder,
    multiplier,
)
from archsim.program.ir import DataKind

BITS = {"weight": "int6", "input": "int7", "hidden": "int9", "accumulator": "int24", "gate": "int12"}
SETS = tuple(f"formats.{kind}={found}" for kind, found in BITS.items())
BOTH = [(DataKind.W_IH, 8), (DataKind.W_HH, 5)]
PRODUCT = multiplier(Width(6, floating=False), Width(9, floating=False))
"""Of a weight and the wider of x and h: 15 bits."""
RESCALED = multiplier(Width(24, floating=False), Width(31, floating=False))


def array(**fields: int) -> MacArrayConfig:
    """5 rows of 6 columns, with 2, 3 and 4 pipeline stages."""
    latencies = {"multiplier_latency_cycles": 2, "adder_latency_cycles": 3, "converter_latency_cycles": 4}
    return MacArrayConfig.model_validate({"rows": 5, "columns": 6, **latencies, **fields})


def operators(*sets: str, **fields: int) -> ArrayOperators:
    config = load_arch(
        "tiny_2x2", [parse_override(text) for text in ("formats=int16", "activation.method=exact", *SETS, *sets)]
    ).config
    assert isinstance(config, GemvConfig)
    return ArrayOperators(array(**fields), config.formats)


def adders(found: Mapping[Operator, int]) -> dict[int, int]:
    """How many adders there are of each width."""
    return {bits: found[integer_adder(bits)] for bits in range(1, 64) if integer_adder(bits) in found}


def test_a_cycle_of_a_row() -> None:
    """5 of 6 columns: 5 products; 2, 1 and 1 additions leave 3, 2 and 1 numbers, a bit wider each; an accumulation.

    Registers: 5 x 15 bits x 2 stages, 3 x 16 x 3, 2 x 17 x 3 and 18 x 3, and the accumulator.
    """
    found = operators().chunk(5, 6)
    assert found[PRODUCT] == 5
    assert adders(found) == {16: 2, 17: 1, 18: 1, 24: 1}
    assert found[REGISTER_BIT] == 150 + 144 + 102 + 54 + 24


def test_a_column_has_no_tree() -> None:
    found = operators(columns=1).chunk(1, 1)
    assert found == {PRODUCT: 1, integer_adder(24): 1, REGISTER_BIT: 2 * 15 + 24}


def test_a_tile_of_two_accumulations() -> None:
    """4 rows, 3 sequences: chunks of 6 and 2 inputs of x, and of 5 of h, 12 times each; 12 sums of each converted.

    Registers of a row: 6 inputs 180 + 144 + 102 + 54 + 24 = 504; two 60 + 48 + 51 + 54 + 24 = 237; five 474 (above).
    Weights once, inputs for each sequence; a converter has 4 stages of 12 bits.
    """
    found = operators().tile(4, BOTH, 3)
    assert found[PRODUCT] == 12 * (6 + 2 + 5)
    assert found[RESCALED] == 12 * 2
    assert adders(found) == {16: 12 * (3 + 1 + 2), 17: 12 * (1 + 0 + 1), 18: 12 * (1 + 0 + 1), 24: 12 * 3 + 12 * 2}
    assert found[REGISTER_BIT] == 12 * (504 + 237 + 474) + 4 * 13 * 6 + 13 * 3 * 9 + 12 * 2 * 48


def test_a_tile_of_one_accumulation() -> None:
    """In q formats x and h follow each other: 13 inputs are two chunks of 6 and one of 1, converted once."""
    q = ("weight=q2.4", "input=q4.5", "hidden=q4.5", "accumulator=q8.16", "gate=q4.8")
    found = operators(*(f"formats.{text}" for text in q)).tile(4, BOTH, 3)
    assert found[PRODUCT] == 12 * 13
    assert adders(found)[24] == 12 * 3 + 12
    assert RESCALED not in found, "a shift is no multiplication"


def test_columns_apart() -> None:
    """2 columns of x and 4 of h: 8 inputs are 4 chunks, 5 are one of 4 and one of 1. One sum of each is added to the
    other's (3 stages of 24 bits), and converted once. Of h alone nothing is joined."""
    found = operators(x_columns=2)
    both, alone = found.tile(4, BOTH, 3), found.tile(4, BOTH[1:], 3)
    assert both[RESCALED] == alone[RESCALED] == 12
    assert adders(both)[24] == 12 * (4 + 2) + 12 + 12
    assert adders(alone)[24] == 12 * 2 + 12
    # Two inputs: 60 + 48 + 24; four: 120 + 96 + 51 + 24; one of four columns: 30 + 48 + 51 + 24.
    moved = 4 * 13 * 6 + 13 * 3 * 9
    assert both[REGISTER_BIT] == 12 * (4 * 132 + 291 + 153) + moved + 12 * 72 + 12 * 48


def test_the_mean_of_steps() -> None:
    """27 inputs of h in two steps: chunks of 6 four times and of 3. Half of what is switched, but sums are converted in
    each. 3 inputs of one row: 1.5 products are 2, half an accumulation none."""
    found = operators().mean_tile(4, DataKind.W_HH, 27, 3, 2)
    assert (found[PRODUCT], found[RESCALED]) == (12 * 27 // 2, 12)
    odd = operators().mean_tile(1, DataKind.W_HH, 3, 1, 2)
    assert (odd[PRODUCT], odd[integer_adder(24)]) == (2, 0 + 1)
    assert operators().mean_tile(1, DataKind.W_HH, 3, 1, 0)[PRODUCT] == 3, "no step is known: as if there were one"


def test_what_an_array_is_built_of() -> None:
    """5 rows of 6 columns (504 bits of registers a row, above) and of a converter; 30 weights, and 6 inputs."""
    found = operators().inventory()
    assert (found[PRODUCT], found[RESCALED]) == (30, 5)
    assert adders(found) == {16: 15, 17: 5, 18: 5, 24: 5 + 5}
    assert found[REGISTER_BIT] == 5 * (504 + 48) + 30 * 6 + 6 * 9


def test_what_columns_apart_are_built_of() -> None:
    """A row: trees of 2 and of 4 columns, 132 and 291 bits, and what joins their sums, 72."""
    found = operators(x_columns=2).inventory()
    assert adders(found)[24] == 5 * (2 + 1 + 1)
    assert found[REGISTER_BIT] == 5 * (132 + 291 + 72 + 48) + 30 * 6 + 6 * 9


def test_an_adder_of_floats_has_partial_sums() -> None:
    """6 columns: 5 additions, one into the accumulator; 3 stages of an adder are 3 partial sums, added up by 2 more."""
    config = load_arch("tiny_2x2").config
    assert isinstance(config, GemvConfig)
    found = ArrayOperators(array(), config.formats)
    assert found.inventory()[found.accumulate] == 5 * (5 + 1 + 2)
    alone = ArrayOperators(array(adder_latency_cycles=0), config.formats)
    assert alone.inventory()[alone.accumulate] == 5 * (5 + 1), "an addition in a cycle has one"


def test_levels_of_the_tree() -> None:
    """ceil(log2 columns); of two trees the deeper one's, and one to join them. Each takes 3 cycles, a product 2."""
    levels = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 8: 3, 9: 4}
    assert {columns: array(columns=columns).tree_levels for columns in levels} == levels
    assert [array(columns=9, x_columns=x).tree_levels for x in (1, 4, 5, 8)] == [3 + 1, 3 + 1, 3 + 1, 3 + 1]
    assert [array(columns=8, x_columns=x).tree_levels for x in (1, 4)] == [3 + 1, 2 + 1]
    assert array(columns=5).tree_depth_cycles == 2 + 3 * 3


def test_columns_of_each_matrix() -> None:
    kinds = (DataKind.W_IH, DataKind.W_HH, DataKind.W_HR)
    assert [array().columns_of(kind) for kind in kinds] == [6, 6, 6]
    assert [array(x_columns=5).columns_of(kind) for kind in kinds] == [5, 1, 1]
