"""Many designs in step give the times that each gives by itself: any program, period, sequencer, number of designs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engines.events import MachineSpec
from archsim.engines.recurrence import (
    BatchTiming,
    ChainTables,
    ProgramTables,
    ServiceTimes,
    Timing,
    execute_batch,
    execute_fast,
    lane_arrays,
    lanes,
    longest_chains,
)
from archsim.hardware.unit import Service
from archsim.metrics.bounds import closing_chains
from archsim.program.codes import CAUSES
from archsim.program.ir import After, Dep, Program, Wait
from tests.engines.recurrence.fast_runs import generic_runs, loop_runs, services, stream_runs
from tests.engines.recurrence.generic_phases import phase_of
from tests.rings import examples

RUNS = st.one_of(generic_runs(), loop_runs(), stream_runs())


Sequencer = tuple[int, int, int]
"""Cycles of an issue, depth of a queue, cycles of a token."""


@st.composite
def batches(draw: st.DrawFn) -> tuple[Program, MachineSpec, list[ServiceTimes], list[Sequencer]]:
    """A program, the services of its ops in up to 35 designs, and their sequencers, in which any of these differ.

    That is two blocks of 16, and one that is not full, or more blocks that are not.
    """
    program, spec = draw(RUNS)
    ops = len(program.phases[0].ops)
    distinct = draw(st.lists(st.lists(services(), min_size=ops, max_size=ops), min_size=1, max_size=4))
    tables = [ServiceTimes.from_services(of_design) for of_design in distinct]
    designs = [tables[n] for n in draw(st.lists(st.integers(0, len(tables) - 1), min_size=1, max_size=35))]
    more = [st.sampled_from([0, 0, step]) for step in (1, 3, 2)]
    kinds = [sequencer_of(spec, draw(st.tuples(*more))) for _ in range(draw(st.integers(1, 3)))]
    return program, spec, designs, [draw(st.sampled_from(kinds)) for _ in designs]


def sequencer_of(spec: MachineSpec, more: Sequencer = (0, 0, 0)) -> Sequencer:
    """The sequencer of a machine, with some more of each."""
    return spec.issue_cycles + more[0], spec.queue_depth + more[1], spec.token_latency_cycles + more[2]


def check(program: Program, spec: MachineSpec, designs: list[ServiceTimes], sequencers: list[Sequencer]) -> int:
    """All that a run of each design has, by itself and in step; returns how many phases had to run by themselves."""
    tables = ProgramTables.from_program(program, spec.units)
    (arrays,) = tables.phases
    shape = np.arange(len(arrays.unit))
    units = len(spec.units)
    # A row for each unit of each design, though some are the same; rows of other units hold what must not be read.
    rows = [np.repeat(np.array([design[kind] for design in designs]), units, axis=0) for kind in range(5)]
    row = np.arange(units * len(designs)).reshape(len(designs), units).T.copy()
    timing = BatchTiming(ServiceTimes(*rows), arrays.unit, row, *np.array(sequencers).T.copy())
    trace = execute_batch(tables.phases, timing, (shape,))
    (found,) = trace.phases
    for number, (of_design, sequencer) in enumerate(zip(designs, sequencers, strict=True)):
        alone = execute_fast(tables, Timing((of_design,), *sequencer)).trace
        assert found.cycles[number] == alone.total_cycles
        ends = dict(zip(arrays.marks.tolist(), found.mark_ends[:, number].tolist(), strict=True))
        assert {mark: end for mark, end in ends.items() if end >= 0} == dict(alone.phases[0].ends)
        for place, unit in enumerate(spec.units):
            waits = dict(zip(CAUSES, found.waits[place, :, number].tolist(), strict=True))
            assert waits == alone.units[unit].waits
            idle = found.cycles[number] - found.free_at[place, number]
            assert idle == sum(alone.units[unit].idle.values())
    chains = ChainTables.from_chains(arrays, closing_chains(program.phases[0]))
    lengths = longest_chains(chains, timing.phase(shape))[timing.lane_of]
    for number, (of_design, sequencer) in enumerate(zip(designs, sequencers, strict=True)):
        assert lengths[number] == chains.longest(of_design, sequencer[2]) * chains.denominator
    return int(trace.alone.sum())


@settings(max_examples=examples(1_000))
@given(batches())
def test_in_step_as_by_itself(batch: tuple[Program, MachineSpec, list[ServiceTimes], list[Sequencer]]) -> None:
    """Also where each design of a block has another period, so that the block's is their least common multiple."""
    assert check(*batch) == 0


def test_what_has_no_period_in_common_runs_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that is given up: here one of two designs whose lengths are beyond what is evaluated in step."""

    # b runs away from a for ever (its unit takes longer), so that no period begins: the queue is as deep as the phase.
    deps = {"b": [Dep(0, 0, After.DONE, Wait.OPERAND)]}
    steps = 3 * lane_arrays.MOST_ALONE
    program = Program("apart", (), (phase_of("a:u0 b:u1", deps, steps),))
    spec = MachineSpec(("u0", "u1"), ((Service(1, 0, 0), Service(2, 0, 0)),), 0, steps)
    designs = [ServiceTimes.from_services([Service(1, 0, 0), Service(2, 0, 0)])] * 3
    assert check(program, spec, designs, [sequencer_of(spec)] * 3) == 3
    assert lanes.LONGEST_RUN == 1 << 58


@pytest.mark.parametrize("designs", [1, 16, 17])
def test_a_block_whose_designs_repeat_themselves_is_never_given_up(designs: int) -> None:
    """Design n: a takes 3 + n cycles, b 2, and a waits for b of two repetitions before, so that two of them repeat.

    Repetitions are beyond what is evaluated in step without a period, and of every design of a block the period counts.
    """
    deps = {"a": [Dep(1, 2, After.DONE, Wait.RECURRENCE)], "b": [Dep(0, 0, After.DONE, Wait.OPERAND)]}
    program = Program("loop", (), (phase_of("a:u0 b:u1", deps, 3 * lane_arrays.MOST_ALONE),))
    times = [(Service(3 + n, 0, 4), Service(2, 0, 5)) for n in range(designs)]
    spec = MachineSpec(("u0", "u1"), (times[0],), 1, 8)
    tables = [ServiceTimes.from_services(of_design) for of_design in times]
    assert check(program, spec, tables, [sequencer_of(spec)] * designs) == 0
