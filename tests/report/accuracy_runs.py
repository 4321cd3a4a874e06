"""Runs in other formats than float32, on a float32 machine with its formats changed."""

from __future__ import annotations

from functools import cache

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.float_machines import FLOAT_64X64

MIXED = (
    "{weight: bfp8, input: int8, hidden: int8, accumulator: float32, gate: bfloat16, activation: float16, cell: q2.10}"
)
WRAPS = (
    "{weight: int4/row, input: int8, hidden: int8, accumulator: int24, gate: q3.5, activation: q1.7, cell: q1.6/wrap}"
)


@cache
def run_formats(
    formats: str, *sets: str, workload: str = "lstm_3_2_t4", changes: tuple[str, ...] = (), timing_only: bool = False
) -> Simulation:
    """A workload with changes on a machine with those formats and other overrides; simulated once."""
    arch = load_arch(FLOAT_64X64, [parse_override(text) for text in (f"formats={formats}", *sets)])
    work = load_workload(workload, [parse_override(text) for text in changes])
    return simulate(arch, work, timing_only=timing_only)


def words(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())
