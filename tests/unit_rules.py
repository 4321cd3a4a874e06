"""What every unit of every family must fulfil for each op that it knows, and for those that it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.errors import SimulatorBug
from archsim.hardware.numerics import Numerics
from archsim.hardware.unit import Unit
from archsim.program.ir import Op


def check_op(unit: Unit[Any], op: Op, random: np.random.Generator, *, idle: bool = False) -> None:
    """Pure times, work that fits into them (none if `idle`), and results of the shapes that the op names, no views."""
    service = unit.cycles(op)
    assert service == unit.cycles(op), "cycles is a pure function"
    assert service.compute_cycles >= 1
    assert service.occupancy_cycles == max(service.compute_cycles, service.port_cycles)
    assert service.latency_cycles == service.occupancy_cycles + service.depth_cycles
    work = unit.work(op)
    assert (work.items == 0) is idle
    assert work.items <= work.items_per_cycle * service.compute_cycles, "useful work fits into the cycles"
    operands = [random.normal(size=(r.entries, r.buffer.width)).astype(np.float32) for r in op.reads]
    before = [operand.copy() for operand in operands]
    kernel = unit.kernel(op, Numerics())
    results = kernel.effect(operands)
    for region, result in zip(op.writes, results, strict=True):
        assert result.shape == (region.entries, region.buffer.width)
        assert result.dtype == np.float32
    for operand, copy in zip(operands, before, strict=True):
        np.testing.assert_array_equal(operand, copy, "effect changes no operand")
    for result, again in zip(results, kernel.effect(operands), strict=True):
        np.testing.assert_array_equal(result, again, "effect is a pure function")
    assert set(op.updates) <= set(op.writes)


def check_refusal(unit: Unit[Any], op: Op) -> None:
    """An op that the unit does not know is an error, never free."""
    for ask in (unit.compute_cycles, unit.work, unit.cycles):
        with pytest.raises(SimulatorBug, match=f"{unit.name} got an op it does not know: {type(op).__name__}"):
            ask(op)
