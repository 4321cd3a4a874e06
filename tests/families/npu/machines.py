"""Machines and networks for the tests of the family npu."""

from __future__ import annotations

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.trace import Window
from archsim.workload import Workload

EVERYTHING = Window(0, 1 << 30)

SMALL = (
    "mvu.cores=1",
    "mvu.tiles=2",
    "mvu.dpes=2",
    "mvu.lanes=2",
    "mvu.dot_units=1",
    "mvu.block_lanes=1",
    "mfu.lanes=2",
)
"""1 core of 2 tiles x 2 engines x 2 lanes: a row block is 2 rows, a column block 4 columns, a chunk 2 row blocks."""


def machine(*sets: str) -> Arch:
    """The preset with some fields changed."""
    return load_arch("npu_s10nx", [parse_override(text) for text in sets])


def timed(workload: str | Workload, *sets: str) -> Simulation:
    """A run in cycles alone, with every op on record."""
    return simulate(machine(*sets), workload, timing_only=True, window=EVERYTHING)
