"""A machine of the family npu on which no two parameters are equal, and the ops of a network on it."""

from __future__ import annotations

from archsim.families.npu.config import NpuConfig
from archsim.families.schedules import find_schedule
from archsim.program.ir import Op, Program
from archsim.workload import CellKind, Workload
from tests.families.npu.machines import machine
from tests.strategies import network

UNEQUAL = (
    "formats=int16",
    "formats.weight=int6",
    "formats.hidden=int9",
    "formats.accumulator=int24",
    "formats.activation=int10",
    "mvu.cores=2",
    "mvu.tiles=3",
    "mvu.dpes=5",
    "mvu.lanes=7",
    "mvu.dot_units=4",
    "mvu.block_lanes=3",
    "mfu.lanes=4",
    "mfu.latency_cycles=1",
    "mfu.add_latency_cycles=20",
    "mfu.multiply_latency_cycles=300",
    "mfu.read_latency_cycles=6",
    "evrf.read_latency_cycles=9",
    "loader.write_back_latency_cycles=8",
    "loader.tag_latency_cycles=40",
)
"""3 blocks of lanes, 4 x 3 words of operands, so 12 row blocks of 5 rows a chunk; 3 x 7 = 21 columns; words of 4."""


def config(*sets: str) -> NpuConfig:
    found = machine(*UNEQUAL, *sets).config
    assert isinstance(found, NpuConfig)
    return found


LOAD = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=2, batch=3)
"""W_ih has 3 column blocks, W_hh one; gates have 3 row blocks; a core has 2 of the 3 sequences."""


def build(load: Workload = LOAD, *sets: str) -> Program:
    return find_schedule(None, "npu").build(load.spec, config(*sets))


def op_of(label: str, unit: str, load: Workload = LOAD, *sets: str) -> Op:
    """The only op of a label and a unit."""
    program = build(load, *sets)
    (found,) = [op for phase in program.phases for op in phase.ops if (op.label, op.unit) == (label, unit)]
    return found
