"""Runs that several tests look at, simulated once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.trace import Window
from archsim.workload import load_workload
from tests.float_machines import FLOAT_64X64

SMALL_ARRAY = ("mac_array.rows=4", "mac_array.columns=2", "activation.lanes=1", "elementwise.lanes=1")

Run = Callable[..., Simulation]


def run_small(
    sets: Sequence[str] = SMALL_ARRAY,
    workload: Sequence[str] = (),
    schedule: str = "fused",
    window: Window | None = None,
    timing_only: bool = False,
) -> Simulation:
    """lstm_3_2_t4 with overrides on a float32 edge_64x64 with overrides."""
    arch = load_arch(FLOAT_64X64, [parse_override(text) for text in sets])
    work = load_workload("lstm_3_2_t4", [parse_override(text) for text in workload])
    return simulate(arch, work, schedule, window=window, timing_only=timing_only)


@pytest.fixture(scope="session")
def run() -> Run:
    """A function that simulates a small run of one's own."""
    return run_small


@pytest.fixture(scope="session")
def small() -> Simulation:
    """lstm_3_2_t4 on a 4 x 2 array, every op on record."""
    return run_small(window=Window(0, 4))


@pytest.fixture(scope="session")
def long() -> Simulation:
    """24 steps of LSTM(48, 64) on an 8 x 8 array: too many ops to see all of them."""
    sets = ("mac_array.rows=8", "mac_array.columns=8")
    return run_small(sets, ("input_size=48", "hidden_size=64", "steps=24"))
