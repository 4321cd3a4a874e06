"""Stacks of cycles: what does not add up is a bug of the simulator, and said to be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from archsim.errors import SimulatorBug
from archsim.metrics.stacks import BUCKETS, Stack, cycle_stacks
from archsim.metrics.unit_facts import UnitFacts
from tests.engines.events.by_hand import Job, Token, run_jobs


@dataclass(frozen=True)
class Activity:
    """What a stack takes from what a unit does."""

    useful_cycles: int


@dataclass(frozen=True)
class Facts:
    """What a stack takes from the facts of a unit."""

    activity: Activity


def stacks(useful: int) -> dict[str, Stack]:
    """a1 occupies its unit for 5 cycles, `useful` of them useful; b1 waits for it and takes 2."""
    _, trace = run_jobs([Job("a1", 5), Job("b1", 2, 0, [Token("a1")])])
    facts = {"a": Facts(Activity(useful)), "b": Facts(Activity(2))}
    return cycle_stacks(trace, cast(dict[str, UnitFacts], facts))


def test_stacks_by_hand() -> None:
    found = stacks(3)
    assert {unit: {bucket: n for bucket, n in stack.items() if n} for unit, stack in found.items()} == {
        "a": {"useful": 3, "padding": 2, "idle": 2},
        "b": {"useful": 2, "wait_operand": 5},
    }
    assert all(stack.keys() == BUCKETS.keys() for stack in found.values())


def test_more_useful_cycles_than_there_are_is_a_bug() -> None:
    with pytest.raises(SimulatorBug, match="the cycles of a do not add up to 7: .*'padding': -1"):
        stacks(6)
