"""The tables of chains that close a recurrence, and the longest of them, by hand."""

from __future__ import annotations

from fractions import Fraction

from archsim.engines.recurrence.chain import ChainTables
from archsim.engines.recurrence.phase_arrays import PhaseArrays
from archsim.engines.recurrence.timing import ServiceTimes
from archsim.hardware.unit import Service
from archsim.metrics.bounds import Closing
from archsim.program.ir import After, Dep, Wait
from tests.engines.recurrence.generic_phases import phase_of

AFTER_A = {"b": [Dep(0, 0, After.DONE, Wait.OPERAND)], "c": [Dep(1, 0, After.DONE, Wait.OPERAND)]}
ARRAYS = PhaseArrays.from_phase(phase_of("a:u0 b:u1 c:u2", AFTER_A, 4), {"u0": 0, "u1": 1, "u2": 2})
SERVICES = ServiceTimes.from_services([Service(2, 0, 3), Service(1, 0, 1), Service(4, 0, 0)])


def test_each_chain_has_its_column() -> None:
    chains = [Closing(0, 2, 1, Fraction(1)), Closing(1, 2, 3, Fraction(2, 7))]
    tables = ChainTables.from_chains(ARRAYS, chains)
    assert tables.chains.first.tolist() == [0, 1]
    assert tables.chains.last.tolist() == [2, 2]
    assert tables.lag.tolist() == [1, 3]
    assert tables.per_step == (Fraction(1), Fraction(2, 7))


def test_the_longest_is_counted_a_time_step() -> None:
    """From a: 2 + 3, b's 1 + 1, c's 4, in one repetition: 11. From b: 6, over 3 repetitions, 2 of them a step: 4."""
    whole, part = Closing(0, 2, 1, Fraction(1)), Closing(1, 2, 3, Fraction(2))
    assert ChainTables.from_chains(ARRAYS, [whole, part]).longest(SERVICES, 0) == 11
    assert ChainTables.from_chains(ARRAYS, [part]).longest(SERVICES, 0) == 4


def test_without_a_chain_there_are_empty_tables() -> None:
    tables = ChainTables.from_chains(ARRAYS, [])
    assert (tables.chains.first.tolist(), tables.lag.tolist(), tables.per_step) == ([], [], ())
    assert tables.longest(SERVICES, 0) == 0
