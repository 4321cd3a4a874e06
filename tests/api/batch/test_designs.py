"""Designs as a table: distinct sections, fields that not all have, and some of the designs in another order."""

from __future__ import annotations

from archsim.api.batch import Designs
from archsim.api.batch.designs import CLASS, Missing, distinct
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.machine_config import MachineConfig


def config(preset: str, *sets: str) -> MachineConfig:
    return load_arch(preset, [parse_override(text) for text in sets]).config


def test_distinct_values_are_told_apart_by_their_type_too() -> None:
    found = distinct([1, 1.0, True, 1, "1", None, 1.0])
    assert [repr(value) for value in found.values] == ["1", "1.0", "True", "'1'", "None"]
    assert found.codes.tolist() == [0, 1, 2, 0, 3, 4, 1]


def test_fields_of_machines_of_two_families() -> None:
    """Rows are those of an array that the second machine does not have, and PEs of one that the others have not."""
    made = [config("tiny_2x2"), config("edgedrnn"), config("tiny_2x2", "mac_array.rows=4"), config("tiny_2x2")]
    designs = Designs.from_configs(made, ["fused", None, "split", "fused"])
    assert len(designs) == 4
    assert list(designs.field("mac_array.rows").each()) == [2, Missing, 4, 2]
    assert list(designs.field("pe_array.pes").each()) == [Missing, made[1].pe_array.pes, Missing, Missing]  # type: ignore[attr-defined]
    assert list(designs.field("family").each()) == ["gemv", "delta", "gemv", "gemv"]
    assert len(designs.field("mac_array").values) == 3, "equal sections stand once"
    assert designs.field(CLASS).codes.tolist() == [0, 1, 0, 0]
    first, of = designs.classes(["mac_array.rows", "dram.latency_cycles"])
    assert len(first) == 3
    assert of[0] == of[3]
    assert designs.key(["family", "mac_array.rows"], 2) == ("gemv", 4)


def test_some_of_the_designs_in_another_order() -> None:
    made = [config("tiny_2x2", f"mac_array.rows={rows}") for rows in (2, 4, 8)]
    designs = Designs.from_configs(made, ["fused", "split", "fused"])
    some = designs.at([2, 0])
    assert [some.config(row) for row in range(2)] == [made[2], made[0]]
    assert list(some.field("mac_array.rows").each()) == [8, 2]
    assert list(some.schedules.each()) == ["fused", "fused"]
    assert [some.at([1]).config(0), len(some.at([]))] == [made[0], 0]
