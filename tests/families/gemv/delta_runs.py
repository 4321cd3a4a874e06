"""Delta networks on small MAC arrays: machines with an encoder, formats, columns that change, and what must agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from archsim.api import Simulation, simulate
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.workload import Workload, load_workload
from archsim.workload.activity import LayerActivity, StepColumns
from tests.present import present

ENCODER = "delta_encoder={lanes: 1, latency_cycles: 1, capacity_bytes: 4KiB, port_bits: 64}"
TABLE = "activation.method=table"
ROOMY = ("accumulators.entries=512", "weight_sram.capacity_bytes=64KiB", "input_buffer.capacity_bytes=4KiB")

PATTERN = (((1,), ()), ((1, 2, 3), (4, 5)), ((), (5,)), ((2,), (4, 5)))
"""Columns of x and of h of an LSTM(3, 2) that change in each of four steps."""

SAME = {
    "weight": "q2.6",
    "input": "q3.5",
    "hidden": "q3.5",
    "accumulator": "q12.11",
    "gate": "q12.11",
    "activation": "q2.6",
    "cell": "q4.6",
}
"""Sums of products in as many bits of fraction as they have, and no sum beyond the range."""
FORMATS = (
    tuple(f"formats.{kind}={found}" for kind, found in SAME.items()),
    ("formats=q4.12",),
    (
        "formats.weight=int8/row",
        "formats.accumulator=int32",
        *(f"formats.{kind}=q4.10" for kind in ("input", "hidden", "gate", "activation", "cell")),
    ),
    (
        "formats.weight=q2.5",
        "formats.accumulator=q3.6/wrap",
        "formats.gate=q3.6",
        *(f"formats.{kind}=q2.6" for kind in ("input", "hidden", "activation", "cell")),
    ),
)


def machine(*sets: str, arch: str = "tiny_2x2") -> Arch:
    return load_arch(arch, [parse_override(text) for text in (ENCODER, TABLE, *sets)])


def recorded(workload: Workload, *steps: tuple[tuple[int, ...], tuple[int, ...]]) -> Workload:
    """The workload with the same columns changing in each of its cells."""
    activity = LayerActivity(tuple(StepColumns(x, h) for x, h in steps))
    return replace(workload, activity=(activity,) * len(workload.spec.cells))


def given_columns(workload: str, *steps: tuple[tuple[int, ...], tuple[int, ...]]) -> Workload:
    return recorded(load_workload(workload), *steps)


def agreed(arch: Arch, workload: Workload, schedule: str) -> Simulation:
    """The run on the machine, whose every bit is the integer reference's, and every figure the second executor's.

    The second executor takes the columns that the machine has recorded.
    """
    evaluator = Evaluator()
    found = simulate(arch, workload, schedule, executor="machine", evaluator=evaluator)
    assert found.validation.bitwise
    assert found.validation.passed
    fast = simulate(arch, workload, schedule, timing_only=True, executor="fast", evaluator=evaluator)
    assert fast.stats == found.stats
    assert fast.frames == found.frames
    assert fast.step_end_cycles == found.step_end_cycles
    return found


def assert_bounds_hold(found: Simulation) -> None:
    """No lower bound of a step is above what the steps take in the mean."""
    assert max(found.stats.bounds.values()) * found.workload.spec.steps <= found.stats.body_cycles


def assert_same_numbers(found: Simulation, other: Simulation) -> None:
    """Bit for bit: all outputs, and the last h of each cell."""
    assert np.array_equal(present(found.results).output, present(other.results).output)
    for ours, theirs in zip(present(found.results).h_n, present(other.results).h_n, strict=True):
        assert np.array_equal(ours, theirs)
