"""Drains of parts that fill no whole vectors of accumulators, by hand."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.families.systolic.drain import Drain
from archsim.program.ir import PhaseKind
from archsim.workload import load_workload


def drains(workload: str, columns: int) -> list[tuple[tuple[int, ...], int, int, int]]:
    """Of each drain of a step: the sums of its parts, its cycles, its depth, and the sums that it reads."""
    sets = ("systolic_array.rows=4", f"systolic_array.columns={columns}", "accumulators.vectors=64")
    arch = load_arch("tpu_v1", [parse_override(text) for text in sets])
    units = build_units(arch.config)
    program = find_schedule(None, "systolic").build(load_workload(workload).spec, arch.config)
    found = []
    for op in program.phase(PhaseKind.BODY).ops:
        if isinstance(op, Drain):
            service = units[op.unit].cycles(op)
            parts = tuple(part.sums.entries for part in op.parts)
            found.append((parts, service.compute_cycles, service.depth_cycles, op.elements))
    return found


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("columns", "blocks"), [(4, (4, 1)), (5, (5,)), (6, (5,)), (3, (3, 2)), (2, (2, 2, 1)), (1, (1,) * 5)]
)
def test_a_part_takes_a_whole_vector(columns: int, blocks: tuple[int, ...], batch: int) -> None:
    """LSTM(3, 5): the 5 rows of each gate in blocks of C; each drained in two parts, W_ih x and W_hh h.

    A part takes a vector of C accumulators however few of them it has: 2 cycles for each sequence, also where both
    parts together would fit into one vector (1 + 1 of 4).
    """
    found = drains(f"lstm:3,5,t=2,b={batch}", columns)
    assert sorted(parts for parts, *_ in found) == sorted([(rows, rows) for rows in blocks] * 4)
    for parts, cycles, depth, elements in found:
        assert (cycles, depth) == (2 * batch, 8)
        assert elements == sum(parts) * batch
