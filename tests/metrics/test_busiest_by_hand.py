"""Of several units of a kind the busiest bounds a step, whichever it is: by hand, in one run and in a batch."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.workload import load_workload


def machine(units: int, *sets: str) -> Arch:
    """tiny_2x2, of a lane each, with room for four gates of five units."""
    room = ("state_buffer.capacity_bytes=16KiB", "accumulators.entries=64")
    return load_arch("tiny_2x2", [parse_override(text) for text in (f"activation.units={units}", *room, *sets)])


CASES = [
    # Gate k goes to unit k, the rest to the last: i, f, g, o and tanh(c), of 5 values each.
    ("lstm", 1, 25),
    ("lstm", 2, 20),
    ("lstm", 3, 15),
    ("lstm", 4, 10),
    # r, z and n: of two units the last has two, of three each has one.
    ("gru", 1, 15),
    ("gru", 2, 10),
    ("gru", 3, 5),
    # h alone, on the first: the last has nothing to do.
    ("rnn", 1, 5),
    ("rnn", 2, 5),
    ("rnn", 3, 5),
]


@pytest.mark.parametrize(("kind", "units", "cycles"), CASES)
def test_of_activation_units(kind: str, units: int, cycles: int) -> None:
    run = simulate(machine(units), load_workload(f"{kind}:3,5,t=3"), "fused", timing_only=True)
    assert run.stats.bounds["activation"] == cycles


@pytest.mark.parametrize(("units", "cycles"), [(1, 10), (2, 5)])
def test_of_element_wise_units(units: int, cycles: int) -> None:
    """c on the first, h on the last, 5 values each."""
    run = simulate(machine(1, f"elementwise.units={units}"), load_workload("lstm:3,5,t=3"), "fused", timing_only=True)
    assert run.stats.bounds["elementwise"] == cycles


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_in_a_batch(kind: str) -> None:
    """Designs with one to three units at once."""
    wanted = {units: cycles for of, units, cycles in CASES if of == kind and units < 4}
    configs = [machine(units).config for units in wanted]
    designs = Designs.from_configs(configs, ["fused"] * len(configs))
    found = BatchEvaluator(Evaluator().programs).evaluate(designs, load_workload(f"{kind}:3,5,t=3").spec)
    cycles: dict[int, object] = {}
    for figures in found.figures:
        column = figures.columns["bounds.activation"].values()
        cycles |= dict(zip(figures.designs.tolist(), column, strict=True))
    assert [cycles[design] for design in range(len(configs))] == list(wanted.values())
