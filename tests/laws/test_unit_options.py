"""Several units of a kind, x beside h, the bias behind the trees: no number and no law changes, only cycles."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engines.events.options import Jitter
from archsim.program.verifier import find_hazards
from tests.rings import examples
from tests.strategies import Case, bits, cases, compare, jitters, seeds, tensors, unit_options

changed_cases = cases().flatmap(unit_options)


@settings(max_examples=examples(40))
@given(changed_cases, seeds, jitters())
def test_the_numbers_are_right_whatever_the_latencies(case: Case, seed: int, jitter: Jitter) -> None:
    assert find_hazards(case.program) == ()
    numbers = tensors(case.spec, seed, 0.5)
    _, computed = case.execute(numbers)
    _, shaken = case.execute(numbers, jitter=jitter)
    assert computed is not None
    assert bits(computed) == bits(case.interpret(numbers)) == bits(shaken)
    assert compare(computed, numbers, case.spec).passed


@settings(max_examples=examples(25))
@given(changed_cases)
def test_cycles_add_up_and_keep_the_bounds(case: Case) -> None:
    """(The cycle stacks are checked where they are made.)"""
    stats = case.simulate(timing_only=True).stats
    assert max(stats.bounds.values()) * case.spec.steps <= stats.body_cycles
    assert stats.macs == case.spec.macs


@settings(max_examples=examples(25))
@given(cases(), st.integers(2, 6))
def test_more_units_are_never_slower_where_issue_is_no_limit(case: Case, units: int) -> None:
    """In the order of the program each unit then has a part of the ops that one had.

    With one op an op of i, f and o together, and gates of one unit in one op: so only of a gate-major program, whose
    activations are one gate each.
    """
    if "gate_major" not in case.schedule:
        return
    fast = case.with_fields({"sequencer.issue_cycles": 0, "sequencer.queue_depth": 1000})
    alone = fast.simulate(timing_only=True).stats
    several = fast.with_fields({"activation.units": units, "elementwise.units": 2}).simulate(timing_only=True).stats
    assert several.body_cycles <= alone.body_cycles
