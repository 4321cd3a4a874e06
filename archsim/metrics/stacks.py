"""Computes cycle stacks: where each unit's cycles went."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.errors import SimulatorBug
from archsim.metrics.unit_facts import UnitFacts
from archsim.program.ir import PhaseKind, Wait
from archsim.trace import Trace

Stack = Mapping[str, int]
"""Bucket -> cycles. The buckets are always the same and sum to the length of the run."""

BUCKETS: Mapping[str, str] = {
    "useful": "whole cycles' worth of useful items: floor(items / items per cycle)",
    "padding": "cycles in which the datapath works, less useful ones: ragged tiles and lanes; DRAM's rows and refresh",
    "wait_port": "the op holds the unit for a memory port that is slower than the datapath, or that another unit has",
    Wait.RECURRENCE.value: "waits for h or c of the time step before",
    Wait.INPUT.value: "waits for x from DRAM",
    Wait.WEIGHTS.value: "waits for weights",
    Wait.ACCUMULATOR.value: "waits for accumulators that still hold another tile's sums",
    Wait.OPERAND.value: "waits for another unit's result of the same time step",
    Wait.BUFFER.value: "waits for a buffer slot that is still being read",
    Wait.ISSUE.value: "waits for the sequencer to issue the op",
    "prologue": "has nothing (more) to do in the prologue",
    "handover": "has nothing (more) to do while the next layer's first inputs are loaded",
    "epilogue": "has nothing (more) to do in the epilogue",
    "idle": "has nothing more to do in the time steps",
}


def cycle_stacks(trace: Trace, facts: Mapping[str, UnitFacts]) -> dict[str, Stack]:
    """A stack for each unit; SimulatorBug if the cycles of one do not add up."""
    stacks: dict[str, Stack] = {}
    for name, unit in trace.units.items():
        useful = facts[name].activity.useful_cycles
        stack = {
            "useful": useful,
            "padding": unit.compute_cycles - useful,
            "wait_port": unit.port_cycles,
            **{cause.value: unit.waits[cause] for cause in Wait},
            "prologue": unit.idle.get(PhaseKind.PROLOGUE, 0),
            "handover": unit.idle.get(PhaseKind.HANDOVER, 0),
            "epilogue": unit.idle.get(PhaseKind.EPILOGUE, 0),
            "idle": unit.idle.get(PhaseKind.BODY, 0),
        }
        if sum(stack.values()) != trace.total_cycles or min(stack.values()) < 0 or stack.keys() != BUCKETS.keys():
            raise SimulatorBug(f"the cycles of {name} do not add up to {trace.total_cycles}: {stack}")
        stacks[name] = stack
    return stacks
