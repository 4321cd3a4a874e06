"""The tables of chains that close a recurrence, and the longest of them, by hand and chain by chain."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings

from archsim.engines.recurrence.chain import ChainTables
from archsim.engines.recurrence.phase_arrays import PhaseArrays, ProgramTables
from archsim.engines.recurrence.timing import ServiceTimes
from archsim.hardware.unit import Service
from archsim.metrics.bounds import Closing, StepTimes, closing_chains
from archsim.program.ir import After, Dep, PhaseKind, Wait
from tests.engines.recurrence.generic_phases import phase_of
from tests.rings import examples
from tests.strategies import Case, cases

AFTER_A = {"b": [Dep(0, 0, After.DONE, Wait.OPERAND)], "c": [Dep(1, 0, After.DONE, Wait.OPERAND)]}
ARRAYS = PhaseArrays.from_phase(phase_of("a:u0 b:u1 c:u2", AFTER_A, 4), {"u0": 0, "u1": 1, "u2": 2})
SERVICES = ServiceTimes.from_services([Service(2, 0, 3), Service(1, 0, 1), Service(4, 0, 0)])


def test_chains_that_count_differently_stand_in_groups_of_their_own() -> None:
    chains = [Closing(0, 2, 1, Fraction(1)), Closing(1, 2, 3, Fraction(2, 7))]
    tables = ChainTables.from_chains(ARRAYS, chains)
    assert tables.groups.begins.tolist() == [[True, False, False], [False, True, False]]
    assert tables.groups.ends.tolist() == [[False, False, True]] * 2
    assert tables.lag == (1, 3)
    assert tables.per_step == (Fraction(1), Fraction(2, 7))


def test_chains_stand_together_only_if_each_beginning_has_all_ends() -> None:
    """a to b and a to c, b to c: b must not be taken to close with b."""
    whole = Fraction(1)
    chains = [Closing(0, 1, 1, whole), Closing(0, 2, 1, whole), Closing(1, 2, 1, whole)]
    groups = ChainTables.from_chains(ARRAYS, chains).groups
    assert groups.begins.tolist() == [[True, False, False], [False, True, False]]
    assert groups.ends.tolist() == [[False, True, True], [False, False, True]]


def test_the_longest_is_counted_a_time_step() -> None:
    """From a: 2 + 3, b's 1 + 1, c's 4, in one repetition: 11. From b: 6, over 3 repetitions, 2 of them a step: 4."""
    whole, part = Closing(0, 2, 1, Fraction(1)), Closing(1, 2, 3, Fraction(2))
    assert ChainTables.from_chains(ARRAYS, [whole, part]).longest(SERVICES, 0) == 11
    assert ChainTables.from_chains(ARRAYS, [part]).longest(SERVICES, 0) == 4


def test_the_longest_of_a_group_begins_with_the_first_of_its_ops() -> None:
    """a and b both close with c: from a 11, as above; b alone would be 6."""
    chains = [Closing(0, 2, 1, Fraction(1)), Closing(1, 2, 1, Fraction(1))]
    tables = ChainTables.from_chains(ARRAYS, chains)
    assert tables.lag == (1,)
    assert tables.longest(SERVICES, 0) == 11


def test_without_a_chain_there_are_empty_tables() -> None:
    tables = ChainTables.from_chains(ARRAYS, [])
    assert (tables.groups.begins.shape, tables.lag, tables.per_step) == ((0, 3), (), ())
    assert tables.longest(SERVICES, 0) == 0


@settings(max_examples=examples(200))
@given(cases())
def test_the_longest_of_groups_is_the_longest_of_chains(case: Case) -> None:
    """Those of programs, whose bound archsim.metrics.bounds finds chain by chain, in another way."""
    latency, found = case.config.sequencer.token_latency_cycles, Fraction(0)
    tables = ProgramTables.from_program(case.program, tuple(case.units))
    for phase, arrays in zip(case.program.phases, tables.phases, strict=True):
        if phase.kind is PhaseKind.BODY:
            services = ServiceTimes.from_services([case.units[op.unit].cycles(op) for op in phase.ops])
            found += ChainTables.from_chains(arrays, closing_chains(phase)).longest(services, latency)
    assert found == StepTimes.from_program(case.program, case.units, latency).recurrence_cycles
